-- Leads and contacts as they are today, deleted, merged and converted ones included.
SELECT
    id,
    removed(is_deleted, _fivetran_deleted) AS deleted,
    outdated(_fivetran_active) AS earlier,
    utc(created_date) AS created_at,
    converted_account_id AS account_id,
    email,
    coalesce(name, nullif(concat_ws(' ', first_name, last_name), '')) AS name,
    title AS job_title,
    country,
    lead_source AS source,
    status AS lifecycle_stage,
    lead.* EXCLUDE (id, created_date, email, name, title, country, lead_source, status)
FROM lead
UNION ALL BY NAME
SELECT
    id,
    removed(is_deleted, _fivetran_deleted) AS deleted,
    outdated(_fivetran_active) AS earlier,
    utc(created_date) AS created_at,
    account_id,
    email,
    coalesce(name, nullif(concat_ws(' ', first_name, last_name), '')) AS name,
    title AS job_title,
    mailing_country AS country,
    lead_source AS source,
    -- As leads call it.
    mailing_city AS city,
    mailing_state AS state,
    mailing_country_code AS country_code,
    mailing_state_code AS state_code,
    contact.* EXCLUDE (id, created_date, account_id, email, name, title, mailing_country, lead_source, mailing_city,
        mailing_state, mailing_country_code, mailing_state_code)
FROM contact
