# Two commands: `make demo` shows everything at work, `make test` runs every check. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: demo test check spark orchestrators lock clean

demo: .venv/installed
	$(BIN)/predictive demo --contacts 10000 --out demo
	$(BIN)/predictive train configs/demo.yaml
	$(BIN)/predictive score configs/demo.yaml
	@echo
	@$(BIN)/predictive report configs/demo.yaml

test: check
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile

# Beside `make test`, since it needs a Java and 400 MB of Spark; pandera sees a pyspark and warns, hence its own venv.
spark: .venv-spark/installed
	.venv-spark/bin/pytest --override-ini filterwarnings=default tests/features/test_spark.py tests/spark predictive/spark

# Beside `make test` too: Airflow and Dagster bring 150 packages, of which the examples for them are all that needs any.
orchestrators: .venv/installed .venv-orchestrators/installed
	ORCHESTRATORS=.venv-orchestrators/bin/python $(BIN)/pytest tests/test_examples.py -k orchestrator

check: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "predictive needs Python 3.11 or later; set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

.venv-spark/installed: requirements.lock requirements-spark.lock pyproject.toml
	$(PYTHON) -m venv .venv-spark
	.venv-spark/bin/pip install --quiet --disable-pip-version-check -r requirements.lock -r requirements-spark.lock
	.venv-spark/bin/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

.venv-orchestrators/installed: requirements-orchestrators.lock
	$(PYTHON) -m venv .venv-orchestrators
	.venv-orchestrators/bin/pip install --quiet --disable-pip-version-check -r requirements-orchestrators.lock
	@touch $@

# Brings every dependency to its newest version; run the tests before committing the result.
lock: .venv/installed
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade --no-header \
		--output-file requirements.lock

clean:
	rm -rf .venv .venv-spark .venv-orchestrators demo out mlflow.db mlartifacts models/[!R]*
