"""Each kind of mess is there, and the attributes that leak do."""

import pytest

from predictive.demo import catalog as c


@pytest.mark.parametrize(
    ("what", "share", "least", "most"),
    [
        ("contacts without a country", "avg((country IS NULL)::INT) FROM contacts", 0.04, 0.1),
        ("contacts without a job title", "avg((job_title IS NULL)::INT) FROM contacts", 0.1, 0.2),
        ("contacts without an account", "avg((account_id IS NULL)::INT) FROM contacts", 0.15, 0.3),
        ("accounts without an industry", "avg((industry IS NULL)::INT) FROM accounts", 0.05, 0.15),
        ("accounts without a head count", "avg((employees IS NULL)::INT) FROM accounts", 0.1, 0.25),
        ("absurd head counts", "avg((employees = 0)::INT) FROM accounts", 0.002, 0.03),
        ("personal addresses", "avg(regexp_matches(email, '@(gmail|outlook|yahoo|gmx)')::INT) FROM contacts", 0.1, 0.3),
        ("missing addresses", "avg((email IS NULL)::INT) FROM contacts", 0.01, 0.05),
        ("students", "avg(('student' IN string_split(tags, ';'))::INT) FROM contacts", 0.01, 0.1),
        ("competitors", "avg(('competitor' IN string_split(tags, ';'))::INT) FROM contacts", 0.005, 0.05),
        ("staff", "avg((marketing_status = 'non-marketing')::INT) FROM contacts", 0.01, 0.04),
        ("lower-case titles", "avg((job_title = lower(job_title))::INT) FROM contacts", 0.03, 0.15),
        ("deals without an amount", "avg((amount IS NULL)::INT) FROM deals", 0.03, 0.15),
        ("sensitive age groups", "avg((age_group IS NULL)::INT) FROM contacts", 0.2, 0.4),
    ],
)
def test_there_are(ask, what: str, share: str, least: float, most: float):
    [(found,)] = ask(f"SELECT {share}")
    assert least < found < most, what


@pytest.mark.parametrize("type_", ["unsubscribe", "spam_report", "bounce", "event", "webinar", "meeting", "call"])
def test_every_activity_type_occurs(ask, type_: str):
    [(found,)] = ask(f"SELECT count(*) FROM activities WHERE type = '{type_}'")
    assert found > 20


def test_countries_and_industries_are_spelt_in_many_ways(ask):
    for column, table, levels in (("country", "contacts", c.COUNTRIES), ("industry", "accounts", c.INDUSTRIES)):
        known = {level.name for level in levels}
        found = {value for (value,) in ask(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")}
        assert known <= found
        assert len(found) > 1.5 * len(known)


def test_bots_view_hundreds_of_pages_within_the_hour(ask):
    [(bots, most)] = ask(
        """SELECT count(DISTINCT contact_id), max(n) FROM (SELECT contact_id, count(*) AS n FROM activities
        WHERE type = 'page_view' GROUP BY contact_id, date_trunc('day', occurred_at)) WHERE n > 100"""
    )
    assert 15 <= bots <= 20
    assert most >= 300


def test_events_are_imported_days_later_and_page_views_at_once(ask):
    late = dict(
        ask("SELECT type, quantile_cont(epoch(recorded_at - occurred_at) / 86400, 0.5) FROM activities GROUP BY type")
    )
    assert late["event"] > 3
    assert 0.3 < late["webinar"] < 3
    assert late["page_view"] < 0.001


def test_attributes_change_and_are_filled_in_late(ask):
    moves = dict(ask("SELECT attribute, count(*) FROM changes WHERE old_value IS NOT NULL GROUP BY 1"))
    assert {"job_title", "industry", "employees", "tags", "lifecycle_stage", "marketing_status"} <= moves.keys()
    late = dict(
        ask(
            """SELECT attribute, count(*) FROM changes JOIN contacts ON object_id = contact_id
            WHERE old_value IS NULL AND changed_at > created_at AND attribute IN ('country', 'job_title') GROUP BY 1"""
        )
    )
    assert min(late["country"], late["job_title"]) > 50


@pytest.mark.parametrize("leak", ["contract_type", "onboarding_owner", "budget_confirmed"])
def test_what_sales_fills_in_after_a_win_is_there_for_winners_only(ask, leak: str):
    [(losers, share)] = ask(
        f"""SELECT count({leak}) FILTER (NOT won), count({leak}) / count(*) FILTER (won) FROM
        (SELECT *, contact_id IN (SELECT contact_id FROM deals WHERE is_won) AS won FROM contacts)"""
    )
    assert losers == 0
    assert 0.65 < share <= 1


def test_only_the_confirmed_budget_has_a_history_and_it_starts_at_the_win(ask):
    assert ask("SELECT count(*) FROM changes WHERE attribute IN ('contract_type', 'onboarding_owner')") == [(0,)]
    [(rows, early)] = ask(
        """SELECT count(*), count(*) FILTER (changed_at < won) FROM changes JOIN
        (SELECT contact_id, min(closed_at) AS won FROM deals WHERE is_won GROUP BY 1) ON object_id = contact_id
        WHERE attribute = 'budget_confirmed'"""
    )
    assert rows > 100
    assert early == 0


def test_accounts_have_several_contacts_and_customers_buy_again(ask):
    [(several,)] = ask("SELECT avg((n > 1)::INT) FROM (SELECT count(*) AS n FROM contacts GROUP BY account_id)")
    assert several > 0.4
    [(again,)] = ask("SELECT count(*) FROM (SELECT 1 FROM deals WHERE is_won GROUP BY contact_id HAVING count(*) > 1)")
    assert again > 10
