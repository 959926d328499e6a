"""Measures how long functions take from their start to the first poll of the Runtime API.

    init_time.py BOOTSTRAP_FOLDER [--runs N] [--hello BOOTSTRAP]

The folder has one folder per function with its `bootstrap`, as `sam build` and `cargo lambda build` make them. The
endpoints that a function connects to are on loopback: they `answer` at once, `refuse` connections, or `hang`.
"""

import argparse
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

RUNTIME_API = b"GET /2018-06-01/runtime/invocation/next"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_LAMBDA_FUNCTION_NAME": "measured",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_LOG_LEVEL": "ERROR",
    "ORDERS_TABLE": "orders",
    "CIRCUITS_TABLE": "circuits",
    "AUDIT_TABLE": "audit",
    "REPORTS_TABLE": "reports",
    "EXPORTS_TABLE": "exports",
    "EXPORTS_BUCKET": "exports",
    "SUBSCRIPTIONS_TABLE": "subscriptions",
    "CONNECTIONS_PER_SUBJECT": "500",
    "RECONCILE_HOURS": "6",
    "CURSOR_SECRET": "a secret of at least 32 characters",
    "RETENTION_DAYS": "30",
    "PENDING_TIMEOUT_HOURS": "24",
    "EVENT_BUS": "bus",
    "ORDER_FEED": "arn:aws:sns:eu-central-1:123456789012:feed.fifo",
    "TOKEN_ISSUER": "https://issuer.example",
    "TOKEN_AUDIENCE": "orders",
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--runs", type=int, default=15)
    arguments.add_argument("--hello", type=Path, help="what the ratio is to")
    wish = arguments.parse_args()
    functions = {found.parent.name: found for found in sorted(wish.folder.glob("*/bootstrap"))}
    hello = None
    if wish.hello:
        with endpoint("answer") as address:
            hello = median(wish.hello, address, wish.runs)
        print(f"hello world: {hello:.1f} ms")
    print("| function | answer | refuse | hang |\n| --- | --- | --- | --- |")
    for name, bootstrap in functions.items():
        cells = []
        for kind in ("answer", "refuse", "hang"):
            with endpoint(kind) as address:
                took = median(bootstrap, address, 3 if kind == "hang" else wish.runs)
            cells.append(f"{took:.1f} ms" + (f" ({took / hello:.2f})" if hello else ""))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def median(bootstrap, address, runs):
    return statistics.median(start(bootstrap, address) for _ in range(runs))


def start(bootstrap, address):
    """Milliseconds from the start of the process to its first poll."""
    url = f"http://{address}"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        env = {
            **ENVIRONMENT,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.getsockname()[1]}",
            "AWS_ENDPOINT_URL": url,
            "CUSTOMER_SERVICE_URL": url,
            "INVENTORY_SERVICE_URL": url,
            "DEAD_LETTERS_URL": f"{url}/letters",
            "AUDIT_QUEUE_URL": f"{url}/audit",
            "SOCKETS_URL": f"{url}/v1",
            "JWKS": f"{url}/.well-known/jwks.json",
        }
        started = time.perf_counter()
        process = subprocess.Popen([bootstrap], env=env, stdout=subprocess.DEVNULL)
        try:
            connection, _ = server.accept()
            with connection:
                polled = connection.recv(4096)
                took = time.perf_counter() - started
        finally:
            process.kill()
            process.wait()
    if not polled.startswith(RUNTIME_API):
        sys.exit(f"error: {bootstrap} began with {polled[:80]}")
    return took * 1_000


@contextmanager
def endpoint(kind):
    """An address of loopback where HTTP requests are answered, connections refused, or nothing ever happens."""
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    host, port = server.getsockname()
    if kind == "refuse":
        server.close()
    if kind == "answer":
        threading.Thread(target=accept, args=(server,), daemon=True).start()
    try:
        yield f"{host}:{port}"
    finally:
        server.close()


def accept(server):
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def answer(connection):
    """Answers `{}` to whatever comes, as often as it comes; the body of an answer to HEAD is left out."""
    with connection:
        request = b""
        while chunk := connection.recv(65536):
            request += chunk
            head, end, body = request.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            if not end or len(body) < int(length[1] if length else 0):
                continue
            content = b"" if head.startswith(b"HEAD ") else b"{}"
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n" + content)
            request = b""


if __name__ == "__main__":
    main()
