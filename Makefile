# The service's commands. Everything is installed into .venv; set PYTHON to choose the interpreter (3.11 or newer).
PYTHON ?= $(firstword $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done))
BIN := .venv/bin

.PHONY: demo test bench soak fuzz lint types openapi clean

demo: .venv/demo
	@$(BIN)/metric-resource demo $(DEMO)

test: .venv/dev
	$(BIN)/pytest -n auto

bench: .venv/dev
	$(BIN)/python -m bench $(BENCH)

# Load with faults of the runtime and of Redis; an hour of it: make soak MINUTES=60
MINUTES ?= 2
soak: .venv/dev
	SOAK_SECONDS=$$(( $(MINUTES) * 60 )) $(BIN)/pytest -n 0 tests/integration/processes/soak.py

# Every fuzz target for so many seconds, as many at once as there are cores
FUZZ_SECONDS ?= 600
fuzz: .venv/dev
	$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS)

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/dev
	$(BIN)/mypy

openapi: .venv/dev
	$(BIN)/python -m tests.openapi.examples
	$(BIN)/metric-resource openapi > openapi/openapi.json

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found on the PATH." >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/demo: pyproject.toml | .venv/bin/python
	@echo "Installing the service and its demo into .venv ..."
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -e '.[charts,demo]'
	@touch $@

.venv/dev: pyproject.toml | .venv/bin/python
	@echo "Installing the service and its tools into .venv ..."
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -e '.[dev]'
	@touch $@
