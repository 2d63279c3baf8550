-- Opportunities. CloseDate is a forecast until the opportunity is closed, and a day without a time.
SELECT
    'opportunity' AS source,
    id AS deal_id,
    utc(created_date) AS created_at,
    CASE WHEN closed THEN not_before(day(close_date), utc(created_date)) END AS closed_at,
    CASE WHEN closed THEN won END AS is_won,
    TRY_CAST(amount AS DOUBLE) AS amount,
    removed(is_deleted, _fivetran_deleted) AS deleted,
    outdated(_fivetran_active) AS earlier,
    CAST(NULL AS VARCHAR) AS remark
FROM (
    SELECT *,
        coalesce(CASE WHEN is_won IS NOT NULL THEN yes(is_won) END, lower(stage_name) = 'closed won', false) AS won,
        coalesce(
            CASE WHEN is_closed IS NOT NULL THEN yes(is_closed) END,
            lower(stage_name) IN ('closed won', 'closed lost'), yes(is_won)
        ) AS closed
    FROM opportunity
)
