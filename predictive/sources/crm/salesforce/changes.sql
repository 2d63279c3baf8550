-- Two kinds of history under one name: Salesforce's own rows per changed field, and Fivetran's versions of whole records
-- (history mode), of which each value that differs from the one before is a change.
WITH versions AS (
    SELECT 'lead_history' AS source, 'contact' AS object, *
    FROM (SELECT * FROM lead_history WHERE _fivetran_start IS NOT NULL)
    UNPIVOT INCLUDE NULLS (value FOR attribute IN (* EXCLUDE (id, _fivetran_start, last_modified_date, created_date)))
    UNION ALL BY NAME
    SELECT 'contact_history' AS source, 'contact' AS object, *
    FROM (SELECT * FROM contact_history WHERE _fivetran_start IS NOT NULL)
    UNPIVOT INCLUDE NULLS (value FOR attribute IN (* EXCLUDE (id, _fivetran_start, last_modified_date, created_date)))
    UNION ALL BY NAME
    SELECT 'account_history' AS source, 'account' AS object, *
    FROM (SELECT * FROM account_history WHERE _fivetran_start IS NOT NULL)
    UNPIVOT INCLUDE NULLS (value FOR attribute IN (* EXCLUDE (id, _fivetran_start, last_modified_date, created_date)))
), placed AS (
    SELECT *, utc(_fivetran_start) AS began, row_number() OVER versions AS place, lag(value) OVER versions AS before
    FROM versions WHERE NOT starts_with(attribute, '_fivetran')
    WINDOW versions AS (PARTITION BY object, id, attribute ORDER BY moment(utc(_fivetran_start)))
), fields AS (
    SELECT 'lead_history' AS source, 'contact' AS object, lead_id AS object_id, * FROM lead_history
    UNION ALL BY NAME
    SELECT 'contact_history' AS source, 'contact' AS object, contact_id AS object_id, * FROM contact_history
    UNION ALL BY NAME
    SELECT 'account_history' AS source, 'account' AS object, account_id AS object_id, * FROM account_history
)
-- Of fields only those that are followed have rows, and only once they change: these are `partial`.
SELECT
    source, object, id AS object_id, attribute, value, CAST(NULL AS VARCHAR) AS old_value,
    -- The first version stands since the record was last modified, which may be before Fivetran began to keep versions.
    CASE WHEN place = 1 AND moment(utc(last_modified_date)) < moment(began) THEN utc(last_modified_date) ELSE began END
        AS changed_at,
    false AS partial
FROM placed
WHERE value IS DISTINCT FROM before OR (place = 1 AND value IS NOT NULL)
UNION ALL
SELECT source, object, object_id, field, new_value, old_value, utc(created_date), true
FROM fields
-- A lookup is written twice, by id and by name.
WHERE field IS NOT NULL AND (data_type IS DISTINCT FROM 'Text' OR lower(field) NOT IN ('account', 'owner'))
