# make demo   the whole ring on embedded data, offline, about four minutes after the installation
# make real   Alpaca 52k and SmolLM2-135M: ALPACA=/path/to/alpaca_data.json (default: ../shared/data where it is there);
#             QUICK=1 leaves out the refusal experiment
# make test   everything that CI runs; make fast: its part under ten minutes
# make peers  what the tests leave out where it is not installed: exports through the loaders of other trainers, gs:// and az://
# make bench  kernels beside their peers, one thread and all cores: rewrites docs/benchmarks.md (DATA=FOLDER of the public
#             data; BENCH="rouge packing" renews these tables alone; REPEAT=1 runs each side once, not three times)
#
# Each sets up all it needs: a virtual environment in .venv with the extension built into it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Pinned: the tests compare numbers that a torch release may change in the last digit.
TORCH := torch==2.13.0
OUT ?= out
SOURCES := $(shell find rust python -name '*.rs' -o -name '*.pyi' -o -name 'pyproject.toml') Cargo.toml Cargo.lock pyproject.toml

.PHONY: demo real test fast peers rust lint types docs bench clean

demo: $(VENV)/.demo
	$(BIN)/tunesmith demo -o $(OUT)/demo

real: $(VENV)/.demo
	bash tools/real.sh $(if $(QUICK),--quick) $(BIN) $(OUT)/real $(ALPACA)

test: rust lint types fast
	$(BIN)/pytest -m slow
	$(BIN)/mkdocs build --quiet --strict

fast: $(VENV)/.dev
	$(BIN)/pytest -n 2 -m "not slow"
	$(BIN)/pytest --quiet --doctest-modules python/tunesmith

# LLaMA-Factory asks for another transformers than ours when it is imported, and reads files with either.
peers: $(VENV)-peers/.peers
	DISABLE_VERSION_CHECK=1 $(VENV)-peers/bin/python -m pytest tests/packing/test_export_loaders.py tests/rows/test_stores.py

rust:
	cargo fmt --check
	cargo clippy --quiet --all-targets --features python -- -D warnings
	cargo test --quiet

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/stubtest tunesmith.core._native --ignore-missing-stub --mypy-config-file pyproject.toml

docs: $(VENV)/.dev
	$(BIN)/mkdocs build --strict

bench: $(VENV)-bench/.bench
	$(VENV)-bench/bin/python benchmarks/write.py $(if $(DATA),--data $(DATA)) $(if $(REPEAT),--repeat $(REPEAT)) $(BENCH)

# What only some targets need stands apart, over what the development environment has: it changes nothing there.
define over
	$(BIN)/python -m venv $(1)
	$(BIN)/python -c 'import site; print("import site; site.addsitedir(%r)" % site.getsitepackages()[0])' > $$(echo $(1)/lib/python*/site-packages)/below.pth
endef

$(VENV)-peers/.peers: $(VENV)/.dev tests/stores.txt tests/trainers.txt
	$(call over,$(VENV)-peers)
	$(VENV)-peers/bin/pip install --quiet --requirement tests/stores.txt
	$(VENV)-peers/bin/pip install --quiet --no-deps --requirement tests/trainers.txt
	@touch $@

$(VENV)-bench/.bench: $(VENV)/.dev benchmarks/requirements.txt
	$(call over,$(VENV)-bench)
	$(VENV)-bench/bin/pip install --quiet --requirement benchmarks/requirements.txt
	@touch $@

$(VENV)/.venv:
	@command -v cargo >/dev/null || { echo "tunesmith is built from source here and needs Rust: https://rustup.rs"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tunesmith needs Python 3.11 or newer: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip 'maturin>=1.9.4,<2'
	@touch $@

# torch first and alone: one large download, shared by every target.
$(VENV)/.torch: $(VENV)/.venv
	$(BIN)/pip install --quiet $(TORCH)
	@touch $@

$(VENV)/.demo: $(VENV)/.torch $(SOURCES)
	$(BIN)/pip install --quiet --editable '.[train,evaluate,report]'
	@touch $@

$(VENV)/.dev: $(VENV)/.torch $(SOURCES)
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) $(VENV)-bench $(OUT) target site
