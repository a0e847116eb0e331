# Every target sets up .venv by itself when needed and does nothing twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find cgrcore server -name '*.pyx' -o -name '*.pxd' 2>/dev/null)

.PHONY: help venv build demo test serve bench conformance nightly lint pages docs clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.ready: pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cgrcore needs Python 3.11 or later: install python3.11 and python3.11-venv (Debian: apt-get install python3 python3-venv python3-dev)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "the venv module is missing: install python3-venv (Debian: apt-get install python3-venv)"; exit 1; }
	@command -v $${CC:-cc} >/dev/null || { echo "no C compiler found: install gcc (Debian: apt-get install gcc)"; exit 1; }
	@$(PYTHON) -c 'import sysconfig, os, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' || { echo "Python.h is missing: install the headers of your Python (Debian: apt-get install python3-dev)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check 'setuptools>=77' 'Cython>=3.1' 'numpy>=2.0'
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[test,lint,columns,charts,distributed,postgres,phone,stir]'
	@touch $@

build/.built: $(VENV)/.ready $(SOURCES)
	@mkdir -p build
	@flock build/.lock $(BIN)/python setup.py --quiet build_ext --inplace
	@touch $@

venv: $(VENV)/.ready build/.built  ## set up .venv and the compiled core, no more

build: build/.built  ## compile what changed

demo: build/.built  ## load a tariff, charge a call over TCP, rate a million CDRs; under a minute
	@$(BIN)/cgrcore demo

test: build/.built  ## all tests that run in minutes
	@$(BIN)/python -m pytest -m 'not nightly'

serve: build/.built  ## a server with the default configuration
	@$(BIN)/cgrcore serve

bench: build/.built  ## the figures of the README, answers checked first
	@$(BIN)/python -m bench

conformance: build/.built  ## play the recorded conversations; CONFORMANCE=folder says where they are
	@$(BIN)/python -m tests.conformance.run

nightly: build/.built  ## the long runs
	@$(BIN)/python -m pytest -m nightly

lint: $(VENV)/.ready  ## ruff, mypy, cython-lint
	@$(BIN)/ruff check .
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cython-lint cgrcore server
	@$(BIN)/mypy

pages: build/.built  ## write the pages of docs/ that are made from the program
	@$(BIN)/python -m cgrserver.cli.pages

docs: build/.built  ## check that the documentation is whole and true
	@$(BIN)/python -m pytest tests/house

clean:
	rm -rf build $(VENV)
	find cgrcore server -name '*.so' -o -name '*.c' | xargs rm -f
