"""The process that makes the demo's history, one day at a time, for many contacts at once.

A contact's state is a function of what the tables record: decayed sums of its touches (heat: any; intent: buying ones),
its deal, its attributes, its subscriptions. A day's chances depend on the state at its start and on the calendar, on
nothing else. History and truth call the same functions, so the true probability is that of this very process.

Touches follow a self-exciting (Hawkes) process in discrete time: A. G. Hawkes, "Spectra of some self-exciting and
mutually exciting point processes", Biometrika 58 (1971), doi:10.1093/biomet/58.1.83.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.random import Generator

from predictive.demo import catalog as c
from predictive.demo.world import Bools, Floats, Ints, World, effects

NEVER = -10_000
LEVEL_FIT = effects(c.LEVELS)
WEIGHT, SLOPE, HEAT, INTENT, OPENING = (
    np.array([getattr(kind, name) for kind in c.KINDS]) for name in ("weight", "slope", "heat", "intent", "opening")
)
MAIL_ENDS = np.isin(np.arange(len(c.KINDS)), [c.K[name] for name in c.MAIL_ENDS])


def _log_weights() -> np.ndarray:
    """Log weight of each kind without intent, by persona, deal status and whether e-mail arrives."""
    mail = np.isin(np.arange(len(c.KINDS)), [c.K[name] for name in c.MAIL])
    arrives = np.stack([np.where(mail, 0.0, 1.0), np.ones(len(c.KINDS))])
    weight = WEIGHT * c.PERSONA_KINDS[:, None, None] * c.DEAL_KINDS[:, None] * arrives
    with np.errstate(divide="ignore"):
        return np.moveaxis(np.log(weight), -1, 0)


LOG_WEIGHT = _log_weights()


@dataclass(frozen=True)
class State:
    """Where each contact stands at the start of a day; the arrays, one entry a contact, are changed in place.

    Attributes:
        rate: Unprompted touches a day.
        heat, intent: Decayed sums of touches.
        fit: Fit without seniority; `level` is the seniority.
        persona: Code of the persona.
        deal: Day on which the open deal was created, `NEVER` without one.
        lost: Day of the latest loss, `NEVER` without one.
        outbound: Chance a day that sales opens a deal unasked, if there is none.
        won: Whether a deal was won, ever.
        mailable: Whether e-mail still reaches the contact.
        reported: Whether it reported spam, and so opted out of marketing.
    """

    rate: Floats
    heat: Floats
    intent: Floats
    fit: Floats
    level: Ints
    persona: Ints
    deal: Ints
    lost: Ints
    outbound: Floats
    won: Bools
    mailable: Bools
    reported: Bools

    @classmethod
    def at_creation(cls, world: World) -> State:
        """Contacts as they are when they appear: no touch, no deal."""
        size = len(world.created)
        return cls(
            rate=world.activity(),
            heat=np.zeros(size),
            intent=np.zeros(size),
            fit=world.fit(),
            level=world.level.copy(),
            persona=world.persona,
            deal=np.full(size, NEVER),
            lost=np.full(size, NEVER),
            outbound=_outbound(world.fit(), world.level),
            won=np.zeros(size, dtype=bool),
            mailable=np.ones(size, dtype=bool),
            reported=np.zeros(size, dtype=bool),
        )

    def first(self, size: int) -> State:
        """The first `size` contacts, as views: changing them changes this state."""
        return State(*(getattr(self, field.name)[:size] for field in fields(self)))

    def take(self, index: Ints) -> State:
        """The contacts at `index`, copied; an index given twice makes two independent copies."""
        return State(*(getattr(self, field.name)[index] for field in fields(self)))

    def put(self, index: Ints, other: State) -> None:
        """Make the contacts at `index` what they are in `other`."""
        for field in fields(self):
            getattr(self, field.name)[index] = getattr(other, field.name)[index]


@dataclass(frozen=True)
class Touches:
    """A day's touches, at most one a contact: its position, the kind, and the chance that it opens a deal."""

    who: Ints
    kind: Ints
    opening: Floats


@dataclass(frozen=True)
class Events:
    """What a day brought beside wins: positions of lost deals, promotions and new deals, and the touches."""

    lost: Ints
    promoted: Ints
    opened: Ints
    touches: Touches


def advance(state: State, day: int, rng: Generator) -> Events:
    """Draw a day and let it act, from its losses to its new deals; wins are up to the caller, and come before."""
    who, chance = loss_chances(state, day)
    lost = who[rng.random(len(who)) < chance]
    lose(state, lost, day)
    promoted = promote(state, rng)
    touches = live(state, day, rng)
    opened = touches.who[rng.random(len(touches.who)) < touches.opening]
    open_deals(state, opened, day)
    asked = np.flatnonzero(rng.random(len(state.outbound)) < state.outbound)
    asked = asked[_free(state, asked)]
    open_deals(state, asked, day)
    return Events(lost, promoted, np.concatenate([opened, asked]), touches)


def win_chances(state: State, day: int) -> tuple[Ints, Floats]:
    """Positions of the contacts with an open deal, and the probability that each wins it on `day`."""
    who = np.flatnonzero(state.deal > NEVER)
    log_rate = (
        c.WINNING
        + c.WINNING_FIT * _fit(state, who)
        + c.WINNING_INTENT * np.log1p(state.intent[who])
        + c.WINNING_HEAT * np.log1p(state.heat[who])
    )
    return who, _chance(state, who, day, log_rate)


def loss_chances(state: State, day: int) -> tuple[Ints, Floats]:
    """Positions of the contacts with an open deal, and the probability that each loses it if it is not won on `day`."""
    who = np.flatnonzero(state.deal > NEVER)
    log_rate = c.LOSING + c.LOSING_FIT * _fit(state, who) + c.LOSING_INTENT * np.log1p(state.intent[who])
    return who, _chance(state, who, day, log_rate)


def win(state: State, who: Ints) -> None:
    """Make customers of the contacts at `who`: the deal is closed, and activity decays."""
    state.deal[who] = NEVER
    state.won[who] = True
    state.intent[who] = 0.0
    state.heat[who] *= c.CUSTOMER_HEAT
    state.rate[who] *= c.CUSTOMER_ACTIVITY


def lose(state: State, who: Ints, day: int) -> None:
    """Close the open deals of the contacts at `who` as lost; most of the intent goes with them."""
    state.deal[who] = NEVER
    state.lost[who] = day
    state.intent[who] *= c.LOST_INTENT


def open_deals(state: State, who: Ints, day: int) -> None:
    """Open a deal for each contact at `who`."""
    state.deal[who] = day


def promote(state: State, rng: Generator) -> Ints:
    """Promote a few contacts by one level; returns their positions."""
    size = len(state.level)
    who: Ints = rng.choice(size, size=rng.binomial(size, c.PROMOTION), replace=False)
    who = who[state.level[who] < len(c.LEVELS) - 1]
    state.level[who] += 1
    state.outbound[who] = _outbound(state.fit[who], state.level[who])
    return who


def live(state: State, day: int, rng: Generator) -> Touches:
    """Draw the day's touches and let them act; sums decay first, so that a touch counts in full tomorrow."""
    chance = state.heat * c.EXCITATION
    chance += state.rate
    chance[state.deal > NEVER] += c.DEAL_ACTIVITY
    who = np.flatnonzero(rng.random(len(chance)) < chance * c.ACTIVITY_SEASON[day])
    kind = _kinds(state, who, rng)
    np.multiply(state.heat, c.HEAT_KEPT, out=state.heat)
    np.multiply(state.intent, c.INTENT_KEPT, out=state.intent)
    return touch(state, who, kind, day)


def touch(state: State, who: Ints, kind: Ints, day: int) -> Touches:
    """Let touches act on the state, at most one a contact; the deals that they may open are up to the caller."""
    state.heat[who] += HEAT[kind]
    state.intent[who] = np.maximum(state.intent[who] + INTENT[kind], 0.0)
    ends = who[MAIL_ENDS[kind]]
    state.mailable[ends] = False
    state.rate[ends] *= c.UNSUBSCRIBED_ACTIVITY
    state.reported[who[kind == c.K["spam_report"]]] = True
    log_rate = (
        c.OPENING
        + c.OPENING_FIT * _fit(state, who)
        + c.OPENING_INTENT * np.log1p(state.intent[who])
        + c.RECENT_LOSS * (day - state.lost[who] < c.RECENT_LOSS_DAYS)
        + OPENING[kind]
    )
    return Touches(who, kind, -np.expm1(-np.exp(log_rate)) * _free(state, who))


def opening_chances(state: State, touches: Touches) -> Floats:
    """The chance of every contact that the day which brought `touches` opens a deal, by either side."""
    closed = 1.0 - state.outbound
    closed[touches.who] *= 1.0 - touches.opening
    chance: Floats = (1.0 - closed) * ((state.deal == NEVER) & ~state.won)
    return chance


def _outbound(fit: Floats, level: Ints) -> Floats:
    chance: Floats = -np.expm1(-np.exp(c.OUTBOUND + c.OUTBOUND_FIT * (fit + LEVEL_FIT[level])))
    return chance


def _chance(state: State, who: Ints, day: int, log_rate: Floats) -> Floats:
    """Chance that an open deal closes on `day`: the rate, held back while the deal is young, times the season."""
    ramp = np.minimum((day - state.deal[who]) / c.RAMP, 1.0)
    chance: Floats = -np.expm1(-np.exp(log_rate) * ramp * c.CLOSING_SEASON[day])
    return chance


def _free(state: State, who: Ints) -> Bools:
    free: Bools = (state.deal[who] == NEVER) & ~state.won[who]
    return free


def _fit(state: State, who: Ints) -> Floats:
    fit: Floats = state.fit[who] + LEVEL_FIT[state.level[who]]
    return fit


def _kinds(state: State, who: Ints, rng: Generator) -> Ints:
    """Draw the kind of each touch: what people do depends on intent, persona, deal and subscription."""
    deal = np.where(state.won[who], c.CUSTOMER, np.where(state.deal[who] > NEVER, c.OPEN_DEAL, c.NO_DEAL))
    habit = LOG_WEIGHT[:, state.persona[who], deal, state.mailable[who].astype(int)]
    total = np.exp(SLOPE[:, None] * np.log1p(state.intent[who]) + habit)
    np.cumsum(total, axis=0, out=total)
    kinds: Ints = (total <= rng.random(len(who)) * total[-1]).sum(axis=0)
    return kinds
