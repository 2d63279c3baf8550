"""Reading a rule file, and fitting it to the tables: every problem at once, each with its set and its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from predictive.config import Config, FeatureChoice, Strict
from predictive.errors import ConfigError, nearest
from predictive.features.attributes import attribute_kinds
from predictive.features.choose import with_derived
from predictive.rules.conditions import CREATED, Condition
from predictive.rules.language import Cap, Decay, Lifecycle, QuadrantCuts, Repeat, Rules, RuleSet, Stages
from predictive.tables import Tables

PARTS: dict[str, type[Strict]] = {
    "stages": Stages, "quadrant": QuadrantCuts, "lifecycle": Lifecycle, "groups": Cap, "repeat": Repeat, "decay": Decay,
}  # fmt: skip


def load_rules(path: Path | None) -> Rules:
    """Read a rule file; None reads the package's default rules.

    Raises :class:`~predictive.errors.ConfigError` that lists every problem with its set and its place in the file.
    """
    where = "the default rules" if path is None else str(path)
    try:
        file = resources.files("predictive.defaults") / "rules.yaml" if path is None else path
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not isinstance(raw, dict):
            raise ConfigError(f"rules: {where}: a rule file is a mapping with the key sets; found {type(raw).__name__}")
        return Rules.model_validate(raw)
    except FileNotFoundError:
        raise ConfigError(f"rules: {where}: no such file; name one, or leave rules out for the default") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"rules: {where}: cannot be read: {error}") from None
    except (yaml.YAMLError, OverflowError) as error:
        raise ConfigError(f"rules: {where}: not valid YAML: {error}") from None
    except ValidationError as error:
        raise ConfigError(f"rules: {where}: " + "; ".join(_problem(e, raw) for e in error.errors())) from None
    except ValueError as error:  # a date such as 2026-13-01
        raise ConfigError(f"rules: {where}: not valid YAML: {error}") from None


def rules_for(tables: Tables, config: Config) -> Rules:
    """The configured rules, fitted to the tables: with the sets that no model may read marked `people_only`.

    Raises :class:`~predictive.errors.ConfigError` for a set of an own file that names what no table has, or that reads
    what is declared sensitive without `allow_sensitive`. Such sets of the default rules are left out.
    """
    own = config.rules is not None
    rules = applicable(load_rules(config.rules), tables, strict=own)
    refused = sensitive_sets(rules, tables, config.features)
    if own and refused:
        raise ConfigError(f"rules: {'; '.join(refused.values())}")
    rules = rules.model_copy(update={"sets": [rule for rule in rules.sets if rule.name not in refused]})
    return for_people(rules, tables, config.features)


def applicable(rules: Rules, tables: Tables, *, strict: bool) -> Rules:
    """The rules whose attributes the tables have.

    ``strict`` (a rule file of one's own) makes an unknown attribute an error with the nearest known name; without it
    (the default rules) such sets are left out. An activity type that has not occurred yet is no error.
    """
    kinds = all_kinds(tables)
    wrong = {rule.name: found for rule in rules.sets if (found := list(misfits(rule.when, kinds)))}
    said = [f"set {name!r}: {text}" for name, found in wrong.items() for text in found]
    if rules.lifecycle.attribute not in kinds:
        said.append(
            f"lifecycle: no attribute {rules.lifecycle.attribute!r}; {nearest(rules.lifecycle.attribute, kinds)}"
        )
    if said and strict:
        raise ConfigError(f"rules: {'; '.join(said)}")
    return rules.model_copy(update={"sets": [rule for rule in rules.sets if rule.name not in wrong]})


def misfits(conditions: Sequence[Condition], kinds: dict[str, Any]) -> Iterator[str]:
    """What conditions say of attributes that cannot be: one that no table has, or a text compared as a time."""
    for condition in (inner for c in conditions for inner in c.each()):
        for name in condition.attributes:
            if name not in kinds:
                yield f"no attribute {name!r}; {nearest(name, kinds)}"
            elif condition.timely and kinds[name] != "time":
                times = [n for n, kind in kinds.items() if kind == "time"]
                yield f"{name!r} holds {kinds[name]}s, and no times to compare; times: {', '.join(times)}"


def all_kinds(tables: Tables) -> dict[str, Any]:
    """Every attribute that a rule may name, and what it holds."""
    return {CREATED: "time", **attribute_kinds(tables)}


def sensitive_sets(rules: Rules, tables: Tables, wanted: FeatureChoice) -> dict[str, str]:
    """Per set that reads what is declared sensitive and is not allowed to: what to do about it."""
    if rules.allow_sensitive:
        return {}
    names = set(with_derived(wanted, tables).sensitive)
    return {
        rule.name: f"set {rule.name!r} reads {min(read)!r}, which features.sensitive declares sensitive; take it "
        "out, or write allow_sensitive: true in the set: it then counts for people, and never for a model"
        for rule in rules.sets
        if not rule.allow_sensitive and (read := names & _read(rule))
    }


def for_people(rules: Rules, tables: Tables, wanted: FeatureChoice) -> Rules:
    """The rules with every set that reads something excluded or sensitive marked `people_only`."""
    made = with_derived(wanted, tables)
    names = {*made.sensitive, *made.exclude}
    sets = [
        rule.model_copy(update={"people_only": rule.people_only or bool(names & _read(rule)) or _any_of(rule, names)})
        for rule in rules.sets
    ]
    return rules.model_copy(update={"sets": sets})


def _read(rule: RuleSet) -> set[str]:
    """Everything that a set reads, account attributes also without their prefix, as the configuration may name them."""
    names = {name for c in rule.when for name in (*c.attributes, *c.activities)}
    return names | {name.removeprefix("account_") for name in names}


def _any_of(rule: RuleSet, names: set[str]) -> bool:
    """Whether a set counts activities of every type while some are not for models."""
    inner = (inner for c in rule.when for inner in c.each())
    return bool(names) and any(c.activity is not None and not c.types for c in inner)


def _problem(error: Any, raw: Any) -> str:
    loc = [p for p in error["loc"] if not (isinstance(p, str) and p.startswith(("function-", "list[")))]
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in loc).lstrip(".")
    sets = raw.get("sets")
    if len(loc) > 1 and loc[0] == "sets" and isinstance(sets, list) and isinstance(sets[loc[1]], dict):
        path += f" (set {sets[loc[1]].get('name', '?')!r})"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"unknown key; {nearest(str(loc[-1]), _owner(loc).model_fields)}"
    return f"{path}: {message}" if path else message


def _owner(loc: list[Any]) -> type[Strict]:
    """Which part of a rule file the last key of a place belongs to."""
    if len(loc) == 1:
        return Rules
    named = [PARTS[p] for p in loc[:-1] if p in PARTS]
    return named[-1] if named else Condition if "when" in loc[:-1] else RuleSet
