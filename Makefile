# What a newcomer and a developer type. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help demo test check lint types imports contracts up bench faults drills fuzz format lock clean
.DEFAULT_GOAL := help

help: ## What there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: requirements/all.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Fenghe needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/all.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation -e .
	@touch $@

demo: $(VENV)/.installed ## Play a season of the sample community and print its figures
	$(BIN)/fenghe demo $(ARGS)

test: $(VENV)/.installed ## Run the tests
	$(BIN)/python -m pytest -n auto $(ARGS)

check: lint types imports contracts ## Lint, types, architecture, documents in step with the code

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed
	$(BIN)/mypy shared services deploy

imports: $(VENV)/.installed
	$(BIN)/lint-imports

contracts: $(VENV)/.installed
	$(BIN)/python -m pytest tests/architecture tests/contracts $(ARGS)

up: $(VENV)/.installed ## Serve the sample community until Ctrl-C
	$(BIN)/fenghe up --sample $(ARGS)

bench: $(VENV)/.installed ## Run the benchmarks and print their ratios
	$(BIN)/python -m tests.benchmarks $(ARGS)

faults: $(VENV)/.installed ## Attack the kit and print what was lost
	$(BIN)/python -m tests.faults $(ARGS)

drills: $(VENV)/.installed ## Strike a compose deployment while requests keep coming (needs docker, root)
	$(BIN)/python -m tests.drills $(ARGS)

fuzz: $(VENV)/.installed ## Call every operation with all sorts of data, valid and not
	$(BIN)/python -m tests.fuzz $(ARGS)

format: $(VENV)/.installed ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.installed ## Write the locks again from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	sh requirements/lock $(BIN)

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis fenghe.egg-info
