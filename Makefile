# `make run` shows the service at work, `make test` proves it. Both set up what they need.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/pycache

PYTHON := .venv/bin/python
STACK := $(PYTHON) scripts/stack.py
# The environment of the local stack, if there is one.
STACK_ENV := $${STACK_FOLDER:-.local}/stack.env
WITH_STACK := [ ! -f "$(STACK_ENV)" ] || source "$(STACK_ENV)";
# Operators' commands: an environment that leads to AWS comes before the local stack.
OPERATE := [ -n "$${AWS_PROFILE:-}$${AWS_ACCESS_KEY_ID:-}" ] || $(WITH_STACK)

.PHONY: help
help: ## Show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: venv tools ## Deploy the service into a local AWS emulator, place an order, show its events, leave it running
	@$(STACK) run

.PHONY: down
down: venv ## Stop what `make run` started; data stays
	@$(STACK) down

.PHONY: reset
reset: venv ## Stop it and delete its data, after asking
	@$(STACK) reset

.PHONY: test
test: venv tools ## Run every check and every test, side by side
	@$(PYTHON) scripts/tests.py

.PHONY: check
check: format clippy docs ## Format, clippy and docs, without a warning

.PHONY: format
format: tools
	cargo fmt --all --check

.PHONY: clippy
clippy: tools
	cargo clippy --locked --workspace --all-targets -- -D warnings

.PHONY: docs
docs: tools
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items

.PHONY: supply-chain
supply-chain: venv tools ## Check licenses, sources and banned crates (deny.toml), and look for dependencies that nothing uses
	cargo deny --locked check --hide-inclusion-graph bans licenses sources
	cargo shear --locked --deny-warnings

.PHONY: audit
audit: venv tools ## Look for advisories on dependencies in the RustSec database, which is fetched from GitHub
	cargo deny --locked check advisories

.PHONY: sbom
sbom: venv tools ## Write what the functions are made of to .local/sbom.cdx.json (CycloneDX 1.6)
	$(PYTHON) scripts/sbom.py .local/sbom.cdx.json

.PHONY: unit
unit: tools ## Unit, property and contract tests
	cargo test --locked --workspace --exclude e2e

.PHONY: typescript
typescript: clients/typescript/node_modules/.package-lock.json ## Compile and test the TypeScript client
	cd clients/typescript && npm test

.PHONY: site
site: tests/site/node_modules/.package-lock.json ## Check docs/openapi.yaml by redocly's rules, and open docs/site and examples/live in a headless browser
	cd tests/site && npm test

.PHONY: simulate
simulate: tools ## Run the simulation over SEEDS seeds (20000), or replay one with SEED=n
	SEEDS=$(or $(SEEDS),20000) cargo test --locked --package domain --test simulation no_storm -- --nocapture

.PHONY: measure-sweep
measure-sweep: tools ## Measure how many orders a second one sweep completes, with partners that answer in 50 ms
	cargo bench --locked --package adapters --bench sweep

.PHONY: measure-export
measure-export: tools ## Measure memory and pace of exports of ORDERS (100000) orders in both formats on the test engine, see docs/adr/0026-exports.md
	cargo run --locked --package adapters --example measure_export -- $(or $(ORDERS),100000) jsonl
	cargo run --locked --package adapters --example measure_export -- $(or $(ORDERS),100000) csv

# What `make bench` measures, and the program that does.
RELEASE := $(or $(CARGO_TARGET_DIR),target)/release
BENCH := $(or $(CARGO_TARGET_DIR),target)/tool/bench $(RELEASE)

.PHONY: bench-programs
bench-programs: tools
	cargo build --locked --release
	cargo build --locked --release --package baselines
	cargo build --locked --profile tool --package bench --package partners

.PHONY: bench
bench: bench-programs ## Measure release builds of all FUNCTIONS (or those named) beside baselines, CHECK=1 compares with docs/performance.json
	CHECK=$(CHECK) $(BENCH) $(FUNCTIONS)

.PHONY: bench-growth
bench-growth: bench-programs ## Measure routes beside 1,000 to 1,000,000 stored orders
	$(BENCH) growth

.PHONY: bench-load
bench-load: bench-programs ## Measure requests per core-second of 1 to 8 processes of a function in a closed loop
	$(BENCH) load

.PHONY: measure-line
measure-line: tools ## Measure what part of a request's processor time its log line takes
	cargo test --locked --release --package adapters --test line_cost -- --nocapture

.PHONY: fuzz
fuzz: venv tools ## Look for inputs that break a parser, for SECONDS=n (300); needs a C++ compiler
	$(PYTHON) scripts/fuzz.py $(or $(SECONDS),300) $(TARGETS)

.PHONY: lint-template
lint-template: venv ## Validate the templates, and what SAM makes of them, with cfn-lint and checkov
	@scripts/lint_template.sh

.PHONY: e2e
e2e: venv tools ## Test a freshly deployed stack on its own ports, then take it away
	cargo test --locked --package e2e --no-run
	@$(STACK) test scripts/e2e.sh

.PHONY: deploy
deploy: build deploy-built ## Build for AWS and deploy with samconfig.toml (CONFIG_ENV, CONFIRM=no), see docs/deploy.md

.PHONY: build
build: venv tools ## Build for AWS: .aws-sam/build
	sam build
	$(PYTHON) scripts/check_sizes.py

.PHONY: deploy-built
deploy-built: venv
	$(PYTHON) scripts/deploy.py

.PHONY: load
load: tools ## Send RATE (300) shoppers a second to URL with TOKEN, for SECONDS (600) (LOAD_CUSTOMER, LOAD_PRODUCT)
	@cargo run --quiet --locked --profile $(or $(PROFILE),tool) --package load

.PHONY: smoke
smoke: tools ## Place, read, cancel and delete an order at URL with TOKEN (SMOKE_CUSTOMER, SMOKE_PRODUCT)
	@cargo run --quiet --locked --package smoke

.PHONY: watch
watch: venv tools ## Serve the functions with `cargo lambda watch` against the running stack's table and partners
	@$(WITH_STACK) exec $(PYTHON) scripts/watch.py

.PHONY: consumer
consumer: venv tools ## Deploy examples/consumer beside the running stack, place an order, show what arrived
	@$(WITH_STACK) $(PYTHON) scripts/consumer.py

.PHONY: gameday
gameday: venv ## Break the running local stack in five ways, see what reveals each fault, and repair it
	@[ -f "$(STACK_ENV)" ] || { echo "error: no local stack runs; make run" >&2; exit 1; }
	@source "$(STACK_ENV)"; $(PYTHON) scripts/gameday.py $(CASES)

.PHONY: redrive
redrive: venv ## Send the events of dead letters again, see docs/operations.md
	@$(OPERATE) $(PYTHON) scripts/redrive.py

.PHONY: reconcile
reconcile: venv ## Compare histories with events, ARGS="--from TIME --to TIME --republish"
	@$(OPERATE) $(PYTHON) scripts/reconcile.py $(ARGS)

.PHONY: rebuild-reports
rebuild-reports: venv ## Count all orders of the reports anew, see docs/operations.md
	@$(OPERATE) $(PYTHON) scripts/rebuild_reports.py

.PHONY: bench-reconcile
bench-reconcile: tools ## Measure a comparison of ORDERS (1000000) orders on the test engine, see docs/adr/0012-reconciler.md
	cargo run --locked --package adapters --example bench_reconcile -- $(or $(ORDERS),1000000)

.PHONY: reference
reference: venv ## Serve the API reference at http://127.0.0.1:8000/site/ (DOCS_PORT)
	$(PYTHON) -m http.server --bind 127.0.0.1 --directory docs $(or $(DOCS_PORT),8000)

.PHONY: schemas
schemas: tools clients/typescript/node_modules/.package-lock.json ## Write docs/schemas, asyncapi.json, openapi.yaml and the TypeScript client's types anew from the types
	UPDATE_SCHEMAS=1 cargo test --locked --package adapters --test events_contract --test openapi
	cd clients/typescript && npm run generate

.PHONY: tools
tools:
	@command -v cargo > /dev/null || { echo "error: cargo is missing; install Rust with rustup" >&2; exit 1; }
	@command -v cc > /dev/null || { echo "error: a C compiler is missing" >&2; exit 1; }

.PHONY: venv
venv:
	@scripts/venv.sh

# What a package-lock.json names, installed anew when it changes.
%/node_modules/.package-lock.json: %/package-lock.json | venv
	cd $* && npm ci
