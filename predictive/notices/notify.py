"""After a night is written: the file is replaced, and the webhook is sent what it has not received."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from predictive.config import Config
from predictive.errors import DataError
from predictive.nights import live_nights
from predictive.notices.entered import Notice, notices_at, waiting
from predictive.notices.webhook import PAUSES, post
from predictive.sinks import Sink
from predictive.spreadsheet import safe

TOGETHER = 500
"""Notices of one request."""


@dataclass(frozen=True)
class Notified:
    """How many contacts entered pursue on the newest night, and how many notices the webhook received now.

    `first` says that there was no earlier night to compare with, so that nobody is known to be new.
    """

    entered: int
    sent: int
    first: bool

    def in_words(self, config: Config) -> list[str]:
        """Lines for a terminal or a log; without any address."""
        if self.first:
            return ["notices: none on the first night, as there is none before it to compare with"]
        said = [f"notices: {self.entered:,} newly in pursue"]
        if config.notices.file is not None:
            said[0] += f", in {config.notices.file.name}"
        if config.notices.webhook is not None:
            said[0] += f"; {self.sent:,} sent to the webhook"
        return said


def notify(config: Config, sink: Sink, *, pauses: Sequence[float] = PAUSES) -> Notified | None:
    """Announce who newly entered pursue; None where nothing is configured.

    Call it after the night is written: it reads the sink's history. `pauses` are the seconds before further attempts.

    Raises:
        DeliveryError: The webhook did not take them; the scores stay written, and the next call tries again.
        DataError: The file or the state cannot be read or written.
    """
    wanted = config.notices
    if wanted.file is None and wanted.webhook is None:
        return None
    nights = live_nights(sink.read_runs())
    history = sink.read_history()
    entered = notices_at(history, nights[-1], config) if nights else ()
    if wanted.file is not None:
        _replace(wanted.file, _as_json(entered) if wanted.file.suffix == ".json" else _as_csv(entered))
    sent = 0
    if wanted.webhook is not None and nights:
        sent = _send(config, history, nights[-1], pauses)
    return Notified(len(entered), sent, first=len(nights) < 2)


def _send(config: Config, history: pd.DataFrame, night: pd.Timestamp, pauses: Sequence[float]) -> int:
    """Send what waits, and remember after each request what was received."""
    wanted = config.notices
    assert wanted.webhook is not None  # noqa: S101 - asked by the caller
    assert wanted.secret is not None  # noqa: S101 - a webhook without one is refused
    since, known = _received(wanted.state, night)
    # Now, so that what fails on the very first night is sent by the next one.
    _remember(wanted.state, since, known)
    found = sorted(waiting(history, config, since=since, known=known), key=lambda n: n.entered_at)
    for start in range(0, len(found), TOGETHER):
        part = found[start : start + TOGETHER]
        body = json.dumps({"event": "entered_pursue", "notices": [n.as_dict() for n in part]}).encode()
        name = hashlib.sha256("\n".join(f"{n.contact_id} {n.entered_at}" for n in part).encode()).hexdigest()[:32]
        address, secret = wanted.webhook.get_secret_value(), wanted.secret.get_secret_value()
        post(address, secret, body, delivery=name, pauses=pauses)
        # In order of their nights: all before the last one sent are done.
        last = pd.Timestamp(part[-1].entered_at)
        mine = frozenset(n.contact_id for n in part if pd.Timestamp(n.entered_at) == last)
        since, known = last, (known | mine if last == since else mine)
        _remember(wanted.state, since, known)
    if since < night:
        _remember(wanted.state, night, frozenset())
    return len(found)


def _received(state: Path, night: pd.Timestamp) -> tuple[pd.Timestamp, frozenset[str]]:
    """The last night of which the webhook was sent notices, and whose; without a state, tonight and nobody yet."""
    try:
        raw = json.loads(state.read_text(encoding="utf-8"))
        return pd.Timestamp(raw["night"]), frozenset(map(str, raw["contacts"]))
    except FileNotFoundError:
        return night, frozenset()
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(
            f"{state}: cannot be read as what the webhook has received; remove it, and only the newest night is sent"
        ) from None


def _remember(state: Path, night: pd.Timestamp, contacts: frozenset[str]) -> None:
    _replace(state, json.dumps({"night": night.isoformat(), "contacts": sorted(contacts)}, indent=1) + "\n")


def _as_csv(found: Sequence[Notice]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(Notice)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: safe(v) for k, v in n.as_dict().items()} for n in found)
    return text.getvalue()


def _as_json(found: Sequence[Notice]) -> str:
    return json.dumps([n.as_dict() for n in found], indent=1) + "\n"


def _replace(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{file.name}.writing")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, file)  # noqa: PTH105 - Path.replace is not documented as atomic
    except OSError as error:
        raise DataError(f"notices: {file} cannot be written: {error.strerror or error}") from None
