-- Which companies deals are with; the primary one (type 5) first.
SELECT 'deal_company' AS source, deal_id, company_id AS account_id, CASE type_id WHEN '5' THEN 0 ELSE 1 END AS place
FROM deal_company
UNION ALL
SELECT 'deal', deal_id, unnest(ids(associated_company_ids)), 1 FROM deal
