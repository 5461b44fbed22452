# LipSol's verbs; `make help` lists them. Everything lives in .venv and build: nothing global is touched, but that
# `make test`, run as root, installs Debian's Chromium where there is none.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
DATA ?= ../shared/data/grid
UV_VERSION := 0.13.8

BIN := .venv/bin
UV := build/tools/uv-$(UV_VERSION)/bin/uv
UV_PIP = $(UV) pip $(1) --quiet --python $(BIN)/python
PINNED := --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-strip-extras --custom-compile-command "make lock"
LOCK := $(UV) pip compile pyproject.toml $(PINNED)
# What `make bench` measures against, in an environment of its own. Newer ones carry no face models in the wheel.
MEDIAPIPE := mediapipe==0.10.21

# An environment outside this one, or a Python of uv's own, would hide what a newcomer meets.
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.PHONY: help demo run kafka s3 up test check lint format types floors proto bench bench-gpu bento scenarios soak train lock hooks browser clean

help:  ## list these verbs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: .venv/serve.stamp  ## read the samples and print each with its truth and confidence
	@$(BIN)/lipsol read samples/*.mp4 --truth samples/truth.csv

run: .venv/serve.stamp  ## serve the page at http://127.0.0.1:8080
	@$(BIN)/lipsol serve

kafka: .venv/serve.stamp  ## run a real Kafka on this machine, at 127.0.0.1:9092 (needs Java 17 and Maven)
	@$(BIN)/python -m services.local kafka

s3: .venv/dev.stamp  ## run a real S3 API on this machine, at 127.0.0.1:9000, all in memory
	@$(BIN)/python -m services.local.s3

up: .venv/serve.stamp  ## run Kafka and the three services as processes, the page at http://127.0.0.1:8080
	@$(BIN)/python -m services.local up

test: .venv/dev.stamp browser  ## run every test
	@$(BIN)/python -m pytest $(ARGS)

check: lint types floors test  ## all that a merge needs: lint, types, floors and tests

lint: .venv/dev.stamp  ## look at style and format, change nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: .venv/dev.stamp  ## put style and format right
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: .venv/dev.stamp  ## check the types, strictly
	@$(BIN)/mypy

floors: .venv/dev.stamp  ## check who imports whom
	@$(BIN)/lint-imports

proto: .venv/dev.stamp  ## make the Python modules of the schema anew (lipsol/proto)
	@$(BIN)/python -m lipsol.proto.generate

bench: .venv/dev.stamp  ## measure speed on this machine, into build/bench.json (ARGS="stages over_kafka": only those)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

bench-gpu:  ## measure the network on this machine's NVIDIA GPU, into the same file (in an environment of its own)
	@nvidia-smi --list-gpus 2>/dev/null | grep -q . || \
		{ echo "no NVIDIA GPU answers here (nvidia-smi lists none), so nothing is measured" >&2; exit 1; }
	@$(MAKE) build/bench/gpu/ready.stamp
	@build/bench/gpu/bin/python -m tests.benchmarks gpu

bento: .venv/dev.stamp  ## package the reading service as a bento, kept in build/bentoml
	@PATH="$(CURDIR)/$(dir $(UV)):$$PATH" BENTOML_HOME=$(CURDIR)/build/bentoml BENTOML_DO_NOT_TRACK=true \
		$(BIN)/bentoml build

scenarios: .venv/dev.stamp  ## kill what can be killed over a real Kafka, and see that nothing is lost (BUS=memory: without)
	@SOAK_SECONDS="$(or $(SECONDS),120)" $(BIN)/python -m tests.scenarios $(ARGS)

soak: .venv/dev.stamp  ## run at 80 % of capacity for ten minutes (SECONDS), then at 200 %, and watch memory
	@SOAK_SECONDS="$(or $(SECONDS),600)" $(BIN)/python -m tests.scenarios soak

train: .venv/train.stamp  ## train both models from DATA and write them to models/ (30 minutes)
	@$(BIN)/lipsol train --data $(DATA) --out models

lock: $(UV)  ## pin the newest versions that fit together
	@rm -f requirements/*.txt
	@$(LOCK) --extra dev -o requirements/dev.txt
	@$(LOCK) --extra serve --extra train -c requirements/dev.txt -o requirements/train.txt
	@$(LOCK) --extra serve -c requirements/dev.txt -o requirements/serve.txt
	@$(LOCK) --extra bento -c requirements/dev.txt -o requirements/bento.txt
	@$(LOCK) --extra serve -c requirements/serve.txt -o requirements/gpu.txt \
		--excludes <(echo onnxruntime) - <<<$$'onnxruntime-gpu[cuda,cudnn]>=1.24\nonnx>=1.20'
	@echo "$(MEDIAPIPE)" | $(UV) pip compile - $(PINNED) -o requirements/mediapipe.txt

hooks: .venv/dev.stamp  ## let git run lint, types and floors before every commit
	@$(BIN)/pre-commit install

browser:  ## install Chromium for the page's tests, where it is missing
	@if command -v chromium chromium-browser google-chrome >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing Debian's Chromium for the page's tests"; \
		apt-get update -qq; \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
			chromium fonts-liberation fonts-noto-core </dev/null >/dev/null; \
	else \
		echo "no Chromium here: the page's tests will be skipped; install it (Debian: apt-get install chromium)" >&2; \
	fi

clean:  ## remove the environment and everything built
	@rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# uv itself, in an environment of its own.
$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv build/tools/uv-$(UV_VERSION)
	@build/tools/uv-$(UV_VERSION)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(BIN)/python: | $(UV)
	@$(UV) venv --quiet --clear --python $(PYTHON) --prompt lipsol .venv

# Serving adds to what is there, so that it takes nothing away from a developer; development is exactly its list.
.venv/serve.stamp .venv/train.stamp: .venv/%.stamp: requirements/%.txt pyproject.toml | $(BIN)/python
	@$(call UV_PIP,install) -r $<
	@$(call UV_PIP,install) --no-deps --editable .
	@touch $@

# What measures on a GPU: onnxruntime-gpu may not stand beside the other environment's onnxruntime.
build/bench/gpu/ready.stamp: requirements/gpu.txt requirements/dev.txt | $(UV)
	@$(UV) venv --quiet --clear --python $(PYTHON) --prompt lipsol-gpu build/bench/gpu
	@$(UV) pip install --quiet --python build/bench/gpu/bin/python --no-deps --require-hashes -r $<
	@$(UV) pip install --quiet --python build/bench/gpu/bin/python -c requirements/dev.txt pytest httpx
	@touch $@

.venv/dev.stamp: requirements/dev.txt pyproject.toml | $(BIN)/python
	@$(call UV_PIP,sync) $<
	@$(call UV_PIP,install) --no-deps --editable .
	@touch $@
