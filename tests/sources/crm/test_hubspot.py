import pytest

from predictive.errors import DataError

CONTACTS = """id,_fivetran_deleted,property_createdate,property_email,property_phone,property_region,property_source,\
property_hs_score_x,property_num_associated_deals
1,FALSE,2026-01-01 3:15:52,Ada@example.com,+1 555,north,fair,9,1
2,FALSE,2026-01-02T03:04:05.678Z,bo@example.com,,south,,8,0
3,TRUE,2026-01-03 10:00:00,cy@example.com,,south,,7,0
4,FALSE,,di@example.com,,south,,7,0
"""
DEALS = """deal_id,is_deleted,deal_pipeline_stage_id,property_createdate,property_closedate,property_amount
10,false,won,2026-01-05 1:00:00,2026-02-01 12:00:00,100
11,false,lost,2026-01-05 1:00:00,2026-02-02 12:00:00,
12,false,open,2026-01-05 1:00:00,2026-12-31 12:00:00,
13,true,won,2026-01-05 1:00:00,2026-02-01 12:00:00,
14,false,closedwon,2026-01-05 1:00:00,2026-02-03 12:00:00,
"""
STAGES = """stage_id,_fivetran_deleted,closed_won,is_closed,probability
won,false,,,1.0
lost,false,false,true,0.0
open,false,false,false,0.0
"""
AT = "SELECT CAST(make_timestamp({}) AS VARCHAR)"


def said(tables, where):
    return [note.text for note in tables.notes if note.where == where]


def test_contacts_are_read_with_their_custom_properties_and_without_contact_details_or_scores(land, read, rows):
    tables = read("hubspot", land(contact_data=CONTACTS, deal=DEALS))
    assert rows("SELECT contact_id, CAST(make_timestamp(created_at) AS VARCHAR), email FROM contacts") == [
        ("1", "2026-01-01 03:15:52", "Ada@example.com"),
        ("2", "2026-01-02 03:04:05.678", "bo@example.com"),
    ]
    # A custom property that has the name of a canonical column is not that column.
    assert tables.attributes["contacts"] == {"region": "text", "source_property": "text", "email_kind": "text"}
    assert rows("SELECT source, source_property FROM contacts") == [(None, "fair"), (None, None)]
    notes = said(tables, "contacts")
    assert "1 row deleted: left out" in notes
    assert "1 row without a readable time of creation: left out" in notes
    assert "never features, contact details: phone" in notes
    outcome = (
        "never features, HubSpot fills them from deals, stages or its own scores: hs_score_x, num_associated_deals"
    )
    assert outcome in notes


def test_a_deal_closes_when_its_stage_says_so_and_its_forecast_is_no_close(land, read, rows):
    pairs = "contact_id,deal_id\n1,10\n2,10\n1,12\n1,99\n"
    companies = "company_id,deal_id,type_id\n7,10,341\n8,10,5\n8,11,5\n"
    folder = land(contact=CONTACTS, deal=DEALS, deal_pipeline_stage=STAGES, deal_contact=pairs, deal_company=companies)
    tables = read("hubspot", folder)
    query = f"SELECT deal_id, contact_id, account_id, is_won, ({AT.format('closed_at')}) FROM deals ORDER BY 1, 2"
    assert rows(query) == [
        ("10", "1", "8", True, "2026-02-01 12:00:00"),
        ("10", "2", "8", True, "2026-02-01 12:00:00"),
        ("11", None, "8", False, "2026-02-02 12:00:00"),
        ("12", "1", None, None, None),
        ("14", None, None, True, "2026-02-03 12:00:00"),
    ]
    assert said(tables, "deal_contact") == ["1 row of deals that the table of deals does not have"]
    assert "1 row deleted: left out" in said(tables, "deals")
    assert "1 row with more than one account: the first is named" in said(tables, "deals")


def test_behaviour_comes_from_events_forms_engagements_lists_and_tickets(land, read, rows):
    events = """id,type,created,recipient,filtered_event,obsoleted_by_id
e1,OPEN,2026-02-01 9:00:00,ADA@example.com,false,
e2,STATUSCHANGE,2026-02-02 9:00:00,ada@example.com,,
e3,OPEN,2026-02-01 9:00:00,ada@example.com,true,
e4,PROCESSED,2026-02-01 9:00:00,ada@example.com,,
e5,CLICK,2026-02-01 9:00:00,nobody@example.com,,
e6,OPEN,yesterday,bo@example.com,,
"""
    tables = read(
        "hubspot",
        land(
            contact=CONTACTS,
            deal=DEALS,
            email_event=events,
            email_event_status_change="id,portal_subscription_status\ne2,UNSUBSCRIBED\n",
            contact_form_submission="contact_id,timestamp,form_id\n1,2026-02-03 9:00:00,f\n",
            form="guid,name\nf,newsletter\n",
            contact_list="id,name\nl,Fair\n",
            contact_list_member="contact_id,contact_list_id,added_at,_fivetran_deleted\n1,l,2026-02-04 9:00:00,true\n",
            engagement_contact="engagement_id,contact_id,engagement_type\nm,1,MEETING\nt,1,TASK\nx,1,CALL\n",
            engagement_meeting="engagement_id,start_time,end_time,meeting_outcome\nm,2026-02-05 9:00:00,"
            "2026-02-05 9:30:00,NO_SHOW\n",
            engagement_task="engagement_id,property_hs_createdate,property_hs_timestamp\n"
            "t,2026-02-06 9:00:00,2026-12-31 9:00:00\n",
            engagement_call="engagement_id,_fivetran_deleted,property_hs_timestamp\nx,true,2026-02-06 9:00:00\n",
            ticket="id,is_deleted,property_createdate\nk,false,2026-02-07 9:00:00\n",
            ticket_contact="ticket_id,contact_id\nk,1\n",
        ),
    )
    assert rows("SELECT type, detail, value, day(make_timestamp(t)) FROM activities ORDER BY t") == [
        ("email_open", None, None, 1),
        ("unsubscribe", None, None, 2),
        ("form_submission", "newsletter", None, 3),
        ("list_added", "Fair", None, 4),
        ("meeting_no_show", None, 30.0, 5),
        ("task", None, None, 6),
        ("ticket", None, None, 7),
    ]
    assert said(tables, "email_event") == [
        "1 row of the kind PROCESSED, which is no behaviour",
        "1 row that HubSpot filters out (bots and colleagues)",
        "1 row to an address that no contact has",
        "1 row without a readable time",
    ]
    assert said(tables, "engagement_call") == ["1 row deleted"]
    assert not any("@" in str(note) for note in tables.notes)


def test_history_is_named_like_the_attributes_and_leaves_out_what_is_never_a_feature(land, read, rows):
    history = """contact_id,name,timestamp,value
1,lifecyclestage,2026-01-01 3:15:52,lead
1,lifecyclestage,1770000000000,customer
1,source,2026-01-02 3:00:00,fair
1,hs_analytics_source,2026-01-02 3:00:00,PAID
1,hs_analytics_num_visits,2026-01-02 3:00:00,4
"""
    tables = read("hubspot", land(contact=CONTACTS, deal=DEALS, contact_property_history=history))
    found = rows(f"SELECT attribute, value, ({AT.format('changed_at')}) FROM changes ORDER BY 1, 3")
    assert found == [
        ("lifecycle_stage", "lead", "2026-01-01 03:15:52"),
        ("lifecycle_stage", "customer", "2026-02-02 02:40:00"),
        ("source", "PAID", "2026-01-02 03:00:00"),
        ("source_property", "fair", "2026-01-02 03:00:00"),
    ]
    why = "1 row of attributes that never become features: totals and last times as of today, not of then"
    assert why in said(tables, "contact_property_history")


def test_its_own_exports_are_read_in_the_time_zone_of_the_account(tmp_path, read, rows):
    (tmp_path / "hubspot-crm-exports-all-contacts-2026-05-01.csv").write_text(
        "Record ID,First Name,Last Name,Email,Create Date,Lifecycle Stage,Primary Associated Company ID,"
        "Number of Pageviews,Favourite Colour,HubSpot Score\n"
        "1,Ada,Lane,ada@example.com,2026-01-01 09:00,Lead,7,12,red,3\n"
    )
    (tmp_path / "hubspot-crm-exports-all-companies-2026-05-01.csv").write_text(
        "Record ID,Company name,Create Date,Industry,Number of Employees\n7,Acme,2026-01-01 09:00,Retail,50\n"
    )
    (tmp_path / "hubspot-crm-exports-all-deals-2026-05-01.csv").write_text(
        "Record ID,Deal Name,Deal Stage,Create Date,Close Date,Amount,Associated Contact IDs,Associated Company IDs\n"
        "10,x,Closed Won (Sales Pipeline),2026-01-05 09:00,2026-02-01 12:00,100,1;2,7\n"
        "11,y,Appointment Scheduled (Sales Pipeline),2026-01-05 09:00,2026-12-01 12:00,100,,7\n"
    )
    tables = read("hubspot", tmp_path, timezone="Europe/Madrid")
    assert rows(f"SELECT contact_id, account_id, name, lifecycle_stage, ({AT.format('created_at')}) FROM contacts") == [
        ("1", "7", "Ada Lane", "Lead", "2026-01-01 08:00:00")
    ]
    assert tables.attributes["contacts"] == {"favourite_colour": "text", "email_kind": "text"}
    assert rows("SELECT company_name, industry, employees FROM accounts") == [("Acme", "Retail", 50.0)]
    assert rows("SELECT deal_id, contact_id, account_id, is_won FROM deals ORDER BY ALL") == [
        ("10", "1", "7", True),
        ("10", "2", "7", True),
        ("11", None, "7", None),
    ]


def test_a_missing_table_of_deals_says_what_was_expected_and_found(land, read):
    with pytest.raises(DataError) as caught:
        read("hubspot", land(contact_data=CONTACTS, prices="a\n1\n"))
    assert "no deals of HubSpot: expected a table deal (deal.csv, deal_data.csv, deal.parquet)" in str(caught.value)
    assert "found: contact_data.csv, prices.csv" in str(caught.value)


def test_tables_that_are_not_read_are_named(land, read):
    tables = read(
        "hubspot", land(contact=CONTACTS, contact_data=CONTACTS, deal=DEALS, prices="a\n1\n", owner="id\n1\n")
    )
    notes = said(tables, "source")
    assert "not tables of HubSpot that are known here, not read: prices.csv" in notes
    assert "known, but nothing in them is needed: owner.csv" in notes
    assert "not read, since another holds the same table: contact_data.csv (beside contact.csv)" in notes
    assert any(note.startswith("tables of HubSpot that are not there") for note in notes)


def test_the_landed_tables_of_a_real_account_are_used_or_counted(data_dir, read, rows):
    tables = read("hubspot", data_dir / "fivetran_hubspot")
    assert rows("SELECT (SELECT count(*) FROM contacts), (SELECT count(*) FROM accounts)") == [(19, 24)]
    assert rows("SELECT (SELECT count(*) FROM deals), (SELECT count(*) FROM changes)") == [(44, 200)]
    assert "3 rows merged or converted into another, which has what was known of them" in said(tables, "contacts")
    # The ids of this account do not line up: no event is lost, and none can be used.
    counts = {note.where: 0 for note in tables.notes}
    for note in tables.notes:
        counts[note.where] += note.count
    assert (counts["email_event"], counts["engagement_meeting"], counts["activities"]) == (100, 100, 106)
    born = f"SELECT ({AT.format('created_at')}) FROM contacts WHERE contact_id = '78971951'"
    assert rows(born) == [("2020-10-08 21:13:55",)]
