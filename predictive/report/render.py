"""The page: a summary through the views and the templates into one file."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from predictive.report.language import Language
from predictive.report.summary import Summary
from predictive.report.views.page import make_page

TEMPLATES = "templates"


def render(summary: Summary, say: Language) -> str:
    """The whole page as HTML that needs nothing else: no font, no image and no script from anywhere."""
    from markupsafe import Markup

    style, script = _file("style.css"), _file("script.js")
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    # The package's own files; everything else is escaped.
    parts = {"style": Markup(style), "script": Markup(script)}  # noqa: S704 - see above
    return str(_environment().get_template("page.html.j2").render(page=make_page(summary, say), policy=policy, **parts))


def _hash(text: str) -> str:
    """What a content security policy names an inline part by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _file(name: str) -> str:
    return (resources.files("predictive.report") / TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("predictive.report", TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
