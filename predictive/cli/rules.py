"""What the history says about the manual score, and what is wrong with it: a command of its own for each."""

from __future__ import annotations

import argparse
import importlib

COMMANDS: dict[str, str] = {
    "mql": "define MQL from what closed later and what sales can work",
    "closerates": "per activity and attribute how many closed, and what buyers did before they bought",
    "patterns": "thresholds that matter, found on earlier contacts and tested on later ones",
    "suggest": "a complete rule file from the history, beside today's rules and the model",
    "check": "say what is wrong with the rule file, who is in which stage, and whether points have inflated",
}
"""Per command of `predictive rules` what it does; each is a module ``predictive.cli.rules_NAME``."""

EXAMPLE = "Example:\n  predictive rules check configs/demo.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the commands of `predictive rules`."""
    commands = parser.add_subparsers(dest="rules_command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        module = importlib.import_module(f"predictive.cli.rules_{name}")
        command = commands.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            epilog=module.EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(command)
        command.set_defaults(act=module.run)


def run(args: argparse.Namespace) -> int:
    """Run the one that was named; returns its exit code."""
    code: int = args.act(args)
    return code
