# make demo    the main job on real input, narrated
# make test    installs what the tests need, and runs everything
# make check   the quick loop: format, lints, unit tests
# make bench   ratios against the real peers, measured in one run
# make dist    the static binaries for two machines, in dist/

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

HOST := x86_64-unknown-linux-musl
CROSS := aarch64-unknown-linux-musl
BINARIES := outro outro-init

.PHONY: all build check test demo bench dist deny setup targets release clean

all: build

build:
	cargo build --workspace

setup:
	tests/setup

targets:
	@for target in $(HOST) $(CROSS); do \
	    rustup target list --installed | grep -qx $$target || rustup target add $$target; \
	done

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo test --workspace --exclude outro-test --exclude outro-sim --quiet

# Licences, duplicates, sources, advisories (these need the network) of all that is depended on.
deny:
	command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny check

test: setup targets
	tests/run

demo:
	tests/setup demo
	cargo build --quiet -p outro
	demo/run

release: targets
	cargo build --release --target $(HOST) -p outro -p outro-init

bench: release
	tests/setup
	bench/run

dist: targets release
	cargo build --release --target $(CROSS) -p outro -p outro-init
	rm -rf dist && mkdir dist
	for binary in $(BINARIES); do \
	    cp target/$(HOST)/release/$$binary dist/$$binary-x86_64; \
	    cp target/$(CROSS)/release/$$binary dist/$$binary-aarch64; \
	done
	cd dist && sha256sum $(BINARIES:=-x86_64) $(BINARIES:=-aarch64) > SHA256SUMS
	@cd dist && wc -c $(BINARIES:=-x86_64) $(BINARIES:=-aarch64) && cat SHA256SUMS

clean:
	cargo clean
	rm -rf dist tests/.cache
