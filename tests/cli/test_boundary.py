import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import predictive
from predictive import cli
from predictive.cli import COMMANDS, check

pytest_plugins = ["tests.trained"]

HEAVY = {
    "duckdb",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "numpy",
    "pandas",
    "pandera",
    "pydantic",
    "sklearn",
    "woodelf",
    "yaml",
}
LOOK = """
import contextlib, io, sys
from predictive.cli import main
with contextlib.redirect_stdout(io.StringIO()) as out:
    try: main(sys.argv[1:])
    except SystemExit as left: code = left.code
print(code, len(out.getvalue()), *sorted(m for m in sys.modules if "." not in m))
"""


def python(*arguments):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)  # noqa: S603 - our own


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_answers_without_importing_anything_heavy(arguments):
    code, length, *modules = python("-c", LOOK, *arguments).stdout.split()
    assert code == "0"
    assert int(length) > 10
    assert not HEAVY & set(modules)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_ends_in_a_line_to_paste(command, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main([command, "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: predictive {command} ")
    last = text.rstrip().splitlines()[-1].strip()
    assert last.startswith(f"predictive {command} ")
    arguments = last.split()[1:]
    assert cli._parser(arguments).parse_args(arguments).command == command


def test_the_help_lists_every_command_with_what_it_does(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    text = capsys.readouterr().out
    for command, summary in COMMANDS.items():
        assert f" {command} {summary} " in " ".join(text.split()) + " "
    assert text.rstrip().splitlines()[-1].startswith("Start with: predictive demo")


def test_the_examples_of_explain_name_a_contact_that_the_demo_has(demo, run):
    from predictive.cli.explain import EXAMPLE

    assert run("explain", demo.config, EXAMPLE.split()[-1]).code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["trian"],
        ["train"],
        ["train", "a.yaml", "--nonsense"],
        ["demo", "--contacts", "many"],
        ["explain", "a.yaml"],
    ],
)
def test_wrong_usage_exits_with_2_and_shows_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    said = capsys.readouterr()
    assert left.value.code == 2
    assert said.out == ""
    assert said.err.startswith("usage: predictive")


@pytest.mark.parametrize("command", ["check", "train", "score", "report", "explain C1"])
def test_what_the_user_can_fix_exits_with_1_and_no_traceback(command, capsys, tmp_path):
    name, *rest = command.split()
    assert cli.main([name, str(tmp_path / "absent.yaml"), *rest]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"error: {tmp_path}/absent.yaml: no such file; name a configuration such as configs/demo.yaml\n"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_the_users_to_fix(capsys, tmp_path):
    (tmp_path / "file").write_text("here")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        assert cli.main(["demo", "--contacts", "9", "--out", str(out)]) == 1
        assert capsys.readouterr().err.startswith(f"error: {out}: ")


def test_a_bug_exits_with_3_and_keeps_the_traceback_in_a_file(monkeypatch, capsys, tmp_path):
    def run(args):
        raise ZeroDivisionError(f"with {args.config}")

    monkeypatch.setattr(check, "run", run)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert cli.main(["check", "a.yaml"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    found = re.fullmatch(
        r"bug: ZeroDivisionError: this is not your fault. The traceback is in (\S+\.log); please report .*\n", said.err
    )
    text = Path(found[1]).read_text()
    assert text.startswith("Traceback")
    assert text.endswith("ZeroDivisionError: with a.yaml\n")


def test_an_interruption_exits_with_130(monkeypatch, capsys):
    def run(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run", run)
    assert cli.main(["check", "a.yaml"]) == 130
    assert capsys.readouterr().err == "interrupted; nothing was half-written\n"


def test_the_module_and_the_version_answer():
    done = python("-m", "predictive", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"predictive {predictive.__version__}\n", "")
    assert python("-m", "predictive", "check", "absent.yaml").returncode == 1


def test_a_reader_that_leaves_early_is_no_error(tiny, tmp_path):
    config = tiny(tmp_path)
    with subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", "predictive", "check", str(config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait() == 0, errors
    assert errors == b""


def test_progress_is_shown_on_a_terminal_and_not_in_a_pipe(tmp_path):
    command = [sys.executable, "-m", "predictive", "demo", "--contacts", "30", "--out", str(tmp_path)]
    quiet = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert quiet.stderr == ""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:  # noqa: S603 - our own
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 1_000):
                shown += part
        except OSError:  # the other end was closed
            pass
        assert process.stdout.read() == quiet.stdout
    os.close(ours)
    assert process.returncode == 0
    assert b"simulating 30 contacts day by day" in shown
    assert shown.endswith(b"\r\x1b[K"), "the line is clean at the end"
