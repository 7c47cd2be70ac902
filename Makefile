# The doors of this repository. What each needs, it installs, or says what to install and fails.
SHELL := /bin/bash
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help run test test-clients demo-real bench setup-clients fmt clean-caches

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

run: ## Build, then serve examples/config.yaml on 127.0.0.1:4000 with SQLite in tollgate-data/
	@tools/need build-essential cc --version
	cargo build --locked --profile quick -p tollgate
	exec $(TARGET)/quick/tollgate serve --config examples/config.yaml --data-dir tollgate-data

test: ## Format, lints, and every test on SQLite and Postgres, with the SDKs of others as clients
	@tools/test

test-clients: ## The heavier suites: coding agents and a real model, through the gateway
	@tools/test-clients

demo-real: ## Let Gemma 270M on llama.cpp answer one call through the gateway
	@tools/demo-real

bench: ## Measure what the gateway adds to a call
	@bench/run

setup-clients: ## Install the Python and Node programs that the tests run
	@tools/setup-clients

fmt: ## Format the Rust code
	cargo fmt --all

clean-caches: ## Remove what the tools installed inside the repository
	rm -rf .cache .venv tests/clients/node_modules
