# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

export DAGSTER_DISABLE_TELEMETRY := 1
export DO_NOT_TRACK := 1
# Dozens of processes import the same thousand modules: compile them once, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test check format bench chaos lock clean

run: $(STAMP)  ## Start PostgreSQL, decide the shop's orders, serve the Dagster UI
	@$(BIN)/ecom up $(ARGS)

test: $(STAMP)  ## Run the whole test suite on an embedded PostgreSQL
	@$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

check: $(STAMP)  ## Format, lint, types, import rules, unsafe calls, definitions load
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -r ecom ecom_assets gateway importers jobs resources sensors -ll
	$(BIN)/python -m ecom.check_definitions

format: $(STAMP)  ## Rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)  ## Measure path, backlog, allocation, reaction and catalogue plans against floors, and growth
	$(BIN)/python -m bench.order_path $(ARGS)
	$(BIN)/python -m bench.allocation
	$(BIN)/python -m bench.stock_sync
	$(BIN)/python -m bench.atp
	$(BIN)/python -m bench.checks
	$(BIN)/python -m bench.throughput
	$(BIN)/python -m bench.reaction
	$(BIN)/python -m bench.growth
	$(BIN)/python -m bench.catalogue
	$(BIN)/python -m bench.entrance

MINUTES ?= 5
RATE ?= 10
chaos: $(STAMP)  ## Load the platform and kill, cut and fill what it stands on, MINUTES long at RATE orders/s
	@PYTHONPATH=.:tests $(BIN)/python -m chaos.run --minutes $(MINUTES) --rate $(RATE) $(ARGS)

lock: $(STAMP)  ## Resolve the dependencies again
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --extra dev pyproject.toml --output-file requirements.lock

clean:  ## Remove what the commands above made, the shop's data in .ecom excepted
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt/target dbt/logs

# uv installs several times faster than pip; pip takes the same lock where uv cannot reach the index.
$(STAMP): requirements.lock bootstrap.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) or sys.version_info >= (3, 14))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed (PYTHON=python3.12 make ... names one)" >&2; exit 1; }
	@echo "installing into $(VENV) ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r bootstrap.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock \
	  || $(BIN)/python -m pip install --quiet --require-hashes --compile -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)
