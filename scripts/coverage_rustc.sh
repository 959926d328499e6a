#!/usr/bin/env bash
# rustc for the crates of this workspace: optimized, with what libFuzzer learns from and with every check of a debug build
# (see scripts/fuzz.py).
exec "$@" -Copt-level=2 -Cdebug-assertions=on -Coverflow-checks=on \
  -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
