"""Runs the whole service on this machine: emulator, partners, build, deployment.

    stack.py run                   start what is not running, deploy what changed, place a sample order
    stack.py down                  stop it; data stays
    stack.py test COMMAND...       run a command against a fresh stack on free ports, then take the stack away
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import demo
from deployment import Deployment
from processes import Process, StackError, free_port, say

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"

# Local stacks are built for speed of building; what is deployed to AWS takes the release profile of Cargo.toml.
QUICK_RELEASE = {
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
}


class Stack:
    """An emulator, the partners and the deployed service, with their state in one folder."""

    def __init__(self, folder: Path, gateway_port: int, partners_port: int):
        self.folder = folder
        self.partners_url = f"http://127.0.0.1:{partners_port}"
        endpoint = f"http://127.0.0.1:{gateway_port}"
        self.aws = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
        }
        self.emulator = Process(
            name="emulator",
            command=[str(ROOT / ".venv/bin/ministack")],
            port=gateway_port,
            ready=f"{endpoint}/_ministack/health",
            folder=folder,
            env={
                "AUTH": "true",  # IAM is enforced
                "GATEWAY_PORT": str(gateway_port),
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
            command=[str(target_folder() / "debug/partners")],
            port=partners_port,
            ready=f"{self.partners_url}/.well-known/jwks.json",
            folder=folder,
            env={"PORT": str(partners_port), "STATE_FILE": str(folder / "partners.json"), **reservation_seconds()},
        )
        self.deployment = Deployment(ROOT, folder, self.aws, self.partners_url)

    def up(self, then=lambda env: None):
        """Starts what is not running and does `then`; when that fails, stops what it started."""
        processes = [process for process in (self.emulator, self.partners) if not process.is_running()]
        for process in processes:
            process.require_free_port()
        build()
        try:
            for process in processes:
                process.start()
            self.deployment.deploy()
            self.write_env()
            then(self.env)
        except BaseException:
            for process in processes:
                process.stop()
            raise

    def down(self):
        for process in (self.partners, self.emulator):
            process.stop()

    def write_env(self):
        outputs = self.deployment.outputs()
        self.env = {
            "API_URL": self.deployment.api_url(),
            "TENANT": demo.TENANT,
            "TOKEN": demo.token(self.partners_url),
            "EVENTS_QUEUE_URL": outputs["EventsQueueUrl"],
            "FEED_QUEUE_URL": outputs["FeedQueueUrl"],
            "UNPUBLISHED_QUEUE_URL": outputs["UnpublishedChangesUrl"],
            "AUDIT_QUEUE_URL": outputs["AuditQueueUrl"],
            "ORDERS_TABLE": outputs["OrdersTableName"],
            "CIRCUITS_TABLE": outputs["CircuitsTableName"],
            "SETTLE_QUEUE_URL": outputs["SettleQueueUrl"],
            "UNSETTLED_QUEUE_URL": outputs["UnsettledMessagesUrl"],
            "PARTNERS_URL": self.partners_url,
            "STACK_NAME": self.deployment.name,
            **self.aws,
        }
        lines = [f'export {name}="{value}"\n' for name, value in self.env.items()]
        (self.folder / "stack.env").write_text("".join(lines))


def reservation_seconds():
    value = os.environ.get("RESERVATION_SECONDS")
    return {"RESERVATION_SECONDS": value} if value else {}


def target_folder():
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def build():
    """Builds everything; cargo shows its own progress."""
    say("building the functions and the partners (the first time takes minutes)")
    env = {**os.environ, **QUICK_RELEASE, "SAM_CLI_TELEMETRY": "0"}
    for command in (
        ["cargo", "build", "--locked", "--package", "partners"],
        ["cargo", "lambda", "build", "--locked", "--release", "--target", "x86_64-unknown-linux-gnu"],
    ):
        if subprocess.run(command, cwd=ROOT, env=env).returncode != 0:
            raise StackError(f"`{' '.join(command)}` failed, see above")
    log = LOCAL / "sam-build.log"
    command = ["sam", "build", "--config-env", "local", "--parameter-overrides", "Architecture=x86_64"]
    with log.open("w") as output:
        if subprocess.run(command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT).returncode != 0:
            raise StackError(f"`sam build` failed, see {log.relative_to(ROOT)}")


def run():
    user_stack().up(then=demo.show)


def down():
    user_stack().down()
    say("stopped; `make run` continues with the same data")


def user_stack():
    return Stack(LOCAL, port("GATEWAY_PORT", 4566), port("PARTNERS_PORT", 4580))


def test(command):
    folder = Path(tempfile.mkdtemp(prefix="test-", dir=LOCAL))
    stack = Stack(folder, free_port(), free_port())
    try:
        stack.up()
        status = subprocess.run(command, cwd=ROOT, env={**os.environ, **stack.env}).returncode
    finally:
        stack.down()
    if status != 0:
        raise StackError(f"`{' '.join(command)}` failed; logs are in {folder.relative_to(ROOT)}")
    shutil.rmtree(folder)


def port(name, default):
    return int(os.environ.get(name, default))


def main():
    # A terminated script still takes down what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ["PATH"] = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    LOCAL.mkdir(exist_ok=True)
    match sys.argv[1:]:
        case ["run"]:
            run()
        case ["down"]:
            down()
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
