"""Make a model the champion that the nightly score uses, if it is no worse than the champion and calibrated.

Both are judged on the examples that neither has learned from. --force promotes all the same, and keeps who did it and
why; --previous takes a promotion back. models/champion.json and the alias champion in MLflow move together.
"""

from __future__ import annotations

import argparse
import getpass
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictive.cli.common import MODELS, Session, add_config, add_json, opened, progress, say, say_json
from predictive.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from predictive.config import Config
    from predictive.contest import Contest, Entry
    from predictive.promotion import Check

EXAMPLE = "Example:\n  predictive promote configs/demo.yaml models:/demo@challenger"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive promote`."""
    add_config(parser)
    parser.add_argument("model", metavar="MODEL", nargs="?", help=MODELS)
    parser.add_argument("--force", action="store_true", help="promote whatever the checks say; needs --reason")
    parser.add_argument("--reason", metavar="TEXT", help="why, kept with the champion")
    parser.add_argument("--previous", action="store_true", help="make the previous champion the champion again")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Promote; exit 0, or 1 where the model has not earned it and nothing was changed."""
    if args.previous == (args.model is not None):
        raise ConfigError("name a MODEL to promote, or give --previous, and not both")
    if args.force and not (args.reason or "").strip():
        raise ConfigError("--force needs --reason TEXT: who reads the scores will want to know why")
    return _back(args) if args.previous else _forth(args)


def _forth(args: argparse.Namespace) -> int:
    with opened(args.config) as session:
        from predictive.cli.models import find_path
        from predictive.contest import enter

        challenger = enter(args.model, find_path(session.config, args.model))
        found, checked = _judge(session, challenger)
        passed = all(check.passed for check in checked)
        result: dict[str, Any] = {
            "model": challenger.bundle.version, "promoted": passed or args.force, "forced": args.force and not passed,
            "checks": [{"passed": check.passed, "text": check.text} for check in checked],
            "comparison": None if found is None else found.as_dict(),
        }  # fmt: skip
        if result["promoted"]:
            path = _keep(session.config, args.model, challenger)
            result |= _crown(session.config, path, reason=args.reason or "passed every check", forced=result["forced"])
    if args.json:
        say_json(result)
    else:
        _print(result, found, args.config)
    return 0 if result["promoted"] else 1


def _judge(session: Session, challenger: Entry) -> tuple[Contest | None, tuple[Check, ...]]:
    """What the comparison with the champion found, and the checks; without a champion, those of its own test part."""
    from predictive.contest import contest, enter
    from predictive.model.bundle import champion
    from predictive.promotion import Check, calibrated, checks

    path, bounds = champion(session.config.models), session.config.promotion
    if path is None:
        own = challenger.bundle.report["comparison"]["evaluations"]["model"]["values"]
        return None, calibrated(own, bounds)
    holder = enter("champion", path)
    if holder.bundle.version == challenger.bundle.version:
        raise ModelError(f"{challenger.name} is the champion already ({holder.bundle.version})")
    try:
        found = contest(
            session.con, session.tables, session.config, [holder, challenger], now=session.now, progress=progress
        )
    except ModelError as error:
        return None, (Check(passed=False, text=str(error)),)
    return found, checks(found, challenger.name, holder.name, bounds)


def _keep(config: Config, named: str, entry: Entry) -> Path:
    """The bundle's folder; what came out of MLflow is copied beside the others, so that scoring never needs MLflow."""
    from predictive.cli.models import is_registered
    from predictive.model.bundle import load_bundle

    kept = config.models / entry.bundle.version
    if not is_registered(named):
        return entry.path
    if not kept.exists():
        shutil.copytree(entry.path, kept)
    load_bundle(kept)
    return kept


def _crown(config: Config, path: Path, *, reason: str, forced: bool) -> dict[str, Any]:
    """Move the alias, then champion.json, which is one atomic step; returns what was recorded."""
    from predictive.model.bundle import crown
    from predictive.tracking import set_champion

    why = {"since": datetime.now(UTC).isoformat(timespec="seconds"), "by": _who(), "reason": reason}
    progress("moving the alias in MLflow")
    version = set_champion(config.tracking, path.name, {**why, "forced": str(forced).lower()})
    crown(config.models, path, why={**why, "forced": forced})
    return {**why, "registered_version": version}


def _who() -> str:
    """The user's name, or number where a container knows no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def _back(args: argparse.Namespace) -> int:
    from predictive.config_file import load_config
    from predictive.model.bundle import load_bundle, previous, reign, uncrown
    from predictive.tracking import set_champion

    config = load_config(args.config)
    path = previous(config.models)
    left = reign(config.models)["version"]
    load_bundle(path)
    why = {"since": datetime.now(UTC).isoformat(timespec="seconds"), "by": _who()}
    reason = args.reason or f"{left} was taken back"
    version = set_champion(config.tracking, path.name, {**why, "reason": reason})
    uncrown(config.models)
    result = {"model": path.name, "promoted": True, "taken_back": left, **why, "reason": reason}
    if args.json:
        say_json(result | {"registered_version": version})
    else:
        say(f"{path.name} is the champion again; {left} was taken back")
        _print_registry(version)
        say(f"next: predictive score {args.config} --dry-run")
    return 0


def _print(result: dict[str, Any], found: Contest | None, config: str) -> None:
    if found is not None:
        for line in found.verdicts:
            say(line)
    for check in result["checks"]:
        say(f"{'passed' if check['passed'] else 'FAILED'}  {check['text']}")
    say()
    if not result["promoted"]:
        say(f"{result['model']} was not promoted, and nothing was changed.")
        say("To promote it all the same, say why: --force --reason TEXT")
        return
    forced = f", by force: {result['reason']}" if result["forced"] else ""
    say(f"{result['model']} is the champion now{forced}")
    _print_registry(result["registered_version"])
    say(f"next: predictive score {config} --dry-run  (to take it back: predictive promote {config} --previous)")


def _print_registry(version: int | None) -> None:
    if version is None:
        say("note: MLflow has no version of this model, so only models/champion.json was moved")
