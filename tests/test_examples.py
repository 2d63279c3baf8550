"""The ready-made examples for the night: do they load, and does every command in them parse?"""

import os
import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from predictive.cli import _parser

EXAMPLES = Path(__file__).parents[1] / "examples"
FILES = sorted(f for f in EXAMPLES.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
UNITS = sorted(EXAMPLES.glob("systemd/*"))


def commands(file):
    """Every call of predictive in a file, as arguments; those in prose end with the line's quotation marks."""
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith(("#", '"""'))]
    found = re.findall(r"\bpredictive (?:score|audit|check|report) [^|>;\"]*", "\n".join(lines))
    return [shlex.split(command.splitlines()[0])[1:] for command in found]


def test_there_is_an_example_for_each_of_four_ways_to_run_the_night():
    assert {f.parent.name for f in FILES} == {"airflow", "cron", "dagster", "systemd"}


@pytest.mark.parametrize("file", [f for f in FILES if f.suffix != ".timer"], ids=lambda f: f.name)
def test_every_command_in_an_example_is_one_that_the_command_line_takes(file):
    found = commands(file)
    scoring = [c for c in found if c[0] == "score"]
    assert len(scoring) == 1
    assert {"--log", "--wait"} <= set(scoring[0])
    for arguments in found:
        args = _parser(arguments).parse_args(arguments)
        assert callable(args.run)
        assert args.config == "/etc/predictive/crm.yaml"


@pytest.mark.parametrize("unit", UNITS, ids=lambda f: f.name)
def test_the_units_of_systemd_are_in_order(unit, tmp_path):
    parser = ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str
    parser.read(unit)
    assert parser["Unit"]["Description"]
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("without systemd-analyze only their form is tested")
    for file in UNITS:
        shutil.copy(file, tmp_path)
    done = subprocess.run(  # noqa: S603 - a tool of the system
        [tool, "verify", "--man=no", str(tmp_path / unit.name)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


@pytest.mark.parametrize(("tool", "objects"), [("airflow", ("nightly", "weekly")), ("dagster", ("definitions",))])
def test_the_python_of_an_orchestrator_loads_where_that_is_installed_and_compiles_elsewhere(tool, objects, tmp_path):
    """`make orchestrators` names a Python that has both."""
    file, python = EXAMPLES / tool / "predictive_nightly.py", os.environ.get("ORCHESTRATORS")
    compile(file.read_text(), str(file), "exec")
    if python is None:
        pytest.skip(f"{tool} is not installed; its example is only compiled. make orchestrators installs and loads it")
    # A process of its own: these packages set up logging and databases when they are imported.
    asked = f"import runpy; found = runpy.run_path({str(file)!r}); assert all(found[n] for n in {objects!r})"
    home = {"AIRFLOW_HOME": str(tmp_path), "DAGSTER_HOME": str(tmp_path)}
    done = subprocess.run(  # noqa: S603 - our own
        [Path(python).absolute(), "-c", asked],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **home},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
