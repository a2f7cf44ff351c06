# Two commands matter: `make demo` and `make test`. Everything else is a part of them, or takes longer.
SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
JOBS ?= auto
COUNT ?= 0
COMPILE = uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-header --no-annotate
PIP := $(RUN) -m pip install --disable-pip-version-check --no-input --quiet --require-hashes

.PHONY: demo test lint types check replay catalog generated coverage unit bench soak fuzz mutation kill9 lock image clean help
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

# The environment: one stamp for what the service needs, one for what its tests need.
$(VENV)/.service: requirements.lock
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV)"
	@$(PIP) -r requirements.lock
	@$(RUN) -c "import pathlib, site; pathlib.Path(site.getsitepackages()[0], 'ndm-cds.pth').write_text('$(CURDIR)\n')"
	@printf '#!%s\nfrom cds_service.cli import main\n\nmain()\n' "$(abspath $(RUN))" > $(VENV)/bin/ndm-cds && chmod 755 $(VENV)/bin/ndm-cds
	@touch $@

$(VENV)/.tests: requirements-dev.lock $(VENV)/.service
	@echo "installing the locked tools for the tests"
	@$(PIP) -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.service  ## start the service on 127.0.0.1:8080, show cards, keep serving until Ctrl-C
	@trap : INT; $(RUN) -m cds_service demo || test $$? -eq 130

test: lint types check catalog coverage  ## all checks and tests

lint: $(VENV)/.tests  ## ruff
	$(RUN) -m ruff check .

types: $(VENV)/.tests  ## mypy, strict
	$(RUN) -m mypy

check: $(VENV)/.service  ## all sheets, tables and cases
	$(RUN) -m cds_service check

replay: $(VENV)/.service  ## whole requests against whole answers
	$(RUN) -m cds_service replay fixtures

catalog: $(VENV)/.service  ## the rule index must be what the sheets say
	$(RUN) -m cds_service catalog --check

generated: $(VENV)/.service  ## write the rule index and the promised answers anew; read the diff
	$(RUN) -m cds_service catalog --write
	$(RUN) -m cds_service replay fixtures --update

unit: $(VENV)/.tests  ## the tests without coverage
	$(RUN) -m pytest -n $(JOBS)

coverage: $(VENV)/.tests  ## the tests, with branch coverage
	$(RUN) -m pytest -n $(JOBS) --cov --cov-report=term --cov-report=xml

# Longer runs, by hand or at night; docs/reliability.md says what they found.
bench: $(VENV)/.tests  ## how long an answer takes, and the picture of it in docs (needs wrk)
	$(RUN) -m bench.engine
	$(RUN) -m bench.http

soak: $(VENV)/.tests  ## calls without a pause while the FHIR servers fail: deadline, silence, memory (5 min)
	$(RUN) -m tests.long.faults_under_load --minutes 5

fuzz: $(VENV)/.tests  ## 100,000 generated hostile bodies (5 min)
	$(RUN) -m tests.long.hostile_bodies

mutation: $(VENV)/.tests  ## whether the tests notice changed code (COUNT=150 for a sample; all of it takes hours)
	$(RUN) -m tests.long.changed_code --count $(COUNT) --jobs 2

kill9: $(VENV)/.tests  ## nothing acknowledged is lost when workers and database are killed (2 x 5 min)
	$(RUN) -m tests.long.feedback_under_kill --minutes 5 --sqlite
	$(RUN) -m tests.long.feedback_under_kill --minutes 5

lock:  ## resolve the dependencies anew (needs uv)
	$(COMPILE) -o requirements.lock
	$(COMPILE) -c requirements.lock --extra postgresql -o requirements-postgresql.lock
	$(COMPILE) -c requirements.lock --extra postgresql --group dev -o requirements-dev.lock

image:  ## the container image
	docker build -t ndm-cds .

clean:  ## forget the environment and what tests left
	rm -rf $(VENV) .coverage .coverage.* coverage.xml .mypy_cache .ruff_cache .hypothesis build dist
