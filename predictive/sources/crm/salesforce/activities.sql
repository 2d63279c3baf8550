-- What contacts did and what was done with them; `example` is the id of the record at Salesforce. who_id is a lead or
-- a contact. Every moment is one that was known then: a task that is due some day has not happened.
WITH tasks AS (
    SELECT *,
        removed(is_deleted, _fivetran_deleted) AS deleted,
        day(activity_date) AS due,
        utc(created_date) AS created,
        coalesce(CASE WHEN yes(is_closed) THEN utc(completed_date_time) END, utc(created_date)) AS done
    FROM task WHERE NOT outdated(_fivetran_active)
), events AS (
    SELECT *,
        removed(is_deleted, _fivetran_deleted) AS deleted,
        coalesce(utc(start_date_time), utc(activity_date_time), day(activity_date)) AS began
    FROM event WHERE NOT outdated(_fivetran_active)
), invited AS (
    SELECT id AS activity_id, who_id FROM tasks
    UNION
    SELECT task_id, relation_id FROM task_who_relation WHERE NOT removed(is_deleted, _fivetran_deleted)
    UNION
    SELECT id, who_id FROM events
    UNION
    SELECT event_id, relation_id FROM event_who_relation WHERE NOT removed(is_deleted, _fivetran_deleted)
), members AS (
    SELECT member.*, utc(member.created_date) AS created,
        concat_ws('_', 'campaign', snake(campaign.type)) AS kind, coalesce(campaign.name, member.campaign_id) AS detail,
        coalesce(contact_id, lead_id, lead_or_contact_id) AS person,
        CASE WHEN removed(member.is_deleted, member._fivetran_deleted) THEN 'deleted' END AS left_out
    FROM campaign_member member
    LEFT JOIN (SELECT * FROM campaign WHERE NOT outdated(_fivetran_active)) campaign ON campaign.id = member.campaign_id
    WHERE NOT outdated(member._fivetran_active)
)
SELECT
    'task' AS source, tasks.id AS example, invited.who_id AS person,
    -- A call that was entered days later happened on its day.
    CASE WHEN yes(is_closed) AND moment(due) < moment(left(created, 10)) THEN due ELSE done END AS occurred_at,
    kind(task_subtype, type, 'task') AS type, created AS recorded_at,
    TRY_CAST(call_duration_in_seconds AS DOUBLE) / 60 AS value, lower(call_type) AS detail,
    CASE
        WHEN deleted THEN 'deleted'
        WHEN yes(is_recurrence) THEN 'that only describe a series'
    END AS left_out
FROM tasks LEFT JOIN invited ON invited.activity_id = tasks.id
UNION ALL
SELECT
    'event', events.id, invited.who_id, began, kind(event_subtype, type, 'meeting'), utc(created_date),
    TRY_CAST(duration_in_minutes AS DOUBLE), NULL,
    CASE
        WHEN deleted THEN 'deleted'
        WHEN yes(is_recurrence) THEN 'that only describe a series'
        WHEN yes(is_child) THEN 'that repeat an event for one more who is invited'
    END
FROM events LEFT JOIN invited ON invited.activity_id = events.id
UNION ALL
SELECT
    'campaign_member', id, person, created, kind, created, NULL, detail, left_out
FROM members
UNION ALL
SELECT
    'campaign_member', id, person, not_before(day(first_responded_date), created), kind || '_response', NULL, NULL,
    detail, left_out
FROM members WHERE first_responded_date IS NOT NULL
