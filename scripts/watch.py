"""`cargo lambda watch` against the table and the partners of a running stack: edit, save, call /orders.

The environment is that of `.local/stack.env`; WATCH_PORT (9000) is where it listens.
"""

import os
import sys

from processes import StackError, answers, port_setting, require_free_port, say

# What the template gives the functions and the stack's environment lacks.
SETTINGS = {
    "CURSOR_SECRET": "a secret for this machine alone, which is none",
    "RETENTION_DAYS": "30",
    "LOCAL_CALLER": '{"tenant":"demo","sub":"you","scope":"orders:read orders:write","exp":"4102444800"}',
}


def main():
    if "API_URL" not in os.environ:
        raise StackError("no stack; run `make run` first")
    if not answers(f"{os.environ['API_URL']}/health"):
        raise StackError("the stack is down; run `make run`")
    port = port_setting("WATCH_PORT", 9000)
    require_free_port(port, "cargo lambda watch", "WATCH_PORT")
    partners = os.environ["PARTNERS_URL"]
    urls = {"CUSTOMER_SERVICE_URL": partners, "INVENTORY_SERVICE_URL": partners}
    say(f"http://127.0.0.1:{port}/orders (tenant demo, no token needed)")
    command = ["cargo", "lambda", "watch", "--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
    os.execvpe(command[0], command, {**os.environ, **SETTINGS, **urls})


if __name__ == "__main__":
    try:
        main()
    except StackError as error:
        sys.exit(f"error: {error}")
