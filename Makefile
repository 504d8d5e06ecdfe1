# The two commands of the README, and the housekeeping behind them.

PYTHON ?= python3
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake

.PHONY: reproduce test benchmark lock format check

# Rebuilt whenever the lock file changes.
.venv/installed: envs/requirements.lock
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r envs/requirements.lock
	touch $@

test: .venv/installed check
	$(BIN)/python -m pytest

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow
