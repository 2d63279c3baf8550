SELECT 'opportunity' AS source, id AS deal_id, account_id, 0 AS place
FROM opportunity WHERE NOT outdated(_fivetran_active)
