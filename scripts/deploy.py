"""Deploys what `sam build` made, with the parameters of a section of samconfig.toml, to the account that the environment names.

    deploy.py

Settings: CONFIG_ENV (default), the section; CONFIRM=no does not ask before changes are made. It adds the parameter Release,
which is another one for each deployment. Without parameters in the section it asks for each.
"""

import os
import re
import subprocess
import sys
import time
import tomllib

from processes import StackError, say
from sam import ROOT, digest

BUILT = ROOT / ".aws-sam/build"


def main():
    section = os.environ.get("CONFIG_ENV", "default")
    overrides = overrides_of(tomllib.loads((ROOT / "samconfig.toml").read_text()), section)
    release = release_of(BUILT, overrides, time.time_ns())
    say(f"release {release}")
    done = subprocess.run(command(section, overrides, release, asks=os.environ.get("CONFIRM") != "no"), cwd=ROOT)
    sys.exit(done.returncode)


def overrides_of(config, section):
    """`Name=value` of each parameter, as `sam deploy --guided` keeps them: a list, or one string with quoted values."""
    if section not in config:
        raise StackError(f"samconfig.toml has no section {section} (CONFIG_ENV)")
    kept = config[section].get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
    pairs = kept if isinstance(kept, list) else [unquoted(*found) for found in QUOTED.findall(kept)]
    return [pair for pair in pairs if not pair.startswith("Release=")]


QUOTED = re.compile(r'(\w+)=(?:"((?:\\.|[^"\\])*)"|(\S*))')


def unquoted(name, quoted, bare):
    return f"{name}={quoted.replace(BACKSLASHED, QUOTE) or bare}"


QUOTE, BACKSLASHED = '"', '\\"'


def quoted(pair):
    name, _, value = pair.partition("=")
    return f'{name}="{value.replace(QUOTE, BACKSLASHED)}"'


def release_of(built, overrides, attempt):
    """Another one for each attempt: a deployment that was taken back leaves its versions, and Lambda publishes none twice."""
    if not any(built.glob("*/bootstrap")):
        raise StackError("nothing is built: run `sam build`")
    return digest(built, str(attempt), *sorted(overrides))[:10]


def command(section, overrides, release, asks):
    words = ["sam", "deploy", "--config-env", section, "--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--parameter-overrides"]
    words += [quoted(pair) for pair in [*overrides, f"Release={release}"]]
    if not overrides and not asks:
        raise StackError(f"the section {section} of samconfig.toml has no parameters, and CONFIRM=no asks for none")
    if not overrides:
        return [*words, "--guided"]
    return words if asks else [*words, "--no-confirm-changeset", "--no-fail-on-empty-changeset"]


if __name__ == "__main__":
    try:
        main()
    except StackError as error:
        sys.exit(f"error: {error}")
