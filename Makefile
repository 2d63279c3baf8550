# Two commands: `make demo` shows everything at work, `make test` runs every check. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: demo test check lock clean

demo: .venv/installed
	$(BIN)/predictive demo --contacts 10000 --out demo
	$(BIN)/predictive train configs/demo.yaml
	$(BIN)/predictive score configs/demo.yaml
	@echo
	@$(BIN)/predictive report configs/demo.yaml

test: check
	$(BIN)/pytest -n auto --dist loadfile

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

# Brings every dependency to its newest version; run the tests before committing the result.
lock: .venv/installed
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade --no-header \
		--output-file requirements.lock

clean:
	rm -rf .venv demo out mlflow.db mlartifacts models/[!R]*
