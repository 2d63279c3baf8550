-- Contacts as they are today, deleted and merged ones included.
SELECT
    id,
    yes(_fivetran_deleted) OR yes(is_deleted) OR yes(hs_is_deleted) AS deleted,
    false AS earlier,
    coalesce(utc(createdate), utc(created_at)) AS created_at,
    -- The company that HubSpot calls primary; in an export without it, the first.
    coalesce(associatedcompanyid, ids(associated_company_ids)[1], paired.company_id) AS account_id,
    coalesce(email, work_email) AS email,
    nullif(concat_ws(' ', firstname, lastname), '') AS name,
    jobtitle AS job_title,
    country,
    hs_analytics_source AS source,
    lifecyclestage AS lifecycle_stage,
    marketable(hs_marketable_status) AS marketing_status,
    tags,
    contact.* EXCLUDE (id, country, tags, email, createdate, created_at, associatedcompanyid, jobtitle,
        hs_analytics_source, lifecyclestage, hs_marketable_status)
FROM contact
LEFT JOIN (
    -- 1 is the type of the primary company.
    SELECT contact_id, arg_min(company_id, concat(type_id IS DISTINCT FROM '1', company_id)) AS company_id
    FROM contact_company GROUP BY contact_id
) paired ON paired.contact_id = contact.id
