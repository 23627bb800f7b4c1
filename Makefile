# Bailiwick. Needs Python 3.11 or newer with venv, and make; everything else is installed here.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tools that only read the code need no data directory of their own.
TOOLS_ENV := BAILIWICK_SECRET_KEY=only-for-reading-the-code BAILIWICK_ROOT_KEY=only-for-reading-the-code BAILIWICK_KEY_PEPPERS=1:only-for-reading-the-code

.PHONY: help
help: ## What can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A stamp is written last, so a half-made environment is made again.
$(VENV)/.runtime: requirements/runtime.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bailiwick: Python 3.11 or newer is needed; set PYTHON=python3.12, for instance.")'
	@test -x $(BIN)/python && $(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing what Bailiwick needs (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "Installing what tests and checks need (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

.PHONY: install
install: $(VENV)/.runtime ## Make the environment that serves the product

.PHONY: run
run: $(VENV)/.runtime ## Serve the product here: database, demo account, web server, worker
	@exec $(BIN)/python manage.py quickstart

.PHONY: test
test: $(VENV)/.dev ## The whole test suite on its own throw-away database
	@sh tests/browser.sh
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

.PHONY: check
check: $(VENV)/.dev format-check lint types imports migrations-check test ## All that must be green before a commit

.PHONY: format
format: $(VENV)/.dev ## Format code and templates
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --exit-zero --quiet .
	@find templates -name '*.html' -print0 | xargs -0 $(BIN)/djade --target-version 5.2

.PHONY: format-check
format-check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	@find templates -name '*.html' -print0 | xargs -0 $(BIN)/djade --check --target-version 5.2

.PHONY: lint
lint: $(VENV)/.dev ## Ruff
	$(BIN)/ruff check .

.PHONY: types
types: $(VENV)/.dev ## Mypy, strict
	$(TOOLS_ENV) $(BIN)/mypy .

.PHONY: imports
imports: $(VENV)/.dev ## Import contracts between the layers
	$(TOOLS_ENV) $(BIN)/lint-imports

.PHONY: migrations-check
migrations-check: $(VENV)/.dev ## No model change without a migration
	$(TOOLS_ENV) DATABASE_URL=postgresql://nobody@127.0.0.1:1/none $(BIN)/python -W ignore manage.py makemigrations --check --dry-run

.PHONY: bench
bench: $(VENV)/.dev ## Measure against the floor: make bench NAMES="append accounts"
	$(BIN)/python -m bench $(NAMES)

.PHONY: screenshots
screenshots: $(VENV)/.dev ## Take the screenshots of docs/ anew
	$(BIN)/python -m tests.e2e.screenshots

.PHONY: lock
lock: ## Pin and hash the dependencies (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade requirements/runtime.in -o requirements/runtime.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade -c requirements/runtime.txt requirements/dev.in -o requirements/dev.txt

.PHONY: clean
clean: ## Remove the environment and caches; the data stays
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
