# One command per intent, the same locally and in CI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo serve test check bench clean

$(VENV)/base.stamp: pyproject.toml
	@scripts/setup base

$(VENV)/dev.stamp: pyproject.toml
	@scripts/setup dev

demo: $(VENV)/base.stamp
	@$(BIN)/python -m benchmarks.demo

serve: $(VENV)/base.stamp
	@$(BIN)/sameday serve

test: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -m "not gpu"

check: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/python -m pytest -q tests/unit/test_import_rules.py

bench: $(VENV)/dev.stamp
	@$(BIN)/python -m benchmarks.figures

clean:
	rm -rf $(VENV) out
