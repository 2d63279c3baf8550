import zipfile

from predictive.sources.crm.raw import words

LEADS = """Id,IsDeleted,CreatedDate,Email,Status,Title,Region__c,IsConverted,ConvertedContactId,ConvertedOpportunityId,\
ConvertedAccountId
L1,false,2026-01-01T09:00:00.000Z,ada@example.com,Converted,Buyer,north,true,C1,O1,A1
L2,false,2026-01-02T09:00:00.000Z,bo@example.com,Open,,south,false,,,
L3,false,2026-01-03T09:00:00.000Z,cy@example.com,Converted,,south,true,C3,,
L4,true,2026-01-03T09:00:00.000Z,di@example.com,Open,,south,false,,,
"""
CONTACTS = """Id,IsDeleted,CreatedDate,Email,AccountId,Title,MailingCountry,LastActivityDate,Phone
C1,false,2026-03-01T09:00:00.000Z,ada@example.com,A1,Head of Buying,Spain,2026-04-01,+34 555
C3,true,2026-03-01T09:00:00.000Z,cy@example.com,A1,,Spain,,
"""
OPPORTUNITIES = """Id,IsDeleted,AccountId,CreatedDate,CloseDate,IsClosed,IsWon,Amount
O1,false,A1,2026-03-01T09:00:00.000Z,2026-03-20,true,true,10
O2,false,A1,2026-03-01T09:00:00.000Z,2026-12-20,false,false,10
O3,false,,2026-03-01T09:00:00.000Z,2026-03-01,true,false,10
O4,true,A1,2026-03-01T09:00:00.000Z,2026-03-20,true,true,10
"""
OUTCOME = "Salesforce or a package fills them from deals, conversion or its own scores"
CONVERSION = "converted_account_id, converted_contact_id, converted_opportunity_id, is_converted"
BASE = {"Lead": LEADS, "Contact": CONTACTS, "Opportunity": OPPORTUNITIES}


def said(tables, where):
    return [note.text for note in tables.notes if note.where == where]


def test_a_converted_lead_is_one_person_under_the_id_of_the_contact_since_the_lead_was_made(land, read, rows):
    tasks = """Id,WhoId,CreatedDate,TaskSubtype,Type,IsClosed,CompletedDateTime,ActivityDate,IsDeleted,IsRecurrence
T1,L1,2026-01-05T09:00:00.000Z,Call,,true,2026-01-05T09:30:00.000Z,2026-01-05,false,false
T2,C1,2026-03-05T09:00:00.000Z,Task,Email,true,2026-03-05T09:00:00.000Z,2026-03-02,false,false
T3,C1,2026-03-06T09:00:00.000Z,Task,,false,,2026-12-31,false,false
T4,C1,2026-03-06T09:00:00.000Z,Task,,false,,2026-12-31,true,false
T5,,2026-03-06T09:00:00.000Z,Task,,false,,,false,false
"""
    members = """Id,CampaignId,LeadId,ContactId,CreatedDate,FirstRespondedDate,IsDeleted
M1,K,L1,,2026-01-10T09:00:00.000Z,2026-01-12,false
"""
    folder = land(**BASE, Task=tasks, CampaignMember=members, Campaign="Id,Name,Type\nK,Spring,Trade Show\n")
    tables = read("salesforce", folder)
    born = "month(make_timestamp(created_at))"
    names = "contact_id, account_id, job_title, country, lifecycle_stage, region_c"
    assert rows(f"SELECT {names}, {born} FROM contacts") == [
        ("C1", "A1", "Head of Buying", "Spain", "Converted", "north", 1),
        ("L2", None, None, None, "Open", "south", 1),
    ]
    derived = ("email_kind", "seniority", "job_function", "buying_role", "country_code")
    assert tables.attributes["contacts"] == dict.fromkeys(("region_c", *derived), "text")
    assert rows(
        "SELECT contact_id, type, detail, strftime(make_timestamp(t), '%m-%d %H:%M') FROM activities ORDER BY t"
    ) == [
        ("C1", "call", None, "01-05 09:30"),
        ("C1", "campaign_trade_show", "Spring", "01-10 09:00"),
        ("C1", "campaign_trade_show_response", "Spring", "01-12 00:00"),
        ("C1", "sales_email", None, "03-02 00:00"),
        ("C1", "task", None, "03-06 09:00"),
    ]
    assert said(tables, "contacts") == [
        "never features, bookkeeping of Salesforce: id, is_deleted",
        f"never features, {OUTCOME}: {CONVERSION}",
        "never features, totals and last times as of today, not of then: last_activity_date",
        "never features, contact details: phone",
        "2 rows deleted: left out",
        "1 row merged into a record that was deleted: left out",
        "1 row merged or converted into another, which has what was known of them",
    ]
    assert said(tables, "task") == ["1 row deleted", "1 row without a contact"]


def test_opportunities_belong_to_roles_and_to_the_lead_they_came_of(land, read, rows):
    roles = "OpportunityId,ContactId,IsDeleted\nO2,C1,false\nO3,L2,true\n"
    read("salesforce", land(**BASE, OpportunityContactRole=roles))
    when = "strftime(make_timestamp(closed_at), '%m-%d %H:%M')"
    assert rows(f"SELECT deal_id, contact_id, account_id, is_won, {when} FROM deals ORDER BY 1") == [
        ("O1", "C1", "A1", True, "03-20 00:00"),
        ("O2", "C1", "A1", None, None),
        # A day has no time: it closed on the day it was made, so not before.
        ("O3", None, None, False, "03-01 09:00"),
    ]


def test_what_never_changed_has_stood_since_creation_where_only_changes_are_kept(land, read, rows):
    history = """LeadId,Field,OldValue,NewValue,CreatedDate
L1,Title,Clerk,Buyer,2026-02-01T09:00:00.000Z
L1,Email,a@example.com,ada@example.com,2026-02-01T09:00:00.000Z
"""
    leads = LEADS.replace("bo@example.com,Open,,", "bo@example.com,Open,Chef,")
    tables = read("salesforce", land(**BASE | {"Lead": leads}, LeadHistory=history))
    assert rows(
        "SELECT object_id, value, old_value, month(make_timestamp(changed_at)) FROM changes "
        "WHERE attribute = 'job_title' ORDER BY 1"
    ) == [("C1", "Buyer", "Clerk", 2), ("L2", "Chef", None, 1)]
    assert said(tables, "contacts.job_title") == [
        "1 values without a change in the history: taken to stand since creation"
    ]
    assert said(tables, "lead_history") == ["1 row of attributes that never become features: contact details"]


def test_versions_of_whole_records_become_changes(land, read, rows):
    versions = """id,_fivetran_active,_fivetran_start,last_modified_date,title,lead_source
C1,false,2026-03-02 1:00:00,2026-03-01 9:00:00,Buyer,Web
C1,true,2026-04-01 1:00:00,2026-04-01 1:00:00,Head of Buying,Web
"""
    read("salesforce", land(**BASE, sf_contact_history_data=versions))
    assert rows(
        "SELECT attribute, value, strftime(make_timestamp(changed_at), '%m-%d %H:%M') FROM changes ORDER BY ALL"
    ) == [
        ("job_title", "Buyer", "03-01 09:00"),
        ("job_title", "Head of Buying", "04-01 01:00"),
        ("source", "Web", "03-01 09:00"),
    ]


def test_a_data_export_is_read_in_its_archive(tmp_path, read, rows):
    with zipfile.ZipFile(tmp_path / "WE_export.zip", "w") as archive:
        for name, content in BASE.items():
            archive.writestr(f"{name}.csv", content)
    read("salesforce", tmp_path / "WE_export.zip")
    assert rows("SELECT count(*) FROM contacts") == [(2,)]


def test_names_of_the_api_become_those_of_fivetran(data_dir):
    header = (data_dir / "fivetran_salesforce" / "sf_contact_data.csv").read_text().splitlines()[0].split(",")
    assert [words(name) for name in header if not name.startswith("_")] == [n for n in header if not n.startswith("_")]
    pairs = {"mc4sf__MC_Subscriber__c": "mc_4_sf_mc_subscriber_c", "bt_stripe__SSN_Last_4__c": "bt_stripe_ssn_last_4_c"}
    assert {api: words(api) for api in pairs} == pairs


def test_the_landed_tables_of_a_real_org_are_used_or_counted(data_dir, read, rows):
    tables = read("salesforce", data_dir / "fivetran_salesforce")
    counts = "SELECT (SELECT count(*) FROM contacts), (SELECT count(*) FROM accounts), (SELECT count(*) FROM changes)"
    assert rows(counts) == [(5, 1, 66)]
    deals = [note.count for note in tables.notes if note.where == "deals"]
    assert sum(deals) == 10
    assert [note.count for note in tables.notes if note.where == "activities"] == [20]
    assert (
        not {"pi_score_c", "converted_date", "phone", "mkto_si_mkto_lead_score_c"}
        & tables.attributes["contacts"].keys()
    )
