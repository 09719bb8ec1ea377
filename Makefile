# make demo: build and run the demonstration      make test: every check      make help: the rest
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
RESPIKE := target/release/respike
NOTEBOOK_VENV := notebooks/.venv

PEERS_VENV := target/peers

.PHONY: help system test-tools build demo digits test lint unit docs fuzz bench bench-peers notebooks clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

system: ## Install what is missing of Debian's packages (libhdf5-dev, pkg-config)
	@tools/install-system-packages libhdf5-dev pkg-config

# What tests count instructions, kill and starve the program, and look at reports with.
test-tools:
	@tools/install-system-packages valgrind strace chromium

build: system ## Build the program
	cargo build --release --locked

demo: build ## Learn a speaker, a class and five classes, with and without replay: 2 to 3 minutes
	$(RESPIKE) demo --force --out runs/demo

digits: build ## Fetch the recordings and encode the digits in data/ again, byte for byte
	$(RESPIKE) data fetch fsdd --to data
	$(RESPIKE) data encode data/fsdd/recordings --channels 70 --test-takes 0-4 --force \
	  --class-names zero,one,two,three,four,five,six,seven,eight,nine \
	  --out data/fsdd70_train.h5 --test-out data/fsdd70_test.h5

test: lint unit docs ## Format, lints, documentation and every test

lint: system
	@cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
	@cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked -p respike --lib --test own_parts --test two_grids -- -D warnings
	cargo clippy --locked -p respike --no-default-features --lib --test golden --test protocols -- -D warnings
	cargo clippy --locked -p respike --no-default-features --features hdf5 --lib -- -D warnings
	cargo clippy --locked -p respike --no-default-features --features encode --lib --test inner_ear --test audio --test audio_formats -- -D warnings
	cargo clippy --locked -p respike --no-default-features --features fetch --lib -- -D warnings
	cargo clippy --locked -p respike --no-default-features --features plots --lib -- -D warnings
	tools/check-dependencies

unit: system test-tools
	cargo test --locked
	CARGO_PROFILE_DEV_OPT_LEVEL=1 cargo test --locked -p respike --no-default-features --test golden --test protocols

docs: system
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps

fuzz: system ## Read a million damaged files of every kind, and write docs/records/fuzz.md
	tools/fuzz docs/records/fuzz.md

bench: system ## Time training, inference, continual learning, codecs, reading and the inner ear
	cargo bench --locked --benches

bench-peers: build ## Time respike beside PyTorch, JAX and h5py; DATA=FILE.h5, 700 channels
	@test -n "$(DATA)" || { echo "give an SHD-layout file of 700 channels: make bench-peers DATA=FILE.h5 (see benches/peers/README.md)"; exit 2; }
	@tools/install-system-packages python3-venv
	mkdir -p runs
	test -x $(PEERS_VENV)/bin/python || $(PYTHON) -m venv $(PEERS_VENV)
	$(PEERS_VENV)/bin/pip install --quiet --requirement benches/peers/requirements.txt
	$(PEERS_VENV)/bin/python benches/peers/compare.py --data $(DATA) --out runs/peers.md

notebooks: demo ## Run notebooks/first_run.ipynb top to bottom, into runs/notebooks/
	@tools/install-system-packages python3-venv
	test -x $(NOTEBOOK_VENV)/bin/jupyter || { $(PYTHON) -m venv $(NOTEBOOK_VENV) && \
	  $(NOTEBOOK_VENV)/bin/pip install --quiet --requirement notebooks/requirements.txt; }
	mkdir -p runs/notebooks
	RESPIKE_RUNS=$(CURDIR)/runs/demo $(NOTEBOOK_VENV)/bin/jupyter nbconvert --to notebook --execute --ExecutePreprocessor.record_timing=False \
	  --output-dir runs/notebooks notebooks/first_run.ipynb

clean: ## Remove what was built and run
	cargo clean
	rm -rf runs $(NOTEBOOK_VENV)
