#!/usr/bin/env bash
# Installs the tools of requirements.txt into .venv, or those of another file into another folder; anew when they, the
# interpreter or the checkout's place changed.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$PWD/${1:-.venv}
requirements=${2:-requirements.txt}

# The interpreter of the user, not the one of .venv.
PATH=:$PATH:
PATH=${PATH//":$PWD/.venv/bin:"/:}
PATH=${PATH#:} PATH=${PATH%:}
for python in python3 python3.14 python3.13 python3.12 python3.11 ""; do
  about=$("$python" -c 'import ensurepip, sys; assert sys.version_info >= (3, 11); print(sys.base_prefix, sys.version)' 2> /dev/null) && break
done
[ -n "$python" ] || { echo "error: Python 3.11 or later with venv is missing" >&2; exit 1; }

wanted="$venv $about $(sha256sum "$requirements")"
[ "$(cat "$venv/.installed" 2> /dev/null)" != "$wanted" ] || exit 0
echo "==> installing the tools of $requirements into ${venv#"$PWD/"}" >&2
"$python" -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement "$requirements"
echo "$wanted" > "$venv/.installed"
