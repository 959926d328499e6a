"""Background processes: started once, known by their process id, stopped by it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path


class StackError(Exception):
    """What went wrong, in one line for the user."""


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def wait_until(what, condition, seconds):
    """Polls until the condition gives something true; an error says what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.1)
    raise StackError(f"{what} did not happen within {seconds} s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Process:
    """A server on loopback, with its log and its process id in `folder`."""

    name: str
    command: list
    port: int
    ready: str
    folder: Path
    env: dict

    @property
    def pid_file(self):
        return self.folder / f"{self.name}.pid"

    @property
    def log_file(self):
        return self.folder / f"{self.name}.log"

    def pid(self):
        """The process id, if that process is still the one that was started."""
        try:
            pid, started = self.pid_file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if started == start_time(int(pid)) else None

    def is_running(self):
        return self.pid() is not None and answers(self.ready)

    def require_free_port(self):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError:
                raise StackError(
                    f"port {self.port} for the {self.name} is in use; stop what listens there, "
                    "or set GATEWAY_PORT or PARTNERS_PORT"
                ) from None

    def start(self):
        say(f"starting the {self.name} on port {self.port}")
        if not shutil.which(self.command[0]):
            raise StackError(f"{self.command[0]} is missing")
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                self.command,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid_file.write_text(f"{process.pid} {start_time(process.pid)}")

        def is_up():
            if process.poll() is not None:
                raise StackError(f"the {self.name} ended at once, see {self.log_file}")
            return answers(self.ready)

        wait_until(f"the start of the {self.name}", is_up, 60)

    def stop(self):
        if pid := self.pid():
            os.kill(pid, signal.SIGTERM)
            try:
                wait_until(f"the end of the {self.name}", lambda: not is_alive(pid), 20)
            except StackError:
                os.killpg(pid, signal.SIGKILL)
        self.pid_file.unlink(missing_ok=True)


def start_time(pid):
    """When a process started, in clock ticks since boot: with the id, it names one process for good."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_alive(pid):
    """Whether a process runs; one that ended and was not collected yet does not."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    return start_time(pid) is not None


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
