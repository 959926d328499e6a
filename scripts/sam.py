"""SAM and cargo for the stacks of this machine: quick x86_64 builds, in folders of their own.

Nothing here touches `.aws-sam` or `target/lambda`: what `sam build && sam deploy` sends to AWS is never one of these.
"""

import fcntl
import hashlib
import os
import subprocess
import urllib.request
from contextlib import contextmanager, nullcontext
from pathlib import Path

from processes import StackError

ROOT = Path(__file__).resolve().parent.parent

ARCHITECTURE = "x86_64"

# Built for speed of building; what is deployed to AWS takes the release profile of Cargo.toml.
QUICK_RELEASE = {
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
    # After a change in `domain`, all functions are built in seconds. The variable, which comes before the profile's setting:
    # otherwise the caller's, as that of .ci/run, would make cargo build everything anew.
    "CARGO_INCREMENTAL": "1",
}


def target_folder():
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target")


def cargo_build(*packages):
    """Builds functions, the default members of the workspace if none is named; cargo shows its own progress."""
    named = [argument for package in packages for argument in ("--package", package)]
    triple = f"{ARCHITECTURE}-unknown-linux-gnu"
    with alone():
        run(["cargo", "lambda", "build", "--locked", "--release", "--target", triple, *named], quick())


def build(template, folder):
    """Makes what `deploy` takes out of a template and what cargo has built."""
    command = ["sam", "build", "--config-file", CONFIG, "--config-env", "local", "--template", str(template)]
    command += ["--build-dir", str(built(folder)), "--parameter-overrides", f"Architecture={ARCHITECTURE}"]
    with alone():
        run(command, quick(), log=folder / "sam-build.log")


@contextmanager
def alone():
    """One build at a time: cargo-lambda moves what cargo made, and stacks that start side by side share it."""
    folder = target_folder() / "local"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".stacks").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def deploy(folder, stack, parameters, aws):
    """Deploys what was built there."""
    overrides = [f'{name}="{value}"' for name, value in {"Architecture": ARCHITECTURE, **parameters}.items()]
    command = ["sam", "deploy", "--config-file", CONFIG, "--config-env", "local", "--stack-name", stack]
    command += ["--template-file", str(built(folder) / "template.yaml"), "--parameter-overrides", *overrides]
    run(command, {**os.environ, **aws, "SAM_CLI_TELEMETRY": "0"}, log=folder / "deploy.log")


def save(aws):
    """From here on the emulator may be killed: it keeps what is deployed, and every item at once."""
    request = urllib.request.Request(f"{aws['AWS_ENDPOINT_URL']}/_local/save", method="POST")
    with urllib.request.urlopen(request, timeout=60):
        pass


CONFIG = str(ROOT / "samconfig.toml")


def digest(built, *about):
    """Of all that is deployed, and of what else is said about it."""
    digest = hashlib.sha256("\n".join(about).encode())
    for file in [ROOT / "template.yaml", *sorted((ROOT / "hooks").rglob("*.py")), *sorted(built.glob("*/bootstrap"))]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def built(folder):
    """Where a build of this folder is."""
    return folder / "sam-build"


def quick():
    return {
        **os.environ,
        **QUICK_RELEASE,
        "CARGO_TARGET_DIR": str(target_folder() / "local"),
        "SAM_CLI_TELEMETRY": "0",
    }


def run(command, env=os.environ, log=None):
    """Runs a command in the checkout, its output into the log if there is one."""
    with log.open("w") if log else nullcontext() as output:
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=output, stderr=output and subprocess.STDOUT)
    if done.returncode != 0:
        raise StackError(f"`{' '.join(command[:3])}` failed, see {log or 'above'}")
