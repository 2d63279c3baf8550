-- Which record became which: a converted lead lives on as its contact, a merged record (deleted) as its master.
SELECT 'contact' AS object, id AS merged, converted_contact_id AS into_id FROM lead
UNION ALL
SELECT 'contact', id, master_record_id FROM lead
UNION ALL
SELECT 'contact', id, master_record_id FROM contact
UNION ALL
SELECT 'account', id, master_record_id FROM account
