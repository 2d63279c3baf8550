"""A suggestion as a rule file: today's format, with what each set is worth as a comment."""

from __future__ import annotations

from typing import Any

import yaml

NUMBERS = "held at {contacts:,} looks, {closed:,} closed ({rate:.1%}, {lift:.1f} times the average)"


def write_rules(mapping: dict[str, Any], facts: list[dict[str, Any]], head: list[str]) -> str:
    """The text of a rule file.

    `mapping` holds `stages` and `sets`; `facts` has the numbers of each set (`contacts`, `closed`, `rate`, `lift`), and
    `head` are sentences for the top.
    """
    lines = [f"# {text}" for text in head]
    lines.append(f"stages: {_flow(mapping['stages'])}")
    lines.append("sets:")
    for rule, fact in zip(mapping["sets"], facts, strict=True):
        lines.append(f"  # {NUMBERS.format(**fact)}")
        lines.append(f"  - name: {_scalar(rule['name'])}")
        lines.append(f"    points: {rule['points']}")
        lines.append(f"    when: {_flow(rule['when'])}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1_000_000, sort_keys=False, allow_unicode=True)
    return text.strip()


def _scalar(text: str) -> str:
    """One line of YAML for any text.

    >>> _scalar("Plan: gold"), _scalar("Meeting")
    ("'Plan: gold'", 'Meeting')
    """
    return _flow([text])[1:-1]
