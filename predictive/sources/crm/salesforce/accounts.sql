-- Accounts as they are today, deleted and merged ones included.
SELECT
    id,
    removed(is_deleted, _fivetran_deleted) AS deleted,
    outdated(_fivetran_active) AS earlier,
    utc(created_date) AS created_at,
    name AS company_name,
    industry,
    TRY_CAST(number_of_employees AS DOUBLE) AS employees,
    TRY_CAST(annual_revenue AS DOUBLE) AS revenue,
    account.* EXCLUDE (id, created_date, name, industry, number_of_employees, annual_revenue)
FROM account
