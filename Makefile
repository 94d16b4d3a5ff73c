# Two commands on a machine with Python 3.11+ and make: `make demo` and `make test`.
# Each verb sets up what it needs; `make help` lists them all.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
export VENV

# Test processes at once. The tests do not depend on it: each has its own folder, ledger and port.
JOBS ?= 2
# `make unit ARGS="-k phone -x"` hands more to pytest.
ARGS ?=
# `make sim SECONDS=3600` is the long run.
SECONDS ?= 60
# `make soak MINUTES=60` is the long one.
MINUTES ?= 10
# `make bench ROUNDS=1 LEADS=20000` is the quick look.
ROUNDS ?= 3
LEADS ?= 200000
# One hash seed: every process collects the same tests, in the same order.
PYTEST := PYTHONHASHSEED=0 $(BIN)/python -m pytest

.PHONY: help
help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: app setup
app:
	@sh .ci/setup app
setup: ## make .venv with everything that the other verbs need
	@sh .ci/setup test

.PHONY: demo
demo: app ## show the whole product at work against a local sandbox, in under a minute
	@$(BIN)/python -m syncd demo

.PHONY: test ci
test: lint types contracts cov docs-check ## all that a commit must pass
ci: ## `make test` and what CI adds (PostgreSQL, the wheel in an empty environment)
	@bash .ci/run

.PHONY: fmt lint types contracts
fmt: setup ## format, and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
lint: setup ## ruff, formatting, the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint Dockerfile
types: setup ## mypy --strict
	$(BIN)/mypy
contracts: setup ## the import rules between the rooms
	$(BIN)/lint-imports

.PHONY: unit pytest crash kills soak sim year cov
unit: setup ## the quick tests only
	$(PYTEST) -q tests/unit $(ARGS)
pytest: setup ## all tests, without measuring
	$(PYTEST) -q -n $(JOBS) $(ARGS)
crash: setup ## the tests that kill syncd at every step
	$(PYTEST) -q tests/crash $(ARGS)
kills: setup ## each step, before and after, three times, each kill alone (minutes)
	PYTHONHASHSEED=0 $(BIN)/python -m tests.crash $(ARGS)
soak: setup ## two instances on PostgreSQL through kills, stops and a bad network (MINUTES=10 SEED=n)
	$(BIN)/python -m tests.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)
sim: setup ## the engine through thousands of bad days (SECONDS=60 SEED=n TRACE=1 MUTANTS=1)
	PYTHONHASHSEED=0 $(BIN)/python -m tests.sim --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) \
		$(if $(TRACE),--trace) $(if $(MUTANTS),--mutants)
year: setup ## a year of calls in ninety zones, none at a wrong hour (LEADS=5000 SEED=n MUTANTS=1)
	$(BIN)/python -m tests.year $(if $(filter command% env%,$(origin LEADS)),--leads $(LEADS)) \
		$(if $(SEED),--seed $(SEED)) $(if $(MUTANTS),--mutants)
cov: setup ## all tests; branches covered: all of core/, nine in ten of the rest
	$(BIN)/coverage erase
	PYTHONHASHSEED=0 $(BIN)/coverage run -m pytest -q -n $(JOBS) $(ARGS)
	@$(BIN)/coverage combine -q
	$(BIN)/coverage report --include='syncd/core/*' --fail-under=100
	$(BIN)/coverage report --omit='syncd/core/*' --fail-under=90

.PHONY: docs docs-check
docs: setup ## write the generated pages and config.example.toml
	$(BIN)/python docs/generate.py
docs-check: setup ## are the generated pages what the code says?
	$(BIN)/python docs/generate.py --check

.PHONY: bench
bench: ## syncd beside a plain script, dlt and drt-core (ROUNDS=3 LEADS=200000)
	@sh .ci/setup app
	$(BIN)/python -m bench.run --rounds $(ROUNDS) --leads $(LEADS) $(ARGS)

.PHONY: zones-figures
zones-figures: app ## numbers by one clock, several, held (REGISTRY=DEF-9xx.csv)
	@$(BIN)/python -m bench.zones_figures $(if $(REGISTRY),--registry $(REGISTRY)) $(ARGS)

.PHONY: bench-scale
bench-scale: ## 1, 2 and 4 processes on one PostgreSQL ledger (SYNCD_BENCH_POSTGRES_URL)
	@sh .ci/setup app
	$(BIN)/python -m bench.scale $(ARGS)

.PHONY: bench-failures
bench-failures: ## bad days on drt-core and on syncd: who is called twice, who never (six minutes)
	@sh .ci/setup app
	$(BIN)/python -m bench.failures $(ARGS)

# Floors are in pyproject.toml; this pins, by hash, the newest that fits, for every Python and platform.
COMPILE := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command 'make lock'
.PHONY: lock
lock: setup ## resolve the locks again (needs the network; UPGRADE=--upgrade takes the newest)
	$(COMPILE) $(UPGRADE) pyproject.toml -o requirements.lock
	$(COMPILE) $(UPGRADE) pyproject.toml -c requirements.lock --extra fast -o requirements-fast.lock
	$(COMPILE) $(UPGRADE) pyproject.toml -c requirements.lock --extra fast --group build --group test \
		-o requirements-test.lock
	$(COMPILE) $(UPGRADE) -c requirements-test.lock --group build -o requirements-build.lock
	$(COMPILE) $(UPGRADE) --group audit -o requirements-audit.lock

.PHONY: audit
audit: app ## known vulnerabilities of what is pinned, and an SBOM in dist/ (needs the network)
	@sh .ci/audit

.PHONY: clean
clean: ## remove what can be made again (not .venv)
	rm -rf dist build htmlcov demo-run bench/results .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
