# `make demo` and `make test` do all their set-up in .venv; a second run finds it done.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n : 4)))
UV ?= uv

.PHONY: help demo test lint format fixtures bench lock clean

help: ## Show this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

demo: $(VENV)/.installed ## Prove the example project on real servers; writes demo/report.html
	@$(BIN)/dbtrust demo demo

test: $(VENV)/.dev $(VENV)/.installed ## Run the tests on real servers, then check the coverage
	@rm -f .coverage .coverage.* coverage.json
	@$(BIN)/python -m coverage run -m pytest -n $(WORKERS) $(ARGS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage json --quiet -o coverage.json
	@$(BIN)/python tools/coverage_gate.py coverage.json
	@rm -f .coverage .coverage.* coverage.json

lint: $(VENV)/.dev $(VENV)/.installed ## Style, types and layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

fixtures: $(VENV)/.dev $(VENV)/.installed ## Record the server documents under tests/fixtures again
	@$(BIN)/python tools/record_fixtures.py

bench: $(VENV)/.dev $(VENV)/.installed ## Run every benchmark, quickly
	@for bench in bench/*.py; do $(BIN)/python $$bench --quick; done

lock: ## Choose the versions in requirements/ anew (needs uv)
	@tools/lock "$(UV)"

clean: ## Remove what these targets made
	@rm -rf $(VENV) demo build dist .coverage .coverage.* coverage.json .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.created: tools/find_python
	@python=$$(tools/find_python "$(PYTHON)") && "$$python" -m venv --clear $(VENV)
	@touch $@

# pip installs only files whose hashes are written down, and builds dbtrust itself with what is installed already.
$(VENV)/.runtime: $(VENV)/.created requirements/runtime.txt requirements/build.txt
	@echo "installing dbtrust's dependencies and its servers into $(VENV)" >&2
	@$(PIP) --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@echo "installing the tools of development into $(VENV)" >&2
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.runtime pyproject.toml README.md
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
