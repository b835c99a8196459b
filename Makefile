# Needs Python 3.11 or newer with pip; a C++ compiler for the native kernels. Everything goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
DATA := $(or $(SALTICID_DATA),../shared/data)
SOURCES := pyproject.toml constraints.txt native/CMakeLists.txt $(wildcard native/*.cpp native/*.h)

.PHONY: demo test bench lint clean

demo: .venv/demo                 ## depth, labels, motion and detail with their true error: demo/report.html
	$(BIN)/salticid demo --overwrite $(if $(wildcard $(DATA)/stereo $(DATA)/segmentation/camvid $(DATA)/upscale/Set5),--data $(DATA))

test: lint                       ## every check that CI runs
	$(BIN)/pytest

lint: .venv/dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

bench: .venv/dev                 ## every figure of the README, on this machine: bench/results/
	$(BIN)/python bench/run.py

clean:
	rm -rf .venv build demo

# Installed from this folder without a copy: a change to Python code is live, a change to native/ installs again.
# Motion is shown on simulated keypoints: of its extra that needs scipy, and no engine for networks that find bodies.
.venv/demo: $(SOURCES) | .venv/bin/python
	$(BIN)/pip install -q -c constraints.txt -e '.[video]' scipy
	touch $@

.venv/dev: $(SOURCES) | .venv/bin/python
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	touch $@ .venv/demo

.venv/bin/python:
	$(PYTHON) -m venv .venv
