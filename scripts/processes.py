"""Background processes: started once, known by their process id, stopped by it, and the ports they listen on."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
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


@contextmanager
def uninterrupted():
    """Holds Ctrl-C, a termination and the end of the terminal back until the block is done."""
    held = []
    handlers = {number: signal.signal(number, lambda number, _: held.append(number)) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if held:
        signal.raise_signal(held[0])


STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def port_setting(name, default):
    """The port that a variable of the environment names."""
    text = os.environ.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise StackError(f"{name} is `{text}`, not a port from 1 to 65535")
    return int(text)


def require_free_port(port, user, variable):
    """Somebody on another interface counts: `localhost` would mean them to some programs and us to others."""
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            probe = socket.socket(family)
        except OSError:  # no IPv6 here
            continue
        with probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    continue
                raise StackError(
                    f"port {port} for {user}: {os.strerror(error.errno).lower()}; free it, or set {variable} to another"
                ) from None


def is_free(port):
    try:
        require_free_port(port, "nobody", "none")
    except StackError:
        return False
    return True


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
    port_variable: str
    ready: str
    folder: Path
    env: dict

    @property
    def pid_file(self):
        return self.folder / f"{self.name}.pid"

    @property
    def log_file(self):
        return self.folder / f"{self.name}.log"

    def is_running(self):
        """Whether it runs as configured; an error when what runs is not that."""
        if not (known := Known.read(self.pid_file)) or not known.is_alive():
            return False
        if known.port != self.port:
            raise StackError(
                f"the {self.name} of this checkout runs on port {known.port}, not {self.port}; `make down` stops it"
            )
        if not answers(self.ready):
            raise StackError(f"the {self.name} runs and does not answer, see {self.log_file}; `make down` stops it")
        return True

    def was_killed(self):
        """Whether it ended without being stopped."""
        known = Known.read(self.pid_file)
        return known is not None and not known.is_alive()

    def require_free_port(self):
        require_free_port(self.port, f"the {self.name}", self.port_variable)

    def start(self):
        say(f"starting the {self.name} on port {self.port}")
        if not shutil.which(self.command[0]):
            raise StackError(f"{self.command[0]} is missing")
        self.require_free_port()
        with self.log_file.open("ab") as log, uninterrupted():
            process = subprocess.Popen(
                self.command,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            Known(process.pid, start_time(process.pid), self.port).write(self.pid_file)

        def is_up():
            if process.poll() is not None:
                raise StackError(f"the {self.name} ended at once, see {self.log_file}")
            return answers(self.ready)

        wait_until(f"the start of the {self.name}", is_up, 60)


@dataclass
class Known:
    """What a process id file says: a process that was started, which leads a session of its own."""

    pid: int
    started: str
    port: int

    @classmethod
    def read(cls, file: Path):
        try:
            pid, started, port = file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return cls(int(pid), started, int(port))

    def write(self, file: Path):
        file.write_text(f"{self.pid} {self.started} {self.port}")

    def is_alive(self):
        """Whether the process with this id is still the one that was started."""
        try:
            os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pass
        return start_time(self.pid) == self.started

    def stop(self, name):
        """Ends the process, by force after 20 seconds, and whatever it left running."""
        if self.is_alive():
            os.kill(self.pid, signal.SIGTERM)
            try:
                wait_until(f"the end of the {name}", lambda: not self.is_alive(), 20)
            except StackError as error:
                say(f"{error}; it is killed")
        # The id of a group is not given to a new process while the group has members.
        if start_time(self.pid) in (self.started, None):
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_until(f"the end of the {name}", lambda: not self.is_alive(), 20)


def stop(pid_files):
    """Stops the processes of these files, whatever their ports; Ctrl-C has to wait."""
    with uninterrupted():
        for file in pid_files:
            if known := Known.read(file):
                known.stop(file.stem)
            file.unlink(missing_ok=True)


def start_time(pid):
    """When a running process started, in clock ticks since boot: with the id, it names one process for ever."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, started = fields[0], fields[19]
    return None if state in "ZX" else started


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
