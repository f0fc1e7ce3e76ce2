# `make help` lists what there is. `make demo` needs the small core only; most of the rest installs the workshop, too.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo check fix test test-fast coverage build train-photo train-live scores clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/:.*  ## /\t/' | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/core: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/workshop: $(VENV)/core
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[video,train,docs,dev]'
	touch $@

demo: $(VENV)/core  ## cut the person out of the bundled photo
	$(BIN)/standout demo

check: $(VENV)/workshop  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: $(VENV)/workshop  ## let ruff mend and format what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: $(VENV)/workshop  ## every test, the slow ones too
	$(BIN)/python -m pytest

test-fast: $(VENV)/workshop  ## the tests that take seconds and need no TensorFlow
	$(BIN)/python -m pytest -m "not slow" --quiet

coverage: $(VENV)/workshop  ## every test, and which lines and branches none of them reaches
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

build: $(VENV)/workshop  ## wheel and source archive into dist/, checked as PyPI would
	@if command -v npm > /dev/null; then $(MAKE) web; else echo "No Node here: the wheel will hold no browser page."; fi
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*

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

# ---- the documentation
.PHONY: site serve notebooks

site: $(VENV)/workshop  ## build the documentation into site/, warnings as errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

serve: $(VENV)/workshop  ## show the documentation at http://127.0.0.1:8000, and anew after each change
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve

notebooks: $(VENV)/workshop  ## run the notebooks and keep what they show
	cd notebooks && PATH="$(CURDIR)/$(BIN):$$PATH" jupyter nbconvert --to notebook --execute --inplace --coalesce-streams *.ipynb

# ---- the bundled model. DATA holds train/, val/ and unlabelled/; see recipes/photo.toml for hours and expected scores.
DATA    ?= ../shared/data
WEIGHTS ?= ../shared/weights
SELFIE  ?= selfie_segmentation.tflite
EXPORT  := --size 544 --two-scales --int8 $(DATA)/train --card recipes/data-card.toml --card recipes/photo-card.toml
EXPORT_LIVE := --size 384 --int8 $(DATA)/train --card recipes/data-card.toml --card recipes/live-card.toml

runs/judged: $(VENV)/workshop
	$(BIN)/python recipes/judge.py $(DATA)/unlabelled $@ --with $(DATA)/train \
	  --deeplab $(WEIGHTS)/deeplabv3_mnv2_pascal_quant.tflite --selfie $(SELFIE)

train-photo: runs/judged  ## label with judges, train, export into the package
	$(BIN)/standout train runs/judged --config recipes/photo-256.toml --run runs/photo-256 model.weights=$(WEIGHTS)/mobilenet_v2_people.npz
	$(BIN)/standout train runs/judged --config recipes/photo.toml --run runs/photo-384 model.weights=runs/photo-256/best.weights.h5
	$(BIN)/standout train runs/judged --config recipes/photo-448.toml --run runs/photo-448 model.weights=runs/photo-384/best.weights.h5
	$(BIN)/python recipes/average.py runs/photo-384 runs/photo-448 runs/photo-mean
	$(BIN)/standout train runs/judged --config recipes/photo-long.toml --run runs/photo-long model.weights=runs/photo-mean/best.weights.h5
	$(BIN)/python recipes/average.py runs/photo-mean runs/photo-long runs/photo-mean-2
	$(BIN)/standout train runs/judged --config recipes/photo-small.toml --run runs/photo-small model.weights=runs/photo-mean-2/best.weights.h5
	$(BIN)/python recipes/average.py runs/photo-mean-2 runs/photo-small runs/photo-mean-3 --share 0.33 --last
	$(BIN)/standout train runs/judged --config recipes/photo-taught.toml --run runs/photo-taught model.weights=runs/photo-mean-3/best.weights.h5
	$(BIN)/python recipes/average.py runs/photo-mean-3 runs/photo-taught runs/photo --share 0.33 --last
	$(BIN)/standout export runs/photo -o runs/photo.onnx $(EXPORT)
	$(BIN)/standout evaluate $(DATA)/val --model runs/photo.onnx --json runs/photo-scores.json
	$(BIN)/standout export runs/photo -o src/standout/assets/photo.onnx $(EXPORT) --scores runs/photo-scores.json
	cp runs/photo/best.weights.h5 weights/photo.weights.h5

train-live: runs/judged  ## teach the live model what runs/photo knows, export into the package
	$(BIN)/standout train runs/judged --config recipes/live.toml --run runs/live-256
	$(BIN)/standout train runs/judged --config recipes/live-320.toml --run runs/live model.weights=runs/live-256/best.weights.h5
	$(BIN)/standout export runs/live -o runs/live.onnx $(EXPORT_LIVE)
	$(BIN)/standout evaluate $(DATA)/val --model runs/live.onnx --json runs/live-scores.json
	$(BIN)/standout export runs/live -o src/standout/assets/live.onnx $(EXPORT_LIVE) --scores runs/live-scores.json
	cp runs/live/best.weights.h5 weights/live.weights.h5

scores: $(VENV)/workshop  ## measure the bundled model and rewrite README's table
	$(BIN)/python recipes/scores.py $(DATA)/val

clean:  ## remove the environment and everything that was built
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
