# make demo   the whole ring on embedded data, offline, about four minutes after the installation
# make real   Alpaca 52k and SmolLM2-135M: ALPACA=/path/to/alpaca_data.json (default: ../shared/data where it is there);
#             QUICK=1 leaves out the refusal experiment
# make test   everything that CI runs; make fast: its part under ten minutes
# make bench  kernels beside their peers, one thread and all cores: rewrites docs/benchmarks.md (DATA=FOLDER of the public
#             data; BENCH="rouge packing" renews these tables alone)
#
# Each sets up all it needs: a virtual environment in .venv with the extension built into it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Pinned: the tests compare numbers that a torch release may change in the last digit.
TORCH := torch==2.13.0
OUT ?= out
SOURCES := $(shell find rust python -name '*.rs' -o -name '*.pyi' -o -name 'pyproject.toml') Cargo.toml Cargo.lock pyproject.toml

.PHONY: demo real test fast rust lint types docs bench clean

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
	$(VENV)-bench/bin/python benchmarks/write.py $(if $(DATA),--data $(DATA)) $(BENCH)

# The peers stand apart, over what the development environment has: they change nothing there.
$(VENV)-bench/.bench: $(VENV)/.dev benchmarks/requirements.txt
	$(BIN)/python -m venv $(VENV)-bench
	$(BIN)/python -c 'import site; print("import site; site.addsitedir(%r)" % site.getsitepackages()[0])' > $$(echo $(VENV)-bench/lib/python*/site-packages)/below.pth
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
