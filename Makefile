# The front door. `make run` and `make test` set everything up by themselves.
PYTHON ?= python3
BIN := .venv/bin
# Whatever pyproject.toml or the pins change, the environment follows.
READY := .venv/.ready

.PHONY: run test test-ui test-all test-llm lint bench eval screenshots clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

run: $(READY)
	$(BIN)/python app.py

test: $(READY)
	$(BIN)/python -m pytest

# Only the page, in Debian's Chromium.
test-ui: $(READY)
	$(BIN)/python -m pytest -m browser

# The long runs, too: kills in the hundreds, and a real model server built from source.
test-all: $(READY)
	$(BIN)/python -m pytest -m ''

test-llm: $(READY)
	$(BIN)/python -m pytest -m llm_server

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m benchmarks.review

eval: $(READY)
	$(BIN)/coach eval run

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist
