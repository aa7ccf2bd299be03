# The service's commands. Everything is installed into .venv, from the locks in requirements/; set PYTHON to choose the
# interpreter (3.11 or newer).
PYTHON ?= $(firstword $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done))
BIN := .venv/bin
PYTEST := $(BIN)/pytest -n auto --dist worksteal
INSTALL = $(if $(PYTHON),$(PYTHON) scripts/install.py $(if $(filter file,$(origin PYTHON)),,--this-python),\
	echo "Python 3.11 or newer is needed; none was found on the PATH." >&2; exit 1;)

# With it set, every process would compile the service anew, which takes longer than the rest of its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-slow test-toolchains test-rest test-all mlflow bench fast soak fuzz mutants lint types openapi newest lock release-check sbom clean .venv/demo .venv/dev

demo: .venv/demo
	@$(BIN)/metric-resource demo $(DEMO)

test: .venv/dev
	$(PYTEST) -m "not toolchain and not slow"
	@echo "not run:  make test-slow, most of the page in browsers, MLflow servers, further hosts, and other journeys;"
	@echo "          make test-toolchains, other languages; make test-rest has both, make test-all all of them, as CI does"

# Whole journeys that take seconds of browsers, servers and hosts each. Of each subject there is one in `make test`.
test-slow: .venv/dev
	$(PYTEST) -m slow

# Clients generated from the OpenAPI document, schemathesis, the types of the page's scripts
test-toolchains: .venv/dev
	$(PYTEST) -m toolchain

test-rest: .venv/dev
	$(PYTEST) -m "toolchain or slow"

test-all: test test-rest

# Installs MLflow 2.x and 3.x servers for the tests, each in an environment in the user's cache. Tests that need them are
# skipped where they are not installed.
mlflow: .venv/dev
	$(BIN)/python -m testing.mlflow

bench: .venv/dev
	@$(MAKE) --no-print-directory fast || echo "the C parser cannot be compiled here: measuring without it"
	@$(BIN)/python -c 'import polars' 2>/dev/null || $(BIN)/python -m pip --disable-pip-version-check \
		install --quiet --require-hashes -r requirements/bench.txt || echo "polars cannot be installed: measuring without it"
	$(BIN)/python -m bench $(BENCH)

# gunicorn's parser in C (the extra "fast"), which has to be compiled.
fast: .venv/dev
	@$(BIN)/python -c 'import gunicorn_h1c' 2>/dev/null || $(BIN)/python -m pip --disable-pip-version-check \
		install --quiet --no-build-isolation --require-hashes -r requirements/fast.txt

# Load with faults of the runtime and of Redis; an hour of it: make soak MINUTES=60
MINUTES ?= 2
soak: .venv/dev
	SOAK_SECONDS=$$(( $(MINUTES) * 60 )) $(BIN)/pytest -n 0 tests/integration/processes/soak.py

# Every fuzz target for FUZZ_SECONDS, as many at once as there are cores
FUZZ_SECONDS ?= 600
fuzz: .venv/dev
	$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS)

# Mutation tests of the code that decides access, against its unit tests, with mutmut in an environment of its own; of one
# module: make mutants MUTANTS='service.auth.tokens*'. Survivors are listed; `mutmut show` prints what they changed.
MUTMUT = $(BIN)/uv run --quiet --no-project --with mutmut==3.8.1 --with-requirements requirements/dev.txt mutmut
mutants: .venv/dev
	$(MUTMUT) run $(MUTANTS)
	$(MUTMUT) results

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/dev
	$(BIN)/mypy

openapi: .venv/dev
	$(BIN)/python -m tests.openapi.examples
	$(BIN)/metric-resource openapi > openapi/openapi.json

newest: .venv/dev
	.ci/newest

lock: .venv/dev
	$(BIN)/python scripts/lock.py

# Builds what a release publishes into dist/ and tests it without the checkout; TAG=v1.2.3 must be the tag of this commit.
release-check: .venv/dev
	.ci/release-check $(TAG)

# A bill of materials (CycloneDX) of the service; of one with an extra: make sbom LOCK=charts
LOCK ?= service
sbom: .venv/dev
	@project=$$(mktemp) && trap 'rm -f "$$project"' EXIT && \
	sed "s/^dynamic = .*/version = \"$$($(BIN)/python -m setuptools_scm)\"/" pyproject.toml > "$$project" && \
	$(BIN)/python -m uv --quiet run --no-project --with-requirements requirements/release.txt \
		cyclonedx-py requirements --pyproject "$$project" requirements/$(LOCK).txt

clean:
	rm -rf .venv build dist mutants *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The script does nothing if everything is installed from these locks already.
.venv/demo .venv/dev:
	@$(INSTALL) $(@F)
