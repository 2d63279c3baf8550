"""A language of the report: its catalogue of texts, and numbers, dates and lengths of time as its readers write them.

A catalogue is a file in ``predictive/report/text``; another language is one more file. A text may hold places such as
``{whom}``. One with forms for one and for many is a mapping of the plural categories of Unicode's CLDR (``one``,
``other``, …), chosen by `n`. A dash stands for what is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from predictive.clock import from_micros
from predictive.errors import ConfigError

NOT_KNOWN = "–"
FOLDER = "text"


@dataclass(frozen=True)
class Language:
    """A catalogue, and how its readers write numbers.

    `code` is what ``--lang`` takes, `texts` the catalogue by dotted keys, `zone` the time zone that times are told in.
    """

    code: str
    texts: Mapping[str, Any] = field(repr=False)
    zone: str = "UTC"

    def __call__(self, key: str, n: int | None = None, /, **places: str) -> str:
        """The text of a key with its places filled; `n` chooses among plural forms and fills ``{n}``.

        >>> english = load_language("en")
        >>> english("unit.contact", 1), english("unit.contact", 1200)
        ('1 contact', '1,200 contacts')
        """
        text = self.texts[key]
        if isinstance(text, Mapping):
            text = text.get(self._locale.plural_form(0 if n is None else n), text["other"])
        return str(text.format(n=self.count(n), **places))

    def has(self, key: str) -> bool:
        """Whether the catalogue has this key."""
        return key in self.texts

    def count(self, value: float | None) -> str:
        """A count, with thousands set apart.

        >>> load_language("en").count(12345), load_language("es").count(12345), load_language("en").count(None)
        ('12,345', '12.345', '–')
        """
        return self.number(value, 0)

    def expected(self, value: float | None) -> str:
        """A count that is a sum of probabilities: one decimal while it is small.

        >>> [load_language("en").expected(x) for x in (0.04, 3.21, 61.4, 0)]
        ['0.04', '3.2', '61', '0']
        """
        if value is None:
            return NOT_KNOWN
        places = 0 if value >= 9.95 or value == 0 else 1 if value >= 0.1 else 2
        return self.number(value, places)

    def number(self, value: float | None, places: int = 2) -> str:
        """A number with so many decimals, and a true minus sign.

        >>> load_language("es").number(-0.126, 3), load_language("es").number(None)
        ('−0,126', '–')
        """
        from babel.numbers import format_decimal

        if value is None or not math.isfinite(value):
            return NOT_KNOWN
        shape = "#,##0" + ("." + "0" * places if places else "")
        return str(format_decimal(round(value, places) + 0.0, format=shape, locale=self._locale)).replace("-", "−")

    def percent(self, share: float | None) -> str:
        """A share of 1 as a percentage: one decimal below 10 % and above 99 %, else none.

        >>> [load_language("en").percent(x).replace(chr(160), " ") for x in (0.032, 0.14, 0.9961, 0.0002, 0.0, 1.0)]
        ['3.2 %', '14 %', '99.6 %', '0.02 %', '0 %', '100 %']
        """
        if share is None or not math.isfinite(share):
            return NOT_KNOWN
        return self("percent", number=self.number(100 * share, _decimals(share)))

    def percent_range(self, low: float | None, high: float | None) -> str:
        """An interval of shares, both ends with the same decimals.

        >>> load_language("es").percent_range(0.066, 0.124).replace(chr(160), " ")
        '6,6–12,4 %'
        """
        if low is None or high is None:
            return NOT_KNOWN
        places = 1 if low < 0.1 else 0
        return self("percent", number=f"{self.number(100 * low, places)}–{self.number(100 * high, places)}")

    def number_range(
        self, low: float | None, high: float | None, places: int = 2, *, versus: float | None = None
    ) -> str:
        """An interval, with as many more decimals as it takes to show on which side of `versus` its ends are.

        >>> english = load_language("en")
        >>> english.number_range(0.8, 0.999, versus=1), english.number_range(0.8, 1.04, versus=1)
        ('0.800–0.999', '0.80–1.04')
        """
        if low is None or high is None:
            return NOT_KNOWN
        while versus is not None and places < 6 and any(_hides_side(end, versus, places) for end in (low, high)):
            places += 1
        return f"{self.number(low, places)}–{self.number(high, places)}"

    def factor(self, log_odds: float, places: int = 1) -> str:
        """What a part of the log-odds does to the odds.

        >>> load_language("en").factor(0.81), load_language("es").factor(-0.33)
        ('×2.2', '÷1,4')
        """
        size = math.exp(min(abs(log_odds), 700.0))
        return f"{'÷' if log_odds < 0 else '×'}{self.number(size, places if size < 100 else 0)}"

    def day(self, at: datetime) -> str:
        """A date in the time zone.

        >>> load_language("es", zone="Europe/Madrid").day(datetime.fromisoformat("2026-06-30T22:30+00:00"))
        '1 de julio de 2026'
        """
        from babel.dates import format_date

        return str(format_date(at.astimezone(ZoneInfo(self.zone)).date(), "long", locale=self._locale))

    def moment(self, at: datetime) -> str:
        """A date with the time of day.

        >>> load_language("en").moment(datetime.fromisoformat("2026-06-30T22:30+00:00"))
        '30 June 2026, 22:30'
        """
        return f"{self.day(at)}, {at.astimezone(ZoneInfo(self.zone)):%H:%M}"

    def month(self, text: str) -> str:
        """A month that is given as 2026-03.

        >>> load_language("es").month("2026-03")
        'marzo de 2026'
        """
        from babel.dates import format_skeleton

        return str(format_skeleton("yMMMM", datetime.fromisoformat(f"{text}-01"), locale=self._locale))

    def duration(self, micros: int) -> str:
        """A length of time in days, hours or minutes.

        >>> load_language("en").duration(90 * 86_400_000_000), load_language("es").duration(3_600_000_000)
        ('90 days', '1 hora')
        """
        length = from_micros(micros) - from_micros(0)
        for unit, key in ((timedelta(days=1), "unit.day"), (timedelta(hours=1), "unit.hour")):
            if length % unit == timedelta(0):
                return self(key, length // unit)
        return self("unit.minute", length // timedelta(minutes=1))

    def listed(self, items: Sequence[str]) -> str:
        """Several things in a row.

        >>> load_language("es").listed(["a", "b", "c"])
        'a, b y c'
        """
        from babel.lists import format_list

        return str(format_list(list(items), locale=self._locale)) if items else ""

    @property
    def _locale(self) -> Any:
        return _parsed(self.texts["locale"])


def languages() -> tuple[str, ...]:
    """The codes of the languages that there is a catalogue of.

    >>> languages()
    ('en', 'es')
    """
    files = (resources.files("predictive.report") / FOLDER).iterdir()
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))


def load_language(code: str, *, zone: str = "UTC") -> Language:
    """A language by its code. Raises :class:`~predictive.errors.ConfigError` for one without a catalogue."""
    if code not in languages():
        raise ConfigError(f"the report has no language {code!r}; it has {', '.join(languages())}")
    return Language(code, _catalogue(code), zone)


@cache
def _catalogue(code: str) -> Mapping[str, Any]:
    import yaml

    file = resources.files("predictive.report") / FOLDER / f"{code}.yaml"
    # No line breaks before a per cent sign.
    return dict(_flat(yaml.safe_load(file.read_text(encoding="utf-8").replace(" %", "\u00a0%")), ""))


def _flat(value: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Dotted keys; a mapping of plural forms stays one value."""
    for key, inner in value.items():
        if isinstance(inner, Mapping) and "other" not in inner:
            yield from _flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner


@cache
def _parsed(locale: str) -> Any:
    from babel import Locale

    return Locale.parse(locale)


def _decimals(share: float) -> int:
    size = abs(share)
    if size in (0, 1) or 0.0995 <= size <= 0.99:
        return 0
    return 1 if size >= 0.0005 else 2 if size >= 0.00005 else 3


def _hides_side(end: float, versus: float, places: int) -> bool:
    return end != versus and round(end, places) == round(versus, places)
