# Feedmill's table of contents. `make run` and `make test` install what they need themselves.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
# The uv on the PATH if there is one, else one of our own beside the environment.
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
UV_VERSION := 0.13.9
# Trust what the machine trusts: many networks have a certificate authority of their own.
export UV_SYSTEM_CERTS := 1
# Compiled at installation, so that the first start is as quick as the next.
export UV_COMPILE_BYTECODE := 1
SERVICES := ingestion fetch distillation orchestrator gateway
# Tests wait more than they compute: one process more than there are cores. Each file stays in one.
TEST_PROCESSES := $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
PYTEST_AT_ONCE := -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- Using it -------------------------------------------------------------------------------------

.PHONY: run
run: $(VENV)/run.stamp ## Run the whole fleet here: Postgres, Temporal, five processes, one page
	@exec $(VENV)/bin/feedmill up

.PHONY: setup
setup: $(VENV)/dev.stamp ## Install everything a developer needs into .venv

# --- Working on it --------------------------------------------------------------------------------

.PHONY: check
check: $(VENV)/dev.stamp ## Formatting, lint, types, architecture
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

.PHONY: test
test: $(VENV)/dev.stamp chromium ## Every test, against real Postgres and real Temporal, with coverage
	$(PYTHON) -m pytest $(PYTEST_AT_ONCE) --cov --cov-report=term $(ARGS)

.PHONY: test-fast
test-fast: $(VENV)/dev.stamp chromium ## Everything but the tests that run the whole fleet
	$(PYTHON) -m pytest $(PYTEST_AT_ONCE) --ignore=tests/e2e $(ARGS)

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& echo "Installing Chromium ..." && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
		|| { echo "The tests need a browser: install Chromium, so that chromium is on the PATH." >&2; exit 1; }

.PHONY: drill
drill: $(VENV)/dev.stamp ## Kill every process again and again during journeys, and count what it cost
	cd tests && ../$(PYTHON) -m drill $(ARGS)

.PHONY: format
format: $(VENV)/dev.stamp ## Format, and fix what can be fixed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

.PHONY: histories
histories: $(VENV)/dev.stamp ## Record the runs that the replay tests need and do not have yet
	cd tests && ../$(PYTHON) -m support.record_histories

.PHONY: commands
commands: $(VENV)/dev.stamp ## Take the workflows' present steps for the baseline, once open runs can go on
	cd tests && ../$(PYTHON) -m support.plans

.PHONY: lock
lock: $(UV) ## Resolve all dependencies anew into requirements/
	@for service in $(SERVICES); do $(call compile,$$service,--extra $$service pyproject.toml); done
	@$(call compile,build,--group build)
	@$(call compile,run,--extra all --group build pyproject.toml)
	@$(call compile,dev,--extra all --group dev pyproject.toml)
	@$(call compile,deploy,--extra all --group dev --group deploy pyproject.toml)

# --- Deploying it ---------------------------------------------------------------------------------

.PHONY: images
images: ## Build the image of every role, with docker, podman or buildah
	docker/build.sh

.PHONY: chart-settings
chart-settings: $(VENV)/dev.stamp ## Write into the chart's schema what config.py says
	PYTHONPATH=deploy $(PYTHON) -m lab.chart_settings

.PHONY: dashboards
dashboards: $(VENV)/dev.stamp ## Write the chart's dashboards out of their tables in deploy/lab
	PYTHONPATH=deploy $(PYTHON) -m lab.dashboards

.PHONY: deploy-test
deploy-test: $(VENV)/deploy.stamp ## Build, install, upgrade, scale and watch the whole fleet in containers (root, Debian)
	deploy/lab/setup.sh
	$(PYTHON) -m pytest -rs -m "deploy or not deploy" tests/deploy $(ARGS)

.PHONY: deploy-scale
deploy-scale: $(VENV)/deploy.stamp ## Show pools being scaled by their backlogs, look by look (root, Debian)
	deploy/lab/setup.sh
	$(PYTHON) -m pytest -m deploy tests/deploy/live -k pools_follow

.PHONY: clean
clean: ## Remove what setup and tests made
	rm -rf $(VENV) .tools .mypy_cache .pytest_cache .ruff_cache .coverage .hypothesis

# No address of any registry goes into a lock file: where packages come from is the reader's choice.
compile = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header $(2) -o requirements/$(1).lock \
	&& echo "requirements/$(1).lock"

# --- What the targets above stand on --------------------------------------------------------------

$(VENV)/run.stamp: requirements/run.lock pyproject.toml | $(UV)
	@$(call install,run)
	@touch $@

# Everything a run needs is among what a developer needs.
$(VENV)/dev.stamp: requirements/dev.lock pyproject.toml | $(UV)
	@$(call install,dev)
	@touch $@ $(VENV)/run.stamp

$(VENV)/deploy.stamp: requirements/deploy.lock pyproject.toml | $(UV)
	@$(call install,deploy)
	@touch $@ $(VENV)/dev.stamp $(VENV)/run.stamp

install = echo "Installing into $(VENV) ..." \
	&& { [ -x $(PYTHON) ] || $(UV) venv --quiet --python '>=3.11' $(VENV); } \
	&& $(UV) pip install --quiet --python $(PYTHON) --require-hashes -r requirements/$(1).lock \
	&& $(UV) pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .

.tools/bin/uv:
	@echo "Installing uv into .tools ..."
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Feedmill needs Python 3.11 or newer as python3, or uv on the PATH." >&2; exit 1; }
	@python3 -m venv .tools 2>/dev/null || { \
		rm -rf .tools; [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null && python3 -m venv .tools; } \
		|| { echo "python3 has no venv module: install python3-venv, or put uv on the PATH." >&2; exit 1; }
	@.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
