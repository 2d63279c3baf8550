-- Deals. Won, lost or open is what the stage says in its pipeline; closedate is a forecast until the deal is closed.
WITH stages AS (
    SELECT stage_id,
        any_value(CASE
            WHEN yes(closed_won) OR (closed_won IS NULL AND TRY_CAST(probability AS DOUBLE) = 1) THEN 'won'
            WHEN yes(is_closed) OR (is_closed IS NULL AND TRY_CAST(probability AS DOUBLE) = 0) THEN 'lost'
            WHEN coalesce(closed_won, is_closed, probability) IS NOT NULL THEN 'open'
        END) AS outcome
    FROM deal_pipeline_stage GROUP BY stage_id
), entered AS (
    SELECT deal_id, max(utc(coalesce(date_entered, _fivetran_start))) AS since
    FROM deal_stage WHERE _fivetran_active IS NULL OR yes(_fivetran_active) GROUP BY deal_id
), known AS (
    SELECT deal.*, entered.since AS entered, coalesce(
        stages.outcome,
        CASE
            WHEN yes(hs_is_closed_won) THEN 'won'
            WHEN yes(hs_is_closed) OR yes(hs_is_closed_lost) THEN 'lost'
            WHEN coalesce(hs_is_closed, hs_is_closed_won) IS NOT NULL THEN 'open'
        END,
        CASE
            WHEN regexp_matches(stage, '^closed ?won') THEN 'won'
            WHEN regexp_matches(stage, '^closed ?lost') THEN 'lost'
        END
    ) AS outcome
    FROM (SELECT *, lower(coalesce(deal_pipeline_stage_id, dealstage)) AS stage FROM deal) deal
    LEFT JOIN stages ON stages.stage_id = coalesce(deal.deal_pipeline_stage_id, deal.dealstage)
    LEFT JOIN entered ON entered.deal_id = deal.deal_id
)
SELECT
    'deal' AS source,
    deal_id,
    utc(createdate) AS created_at,
    CASE WHEN outcome IN ('won', 'lost') THEN coalesce(utc(closedate), entered) END AS closed_at,
    CASE outcome WHEN 'won' THEN true WHEN 'lost' THEN false END AS is_won,
    TRY_CAST(amount AS DOUBLE) AS amount,
    yes(_fivetran_deleted) OR yes(is_deleted) AS deleted,
    false AS earlier,
    CASE WHEN outcome IS NULL THEN 'without a stage that a pipeline has: kept, as open' END AS remark
FROM known
