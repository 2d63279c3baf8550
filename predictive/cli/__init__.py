"""The command line: one module per command, imported only when it is called, and one boundary for errors."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from predictive import __version__
from predictive.errors import PredictiveError
from predictive.log import Log

COMMANDS = {
    "demo": "make a CRM to try everything on",
    "check": "validate a configuration and its tables, and say what will stop or bend a model",
    "features": "list every feature, or a contact's values, or write the matrix",
    "train": "train, judge, track and bundle a model",
    "score": "score every eligible contact and write back",
    "rollback": "put the scores of an earlier run back",
    "report": "write the report as one HTML file",
    "explain": "say why one contact has its score",
    "review": "list the few contacts where a person should look, and why",
    "definitions": "print the funnel as agreed, one page for the wall",
    "compare": "compare models on what none of them has learned from",
    "promote": "make a model the champion that scores, if it earns it",
    "rules": "check the manual score, and see what the history says about it",
    "lists": "show lists and tags, their members, and who came and left",
    "accounts": "show accounts by the chance that at least one of their contacts closes",
    "hygiene": "say how clean and how alive the database is, and whom not to pay for",
    "audit": "hold past scores against what happened since",
}
DONE, BUG, INTERRUPTED = 0, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    0 done, 1 the user's to fix, 3 a bug, 4 an audit that alerts, 5 a night that the circuit breaker refuses. Wrong
    usage exits at once, with 2.

    >>> main(["train", "no-such.yaml"])
    1
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    args = argparse.Namespace()
    try:
        _parser(arguments).parse_args(arguments, args)
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except PredictiveError as error:
        return _fail(args, "error", str(error), error.code)
    except BrokenPipeError:
        # The reader of the pipe has left, as in `predictive check … | head`; nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return _fail(args, "", "interrupted; nothing was half-written", INTERRUPTED)
    except Exception:  # noqa: BLE001 - the one boundary: what is not the user's to fix is a bug, and is kept whole
        return _fail(args, "bug", _keep_traceback(), BUG)


def _fail(args: argparse.Namespace, what: str, message: str, code: int) -> int:
    """Say why a command ends with this exit code: on standard error, as its log has it where it keeps one."""
    log = getattr(args, "told", None)
    if isinstance(log, Log) and log.kind is not None:
        log.event("failed", {"exit_code": code, "message": message}, level="error")
    else:
        print(f"{what}: {message}" if what else message, file=sys.stderr)  # noqa: T201 - the command line talks to people
    return code


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the module of the command that is called is imported."""
    parser = argparse.ArgumentParser(
        prog="predictive",
        description="Predictive lead scoring that people can trust.",
        epilog="Start with: predictive demo --out demo",
    )
    parser.add_argument("--version", action="version", version=f"predictive {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    called = next((a for a in arguments if a in COMMANDS), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == called:
            module = importlib.import_module(f"predictive.cli.{name}")
            command.description = module.__doc__
            command.epilog = module.EXAMPLE
            module.configure(command)
            command.set_defaults(run=module.run)
    return parser


def _keep_traceback() -> str:
    """Keep the traceback in a file, without credentials that the words of a driver may hold, and say where."""
    from predictive.config import mask  # takes a second, which a command that works must not

    with tempfile.NamedTemporaryFile("w", prefix="predictive-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write(mask(traceback.format_exc()))
    kind = sys.exc_info()[0]
    name = kind.__name__ if kind is not None else "error"
    return f"{name}: this is not your fault. The traceback is in {Path(log.name)}; please report it with that file."
