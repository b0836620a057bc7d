# The front door. `make run` and `make test` set everything up by themselves.
PYTHON ?= python3
BIN := .venv/bin
# Whatever pyproject.toml or the pins change, the environment follows.
READY := .venv/.ready

.PHONY: run test test-ui lint bench eval screenshots clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

run: $(READY)
	$(BIN)/python app.py

test: $(READY)
	$(BIN)/python -m pytest

test-ui: $(READY)
	$(BIN)/python -m pytest -m browser

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m benchmarks.review

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist
