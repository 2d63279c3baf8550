"""The demo's CRM written as Fivetran would land it from HubSpot and from Salesforce: the mappings backwards, as SQL.

Every ninth contact has a past: two records that became it, of which the first holds what happened in its first 30 days
and the second what happened until its 90th.
"""

import sqlite3

import duckdb
import psycopg

COMMON = """
    -- Hours without a leading zero, as Fivetran writes them.
    CREATE MACRO stamp(t) AS strftime(t, '%Y-%m-%d %-H:%M:%S.%f');
    CREATE MACRO marketable(status) AS
        CASE status WHEN 'marketing' THEN 'true' WHEN 'non-marketing' THEN 'false' ELSE status END;
    CREATE TABLE people AS SELECT *, hash(contact_id) % 9 = 0 AS past FROM crm.contacts;
    CREATE TABLE done AS
    SELECT a.*, row_number() OVER (ORDER BY occurred_at, a.contact_id, type) AS id, email, CASE
            WHEN past AND occurred_at < created_at + INTERVAL 30 DAY THEN 'first-' || a.contact_id
            WHEN past AND occurred_at < created_at + INTERVAL 90 DAY THEN 'then-' || a.contact_id
            ELSE a.contact_id
        END AS who
    FROM crm.activities a JOIN people USING (contact_id);
    CREATE TABLE changed AS
    SELECT c.*, created_at AS born, CASE
            WHEN past AND changed_at < created_at + INTERVAL 30 DAY THEN 'first-' || object_id
            WHEN past AND changed_at < created_at + INTERVAL 90 DAY THEN 'then-' || object_id
            ELSE object_id
        END AS who
    FROM crm.changes c LEFT JOIN people ON contact_id = object_id;
    CREATE TABLE records AS
    SELECT contact_id AS id, CASE WHEN past THEN created_at + INTERVAL 90 DAY ELSE created_at END AS born,
        false AS ended, * FROM people
    UNION ALL SELECT 'then-' || contact_id, created_at + INTERVAL 30 DAY, true, * FROM people WHERE past
    UNION ALL SELECT 'first-' || contact_id, created_at, true, * FROM people WHERE past;
"""

HUBSPOT = {
    "contact": """
        SELECT id, ended AS _fivetran_deleted, stamp(born) AS property_createdate, email AS property_email,
            split_part(name, ' ', 1) AS property_firstname, split_part(name, ' ', 2) AS property_lastname,
            account_id AS property_associatedcompanyid, job_title AS property_jobtitle, country AS property_country,
            source AS property_hs_analytics_source, lifecycle_stage AS property_lifecyclestage,
            marketable(marketing_status) AS property_hs_marketable_status, tags AS property_tags,
            signup_channel AS property_signup_channel, age_group AS property_age_group,
            42 AS property_num_associated_deals, 0.9 AS property_hs_predictivecontactscore_v2,
            stamp(born) AS property_hs_lifecyclestage_customer_date, 7 AS property_hs_analytics_num_visits,
            '+1 555 0100' AS property_phone,
            CASE WHEN past AND NOT ended THEN 'then-' || contact_id || ':1617279427000' END
                AS property_hs_calculated_merged_vids
        FROM records""",
    "contact_merge_audit": """
        SELECT 'then-' || contact_id AS canonical_vid, 'then-' || contact_id AS contact_id,
            'first-' || contact_id AS vid_to_merge FROM people WHERE past""",
    "company": """
        SELECT account_id AS id, false AS is_deleted, stamp(created_at) AS property_createdate,
            company_name AS property_name, industry AS property_industry, employees AS property_numberofemployees,
            revenue AS property_annualrevenue, 3 AS property_num_associated_deals FROM crm.accounts""",
    "deal": """
        SELECT deal_id, false AS is_deleted, 'default' AS deal_pipeline_id,
            CASE WHEN is_won THEN 's1' WHEN NOT is_won THEN 's2' ELSE 's3' END AS deal_pipeline_stage_id,
            stamp(created_at) AS property_createdate, amount AS property_amount,
            -- Of an open deal this is a forecast.
            stamp(coalesce(closed_at, created_at + INTERVAL 45 DAY)) AS property_closedate FROM crm.deals""",
    "deal_pipeline_stage": """
        SELECT * FROM (VALUES ('s1', true, true, '1.0'), ('s2', false, true, '0.0'), ('s3', false, false, '0.4'))
            t (stage_id, closed_won, is_closed, probability)""",
    "deal_contact": "SELECT contact_id, deal_id FROM crm.deals",
    "deal_company": "SELECT account_id AS company_id, deal_id FROM crm.deals WHERE account_id IS NOT NULL",
    "email_event": """
        SELECT id, stamp(occurred_at) AS created, email AS recipient, detail AS email_campaign_id, CASE type
                WHEN 'email_open' THEN 'OPEN' WHEN 'email_click' THEN 'CLICK' WHEN 'bounce' THEN 'BOUNCE'
                WHEN 'spam_report' THEN 'SPAMREPORT' ELSE 'STATUSCHANGE' END AS type
        FROM done WHERE type IN ('email_open', 'email_click', 'bounce', 'spam_report', 'unsubscribe')""",
    "email_event_status_change": """
        SELECT id, 'UNSUBSCRIBED' AS portal_subscription_status FROM done WHERE type = 'unsubscribe'""",
    "form": "SELECT DISTINCT hash(detail) AS guid, detail AS name FROM done WHERE type = 'form_submission'",
    "contact_form_submission": """
        SELECT who AS contact_id, hash(detail) AS form_id, id AS conversion_id, stamp(occurred_at) AS timestamp
        FROM done WHERE type = 'form_submission'""",
    "engagement_contact": """
        SELECT id AS engagement_id, who AS contact_id, upper(type) AS engagement_type
        FROM done WHERE type IN ('call', 'meeting')""",
    "engagement_call": """
        SELECT id AS engagement_id, false AS _fivetran_deleted, stamp(occurred_at) AS property_hs_timestamp,
            stamp(recorded_at) AS property_hs_createdate, value * 60000 AS property_hs_call_duration,
            upper(detail) AS property_hs_call_direction FROM done WHERE type = 'call'""",
    "engagement_meeting": """
        SELECT id AS engagement_id, stamp(occurred_at) AS start_time, stamp(recorded_at) AS property_hs_createdate,
            stamp(occurred_at + to_minutes(CAST(value AS BIGINT))) AS end_time FROM done WHERE type = 'meeting'""",
    "contact_property_history": """
        SELECT who AS contact_id, stamp(changed_at) AS timestamp, CASE attribute
                WHEN 'job_title' THEN 'jobtitle' WHEN 'source' THEN 'hs_analytics_source'
                WHEN 'lifecycle_stage' THEN 'lifecyclestage' WHEN 'marketing_status' THEN 'hs_marketable_status'
                ELSE attribute END AS name,
            CASE WHEN attribute = 'marketing_status' THEN marketable(value) ELSE value END AS value
        FROM changed WHERE object = 'contact'""",
    "company_property_history": """
        SELECT object_id AS company_id, stamp(changed_at) AS timestamp,
            CASE attribute WHEN 'employees' THEN 'numberofemployees' ELSE attribute END AS name, value
        FROM changed WHERE object = 'account'""",
}

SALESFORCE = {
    # Whoever has an account is a contact, the others are leads. A past is a lead that was merged into another one,
    # which was converted.
    "lead": """
        SELECT id, stamp(born) AS created_date, email, name, job_title AS title, country, lifecycle_stage AS status,
            source AS lead_source, tags AS tags_c, signup_channel AS signup_channel_c, '0.7' AS pi_score_c,
            ended AND starts_with(id, 'then') AS is_converted, starts_with(id, 'first') AS is_deleted,
            CASE WHEN starts_with(id, 'first') THEN 'then-' || contact_id END AS master_record_id,
            CASE WHEN starts_with(id, 'then') THEN contact_id END AS converted_contact_id
        FROM records WHERE ended OR (account_id IS NULL AND NOT past)""",
    "contact": """
        SELECT id, stamp(born) AS created_date, email, name, job_title AS title, country AS mailing_country, account_id,
            source AS lead_source, false AS is_deleted, stamp(born) AS last_activity_date
        FROM records WHERE NOT ended AND (past OR account_id IS NOT NULL)""",
    "account": """
        SELECT account_id AS id, stamp(created_at) AS created_date, company_name AS name, industry, false AS is_deleted,
            employees AS number_of_employees, revenue AS annual_revenue FROM crm.accounts""",
    "opportunity": """
        SELECT deal_id AS id, account_id, stamp(created_at) AS created_date, amount, is_won IS NOT NULL AS is_closed,
            coalesce(is_won, false) AS is_won, 'Omitted' AS forecast_category, false AS is_deleted,
            strftime(coalesce(closed_at, created_at + INTERVAL 45 DAY), '%Y-%m-%d 00:00:00') AS close_date
        FROM crm.deals""",
    "opportunity_contact_role": "SELECT deal_id AS opportunity_id, contact_id, false AS is_deleted FROM crm.deals",
    "task": """
        SELECT id, who AS who_id, stamp(recorded_at) AS created_date, 'Call' AS task_subtype, detail AS call_type,
            value * 60 AS call_duration_in_seconds, true AS is_closed, stamp(occurred_at) AS completed_date_time
        FROM done WHERE type = 'call'""",
    "event": """
        SELECT id, who AS who_id, stamp(occurred_at) AS start_date_time, stamp(recorded_at) AS created_date,
            value AS duration_in_minutes FROM done WHERE type = 'meeting'""",
    "campaign": """
        SELECT DISTINCT type || detail AS id, upper(type) AS type, detail AS name
        FROM done WHERE type IN ('webinar', 'event')""",
    "campaign_member": """
        SELECT id, type || detail AS campaign_id, who AS lead_or_contact_id, stamp(occurred_at) AS created_date
        FROM done WHERE type IN ('webinar', 'event')""",
    # Salesforce's own history: a row when a field changes, none when a record is made.
    "lead_history": """
        SELECT who AS lead_id, old_value, value AS new_value, stamp(changed_at) AS created_date, CASE attribute
                WHEN 'job_title' THEN 'Title' WHEN 'source' THEN 'LeadSource' WHEN 'lifecycle_stage' THEN 'Status'
                WHEN 'country' THEN 'Country' ELSE 'Tags__c' END AS field
        FROM changed WHERE attribute IN ('job_title', 'source', 'lifecycle_stage', 'country', 'tags')
            AND object = 'contact' AND changed_at <> born""",
    # Fivetran's history mode: every version of the whole record.
    "account_history": """
        WITH moments AS (SELECT DISTINCT object_id, changed_at FROM changed WHERE object = 'account'), known AS (
            SELECT object_id, changed_at, attribute,
                (SELECT arg_max(value, c.changed_at) FROM changed c WHERE c.object_id = moments.object_id
                    AND c.changed_at <= moments.changed_at AND c.attribute = one.attribute) AS value
            FROM moments CROSS JOIN (VALUES ('employees'), ('industry')) one (attribute)
        )
        SELECT object_id AS id, stamp(changed_at) AS _fivetran_start,
            max(value) FILTER (attribute = 'employees') AS number_of_employees,
            max(value) FILTER (attribute = 'industry') AS industry
        FROM known GROUP BY object_id, changed_at""",
}


def write(layout, database, folder, *, suffix="csv", prefix="", ending=""):
    """Write the demo's `database` in a layout, a file per table, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{database}' AS crm (READ_ONLY)")
        con.execute(COMMON)
        for name, query in layout.items():
            con.execute(f"COPY ({query}) TO '{folder / f'{prefix}{name}{ending}.{suffix}'}'")
    return folder


def write_database(layout, database, path, *, schema):
    """Write the demo's `database` in a layout into a schema of a DuckDB file."""
    with duckdb.connect(path) as con:
        con.execute(f"ATTACH '{database}' AS crm (READ_ONLY); CREATE SCHEMA {schema}")
        con.execute(COMMON.replace("CREATE TABLE", "CREATE TEMP TABLE").replace("CREATE MACRO", "CREATE TEMP MACRO"))
        for name, query in layout.items():
            con.execute(f"CREATE TABLE {schema}.{name} AS {query}")
    return path


def write_postgres(layout, database, url, folder, *, schema):
    """Write the demo's `database` in a layout into a schema of a PostgreSQL database; `folder` takes files between."""
    types = {"VARCHAR": "text", "DOUBLE": "double precision", "INTEGER": "integer", "BIGINT": "bigint"}
    types |= {"BOOLEAN": "boolean", "UBIGINT": "numeric(20)", "DECIMAL(2,1)": "numeric(2,1)"}
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE SCHEMA {schema}")
        for name, columns, file in _files(layout, database, folder):
            listed = ", ".join(f'"{column}" {types[type_]}' for column, type_ in columns)
            server.execute(f"CREATE TABLE {schema}.{name} ({listed})")
            with server.cursor().copy(f"COPY {schema}.{name} FROM STDIN (FORMAT csv, HEADER)") as copy:
                copy.write(file.read_bytes())
    return url


def write_sqlite(layout, database, folder):
    """Write the demo's `database` in a layout into a SQLite file of `folder`."""
    with sqlite3.connect(folder / "crm.sqlite") as made:
        for name, columns, file in _files(layout, database, folder):
            listed = ", ".join(f'"{column}" {"TEXT" if type_ == "UBIGINT" else type_}' for column, type_ in columns)
            made.execute(f"CREATE TABLE {name} ({listed})")
            rows = duckdb.read_csv(str(file), all_varchar=True).fetchall()
            flags = [i for i, (_, type_) in enumerate(columns) if type_ == "BOOLEAN"]
            rows = [[{"true": 1, "false": 0}.get(v) if i in flags else v for i, v in enumerate(row)] for row in rows]
            made.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)
    made.close()
    return f"sqlite:///{folder / 'crm.sqlite'}"


def _files(layout, database, folder):
    """Per table of a layout its name, its columns with their types, and a CSV file of its rows."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{database}' AS crm (READ_ONLY)")
        con.execute(COMMON)
        for name, query in layout.items():
            columns = [(column, type_) for column, type_, *_ in con.execute(f"DESCRIBE {query}").fetchall()]
            con.execute(f"COPY ({query}) TO '{folder / name}.csv'")
            yield name, columns, folder / f"{name}.csv"
