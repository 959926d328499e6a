"""Runs the whole service on this machine: emulator, partners, the page of examples/live, build, deployment.

    stack.py run                   start what is not running, deploy what changed, place a sample order
    stack.py down                  stop it; data stays
    stack.py reset                 stop it and delete its data, after asking
    stack.py build                 compile what it runs, and start nothing
    stack.py test COMMAND...       run a command against a fresh stack on free ports, then take the stack away

Settings: GATEWAY_PORT (4566), PARTNERS_PORT (4580), STACK_FOLDER (.local, where a stack keeps everything).
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import demo
import sam
from deployment import ORIGINS, Deployment
from processes import Known, Process, StackError, free_port, is_free, port_setting, say, stop, wait_until
from sam import ROOT

LOCAL = ROOT / ".local"
PAGE = ROOT / "examples/live"

class Stack:
    """An emulator, the partners and the deployed service, with their state in one folder."""

    def __init__(self, folder: Path, gateway_port: int, partners_port: int, log_level="INFO"):
        self.folder = folder
        self.partners_url = f"http://127.0.0.1:{partners_port}"
        endpoint = f"http://127.0.0.1:{gateway_port}"
        page_port = free_port_of(folder)
        self.page_url = f"http://127.0.0.1:{page_port}"
        self.aws = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
        }
        self.emulator = Process(
            name="emulator",
            command=[str(ROOT / ".venv/bin/python"), str(ROOT / "scripts/emulator.py")],
            port=gateway_port,
            port_variable="GATEWAY_PORT",
            ready=f"{endpoint}/_ministack/health",
            folder=folder,
            env={
                "AUTH": "true",  # IAM is enforced
                "ALLOWED_ORIGINS": ",".join([*ORIGINS, self.page_url]),  # to answer preflight requests
                "AWS_LAMBDA_LOG_LEVEL": log_level,  # of the functions, which inherit it: the emulator sets none
                "BIND_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(gateway_port),
                "IOT_MTLS_ENABLED": "0",
                "MINISTACK_HOST": "127.0.0.1",
                "PERSIST_STATE": "1",
                "S3_PERSIST": "1",
                "S3_DATA_DIR": str(folder / "emulator/s3"),
                "STATE_DIR": str(folder / "emulator"),
                **self.aws,
            },
        )
        self.partners = Process(
            name="partners",
            command=[str(sam.target_folder() / "debug/partners")],
            port=partners_port,
            port_variable="PARTNERS_PORT",
            ready=f"{self.partners_url}/.well-known/jwks.json",
            folder=folder,
            env={"PORT": str(partners_port), "STATE_FILE": str(folder / "partners.json"), **reservation_seconds()},
        )
        self.page = Process(
            name="page",
            command=[sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(PAGE), str(page_port)],
            port=page_port,
            port_variable="",
            ready=f"{self.page_url}/",
            folder=folder,
            env={},
        )
        self.deployment = Deployment(folder, self.aws, self.partners_url, self.page_url)

    def up(self, then=lambda env: None):
        """Starts what is not running and does `then`; when that fails, stops what it started."""
        processes = [process for process in (self.emulator, self.partners, self.page) if not process.is_running()]
        for process in processes:
            process.require_free_port()
        if self.emulator.was_killed():
            say("the emulator was killed: orders are restored, messages of its queues since its last start are lost")
        self.build()
        try:
            for process in processes:
                process.start()
            self.deployment.deploy()
            sam.save(self.aws)
            self.write_env()
            then(self.env)
        except BaseException:
            stop(process.pid_file for process in processes)
            raise

    def build(self):
        """Builds everything; cargo shows its own progress."""
        compile_all()
        sam.build(ROOT / "template.yaml", self.folder)

    def down(self):
        stop([self.page.pid_file, self.partners.pid_file, self.emulator.pid_file])

    def write_env(self):
        outputs = self.deployment.outputs()
        self.env = {
            "API_URL": self.deployment.api_url(),
            "WS_URL": self.deployment.live_url(),
            "LIVE_PAGE": f"{self.page_url}/#{urlencode({'api': self.deployment.api_url(), 'live': self.deployment.live_url()})}",
            "TENANT": demo.TENANT,
            "TOKEN": demo.token(self.partners_url),
            "EVENTS_QUEUE_URL": outputs["EventsQueueUrl"],
            "FEED_QUEUE_URL": outputs["FeedQueueUrl"],
            "UNPUBLISHED_QUEUE_URL": outputs["UnpublishedChangesUrl"],
            "AUDIT_TABLE": outputs["AuditTableName"],
            "ORDERS_TABLE": outputs["OrdersTableName"],
            "EXPORTS_TABLE": outputs["ExportsTableName"],
            "CIRCUITS_TABLE": outputs["CircuitsTableName"],
            "PARTNERS_URL": self.partners_url,
            "STACK_NAME": self.deployment.name,
            **self.aws,
        }
        lines = [f'export {name}="{value}"\n' for name, value in self.env.items()]
        (self.folder / "stack.env").write_text("".join(lines))


def compile_all():
    say("building the functions and the partners (the first time takes minutes)")
    sam.run(["cargo", "build", "--locked", "--package", "partners"])
    sam.cargo_build()


def free_port_of(folder):
    """The port of the page in this folder: any that is free, and the same again, since its origin is deployed."""
    known = folder / "page.port"
    if known.exists() and (Known.read(folder / "page.pid") or is_free(int(known.read_text()))):
        return int(known.read_text())
    port = free_port()
    known.write_text(str(port))
    return port


def reservation_seconds():
    value = os.environ.get("RESERVATION_SECONDS")
    return {"RESERVATION_SECONDS": value} if value else {}


def user_folder():
    return ROOT / os.environ.get("STACK_FOLDER", ".local")


def run():
    ports = port_setting("GATEWAY_PORT", 4566), port_setting("PARTNERS_PORT", 4580)
    if ports[0] == ports[1]:
        raise StackError(f"GATEWAY_PORT and PARTNERS_PORT are both {ports[0]}")
    with alone(user_folder()):
        Stack(user_folder(), *ports).up(then=demo.show)


def down():
    with alone(user_folder()):
        let_changes_out(user_folder() / "emulator.pid")
        stop(user_folder().glob("*.pid"))
    say("stopped; `make run` continues with the same data")


def let_changes_out(pid_file):
    """Waits for what reads the streams: the emulator forgets them when it stops."""
    known = Known.read(pid_file)
    if not known or not known.is_alive():
        return
    url = f"http://127.0.0.1:{known.port}/_local/unread"
    try:
        wait_until("the announcement of every change", lambda: demo.text(url) == "0", 10)
    except (OSError, StackError) as error:
        say(f"{error}; `make reconcile ARGS=--republish` sends again what is missing")


def reset():
    folder = user_folder()
    with alone(folder):
        if ask(f"This deletes every order, event and reservation of the local stack in {folder}. Go on? [y/N] ") != "y":
            raise StackError("nothing was deleted")
        stop(folder.glob("*.pid"))
        shutil.rmtree(folder / "emulator", ignore_errors=True)
        for name in ("deployed", "partners.json", "stack.env", "emulator.log", "partners.log", "page.log", "page.port"):
            (folder / name).unlink(missing_ok=True)
    say("wiped; `make run` starts anew")


def ask(question):
    try:
        return input(question).strip().lower()
    except EOFError:
        print()
        return ""


@contextmanager
def alone(folder):
    """One command at a time works on a folder."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError("another `make run`, `make down` or `make reset` works on this checkout") from None
        yield


def test(command):
    folder = Path(tempfile.mkdtemp(prefix="test-", dir=LOCAL))
    # Everything is logged that can be, so that tests/local/test_logs.py sees it.
    stack = Stack(folder, free_port(), free_port(), log_level="TRACE")
    try:
        stack.up()
        env = {**os.environ, **stack.env, "STACK_FOLDER": str(folder)}
        status = subprocess.run(command, cwd=ROOT, env=env).returncode
    finally:
        stack.down()
    if status != 0:
        raise StackError(f"`{' '.join(command)}` failed; logs are in {folder.relative_to(ROOT)}")
    shutil.rmtree(folder)


def terminated(number, _):
    """A script that is terminated, or whose terminal is closed, still takes down what it started."""
    sys.exit(128 + number)


def main():
    signal.signal(signal.SIGTERM, terminated)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, terminated)
    os.environ["PATH"] = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    LOCAL.mkdir(exist_ok=True)
    match sys.argv[1:]:
        case ["run"]:
            run()
        case ["down"]:
            down()
        case ["reset"]:
            reset()
        case ["build"]:
            compile_all()
        case ["test", *command] if command:
            test(command)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main()
    except StackError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
