"""The night as an Airflow DAG: score, and on Mondays hold past scores against what happened since.

Put this file in the folder of the DAGs. The workers need `predictive` and the configuration; passwords come from the
environment of the workers. Lost connections are tried again by the command itself. What is left to fail would fail
again, so Airflow does not try again: least of all where the circuit breaker has refused the night (exit code 5).
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

SCORE = "predictive score /etc/predictive/crm.yaml --log json --wait 3600"
AUDIT = "predictive audit /etc/predictive/crm.yaml"

with DAG(
    dag_id="predictive_nightly",
    description="Score every eligible contact",
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 0, "execution_timeout": timedelta(hours=4)},
) as nightly:
    BashOperator(task_id="score", bash_command=SCORE)

with DAG(
    dag_id="predictive_audit",
    description="Hold past scores against what happened since; fails where a bound is broken (exit code 4)",
    schedule="30 7 * * 1",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 0},
) as weekly:
    BashOperator(task_id="audit", bash_command=AUDIT)
