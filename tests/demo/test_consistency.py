import pytest

NONE = [(0,)]
IMPOSSIBLE = {
    "an activity of no contact": "activities ANTI JOIN contacts USING (contact_id)",
    "an activity before its contact": "activities a JOIN contacts c USING (contact_id) WHERE occurred_at <= created_at",
    "an activity recorded before it occurred": "activities WHERE recorded_at < occurred_at",
    "an activity from the future": "activities WHERE greatest(occurred_at, recorded_at) >= TIMESTAMP '2026-06-30'",
    "a contact of no account": "contacts c ANTI JOIN accounts USING (account_id) WHERE c.account_id IS NOT NULL",
    "a contact from before the CRM": "contacts WHERE created_at < TIMESTAMP '2024-12-30'",
    "a contact from the future": "contacts WHERE created_at >= TIMESTAMP '2026-06-30'",
    "an account without contacts": "accounts ANTI JOIN contacts USING (account_id)",
    "an account younger than a contact": (
        "accounts a JOIN contacts c USING (account_id) WHERE a.created_at > c.created_at"
    ),
    "a deal of no contact": "deals ANTI JOIN contacts USING (contact_id)",
    "a deal of another account": (
        "deals d JOIN contacts c USING (contact_id) WHERE d.account_id IS DISTINCT FROM c.account_id"
    ),
    "a deal before its contact": "deals d JOIN contacts c USING (contact_id) WHERE d.created_at <= c.created_at",
    "a deal closed before it was created": "deals WHERE closed_at <= created_at",
    "a deal from the future": "deals WHERE coalesce(closed_at, created_at) >= TIMESTAMP '2026-06-30'",
    "a deal half closed": "deals WHERE (closed_at IS NULL) != (is_won IS NULL)",
    "two deals of a contact at once": (
        "deals a JOIN deals b USING (contact_id) WHERE a.created_at < b.created_at AND "
        "coalesce(a.closed_at, TIMESTAMP '2027-01-01') > b.created_at AND a.contact_id NOT IN "
        "(SELECT contact_id FROM deals WHERE is_won)"
    ),
    "a change of no object": (
        "changes WHERE object_id NOT IN (SELECT contact_id FROM contacts UNION SELECT account_id FROM accounts)"
    ),
    "a change before its contact": "changes JOIN contacts ON object_id = contact_id WHERE changed_at < created_at",
    "a change from the future": "changes WHERE changed_at >= TIMESTAMP '2026-06-30'",
    "a change that changes nothing": "changes WHERE value = old_value OR value IS NULL",
    "two values at one instant": (
        "(SELECT count(*) AS n FROM changes GROUP BY object, object_id, attribute, changed_at) WHERE n > 1"
    ),
    "an old value that was not the value before": (
        "(SELECT *, lag(value) OVER (PARTITION BY object_id, attribute ORDER BY changed_at) AS before FROM changes) "
        "WHERE before IS DISTINCT FROM old_value"
    ),
    "a won deal of staff": (
        "deals JOIN contacts USING (contact_id) WHERE is_won AND marketing_status = 'non-marketing'"
    ),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_there_is_never(ask, what: str):
    assert ask(f"SELECT count(*) FROM {IMPOSSIBLE[what]}") == NONE


@pytest.mark.parametrize(
    ("of", "attribute"),
    [
        *(("contact", a) for a in ("job_title", "country", "source", "lifecycle_stage", "marketing_status", "tags")),
        ("contact", "budget_confirmed"),
        *(("account", a) for a in ("industry", "employees")),
    ],
)
def test_todays_value_is_the_latest_of_the_history_and_missing_without_one(ask, of: str, attribute: str):
    [(different, some)] = ask(
        f"""
        WITH latest AS (
            SELECT object_id AS {of}_id, arg_max(value, changed_at) AS value FROM changes
            WHERE object = '{of}' AND attribute = '{attribute}' GROUP BY 1)
        SELECT count(*) FILTER (value IS DISTINCT FROM {attribute}::VARCHAR), count(value)
        FROM {of}s LEFT JOIN latest USING ({of}_id)
        """
    )
    assert different == 0
    assert some > 0


@pytest.mark.parametrize(("attribute", "share"), [("source", 0.97), ("country", 0.9), ("marketing_status", 1.0)])
def test_attributes_are_known_from_creation_but_for_gaps(ask, attribute: str, share: float):
    [(found,)] = ask(
        f"""SELECT count(*) / (SELECT count(*) FROM contacts) FROM changes JOIN contacts ON object_id = contact_id
        WHERE attribute = '{attribute}' AND changed_at = created_at"""
    )
    assert found == pytest.approx(share, abs=0.015)


def test_the_lifecycle_follows_the_deals(ask):
    [(opportunities, open_deals)] = ask(
        """SELECT count(*) FILTER (lifecycle_stage = 'opportunity'),
        count(*) FILTER (contact_id IN (SELECT contact_id FROM deals WHERE closed_at IS NULL)
            AND lifecycle_stage != 'customer') FROM contacts"""
    )
    assert opportunities == open_deals > 50
    wrong = """SELECT count(*) FROM contacts WHERE (lifecycle_stage = 'customer')
        != (contact_id IN (SELECT contact_id FROM deals WHERE is_won))"""
    assert ask(wrong) == NONE


def test_who_reports_spam_has_opted_out_since(ask):
    [(out, reported, same)] = ask(
        """SELECT count(*) FILTER (marketing_status = 'opted out'), count(t), count(*) FILTER (
            marketing_status = 'opted out' AND t IS NOT NULL) FROM contacts LEFT JOIN
        (SELECT contact_id, min(occurred_at) AS t FROM activities WHERE type = 'spam_report' GROUP BY 1)
        USING (contact_id)"""
    )
    assert out == reported == same > 10
