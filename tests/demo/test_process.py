"""The state that drives the hazard can be told from the rows: it is rebuilt here from nothing else."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from numpy.random import default_rng

from predictive.clock import DAY
from predictive.demo import catalog as c
from predictive.demo.activities import DETAILS, PRODUCT, TYPES, Activities, expand, touch_times
from predictive.demo.facts import TITLES, attribute_history, deal_times
from predictive.demo.process import NEVER
from predictive.demo.simulate import History, simulate
from predictive.demo.world import START, World, draw_world

OWN_TYPE = {"content_download": "download", "email_click": "email_click"}
OWN_TYPE |= {name: name for name in ("webinar", "event", "meeting", "call", *c.MAIL_ENDS)}
FORMS = {"newsletter": "newsletter", "contact": "contact_form", "demo_request": "demo_request"}


def kind_of(rows: set[tuple[str, str]]) -> c.Kind:
    """The kind of the touch that left a contact's rows of one day."""
    types, details = {type_ for type_, _ in rows}, {detail for _, detail in rows}
    name = next((OWN_TYPE[t] for t in types if t in OWN_TYPE), None)
    name = next((FORMS[d] for t, d in rows if t == "form_submission"), name)
    if name is None:
        pages = {"pricing": "/pricing", "careers": "/careers"}
        name = next((n for n, page in pages.items() if any(d.startswith(page) for d in details)), None)
    if name is None:
        name = "email_open" if types == {"email_open"} else "product" if details & set(PRODUCT) else "blog"
    return c.KINDS[c.K[name]]


@dataclass
class Rebuilt:
    """One contact's state, by the rules of the process, from its rows alone."""

    rate: float
    heat: float = 0.0
    intent: float = 0.0
    deal: int = NEVER
    lost: int = NEVER
    won: bool = False
    mailable: bool = True
    reported: bool = False
    deals: list[tuple[int, int, bool]] = field(default_factory=list)

    def live(self, day: int, kind: c.Kind | None, *, decay: bool) -> None:
        for _, closed, won in (d for d in self.deals if d[1] == day and not self.won):
            self.deal = NEVER
            if won:
                self.won, self.intent = True, 0.0
                self.heat *= c.CUSTOMER_HEAT
                self.rate *= c.CUSTOMER_ACTIVITY
            else:
                self.lost, self.intent = closed, self.intent * c.LOST_INTENT
        if decay:
            self.heat *= c.HEAT_KEPT
            self.intent *= c.INTENT_KEPT
        if kind is not None:
            self.heat += kind.heat
            self.intent = max(self.intent + kind.intent, 0.0)
            if kind.name in c.MAIL_ENDS:
                self.mailable, self.rate = False, self.rate * c.UNSUBSCRIBED_ACTIVITY
            self.reported |= kind.name == "spam_report"
        if not self.won and any(opened == day for opened, _, _ in self.deals):
            self.deal = day


@dataclass(frozen=True)
class Record:
    """A world with its clean record: what the tables would hold without gaps and noise."""

    world: World
    history: History
    activities: Activities
    facts: pd.DataFrame
    created: np.ndarray
    closed: np.ndarray


@pytest.fixture(scope="module")
def record() -> Record:
    rng = default_rng(5)
    world = draw_world(600, rng)
    history = simulate(world, rng)
    touched = touch_times(world, history, rng)
    created, closed = deal_times(history, rng)
    facts = attribute_history(world, history, touched, created, closed, rng)
    return Record(world, history, expand(history, touched, rng), facts, created, closed)


def effect(levels: tuple[c.Level, ...], name: str) -> float:
    return next(level.fit for level in levels if level.name == name)


def known(record: Record, of: str, row: int, before: int) -> dict[str, str]:
    facts = record.facts
    mine = facts[(facts["object"] == of) & (facts["row"] == row) & (facts["at"] < before)]
    return dict(zip(mine["attribute"], mine["value"], strict=True))


def level_of(title: str) -> int:
    if title == "Student":
        return 0
    return next(n for n, form in enumerate(TITLES) if title in {form.format(f) for f in c.FUNCTIONS})


def persona_of(facts: dict[str, str]) -> int:
    tags = facts.get("tags", "").split(";")
    if facts["marketing_status"] == "non-marketing":
        return c.STAFF
    return c.STUDENT if "student" in tags else c.COMPETITOR if "competitor" in tags else c.BUYER


def fit_of(facts: dict[str, str], account: dict[str, str] | None) -> float:
    own = effect(c.COUNTRIES, facts["country"]) + effect(c.SOURCES, facts["source"])
    own += c.PERSONAS[persona_of(facts)].fit
    if account is None:
        return own + c.NO_ACCOUNT_FIT
    size = c.SIZE_CURVE * (np.log10(float(account["employees"])) - c.SIZE_PEAK) ** 2
    return own + effect(c.INDUSTRIES, account["industry"]) + size + 0.6


def rebuild(record: Record, contact: int, until: int) -> Rebuilt:
    """The state at the start of day `until`, from activities, deals and attributes before it."""
    days: dict[int, set[tuple[str, str]]] = {}
    rows = record.activities
    for at in np.flatnonzero(rows.contact == contact):
        day = int((rows.occurred[at] - START) // DAY)
        days.setdefault(day, set()).add((TYPES[rows.type[at]], DETAILS[rows.detail[at]]))
    facts = known(record, "contact", contact, START + until * DAY)
    rate = c.BASE_ACTIVITY * c.SOURCE_ACTIVITY[[s.name for s in c.SOURCES].index(facts["source"])]
    state = Rebuilt(rate if persona_of(facts) == c.BUYER else rate * 1.3)
    mine = record.history.deal_contact == contact
    opened, closed = (record.created[mine] - START) // DAY, (record.closed[mine] - START) // DAY
    state.deals = list(zip(opened, closed, record.history.deal_won[mine], strict=True))
    first = int((record.world.created[contact] - START) // DAY)
    for day in range(first, until):
        state.live(day, kind_of(days[day]) if day in days else None, decay=day > first)
    return state


def test_the_state_at_an_as_of_is_a_function_of_the_rows_before_it(record: Record):
    moment = 2
    until = (c.TRUTH_AS_OFS[moment] - c.START).days
    snapshot = record.history.snapshots[moment]
    statuses = set()
    for contact in range(0, len(snapshot.heat), 2):
        state = rebuild(record, contact, until)
        for name in ("rate", "heat", "intent", "deal", "lost", "won", "mailable", "reported"):
            assert getattr(state, name) == pytest.approx(getattr(snapshot, name)[contact]), (contact, name)
        statuses.add((state.deal > NEVER, state.lost > NEVER, state.won, state.mailable))
    assert len(statuses) > 6


def test_fit_is_a_function_of_the_attributes_on_record(record: Record):
    moment = 2
    snapshot = record.history.snapshots[moment]
    before = START + (c.TRUTH_AS_OFS[moment] - c.START).days * DAY
    for contact in range(0, len(snapshot.fit), 3):
        facts = known(record, "contact", contact, before)
        account = int(record.world.account[contact])
        company = known(record, "account", account, before) if account >= 0 else None
        assert fit_of(facts, company) == pytest.approx(snapshot.fit[contact])
        assert level_of(facts["job_title"]) == snapshot.level[contact]
        assert persona_of(facts) == snapshot.persona[contact]


def test_interest_builds_up_before_a_purchase_and_decays_after(large: tuple[World, History]):
    _, history = large
    won = np.full(40_000, NEVER)
    first = np.flatnonzero(history.deal_won)[::-1]
    won[history.deal_contact[first]] = history.deal_closed[first]
    winners = (won > 180) & (won < c.DAYS - 120)
    since = (history.touch_day - won[history.touch_contact])[winners[history.touch_contact]]
    by_month = [np.sum((since >= start) & (since < start + 30)) for start in range(-120, 120, 30)]
    assert by_month[0] < by_month[1] < by_month[2] < by_month[3]
    assert by_month[3] > 2 * by_month[0]
    assert by_month[3] > 2 * by_month[4]
    assert by_month[7] < by_month[4]


def test_activity_is_unequal_beyond_what_the_source_explains(large: tuple[World, History]):
    world, history = large
    count = np.bincount(history.touch_contact, minlength=40_000)
    alike = (world.source == 0) & (world.day < 45) & (world.persona == c.BUYER)
    assert np.sort(count)[::-1][:4_000].sum() > 0.3 * count.sum()
    assert count[alike].var() > 5 * count[alike].mean()


def test_sales_cycles_take_weeks_to_months(large: tuple[World, History]):
    _, history = large
    cycle = (history.deal_closed - history.deal_opened)[history.deal_won]
    low, middle, high = np.quantile(cycle, [0.1, 0.5, 0.9])
    assert 7 < low < 28 < middle < 60 < high < 150


def test_wins_follow_the_season(large: tuple[World, History]):
    _, history = large
    month = pd.DatetimeIndex(pd.Timestamp(c.START) + pd.to_timedelta(history.deal_closed[history.deal_won], "D"))
    wins = pd.Series(1, month).groupby([month.year, month.month]).sum()[2025]
    assert wins[12] > 1.3 * wins[8]
