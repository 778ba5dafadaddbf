# Everything from a fresh checkout with nothing but Python >= 3.11 and make.
#
#   make demo    two months on both ledgers, on this machine only
#   make test    every check
#   make bench   measurements, as JSON lines
#   make soak    the long tests, and the property tests with many more examples
#   make clean   remove the environment and every cache

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# uv fetches everything at once; pip does the same, slowly, where uv cannot be had.
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
  --constraint constraints.txt
WANTED = --constraint constraints.txt --editable '.[test,lint]'

.PHONY: demo venv test lint types layers tests bench soak clean

demo: $(STAMP)
	$(BIN)/ar-bridge demo

venv: $(STAMP)

# The stamp is older than the two files as soon as a dependency changes.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "ar-bridge needs Python 3.11 or newer, but '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)"; \
	  echo "  -> name another one: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
	  echo "  -> on Debian and Ubuntu: apt-get install python3-venv"; rm -rf .venv; exit 1; }
	@echo "Installing into .venv, once ..."
	@$(PIP) uv && $(BIN)/uv pip install --quiet --python $(BIN)/python $(WANTED) || $(PIP) $(WANTED)
	@touch $@

test: lint types layers tests

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports --no-logo

# One process more than there are cores, as many tests wait for others; a file stays in one of them,
# and long files of few tests are not left for the end.
tests: $(STAMP)
	$(BIN)/pytest -rs --dist loadfile --no-loadscope-reorder \
	  -n $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

bench: $(STAMP)
	@for file in benchmarks/*.py; do $(BIN)/python "$$file" || exit 1; done

soak: $(STAMP)
	$(BIN)/pytest -m "soak or hypothesis" --hypothesis-profile=soak

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
