"""Validate a configuration and its tables, and say what will stop or bend a model; look for columns that leak."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from predictive.cli.common import Session, add_config, add_json, opened, progress, say, say_json

if TYPE_CHECKING:
    from predictive.leakage import Audit

EXAMPLE = "Example:\n  predictive check configs/demo.yaml"
TABLES = ("contacts", "accounts", "activities", "deals", "changes", "overrides")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive check`."""
    add_config(parser)
    parser.add_argument("--leakage", action="store_true", help="look for columns that betray the outcome")
    parser.add_argument("--refresh", action="store_true", help="read anew what is otherwise read incrementally")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Check; exit 0 when a model can be trained, else 1 with what stops it."""
    with opened(args.config, refresh=args.refresh) as session:
        found = examine(session)
        audited = leakage(session, stopped=bool(found["stops"])) if args.leakage else None
        if args.json:
            say_json(found if audited is None else found | {"suspects": [s.as_dict() for s in audited.suspects]})
        else:
            _print(found, session, args.config, audited)
    return 1 if found["stops"] else 0


def examine(session: Session) -> dict[str, Any]:
    """Counts, notes, what is left out, and what stops a training, as plain values."""
    from predictive.errors import DataError
    from predictive.learning import prepare
    from predictive.model.folds import FEWEST_CLOSES, closes

    tables, config = session.tables, session.config
    found: dict[str, Any] = {
        "rows": {name: int(getattr(tables, name).select(_len()).collect().item()) for name in TABLES},
        "notes": [str(n) for n in tables.notes],
        "stops": [],
        "untrustworthy": untrustworthy(session),
    }
    try:
        prepared = prepare(tables, config, now=session.now, progress=progress)
    except DataError as error:
        found["stops"] = [str(error)]
        return found
    part, test = prepared.split.learn(prepared.frame), prepared.split.test(prepared.frame)
    found |= {
        "split": prepared.split.in_words(),
        "examples": {"train": len(part), "test": len(test), "immature": prepared.immature},
        "closes": {"train": closes(part), "test": closes(test)},
        "not_eligible": prepared.not_eligible,
        "features": len(prepared.choice.features),
        "left_out": prepared.choice.left_out,
        "untrustworthy": [name for name in found["untrustworthy"] if name not in prepared.choice.left_out],
        "notes": [str(n) for n in prepared.notes],
    }
    if closes(part) < FEWEST_CLOSES:
        found["notes"].append(
            f"{closes(part)} closes to learn from; with fewer than {FEWEST_CLOSES} only the rule score is calibrated"
        )
    return found


def leakage(session: Session, *, stopped: bool) -> Audit:
    """The leakage audit of all that is observed; of nothing where a model is stopped before there are examples."""
    from predictive.errors import DataError
    from predictive.leakage import NOTHING, examine

    progress("looking for leaks")
    try:
        return examine(session.tables, session.config, now=session.now)
    except DataError:
        if stopped:
            return NOTHING
        raise


def untrustworthy(session: Session) -> list[str]:
    """The attributes that are used as they are today, for want of a history, in the names of features."""
    from predictive.features.choose import choose

    tables = session.tables
    chosen = choose(tables, session.config.features, until=session.now).features
    past = tables.tracked["contact"] | {f"account_{name}" for name in tables.tracked["account"]}
    return sorted(f.name for f in chosen if f.attribute is not None and f.attribute not in past)


def _len() -> Any:
    import narwhals as nw

    return nw.len()


def _print(found: dict[str, Any], session: Session, config: str, audited: Audit | None) -> None:
    from predictive.config_file import effective

    say("# the configuration with its defaults")
    say(effective(session.config))
    say("# the data")
    for name, count in found["rows"].items():
        say(f"{name:<12}{count:>12,}")
    if "split" in found:
        split, examples, closes = found["split"], found["examples"], found["closes"]
        say(
            f"training    {examples['train']:>12,} examples, {closes['train']:,} closes, to {split['train_until'][:10]}"
        )
        say(f"test        {examples['test']:>12,} examples, {closes['test']:,} closes, from {split['test_from'][:10]}")
        say(f"immature    {examples['immature']:>12,} of the training examples, whose horizon reaches past the split")
        say(f"features    {found['features']:>12,}")
    say()
    say("# what may bend a model")
    for note in found["notes"]:
        say(f"- {note}")
    for name in found["untrustworthy"]:
        say(f"- {name}: has no history, so its value of today stands in for the one of then")
    for name, why in found.get("left_out", {}).items():
        say(f"- {name}: not used: {why}")
    say()
    if audited is not None:
        _print_suspects(audited)
        say()
    if found["stops"]:
        say("# what stops a model")
        for text in found["stops"]:
            say(f"- {text}")
    else:
        say(f"Nothing stops a model. Next: predictive train {config}")


def _print_suspects(audited: Audit) -> None:
    """Per suspect what was seen, how sure it is, and what to write to leave it out."""
    say("# what may betray the outcome")
    say(f"looked at {audited.in_words}")
    for suspect in audited.suspects:
        say(f"- {suspect.table}.{suspect.column}: {suspect.why} (confidence: {suspect.confidence})")
        say(f"  {suspect.saw}")
        say(f"  {suspect.line}")
    if audited.line is None:
        say("Nothing found that betrays the outcome.")
    else:
        say("To leave out all of high and medium confidence, write:")
        say(f"  {audited.line}")
