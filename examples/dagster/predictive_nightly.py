"""The night as a Dagster job with its schedule: `dagster dev -f predictive_nightly.py` shows it.

Passwords come from the environment of the code location. Lost connections are tried again by the command itself; what
is left to fail would fail again, so Dagster does not try again.
"""

import shlex
import subprocess

import dagster as dg

SCORE = "predictive score /etc/predictive/crm.yaml --json --log json --wait 3600"


@dg.op
def score(context: dg.OpExecutionContext) -> None:
    """Run the command, pass its log on, and tell its exit code where it fails."""
    with subprocess.Popen(shlex.split(SCORE), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:  # noqa: S603 - our own
        for line in run.stderr or ():
            context.log.info(line.rstrip())
    if run.returncode:
        why = {1: "yours to fix", 3: "a bug", 5: "the circuit breaker refused the night"}.get(run.returncode, "ended")
        raise dg.Failure(f"predictive score: {why} (exit code {run.returncode})", allow_retries=False)


@dg.job
def predictive_nightly() -> None:
    """Score every eligible contact."""
    score()


schedule = dg.ScheduleDefinition(job=predictive_nightly, cron_schedule="30 2 * * *")
definitions = dg.Definitions(jobs=[predictive_nightly], schedules=[schedule])
