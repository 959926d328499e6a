"""Runs the targets of tests/fuzz under libFuzzer, each for its share of the time.

    fuzz.py SECONDS [TARGET...]

What it learns stays in .local/fuzz/<target>. An input that breaks a target is put into tests/fuzz/corpus/<target>, where
`make test` replays it: give it a name that says what it is, and commit it with the fix.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests/fuzz/corpus"
LEARNED = ROOT / ".local/fuzz"

# Larger inputs say nothing new and take longer.
MAX_BYTES = {"cursor": 128, "entity_tags": 512, "idempotency_key": 512, "query": 1024}


def main(seconds, *names):
    names = names or sorted(folder.name for folder in CORPUS.iterdir())
    program = build()
    executions = {name: run(program, name, max(1, int(seconds) // len(names))) for name in names}
    for name, count in executions.items():
        print(f"{name:16} {count if count is not None else 'BROKEN':>12}")
    if None in executions.values():
        sys.exit("error: a target broke; its input is in tests/fuzz/corpus")


def build():
    """The targets, optimized and with every check of a debug build (the profile `fuzz`), with coverage of this workspace's
    crates, which stable Rust can do."""
    env = {**os.environ, "RUSTC_WORKSPACE_WRAPPER": str(ROOT / "scripts/coverage_rustc.sh")}
    command = ["cargo", "build", "--locked", "--profile", "fuzz", "--package", "fuzz", "--features", "libfuzzer"]
    subprocess.run(command, cwd=ROOT, env=env, check=True)
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "fuzz/fuzz"


def run(program, name, seconds):
    """The number of inputs tried, or None when one broke the target."""
    learned = LEARNED / name
    learned.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_BYTES.get(name, 4096)}", "-print_final_stats=1", "-timeout=10"]
    command = [program, *options, f"-artifact_prefix={CORPUS / name}/", learned, CORPUS / name]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "FUZZ_TARGET": name}, capture_output=True, text=True, errors="replace")
    (LEARNED / f"{name}.log").write_text(done.stderr)
    executed = re.search(r"number_of_executed_units: +(\d+)", done.stderr)
    return int(executed[1]) if done.returncode == 0 and executed else None


if __name__ == "__main__":
    if len(sys.argv) < 2 or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    main(*sys.argv[1:])
