# make run   the app, at the address it prints
# make test  style, types and all tests
# make audit whether a package that is installed is known to be vulnerable; asks pypi.org
#
# Each sets up what it needs first: a virtual environment in .venv and, for the browser tests, browsers.
# Another Python, beside the usual environment: make unit PYTHON=python3.14 VENV=.venv-3.14

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Most of what is installed is never imported, so Python compiles a module when it first needs it.
INSTALL := $(BIN)/python -m pip install --quiet --no-compile
# Two files of tests at a time: more would share a processor's cores with what they start themselves. So that the two do
# not wait for each other, torch and NumPy use one core in each.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder
test unit coverage opencv: export OMP_NUM_THREADS := 1

# Browsers are installed while packages are, and while style and types are checked.
MAKEFLAGS += --jobs=2

# The other major version of OpenCV that is supported, beside the one that constraints.txt names.
OPENCV ?= 5.0.0.93

# Per cent of all lines and branches that the tests without a browser reach at least.
COVERED := 95

.PHONY: run test unit coverage opencv lint browsers benchmark audit lock clean

run: $(VENV)/run
	$(BIN)/python app.py

test: lint browsers
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

unit: lint
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --ignore=tests/browser

# Which lines the tests reach; it fails below what they reach today. It takes half as long again as the tests alone.
coverage: $(VENV)/dev
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --ignore=tests/browser --cov --cov-report=term --cov-fail-under=$(COVERED)

opencv: $(VENV)/dev
	$(INSTALL) --no-deps --upgrade --target $(VENV)/opencv-$(OPENCV) opencv-python-headless==$(OPENCV)
	PYTHONPATH=$(VENV)/opencv-$(OPENCV) $(BIN)/python -m pytest $(SIDE_BY_SIDE) tests/face tests/motion/test_tracking.py tests/engines/warp -k "not found_out"

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2
	$(BIN)/lint-imports --no-logo
	@sh tests/browser/lint.sh

browsers:
	@sh tests/browser/install_browsers.sh

benchmark: $(VENV)/run
	$(BIN)/python -m benchmarks.instant

audit: $(VENV)/run
	$(BIN)/python -m trials.audit

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Gaze needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what Gaze needs: a minute or two."
	$(INSTALL) --editable . --constraint constraints.txt
	touch $@

$(VENV)/dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what the tests need: a few minutes."
	$(INSTALL) --editable '.[dev]' --constraint constraints.txt
	touch $@ $(VENV)/run

lock: $(VENV)/dev
	grep "^#" constraints.txt > $(VENV)/constraints
	$(BIN)/python -m pip freeze --exclude-editable | sed "s/+cpu$$//" >> $(VENV)/constraints
	mv $(VENV)/constraints constraints.txt

clean:
	rm -rf .venv .venv-* *.egg-info
