from pathlib import Path

import pytest

from predictive.config_file import effective, load_config
from predictive.sinks.export import FIELDS, MARK
from predictive.sources import read_tables
from predictive.sources.crm.raw import words
from predictive.sources.crm.spec import load

NOW = 1_782_864_000_000_000  # 2026-07-01
CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.mark.parametrize("crm", ["hubspot", "salesforce"])
def test_the_ready_configuration_needs_nothing_but_where_the_files_are(crm, monkeypatch, tmp_path):
    monkeypatch.setenv(f"{crm.upper()}_PATH", str(tmp_path))
    config = load_config(CONFIGS / f"{crm}.yaml")
    assert (config.source.kind, config.source.path) == (crm, tmp_path)
    assert effective(config).startswith(f"source:\n  kind: {crm}\n  path: {tmp_path}\n")


@pytest.mark.parametrize("crm", ["hubspot", "salesforce"])
def test_scores_that_were_imported_into_a_crm_never_come_back_as_features(crm):
    for field in (*FIELDS[crm].values(), MARK[crm]):
        assert load(crm).why_never("contact", words(field)) == "scores of this package, written back", field


OURS = {"hubspot": "Buying Score 2", "salesforce": "BuyingScore2__c"}
LANDED = {"hubspot": "property_buying_score_2", "salesforce": "buying_score_2_c"}
CONTACT = "id,{created},{ours},{other}\nc1,2026-01-01 9:00:00,0.7,x\nc2,2026-01-02 9:00:00,0.1,y\n"
HISTORY = {
    "hubspot": (
        "contact_property_history",
        "contact_id,name,timestamp,value\nc1,buying_score_2,2026-02-01 9:00:00,1\n",
    ),
    "salesforce": (
        "contact_history",
        "contact_id,field,old_value,new_value,created_date\nc1,BuyingScore2__c,0,1,2026-02-01 9:00:00\n",
    ),
}


@pytest.mark.parametrize("crm", ["hubspot", "salesforce"])
def test_fields_of_our_own_names_never_come_back_as_features_nor_in_the_history(crm, tmp_path, con, land):
    created, other = ("property_createdate", "property_size") if crm == "hubspot" else ("created_date", "size_c")
    history, changes = HISTORY[crm]
    contact = CONTACT.format(created=created, ours=LANDED[crm], other=other)
    deal = {"deal": "deal_id\n1\n"} if crm == "hubspot" else {"opportunity": "id\n1\n"}
    folder = land(contact=contact, **{history: changes}, **deal)
    config = f"source: {{kind: {crm}, path: '{folder}'}}\n"
    sink = f"sink: {{kind: csv, path: out.csv, format: {crm}, columns: {{probability: {OURS[crm]}, tier: Tier}}}}\n"
    (tmp_path / "c.yaml").write_text(config)
    before = read_tables(load_config(tmp_path / "c.yaml"), con, now=NOW)
    ours = LANDED[crm].removeprefix("property_")
    assert ours in before.attributes["contacts"]
    assert con.execute("SELECT DISTINCT attribute FROM changes").fetchall() == [(ours,)]
    (tmp_path / "c.yaml").write_text(config + sink)
    after = read_tables(load_config(tmp_path / "c.yaml"), con, now=NOW)
    assert set(before.attributes["contacts"]) - set(after.attributes["contacts"]) == {ours}
    assert other.removeprefix("property_") in after.attributes["contacts"]
    assert f"contacts: never features, scores of this package, written back: {ours}" in map(str, after.notes)
    assert con.execute("SELECT count(*) FROM changes").fetchall() == [(0,)]


@pytest.mark.parametrize("columns", ["", ", columns: {probability: Buying score}"])
def test_an_export_of_a_crm_that_is_read_as_plain_files_does_not_bring_scores_back_either(tmp_path, con, land, columns):
    named = "Buying score" if columns else "Lead probability"
    folder = land(contacts=f"contact_id,created_at,{named},Size\nc1,2026-01-01,0.7,x\n", deals="deal_id,contact_id\n")
    changes = f"contact,c1,{named},0.7,2026-02-01\ncontact,c1,Size,x,2026-02-01\naccount,c1,{named},0.7,2026-02-01\n"
    (folder / "changes.csv").write_text("object,object_id,attribute,value,changed_at\n" + changes)
    tables = "{contacts: {file: contacts.csv}, deals: {file: deals.csv}, changes: {file: changes.csv}}"
    (tmp_path / "c.yaml").write_text(
        f"source: {{kind: files, path: '{folder}', tables: {tables}}}\n"
        f"sink: {{kind: csv, path: out.csv, format: hubspot{columns}}}\n"
    )
    read = read_tables(load_config(tmp_path / "c.yaml"), con, now=NOW)
    assert set(read.attributes["contacts"]) == {"Size"}
    assert f"contacts.{named}: not used: scores are written to it" in map(str, read.notes)
    # An account's field of the same name is its own.
    left = con.execute("SELECT object, attribute FROM changes ORDER BY ALL").fetchall()
    assert left == [("account", named), ("contact", "Size")]
    said = [note for note in read.notes if note.where == "changes" and "scores" in note.text]
    assert [(note.count, note.examples) for note in said] == [(1, (named,))]


def test_columns_that_a_sink_of_tables_fills_in_a_landed_crm_are_no_attributes(tmp_path, con, land):
    folder = land(contact="id,property_createdate,lead_prob\nc1,2026-01-01 9:00:00,0.7\n", deal="deal_id\n1\n")
    sink = "{kind: sqlite, path: crm.db, table: contact, key: id, columns: {probability: lead_prob}}"
    (tmp_path / "c.yaml").write_text(f"source: {{kind: hubspot, path: '{folder}'}}\nsink: {sink}\n")
    assert read_tables(load_config(tmp_path / "c.yaml"), con, now=NOW).attributes["contacts"] == {}
