#!/usr/bin/env bash
# The end-to-end suites, against the stack that the environment names: one of those below, or all of them
# (see `make e2e`).
set -eu
# What only debug builds may read: the caller of `cargo lambda watch`, and a log without its filter.
if grep -lq -e LOCAL_CALLER -e LOG_LIBRARIES "$STACK_FOLDER"/sam-build/*/bootstrap; then
  echo "error: a release binary reads LOCAL_CALLER or LOG_LIBRARIES" >&2
  exit 1
fi
suite() { cargo test --locked --package e2e --test "$1" -- --test-threads "$2" "${@:3}"; }
service() {
  suite suites "${E2E_THREADS:-4}" --skip alone:: --skip timed::
  suite suites 1 alone::
  # What the document says is what the stack does.
  scripts/schemathesis/run.sh
  suite outages "${E2E_THREADS:-4}" --skip alone:: --skip timed::
  .venv/bin/python tests/local/run.py test_logs
}
# Circuits of all storefronts open: no other suite should run on the stack.
circuits() {
  suite outages 1 alone::
  .venv/bin/python tests/local/run.py test_logs.Logs
}
# Times are bounded: nothing else should run on the machine.
timed() {
  suite suites 1 timed::
  suite outages 1 timed::
  .venv/bin/python tests/local/run.py test_logs.Logs
}
operations() {
  .venv/bin/python scripts/least_privilege.py
  .venv/bin/python tests/local/run.py
}
case "${1:-all}" in
  service | operations | circuits | timed) "$1" ;;
  # The last tests of the operations take the stack down.
  all) service; circuits; timed; operations ;;
  *) echo "error: $0 [service | operations | circuits | timed]" >&2 && exit 2 ;;
esac
