"""What a contact was, did and closed as of a time: slow, obvious loops over plain rows, as the design says."""

from dataclasses import dataclass

from tests.features.histories import KINDS, READABLE


@dataclass(frozen=True)
class Seen:
    """One contact at its as-of: its row with the attributes as of then, and what was visible then.

    `activities` and `changes` are its own; `colleagues` are the activities of each other contact of its account then,
    and `buyers` how many of them had won a deal.
    """

    as_of: int
    contact: dict
    activities: list
    changes: list = ()
    colleagues: list = ()
    buyers: int = 0


def seen(history, contact_id, account_deals="all"):
    as_of = history.at[contact_id]
    then = contact_then(history, contact_id, as_of)
    changes = [
        {"type": c["attribute"], "t": c["changed_at"], "detail": None, "value": None}
        for c in history.changes
        if c["object"] == "contact" and c["object_id"] == contact_id and then["created_at"] < c["changed_at"] <= as_of
    ]
    others = colleagues_then(history, contact_id, then, as_of)
    buyers = sum(any(t <= as_of for t, _ in closes(history, c, account_deals, is_won=True)) for c in others)
    visible = visible_then(history, contact_id, as_of)
    return Seen(as_of, then, visible, changes, [visible_then(history, c, as_of) for c in others], buyers)


def visible_then(history, contact_id, as_of):
    return [a for a in history.activities if a["contact_id"] == contact_id and a["known"] <= as_of]


def colleagues_then(history, contact_id, then, as_of):
    """The other contacts who existed and belonged to the same account at `as_of`; of who did not exist yet, nobody."""
    if then["account_id"] is None or then["created_at"] > as_of:
        return []
    return [
        c["contact_id"] for c in history.contacts
        if c["contact_id"] != contact_id and c["created_at"] <= as_of
        and then_value(history, "contact", c, "account_id", as_of) == then["account_id"]
    ]  # fmt: skip


def contact_then(history, contact_id, as_of):
    """The contact's attributes, and with the prefix account_ those of its account, as they were at `as_of`."""
    row = next(c for c in history.contacts if c["contact_id"] == contact_id)
    then = {name: then_value(history, "contact", row, name, as_of) for name in KINDS["contact"]}
    account = next((a for a in history.accounts if a["account_id"] == then["account_id"]), None)
    for name in KINDS["account"]:
        then[f"account_{name}"] = None if account is None else then_value(history, "account", account, name, as_of)
    return {"created_at": row["created_at"], **then}


def then_value(history, of, row, name, as_of):
    """An attribute of one object at `as_of`. One with a history for any object has no other source than the history."""
    today, kind = row.get(name), KINDS[of][name]
    if not any(c["object"] == of and c["attribute"] == name for c in history.changes):
        return str(today).lower() if kind == "boolean" and today is not None else today
    mine = [
        c for c in history.changes
        if c["object"] == of and c["object_id"] == row[f"{of}_id"] and c["attribute"] == name
    ]  # fmt: skip
    before = [c for c in mine if c["changed_at"] <= as_of]
    if before:
        latest = max(c["changed_at"] for c in before)
        values = [c["value"] for c in before if c["changed_at"] == latest]
    else:
        first = min((c["changed_at"] for c in mine), default=None)
        values = [c["old_value"] for c in mine if c["changed_at"] == first]
    text = max((v for v in values if v is not None), default=None)
    return READABLE.get(text) if kind == "number" else text


def holders(history, deal, account_deals):
    """The contacts that a row of deals belongs to."""
    if deal["contact_id"] is not None:
        return [deal["contact_id"]]
    named = any(d["deal_id"] == deal["deal_id"] and d["contact_id"] is not None for d in history.deals)
    if named or deal["account_id"] is None or account_deals == "none":
        return []
    times = [deal[k] for k in ("created_at", "closed_at") if deal[k] is not None]
    since = min(times)
    there = [
        c["contact_id"] for c in history.contacts
        if c["created_at"] <= since and then_value(history, "contact", c, "account_id", since) == deal["account_id"]
    ]  # fmt: skip
    if account_deals == "all" or not there:
        return there

    def activity(contact_id):
        return sum(a["contact_id"] == contact_id and a["known"] <= since for a in history.activities)

    return [min(there, key=lambda c: (-activity(c), c))]


def closes(history, contact_id, account_deals, *, is_won):
    """When deals of this contact were won (or lost), and which: (closed_at, deal_id)."""
    return sorted(
        (d["closed_at"], d["deal_id"]) for d in history.deals
        if d["closed_at"] is not None and d["is_won"] is is_won and contact_id in holders(history, d, account_deals)
    )  # fmt: skip


def label(history, contact_id, account_deals, horizon):
    """`label`, `deal_id`, `closed_at` of the first deal won in (as_of, as_of + horizon]."""
    as_of = history.at[contact_id]
    found = [c for c in closes(history, contact_id, account_deals, is_won=True) if as_of < c[0] <= as_of + horizon]
    return {"label": 1, "deal_id": found[0][1], "closed_at": found[0][0]} if found else \
        {"label": 0, "deal_id": None, "closed_at": None}  # fmt: skip


def why_not(history, contact_id, eligibility, *, training):
    """Why a contact is not eligible at its as-of; None if it is."""
    as_of, deals = history.at[contact_id], eligibility.account_deals
    if eligibility.customers == "exclude" and any(
        at <= as_of for at, _ in closes(history, contact_id, deals, is_won=True)
    ):
        return "already closed"
    if eligibility.lost == "exclude" and any(at <= as_of for at, _ in closes(history, contact_id, deals, is_won=False)):
        return "its deal was lost"
    then = contact_then(history, contact_id, as_of)
    for name, values in eligibility.non_marketing.items():
        has_history = any(c["object"] == "contact" and c["attribute"] == name for c in history.changes)
        if training and not has_history:
            continue
        if then[name] is not None and plain(then[name]) in map(plain, values):
            return f"{name.replace('_', ' ')} says it is not to be marketed to"
    return None


def plain(status):
    return status.lower().replace("_", " ").replace("-", " ")


def is_opportunity(history, contact_id, account_deals):
    """Whether a deal of the contact is open at its as-of."""
    as_of = history.at[contact_id]
    for deal in history.deals:
        never = deal["closed_at"] is None or deal["is_won"] is None
        still = deal["created_at"] is not None and deal["created_at"] <= as_of and (never or deal["closed_at"] > as_of)
        # The expected close date of an open deal is not the time that it closed.
        if still and contact_id in holders(history, {**deal, "closed_at": None}, account_deals):
            return True
    return False
