-- The history of properties, which HubSpot keeps from the creation of a record on.
SELECT
    'contact_property_history' AS source, 'contact' AS object, contact_id AS object_id, lower(name) AS attribute,
    CASE lower(name) WHEN 'hs_marketable_status' THEN marketable(value) ELSE value END AS value,
    CAST(NULL AS VARCHAR) AS old_value, utc(coalesce(timestamp, _fivetran_start)) AS changed_at, false AS partial
FROM contact_property_history
UNION ALL
SELECT
    'company_property_history', 'account', company_id, lower(name), value, NULL,
    utc(coalesce(timestamp, _fivetran_start)), false
FROM company_property_history
