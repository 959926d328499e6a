#!/usr/bin/env bash
# The end-to-end suites, against the stack that the environment names (see `make e2e`).
set -eu
# The caller of `cargo lambda watch` exists in debug builds only.
if grep -lq LOCAL_CALLER "$STACK_FOLDER"/sam-build/*/bootstrap; then
  echo "error: a release binary reads LOCAL_CALLER" >&2
  exit 1
fi
suite() { cargo test --locked --package e2e --test "$1" -- --test-threads "$2" "${@:3}"; }
suite suites "${E2E_THREADS:-4}"
suite outages "${E2E_THREADS:-4}" beside::
suite outages 1 alone::
.venv/bin/python scripts/least_privilege.py
# The last of these take the stack down.
exec .venv/bin/python tests/local/run.py
