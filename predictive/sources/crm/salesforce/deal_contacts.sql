-- Whose opportunities they are: by role, by the contact that it names, and by the lead that it came of.
SELECT 'opportunity_contact_role' AS source, opportunity_id AS deal_id, contact_id
FROM opportunity_contact_role
WHERE NOT removed(is_deleted, _fivetran_deleted) AND NOT outdated(_fivetran_active)
UNION ALL
SELECT 'opportunity', id, contact_id FROM opportunity
UNION ALL
SELECT 'lead', converted_opportunity_id, id FROM lead
