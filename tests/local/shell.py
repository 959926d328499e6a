"""Runs commands of the project as a user does, and the stack under test as they see it."""

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from processes import free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / os.environ["STACK_FOLDER"]
PYTHON = str(ROOT / ".venv/bin/python")

# What remains of an empty environment, and where and how cargo builds: what is built already is not built anew.
BARE = {
    name: os.environ[name]
    for name in ("PATH", "HOME", "CARGO_TARGET_DIR", "CARGO_INCREMENTAL")
    if name in os.environ
}


def run(*command, env=BARE, **more):
    """What a command answers, its output as text."""
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=900, **more)


def errors(done):
    """The lines that a failed command says, without make's own."""
    assert done.returncode != 0, f"it should fail: {done}"
    return [line for line in done.stderr.splitlines() if line and not line.startswith("make")]


def stack_py(*arguments, **env):
    return run(PYTHON, "scripts/stack.py", *arguments, env={**BARE, **env})


def pid(name):
    """The process id of a process of the stack under test."""
    return int((FOLDER / f"{name}.pid").read_text().split()[0])


def port(name):
    return int((FOLDER / f"{name}.pid").read_text().split()[2])


def sessions(*leaders):
    """The running processes of these sessions."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, session = fields[0], int(fields[3])
        if session in leaders and state not in "ZX":
            found.append(int(folder.name))
    return found


@contextmanager
def watch():
    """`make watch` against the stack under test: its process id and its port."""
    port = free_port()
    with (FOLDER / "watch.log").open("w") as log:
        process = subprocess.Popen(
            ["make", "watch"],
            cwd=ROOT,
            env={**os.environ, "WATCH_PORT": str(port)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until("the start of `make watch`", lambda: "starting Runtime server" in watch_log(), 60)
            yield process.pid, port
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(20)


def watch_log():
    return (FOLDER / "watch.log").read_text()
