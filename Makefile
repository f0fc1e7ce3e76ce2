# `make help` lists what there is. `make demo` needs the small core only; most of the rest installs the workshop, too.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo check fix test test-fast coverage build clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/:.*  ## /\t/' | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/core: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/workshop: $(VENV)/core
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[video,train,cluster,label,docs,dev]'
	touch $@

demo: $(VENV)/core  ## cut the person out of the bundled photo
	$(BIN)/standout demo

check: $(VENV)/workshop  ## ruff, mypy and typos (en-US)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/typos

fix: $(VENV)/workshop  ## let ruff and typos mend and format what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/typos --write-changes

# Two processes: most of a slow test is one thread of Python. The browser's tests need both cores, so they come by themselves.
test: $(VENV)/workshop  ## every test, the slow ones too
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore tests/web
	$(BIN)/python -m pytest tests/web

test-fast: $(VENV)/workshop  ## the tests that take seconds and need no TensorFlow
	$(BIN)/python -m pytest -m "not slow" --quiet --numprocesses 2 --dist loadfile --ignore tests/web

coverage: $(VENV)/workshop  ## every test, and which lines and branches none of them reaches
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

build: $(VENV)/workshop  ## wheel and source archive into dist/, checked as PyPI would
	@command -v npm > /dev/null || { echo "A wheel holds the browser page, which Node builds; install Node (npm)."; exit 1; }
	$(MAKE) web
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python tools/wheel_contents.py dist/*.whl

# ---- the browser page and library (web/): Node from the system, no TensorFlow
.PHONY: web web-models web-library
PAGE := src/standout/server/page

web: $(PAGE)/index.html  ## build the browser page into the package

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund

$(PAGE)/index.html: web/node_modules/.package-lock.json $(wildcard web/*.ts web/models/* web/src/*.ts web/src/*/*.ts web/page/* web/page/public/*)
	cd web && npm run --silent check && npm run --silent build
	touch $@

web-library: web/node_modules/.package-lock.json  ## build the library standout-web into web/dist
	cd web && npm run --silent build:library

web-models: $(VENV)/workshop  ## make the browser's models and test vectors anew from the bundled models
	$(BIN)/standout export photo --web --output web/models/photo.onnx
	$(BIN)/standout export live --web --output web/models/live.onnx
	$(BIN)/python tools/web_vectors.py web/vectors

test-cluster: $(VENV)/workshop  ## the tests on a real Ray cluster of several nodes in this machine (minutes)
	STANDOUT_RAY_TESTS=1 $(BIN)/python -m pytest tests/cluster/test_ray.py

# ---- the documentation
.PHONY: site serve notebooks

site: $(VENV)/workshop  ## build the documentation into site/, warnings as errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

serve: $(VENV)/workshop  ## show the documentation at http://127.0.0.1:8000, and anew after each change
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve

notebooks: $(VENV)/workshop  ## run the notebooks and keep what they show
	cd notebooks && PATH="$(CURDIR)/$(BIN):$$PATH" jupyter nbconvert --to notebook --execute --inplace --coalesce-streams *.ipynb

# ---- the bundled models. DATA holds train/ and val/; LABELED what `standout label` made, with links to the sets of train/;
# see recipes/bundled.py for hours and expected scores.
DATA     ?= ../shared/data
LABELED ?= runs/labeled
.PHONY: train-bundled scores

train-bundled: $(VENV)/workshop  ## train both bundled models, export them into the package
	$(BIN)/python recipes/bundled.py $(LABELED) runs/bundled --val $(DATA)/val
	cp runs/bundled/photo.onnx runs/bundled/live.onnx src/standout/assets/
	cp runs/bundled/final-photo/best.weights.h5 weights/photo.weights.h5
	cp runs/bundled/final-live/half.weights.h5 weights/live.weights.h5

scores: $(VENV)/workshop  ## measure the bundled model and rewrite the table of docs/benchmark.md
	$(BIN)/python recipes/scores.py $(DATA)/val

clean:  ## remove the environment and everything that was built
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
