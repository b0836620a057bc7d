# The front door. `make run` and `make test` set everything up by themselves.
PYTHON ?= python3
BIN := .venv/bin
# Whatever pyproject.toml or the pins change, the environment follows.
READY := .venv/.ready

.PHONY: run test test-ui test-all test-llm fuzz audit sbom lint bench eval docs screenshots clean

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

# The long runs, too, such as kills by the dozen.
test-all: $(READY)
	$(BIN)/python -m pytest -m 'not llm_server'

# Builds a real model server from source (long, once), then runs it on the loopback.
test-llm: $(READY)
	$(BIN)/python tests/llama_server.py .llama
	COACH_LLAMA=.llama $(BIN)/python -m pytest -m llm_server tests/test_llm_server.py

# An hour of every target, with what earlier runs found worth keeping (.fuzz/).
fuzz: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt 'atheris>=3'
	$(BIN)/python tests/fuzz/run.py --seconds 180

# Known holes and licences of what the wheel needs; ends with 3 where the registry tells no advisories (says of which).
audit: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[audit]'
	$(BIN)/python tests/audit.py

# The same packages as CycloneDX JSON; nothing is looked up.
sbom: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[audit]'
	$(BIN)/python tests/audit.py sbom

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml

bench: $(READY)
	$(BIN)/python -m benchmarks.review
	$(BIN)/python -m benchmarks.page

eval: $(READY)
	$(BIN)/coach eval run

# The pictures of the docs, made from samples that ship here.
screenshots: $(READY)
	$(BIN)/python docs/screenshots.py

docs: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[site]'
	$(BIN)/python docs/reference/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	$(BIN)/python -m pytest tests/test_docs.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist
