-- Companies as they are today, deleted and merged ones included.
SELECT
    id,
    yes(_fivetran_deleted) OR yes(is_deleted) AS deleted,
    false AS earlier,
    utc(createdate) AS created_at,
    name AS company_name,
    industry,
    TRY_CAST(numberofemployees AS DOUBLE) AS employees,
    TRY_CAST(annualrevenue AS DOUBLE) AS revenue,
    company.* EXCLUDE (id, name, createdate, industry, numberofemployees, annualrevenue)
FROM company
