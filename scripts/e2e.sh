#!/usr/bin/env bash
# The end-to-end suites, against the stack that the environment names: `service`, `operations`, `alone`, or all of them
# (see `make e2e`).
set -eu
# What only debug builds may read: the caller of `cargo lambda watch`, and a log without its filter.
if grep -lq -e LOCAL_CALLER -e LOG_LIBRARIES "$STACK_FOLDER"/sam-build/*/bootstrap; then
  echo "error: a release binary reads LOCAL_CALLER or LOG_LIBRARIES" >&2
  exit 1
fi
suite() { cargo test --locked --package e2e --test "$1" -- --test-threads "$2" "${@:3}"; }
service() {
  suite suites "${E2E_THREADS:-4}" --skip alone::
  suite suites 1 alone::
  # What the document says is what the stack does.
  scripts/schemathesis/run.sh
  suite outages "${E2E_THREADS:-4}" --skip alone::
  .venv/bin/python tests/local/run.py test_logs
}
# They bound times: nothing else should run on the machine.
alone() {
  suite outages 1 alone::
  .venv/bin/python tests/local/run.py test_logs.Logs
}
operations() {
  .venv/bin/python scripts/least_privilege.py
  .venv/bin/python tests/local/run.py
}
case "${1:-all}" in
  service | operations | alone) "$1" ;;
  # The last tests of the operations take the stack down.
  all) service; alone; operations ;;
  *) echo "error: $0 [service | operations | alone]" >&2 && exit 2 ;;
esac
