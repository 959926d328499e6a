"""Runs every check and every test: `make test`.

What must be built is built first. Then three of these go side by side, each output shown whole when it is over:

    service      the suites, schemathesis and the outages of one tenant, on a stack of their own
    operations   least privilege, and the scripts and documents, on another stack
    units        dependencies, unit tests, the TypeScript client, the pages, and the templates; after it
    circuits     what opens the circuits of all tenants, or compares all orders with all events, on a third stack

Last goes what a busy machine would fail, with nothing beside it:

    timed        what bounds times, on a stack of its own
"""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from processes import STOPS, StackError, say, uninterrupted
from sam import ROOT

OUTPUT = ROOT / ".local/tests"

# What cargo, the tests of Rust and Python, and Node say of a failure.
FAILURE = re.compile(r"(error(\[E\d+\])?: |FAIL: |ERROR: |not ok |test .* FAILED$)", re.IGNORECASE)


@dataclass(eq=False)
class Job:
    """A command that runs beside others, in a session of its own."""

    name: str
    command: list
    niceness: int

    def start(self):
        self.started = time.monotonic()
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                ["nice", "-n", str(self.niceness), *self.command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> Path:
        return OUTPUT / f"{self.name}.log"

    def is_over(self):
        return self.process.poll() is not None

    def report(self):
        """Shows the whole output; whether all went well."""
        say(f"{self.name}: output of {time.monotonic() - self.started:.0f} s")
        sys.stdout.buffer.write(self.output.read_bytes())
        sys.stdout.flush()
        return self.process.returncode == 0

    def stop(self):
        """As Ctrl-C does. A stack takes itself down."""
        if not self.is_over():
            os.killpg(self.process.pid, signal.SIGINT)


STACK = [sys.executable, "scripts/stack.py"]

# What has npm packages; two jobs use them.
NODE = ["clients/typescript", "tests/site"]

UNITS = ["make", "--no-print-directory", "supply-chain", "unit", "typescript", "site", "lint-template"]


def on_a_stack(suite, niceness):
    """A job of scripts/e2e.sh."""
    return Job(suite, [*STACK, "test", "scripts/e2e.sh", suite], niceness)


# These lanes go side by side; the jobs of one follow each other.
LANES = [
    [on_a_stack("service", niceness=0)],
    [on_a_stack("operations", niceness=5)],
    [Job("units", UNITS, niceness=15), on_a_stack("circuits", niceness=5)],
]

TIMED = [on_a_stack("timed", niceness=0)]


def build():
    """Compiles and installs everything, so that no job waits for what another one builds, and shows what the compiler finds."""
    run_and_show(["make", "--no-print-directory", "check"])
    run_and_show(["cargo", "test", "--locked", "--workspace", "--exclude", "e2e", "--no-run"])
    run_and_show(["cargo", "test", "--locked", "--package", "e2e", "--no-run"])
    # For `make watch`, and for a log without its filter (tests/local).
    run_and_show(["cargo", "build", "--locked", "--package", "create-order"])
    run_and_show(["make", "--no-print-directory", *(f"{folder}/node_modules/.package-lock.json" for folder in NODE)])
    run_and_show([*STACK, "build"])


def run_and_show(command):
    """Runs a command in the checkout, and repeats in the error what it said of its failure."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = []
    for line in process.stdout:
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
        said.append(line)
    if process.wait() != 0:
        raise StackError(f"`{' '.join(command)}` failed ({process.returncode}): {failures(b''.join(said))}")


def failures(output):
    """The first lines that tell of a failure, in one."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if FAILURE.match(line)]
    return "; ".join(lines[:5]) or "see above"


def run(*lanes):
    """Runs lanes of jobs side by side; the jobs that failed, and why."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    handlers = {number: signal.signal(number, stopped) for number in STOPS}
    waiting, running, failed = [iter(lane) for lane in lanes], {}, []

    def start_next(lane):
        if job := next(lane, None):
            say(f"{job.name}: started, it writes to {job.output.relative_to(ROOT)}")
            with uninterrupted():
                job.start()
                running[job] = lane

    try:
        for lane in waiting:
            start_next(lane)
        while running:
            time.sleep(0.2)
            for job in [job for job in running if job.is_over()]:
                lane = running.pop(job)
                if not job.report():
                    say(f"{job.name}: FAILED")
                    failed.append(f"{job.name} ({failures(job.output.read_bytes())})")
                start_next(lane)
    finally:
        # From here on nothing interrupts: what was started is stopped.
        for number in handlers:
            signal.signal(number, signal.SIG_IGN)
        for job in running:
            job.stop()
        for job in running:
            job.process.wait()
            job.report()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return failed


def stopped(number, _):
    sys.exit(128 + number)


def main():
    OUTPUT.parent.mkdir(exist_ok=True)
    started = time.monotonic()
    build()
    say(f"built in {time.monotonic() - started:.0f} s")
    failed = run(*LANES) + run(TIMED)
    if failed:
        raise StackError(f"failed: {', '.join(failed)}")
    say(f"everything passed, in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except StackError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
