# make run   the app, at the address it prints
# make test  style, types and all tests
# make audit whether a package that is installed is known to be vulnerable; asks pypi.org
#
# Each sets up what it needs first: a virtual environment in .venv and, for the browser tests, Chromium.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint chromium benchmark audit clean

run: .venv/run
	$(BIN)/python app.py

test: lint chromium
	$(BIN)/python -m pytest

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

chromium:
	@sh tests/browser/install_chromium.sh

benchmark: .venv/run
	$(BIN)/python -m benchmarks.instant

audit: .venv/run
	$(BIN)/python -m trials.audit

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Gaze needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable . --constraint constraints.txt
	touch $@

.venv/dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	touch $@ .venv/run

clean:
	rm -rf .venv *.egg-info
