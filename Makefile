# The README's commands. `make demo` needs the small core only; `make test` installs the workshop too.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test check clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/core: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/workshop: $(VENV)/core
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,dev]'
	touch $@

demo: $(VENV)/core  ## cut the person out of the bundled photo
	$(BIN)/standout demo

check: $(VENV)/workshop  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: $(VENV)/workshop  ## every test, the slow ones too
	$(BIN)/python -m pytest

clean:
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache
