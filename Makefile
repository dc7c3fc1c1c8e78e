# Plain alternatives to these targets stand in README.md.
PYTHON ?= python3
BIN := .venv/bin
RESOLVE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11

.PHONY: demo test check format lock docs clean

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.base: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

demo: .venv/.base  ## start the demo shop and talk to it
	$(BIN)/sayso demo

test: .venv/.dev  ## run all tests
	$(BIN)/python -m pytest -n auto

check: .venv/.dev  ## everything a change must pass
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto

format: .venv/.dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: .venv/.dev  ## resolve the dependencies again
	$(BIN)/pip install --quiet uv
	$(RESOLVE) --extra demo pyproject.toml --output-file requirements.lock
	$(RESOLVE) --extra dev pyproject.toml --output-file requirements-dev.lock
	$(RESOLVE) --extra charts --extra documents --extra mcp --extra postgres --extra slack --extra traces \
		pyproject.toml --output-file deploy/requirements.lock

docs: .venv/.dev  ## write the reference pages that are generated from the code
	$(BIN)/python -m docs.generate

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
