# `make help` lists the targets. Nothing is installed outside this folder and the user's caches.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down test interop check bench docs format clean
SHELL := /bin/bash

UV_VERSION := 0.13.9
UV := $(or $(shell command -v uv 2>/dev/null),$(CURDIR)/.uv/bin/uv)
BIN := .venv/bin
WORKERS ?= 2
LOCKED := uv.lock pyproject.toml .python-version

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready .venvs/emulator/.ready .venvs/sam/.ready ## make the three environments; then .venv/bin/byoa is the command line

demo: setup ## run the main job end to end (JSON=1: one JSON object on the last line, IAM=1: with roles enforced)
	@$(BIN)/python -m local demo $(if $(JSON),--json) $(if $(IAM),--enforce-iam)

up: setup ## the same set-up, left running; prints the addresses (PORT=4800: eight ports from there on, beside another)
	@$(BIN)/python -m local up $(if $(PORT),--port='$(PORT)')

down: ## stop what `make up` started (PORT=4800: the one with ports of its own)
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m local down $(if $(PORT),--port='$(PORT)'); else echo "nothing is up"; fi

test: setup check ## check, then every test, two files at a time (WORKERS=1: one); says what was skipped and why
	$(BIN)/pytest -n $(WORKERS) --no-loadscope-reorder --cov --cov-report=term:skip-covered

interop: setup ## mirror between real registries what the real clients on PATH push, sign, pull and verify
	$(BIN)/pytest tests/interop

check: setup .venvs/review/.ready ## lint, types, layers, template
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 .venvs/sam/bin/sam validate --lint
	.venvs/review/bin/checkov --config-file .checkov.yaml
	$(BIN)/python -m local.policies .desk/policies
	PYTHONWARNINGS=ignore .venvs/review/bin/parliament --directory .desk/policies --config local/parliament.yaml

bench: setup ## measure beside crane, regctl, skopeo and oras where they are on PATH (JSON=1, ONLY="large", QUICK=1)
	@$(BIN)/python bench/run.py $(if $(JSON),--json) $(if $(ONLY),--only "$(ONLY)") $(if $(QUICK),--quick)

docs: setup ## write the generated pages and build docs/ as a site into .site/, without a network
	$(BIN)/python -m local.pages docs
	$(BIN)/zensical build --strict --clean

format: setup ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## stop every desk of this folder, remove environments and builds
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m local down --all; fi
	rm -rf .venv .venvs .uv .desk .aws-sam .site .*_cache .hypothesis .coverage* .site .cache

$(CURDIR)/.uv/bin/uv:
	@layers=layers; . layers/tools.sh; find_venv; "$$python" -m venv .uv
	.uv/bin/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)

.venv/.ready: $(LOCKED) | $(UV)
	@test -d .venv || echo "the first run downloads Python packages for three environments: that takes some minutes"
	$(UV) sync -q --frozen --compile-bytecode --all-extras --group dev
	$(BIN)/python -m compileall -q layers/core/byoa cli/byoa_cli
	@touch $@

.venvs/emulator/.ready: $(LOCKED) | $(UV)
	UV_PROJECT_ENVIRONMENT=.venvs/emulator $(UV) sync -q --frozen --compile-bytecode --only-group emulator
	@touch $@

.venvs/review/.ready: $(LOCKED) | $(UV)
	UV_PROJECT_ENVIRONMENT=.venvs/review $(UV) sync -q --frozen --only-group review
	@touch $@

.venvs/sam/.ready: $(LOCKED) | $(UV)
	UV_PROJECT_ENVIRONMENT=.venvs/sam $(UV) sync -q --frozen --compile-bytecode --only-group sam
	@touch $@
