# Every developer verb. `make` alone lists them. `make demo` and `make test` set everything up by
# themselves on a machine with Python 3.11, pip, make and git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The tests start the command line hundreds of times: it must not be compiled anew each time.
unexport PYTHONDONTWRITEBYTECODE
# Nor may they find output unbuffered where a person's shell has it buffered.
unexport PYTHONUNBUFFERED

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint fix messages docs proto lock bench crash clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## make the environment from the hashed requirements

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	@touch $@

demo: $(READY) ## the whole way against the embedded sandbox, in a temporary home
	$(BIN)/yuntu-push demo

test: $(READY) ## all tests; those that need a server or a browser say why they skip
	$(BIN)/pytest -q -n 2 --dist loadgroup

lint: $(READY) ## style, types, import contracts, message catalogue
	$(BIN)/ruff check src tests bench
	$(BIN)/ruff format --check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.support.catalogue --check

fix: $(READY) ## format and mend what can be mended
	$(BIN)/ruff check --fix src tests bench
	$(BIN)/ruff format src tests bench

messages: $(READY) ## take new sentences into the catalogues and compile them
	$(BIN)/python -m tests.support.catalogue --update

docs: $(READY) ## write the pages of docs/ that the code knows best
	$(BIN)/python -m tests.support.pages --write

proto: $(READY) ## generate the upload schema's module
	$(BIN)/python -m grpc_tools.protoc -Isrc --python_out=src --mypy_out=src src/yuntu_push/proto/dmp.proto

lock: $(READY) ## export the requirements with names, versions and hashes
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --upgrade --output-file requirements.txt
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --upgrade --output-file requirements-dev.txt

bench: $(READY) ## time the segment engine against the sample script
	$(BIN)/python -m bench

crash: $(READY) ## the full crash matrix, in about an hour; prints what it killed
	CRASH_SEQUENCES=2000 CRASH_STEPS=50 $(BIN)/pytest -q -s tests/crash --full-crash-matrix

clean: ## forget the environment and the caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
