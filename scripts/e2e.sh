#!/usr/bin/env bash
# The end-to-end suite, against the stack that the environment names (see `make e2e`).
set -eu
cargo test --locked --package e2e -- --test-threads "${E2E_THREADS:-4}"
exec .venv/bin/python scripts/least_privilege.py
