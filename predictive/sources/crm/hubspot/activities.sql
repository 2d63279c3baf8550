-- What contacts did and what was done with them; `example` is the id of the record at HubSpot.
WITH addresses AS (
    -- E-mail events name an address. Of several contacts that ever had it one that still exists has it now.
    SELECT address, arg_min(id, concat(deleted, id)) AS person
    FROM (
        SELECT lower(trim(email)) AS address, id, yes(_fivetran_deleted) OR yes(is_deleted) AS deleted FROM contact
        UNION ALL
        SELECT lower(trim(unnest(string_split(hs_additional_emails, ';')))), id,
            yes(_fivetran_deleted) OR yes(is_deleted) FROM contact
    )
    WHERE address <> '' GROUP BY address
), mails AS (
    SELECT event.*,
        CASE event.type
            WHEN 'SENT' THEN 'email_sent'
            WHEN 'DELIVERED' THEN 'email_delivered'
            WHEN 'OPEN' THEN 'email_open'
            WHEN 'CLICK' THEN 'email_click'
            WHEN 'BOUNCE' THEN 'email_bounce'
            WHEN 'FORWARD' THEN 'email_forward'
            WHEN 'PRINT' THEN 'email_print'
            WHEN 'SPAMREPORT' THEN 'spam_report'
            WHEN 'STATUSCHANGE' THEN
                CASE change.portal_subscription_status
                    WHEN 'UNSUBSCRIBED' THEN 'unsubscribe'
                    WHEN 'SUBSCRIBED' THEN 'subscribe'
                    ELSE 'subscription_change'
                END
        END AS kind
    FROM email_event event LEFT JOIN email_event_status_change change ON change.id = event.id
), meetings AS (
    SELECT *,
        utc(coalesce(hs_meeting_start_time, start_time, hs_timestamp)) AS began,
        utc(coalesce(hs_meeting_end_time, end_time)) AS ended,
        snake(coalesce(hs_meeting_outcome, meeting_outcome)) AS outcome
    FROM engagement_meeting
), engagements AS (
    SELECT 'engagement_call' AS source, engagement_id, yes(_fivetran_deleted) AS deleted, 'call' AS type,
        utc(hs_timestamp) AS happened, utc(hs_createdate) AS created,
        TRY_CAST(hs_call_duration AS DOUBLE) / 60000 AS value, lower(hs_call_direction) AS detail
    FROM engagement_call
    UNION ALL
    SELECT 'engagement_communication', engagement_id, yes(_fivetran_deleted), 'communication',
        utc(hs_timestamp), utc(hs_createdate), NULL, snake(hs_communication_channel_type)
    FROM engagement_communication
    UNION ALL
    SELECT 'engagement_email', engagement_id, yes(_fivetran_deleted),
        CASE WHEN hs_email_direction = 'INCOMING_EMAIL' THEN 'email_reply' ELSE 'sales_email' END,
        utc(hs_timestamp), utc(hs_createdate), NULL, NULL
    FROM engagement_email
    UNION ALL
    -- One that did not take place is no meeting.
    SELECT 'engagement_meeting', engagement_id, yes(_fivetran_deleted),
        CASE WHEN outcome IN ('canceled', 'no_show', 'rescheduled') THEN 'meeting_' || outcome ELSE 'meeting' END,
        began, utc(hs_createdate), date_diff('second', moment(began), moment(ended)) / 60, NULL
    FROM meetings
    UNION ALL
    SELECT 'engagement_note', engagement_id, yes(_fivetran_deleted), 'note',
        utc(hs_timestamp), utc(hs_createdate), NULL, NULL
    FROM engagement_note
    UNION ALL
    -- The timestamp of a task is when it is due.
    SELECT 'engagement_task', engagement_id, yes(_fivetran_deleted), 'task',
        coalesce(utc(hs_task_completion_date), utc(hs_createdate), utc(hs_timestamp)), utc(hs_createdate), NULL, NULL
    FROM engagement_task
)
SELECT
    'email_event' AS source, event.id AS example, addresses.person, utc(event.created) AS occurred_at,
    event.kind AS type, CAST(NULL AS VARCHAR) AS recorded_at, CAST(NULL AS DOUBLE) AS value,
    coalesce(email_campaign.name, event.email_campaign_id) AS detail,
    CASE
        WHEN event.kind IS NULL THEN 'of the kind ' || coalesce(event.type, 'NULL') || ', which is no behaviour'
        WHEN yes(event.filtered_event) THEN 'that HubSpot filters out (bots and colleagues)'
        WHEN event.obsoleted_by_id IS NOT NULL THEN 'made obsolete by another event'
        WHEN addresses.person IS NULL THEN 'to an address that no contact has'
    END AS left_out
FROM mails event
LEFT JOIN addresses ON addresses.address = lower(trim(event.recipient))
LEFT JOIN email_campaign ON email_campaign.id = event.email_campaign_id
UNION ALL
SELECT
    'contact_form_submission', coalesce(conversion_id, form_id || ' ' || timestamp), contact_id, utc(timestamp),
    'form_submission', NULL, NULL, coalesce(form.name, title, form_id), NULL
FROM contact_form_submission LEFT JOIN form ON form.guid = contact_form_submission.form_id
UNION ALL
-- As activities and not as tags: being put on a list has a date, and a list that somebody left was there then.
SELECT
    'contact_list_member', contact_list_id, contact_id, utc(added_at), 'list_added', NULL, NULL,
    coalesce(contact_list.name, contact_list_id), NULL
FROM contact_list_member LEFT JOIN contact_list ON contact_list.id = contact_list_member.contact_list_id
UNION ALL
SELECT
    coalesce(one.source, 'engagement_contact'), pair.engagement_id, pair.contact_id,
    coalesce(one.happened, utc(engagement.timestamp), one.created, utc(engagement.created_at)),
    coalesce(one.type, snake(coalesce(pair.engagement_type, engagement.type))),
    coalesce(one.created, utc(engagement.created_at)), one.value, one.detail,
    CASE WHEN one.deleted THEN 'deleted' END
FROM engagement_contact pair
LEFT JOIN engagements one ON one.engagement_id = pair.engagement_id
LEFT JOIN engagement ON engagement.id = pair.engagement_id
UNION ALL
SELECT source, engagement_id, NULL, happened, type, created, value, detail, 'paired with no contact'
FROM engagements ANTI JOIN engagement_contact USING (engagement_id)
UNION ALL
SELECT
    'ticket_contact', ticket_id, contact_id, utc(createdate), 'ticket', NULL, NULL, snake(hs_ticket_category),
    CASE
        WHEN ticket.id IS NULL THEN 'of tickets that the table ticket does not have'
        WHEN yes(_fivetran_deleted) OR yes(is_deleted) THEN 'deleted'
    END
FROM ticket_contact LEFT JOIN ticket ON ticket.id = ticket_contact.ticket_id
