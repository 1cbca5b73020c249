# One command per intent, the same here and in CI. `make` alone lists them.
VENV := .venv
BIN := $(VENV)/bin
PINS := pyproject.toml requirements/constraints.txt scripts/setup

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-long check bench clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/base.stamp ## a two-speaker session over WebRTC at real-time pace, its draft note, timings; KEEP=1 leaves the server on
	@$(BIN)/python -m benchmarks.demo

serve: $(VENV)/base.stamp ## the server, on 127.0.0.1:8710
	@$(BIN)/sameday serve

test: $(VENV)/dev.stamp ## all tests but whole benchmarks and what needs a GPU; two processes, a file at a time each
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not gpu and not long"

test-long: $(VENV)/dev.stamp ## benchmarks as a user runs them: two minutes more
	@$(BIN)/python -m pytest -m "long"

check: $(VENV)/dev.stamp ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/unit/test_import_rules.py

bench: $(VENV)/dev.stamp ## the figures of the README, measured on this machine
	@$(BIN)/python -m benchmarks.figures

clean: ## removes what the targets above made
	rm -rf $(VENV) out build .mypy_cache .ruff_cache .pytest_cache .hypothesis sameday.egg-info

$(VENV)/base.stamp: $(PINS)
	@scripts/setup base

$(VENV)/dev.stamp: $(PINS)
	@scripts/setup dev
