-- Whose deals they are.
SELECT 'deal_contact' AS source, deal_id, contact_id FROM deal_contact
UNION ALL
SELECT 'deal', deal_id, unnest(ids(associated_contact_ids)) FROM deal
UNION ALL
SELECT 'contact', unnest(ids(associated_deal_ids)), id FROM contact
