# Everything that a developer does here is one of these targets; `make help` lists them.
# Each step leaves a file behind and is done again only when something that it reads is newer.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
# Where Python is told to keep no compiled modules, as in many containers, each process would compile all of them anew.
unexport PYTHONDONTWRITEBYTECODE

HOST ?= 127.0.0.1
PORT ?= 8000
ROW ?=
ARGS ?=

PYTHON := .venv/bin/python
UV := .tools/uv/bin/uv
COMPILE := $(UV) pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet $(if $(UPGRADE),--upgrade)
WEB_SOURCES := $(shell find web/src web/public web/index.html web/tsconfig.json web/vite.config.ts 2>/dev/null)

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  Variables: PORT=9000 and HOST=0.0.0.0 for run, ARGS=\"--demo-rate 200\" for run, ROW=S1 for bench,"
	@echo "  UPGRADE=1 for lock."

# People read what this prints, also through a pipe: the log is .finer/logs/finer.log unless FINER_LOG_TO says otherwise.
.PHONY: run
run: ## Set up what is missing, then start Finer with its demo world
	@$(MAKE) --jobs=2 .venv/.installed web/dist/index.html
	@FINER_LOG_TO=$${FINER_LOG_TO:-file} .venv/bin/finer up --demo --host $(HOST) --port $(PORT) $(ARGS)

.PHONY: test
test: ## Set up what is missing, then run every check and test
	@$(MAKE) --jobs=4 .venv/.installed-dev web/node_modules/.installed tests/oidc/node_modules/.installed \
		object-storage kafka-jars proxies
	@$(PYTHON) tools/checks.py all

.PHONY: kafka
kafka: .venv/.installed-dev tests/kafka/target/.installed ## Run Apache Kafka on this machine until Ctrl-C, to try sources with
	@$(PYTHON) -m tests.support.kafka

.PHONY: security
security: .venv/.installed-dev web/dist/index.html object-storage kafka-jars ## Try every attack, ask the scanners, write docs/assurance/report.md
	@$(PYTHON) -m tools.security

.PHONY: check
check: .venv/.installed-dev ## Lint, types and import contracts of the Python code
	@$(PYTHON) tools/checks.py check

.PHONY: format
format: .venv/.installed-dev ## Format the Python code and mend what ruff can mend
	@.venv/bin/ruff check --fix-only --quiet && .venv/bin/ruff format

.PHONY: docs
docs: .venv/.installed web/node_modules/.installed ## Write docs/reference, web/openapi.json and the types made from it
	@$(PYTHON) -m tools.reference
	@cd web && npm run --silent generate

.PHONY: web
web: web/dist/index.html ## Build the web app into web/dist

.PHONY: bench
bench: .venv/.installed-dev web/dist/index.html ## Measure one row of docs/reference/performance.md, e.g. ROW=S1, ROW=D4 ARGS="--minutes 2"
	@test -n "$(ROW)" || { .venv/bin/finer bench; echo "Say which row, for example: make bench ROW=S1" >&2; exit 2; }
	@.venv/bin/finer bench $(ROW) $(ARGS)

DATA ?= .finer
TENANT ?= demo

.PHONY: notebook
notebook: .venv/.installed .tools/notebook/.installed ## Execute docs/notebooks against a running Finer: DATA=.finer TENANT=demo
	@.tools/notebook/bin/python tools/notebook.py $(DATA) $(TENANT)

.tools/notebook/.installed: docs/notebooks/requirements.lock | .tools/uv/.installed
	@tools/make-venv .tools/notebook --without-pip
	@tools/install .tools/notebook --require-hashes --requirement docs/notebooks/requirements.lock
	@touch $@

.PHONY: lock
lock: .tools/uv/.installed ## Write the lock files from pyproject.toml; UPGRADE=1 takes newer releases
	@$(COMPILE) --output-file requirements.lock
	@$(COMPILE) --extra dev --constraint requirements.lock --no-annotate --output-file requirements-dev.lock
	@$(UV) pip compile tests/object_storage/requirements.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet $(if $(UPGRADE),--upgrade) \
		--output-file tests/object_storage/requirements.lock
	@$(UV) pip compile docs/notebooks/requirements.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet $(if $(UPGRADE),--upgrade) \
		--output-file docs/notebooks/requirements.lock
	@$(UV) pip compile tools/uv.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet $(if $(UPGRADE),--upgrade) --output-file tools/uv.lock
	@echo "The lock files are written."

.PHONY: clean
clean: ## Remove everything that these targets made, except data (.finer)
	@rm -rf .venv .tools build web/dist web/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache \
		.hypothesis .coverage .coverage.*
	@find src tests tools bench migrations -name __pycache__ -prune -exec rm -rf {} +

# --- what the targets above stand on -------------------------------------------------------------------------------

$(PYTHON):
	@tools/make-venv .venv --without-pip

# What installs everything else (tools/install): pip, and uv where there is one for this machine.
.tools/uv/.installed: tools/uv.lock
	@tools/make-venv .tools/uv
	@.tools/uv/bin/python -m pip --disable-pip-version-check --no-input install --quiet \
		--only-binary :all: --require-hashes --requirement tools/uv.lock || echo "There is no uv; pip does it." >&2
	@touch $@

.venv/.locked: requirements.lock | $(PYTHON) .tools/uv/.installed
	@echo "Installing the Python packages of requirements.lock ..."
	@tools/install .venv --require-hashes --requirement requirements.lock
	@touch $@

# hatchling comes from the lock, so the build needs no network and takes a second.
.venv/.installed: .venv/.locked pyproject.toml
	@tools/install .venv --no-deps --no-build-isolation --editable .
	@# One process loads, and so compiles, what otherwise each of several would.
	@$(PYTHON) -c "import finer.app.api, finer.app.cli"
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock
	@echo "Installing the Python packages of requirements-dev.lock ..."
	@tools/install .venv --require-hashes --requirement requirements-dev.lock
	@touch $@

web/node_modules/.installed: web/package-lock.json web/package.json
	@tools/check-node
	@echo "Installing the packages of web/package-lock.json ..."
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The OpenID provider and the second JOSE library that tests of sign-in and of tokens run against.
tests/oidc/node_modules/.installed: tests/oidc/package-lock.json tests/oidc/package.json
	@tools/check-node
	@echo "Installing the packages of tests/oidc/package-lock.json ..."
	@cd tests/oidc && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The S3-compatible server that tests of lakes and sources in object storage run against.
.PHONY: object-storage
object-storage: .tools/object-storage/.installed

.tools/object-storage/.installed: tests/object_storage/requirements.lock | .tools/uv/.installed
	@tools/make-venv .tools/object-storage --without-pip
	@echo "Installing the Python packages of tests/object_storage/requirements.lock ..."
	@tools/install .tools/object-storage --require-hashes --requirement tests/object_storage/requirements.lock
	@touch $@

# The Kafka that sources are tested against.
.PHONY: kafka-jars
kafka-jars: tests/kafka/target/.installed

tests/kafka/target/.installed: tests/kafka/pom.xml
	@tools/kafka-jars && mkdir -p $(@D) && touch $@

# The proxies that load balancing is tested with.
.PHONY: proxies
proxies:
	@tools/proxies

web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	@echo "Building the web app ..."
	@cd web && npm run --silent build -- --logLevel warn
	@touch $@
