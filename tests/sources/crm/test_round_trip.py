"""The demo's CRM, landed as HubSpot and as Salesforce, reads as the demo itself, as far as the layouts carry it."""

import narwhals as nw
import pandas as pd
import pytest

from predictive.clock import instant, parse_instant
from predictive.config import Config
from predictive.engines import beside
from predictive.features.cut import cut
from predictive.sources import read_tables
from predictive.store import open_store
from tests.sources.crm.inverse import (
    HUBSPOT,
    SALESFORCE,
    write,
    write_database,
    write_postgres,
    write_sqlite,
)

pytest_plugins = ["tests.servers"]

CONTACT = "contact_id, created_at, account_id, email, name, job_title, country, source"
OWN = "lifecycle_stage, marketing_status, tags, signup_channel, age_group"
ACCOUNT = "account_id, created_at, company_name, industry, employees, revenue"
DEAL = "deal_id, contact_id, account_id, created_at, closed_at, is_won, amount"
# HubSpot's events name an address, say nothing of when they were recorded, and have no place for what a meeting was.
OF_HUBSPOT = """
    SELECT contact_id, t, CASE type WHEN 'bounce' THEN 'email_bounce' ELSE type END AS type,
        CASE WHEN type IN ('call', 'meeting') THEN known ELSE t END AS known,
        CASE WHEN type IN ('call', 'meeting') THEN value END AS value,
        CASE WHEN type <> 'meeting' THEN detail END AS detail
    FROM activities JOIN contacts USING (contact_id)
    WHERE type IN ('call', 'meeting', 'form_submission') OR (email IS NOT NULL
        AND type IN ('email_open', 'email_click', 'bounce', 'spam_report', 'unsubscribe'))
    ORDER BY ALL"""
OF_SALESFORCE = """
    SELECT contact_id, t, CASE WHEN type IN ('webinar', 'event') THEN 'campaign_' || type ELSE type END AS type,
        CASE WHEN type IN ('call', 'meeting') THEN known ELSE t END AS known,
        CASE WHEN type IN ('call', 'meeting') THEN value END AS value,
        CASE WHEN type <> 'meeting' THEN detail END AS detail
    FROM activities WHERE type IN ('call', 'meeting', 'webinar', 'event') ORDER BY ALL"""

# A close date is a day, which begins at midnight; a deal that closes on the day it was made does not close before that.
DEALS_OF_SALESFORCE = """
    SELECT deal_id, contact_id, account_id, created_at, CASE
            WHEN closed_at // 86400000000 = created_at // 86400000000 THEN created_at
            ELSE closed_at // 86400000000 * 86400000000
        END AS closed_at, is_won, amount
    FROM deals ORDER BY 1"""
NOW = instant(parse_instant("2026-07-01"), "UTC")


@pytest.fixture(scope="module")
def original(demo):
    """The rows of queries over the demo as it is, and its attributes as of a day."""
    with open_store() as con:
        tables = read_tables(Config.model_validate({"source": demo[1]}), con, now=NOW)
        yield (lambda query: con.execute(query).fetchall()), (lambda day, names: known(tables, day, names))


def known(tables, day, names):
    """What was known on a day of every contact who was there, `names` in that order."""
    as_of = instant(parse_instant(day), "UTC")
    there = tables.contacts.filter(nw.col("created_at") <= as_of).select("contact_id").collect()
    at = pd.DataFrame({"contact_id": there["contact_id"].to_list(), "as_of": as_of})
    found = cut(tables, beside(tables.contacts, at)).contacts.collect(backend="pandas").to_native()
    found = found.sort_values("contact_id")[["contact_id", *names]].astype(object)
    return found.where(found.notna(), None).values.tolist()


def land_hubspot(how, demo, folder, request):
    """What a source of HubSpot says of where the demo was landed."""
    if how == "duckdb":
        return {"path": write_database(HUBSPOT, demo, folder / "warehouse.duckdb", schema="hubspot")}
    if how == "sqlite":
        return {"url": write_sqlite(HUBSPOT, demo, folder)}
    if how == "postgresql":
        database = request.getfixturevalue("postgres")
        return {"url": write_postgres(HUBSPOT, demo, database, folder, schema="fivetran_hubspot")}
    return {"path": write(HUBSPOT, demo, folder / "hubspot", suffix=how, ending="_data" if how == "csv" else "")}


@pytest.mark.parametrize("how", ["csv", "parquet", "duckdb", "sqlite", "postgresql"])
def test_hubspot_gives_back_the_demo_with_the_behaviour_of_merged_contacts(
    demo, read, rows, original, tmp_path, how, request
):
    tables = read("hubspot", {"kind": "hubspot", **land_hubspot(how, demo[0], tmp_path, request)})
    then, known_then = original
    for query in (
        f"SELECT {CONTACT}, {OWN} FROM contacts ORDER BY 1",
        f"SELECT {ACCOUNT} FROM accounts ORDER BY 1",
        f"SELECT {DEAL} FROM deals ORDER BY 1",
        "SELECT object, object_id, attribute, value, changed_at FROM changes ORDER BY ALL",
    ):
        assert rows(query) == then(query)
    assert rows("SELECT contact_id, t, type, known, value, detail FROM activities ORDER BY ALL") == then(OF_HUBSPOT)
    assert set(tables.attributes["contacts"]) & {"phone", "num_associated_deals", "hs_analytics_num_visits"} == set()
    names = ["job_title", "lifecycle_stage", "tags", "account_employees"]
    for day in ("2025-06-01", "2026-03-01"):
        assert known(tables, day, names) == known_then(day, names)


@pytest.mark.parametrize("how", ["files", "postgresql"])
def test_salesforce_gives_back_the_demo_with_the_behaviour_of_leads_before_their_conversion(
    demo, read, rows, original, tmp_path, how, request
):
    if how == "files":
        path = write(SALESFORCE, demo[0], tmp_path / "salesforce", prefix="sf_", ending="_data")
    else:
        url = write_postgres(SALESFORCE, demo[0], request.getfixturevalue("postgres"), tmp_path, schema="sf")
        path = {"kind": "salesforce", "url": url}
    tables = read("salesforce", path)
    then, known_then = original
    for query in (
        f"SELECT {CONTACT} FROM contacts ORDER BY 1",
        f"SELECT {ACCOUNT} FROM accounts ORDER BY 1",
    ):
        assert rows(query) == then(query)
    assert rows(f"SELECT {DEAL} FROM deals ORDER BY 1") == then(DEALS_OF_SALESFORCE)
    assert rows("SELECT contact_id, t, type, known, value, detail FROM activities ORDER BY ALL") == then(OF_SALESFORCE)
    names = ["job_title", "country", "account_employees", "account_industry"]
    # Only leads have a status.
    were_leads = {id_ for (id_,) in rows("SELECT contact_id FROM contacts WHERE lifecycle_stage IS NOT NULL")}
    for when in ("2025-06-01", "2025-12-01", "2026-03-01"):
        assert known(tables, when, names) == known_then(when, names)
        stages = [row for row in known_then(when, ["lifecycle_stage"]) if row[0] in were_leads]
        assert [row for row in known(tables, when, ["lifecycle_stage"]) if row[0] in were_leads] == stages
    assert len(were_leads) > 50
