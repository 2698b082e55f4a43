# `make demo` and `make test` do all their set-up in .venv; nothing else of the system is changed.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv
RUN := $(VENV)/bin/python
# One more than the two cores that CI has: tests wait for servers now and then.
WORKERS ?= 3
DEMO ?= demo
.DEFAULT_GOAL := help
.PHONY: help demo test lint format fixtures bench crash lock clean

help:
	@echo "make demo      copy examples/shop to a folder and check it on real servers"
	@echo "make test      every test, with coverage"
	@echo "make lint      format, style, types, layers"
	@echo "make fixtures  record the server documents of tests/fixtures again"
	@echo "make bench     every benchmark, in its short form"
	@echo "make crash     kill runners and servers of migrations, 200 times for each engine (KILLS=…)"
	@echo "make lock      resolve requirements/*.txt again"

$(VENV)/runtime: requirements/runtime.txt requirements/build.txt
	@test -n "$(PYTHON)" || { echo "error: no Python >= 3.11 with venv and pip on PATH (Debian: apt install python3-venv)" >&2; exit 1; }
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(RUN) -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "dbtrust-source.pth").write_text(str(pathlib.Path("src").resolve()) + "\n")'
	@touch $@

$(VENV)/dev: $(VENV)/runtime requirements/dev.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(VENV)/runtime
	@$(RUN) -m dbtrust demo $(DEMO)

test: $(VENV)/dev
	@rm -f .coverage .coverage.*
	$(RUN) -m pytest -n $(WORKERS) --cov --cov-report= $(ARGS)
	$(RUN) tools/coverage_gate.py

lint: $(VENV)/dev
	$(VENV)/bin/ruff format --check src tests tools bench
	$(VENV)/bin/ruff check src tests tools bench
	$(VENV)/bin/basedpyright --pythonpath $(RUN)
	$(VENV)/bin/lint-imports --no-cache

format: $(VENV)/dev
	$(VENV)/bin/ruff check --fix src tests tools bench
	$(VENV)/bin/ruff format src tests tools bench

fixtures: $(VENV)/dev
	$(RUN) tests/fixtures/record_mongo.py
	$(RUN) tests/fixtures/record_postgres.py

bench: $(VENV)/dev
	@for b in startup loading queries claims baseline_stability mutation migrate prove snapshot snapshot_mongo; do $(RUN) bench/$$b.py --quick; done

KILLS ?= 200
crash: $(VENV)/dev
	$(RUN) -m tests.crash --kills $(KILLS)

LOCK = uv pip compile --quiet --no-strip-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header
lock:
	$(LOCK) pyproject.toml --extra demo -o requirements/runtime.txt
	$(LOCK) requirements/dev.in -c requirements/runtime.txt -o requirements/dev.txt
	$(LOCK) requirements/build.in -o requirements/build.txt

clean:
	rm -rf $(VENV) .coverage .coverage.* .pytest_cache .ruff_cache .hypothesis
