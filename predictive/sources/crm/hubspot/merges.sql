-- Which record became which: HubSpot keeps the behaviour of a merged record under its old id.
SELECT 'contact' AS object, vid_to_merge AS merged, canonical_vid AS into_id FROM contact_merge_audit
UNION ALL
SELECT 'contact', vid_to_merge, contact_id FROM contact_merge_audit
UNION ALL
SELECT 'contact', unnest(ids(hs_calculated_merged_vids)), id FROM contact
UNION ALL
SELECT 'contact', unnest(ids(hs_merged_object_ids)), id FROM contact
UNION ALL
SELECT 'account', unnest(ids(hs_merged_object_ids)), id FROM company
UNION ALL
SELECT 'deal', unnest(ids(hs_merged_object_ids)), deal_id FROM deal
UNION ALL
SELECT 'deal', merged_deal_id, deal_id FROM merged_deal
