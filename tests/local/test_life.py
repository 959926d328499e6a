"""A stack's life: it is the only one of its checkout, survives a kill, touches no build for AWS, and ends whole."""

import os
import shutil
import signal
import sys
import tempfile
import unittest
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import demo
import sam
from processes import answers, free_port
from shell import BARE, FOLDER, ROOT, errors, pid, port, run, sessions, stack_py


class Life(unittest.TestCase):
    """The tests run by name: the stack is down after the last."""

    def test_1_a_second_stack_of_the_checkout_is_refused(self):
        ports = {"GATEWAY_PORT": str(free_port()), "PARTNERS_PORT": str(free_port())}
        done = stack_py("run", STACK_FOLDER=str(FOLDER), **ports)
        line = (
            f"error: the emulator of this checkout runs on port {port('emulator')}, not {ports['GATEWAY_PORT']}; "
            "`make down` stops it"
        )
        self.assertEqual([line], errors(done))

    def test_2_a_killed_emulator_loses_no_order(self):
        before = [place() for _ in range(3)]
        builds = builds_for_aws()
        os.kill(pid("emulator"), signal.SIGKILL)
        done = run("make", "run", env=same_ports())
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("==> the emulator was killed: orders are restored", done.stderr)
        self.assertIn("==> the deployed stack is up to date", done.stderr)
        for order in before:
            self.assertEqual(order["id"], read(order["id"])["id"])
        self.assert_announced(place())
        self.assertEqual(builds, builds_for_aws(), "a build for AWS was touched")

    def test_3_down_waits_until_changes_are_out(self):
        ports = same_ports()
        with ThreadPoolExecutor(10) as pool:
            orders = list(pool.map(lambda _: place(), range(20)))
        run("make", "down", env=ports).check_returncode()
        done = run("make", "run", env=ports)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assert_announced(*orders)

    def test_4_down_stops_everything_and_needs_no_cargo(self):
        leaders = [pid(name) for name in ("emulator", "partners", "page")]
        ports = [port(name) for name in ("emulator", "partners", "page")]
        with tempfile.TemporaryDirectory() as tools:
            for tool in ("make", "bash", "cat", "sha256sum", "dirname"):
                (Path(tools) / tool).symlink_to(shutil.which(tool))
            (Path(tools) / "python3").symlink_to(f"{sys.base_prefix}/bin/python3")
            run("make", "down", env={**BARE, "PATH": tools, "STACK_FOLDER": str(FOLDER)}).check_returncode()
        self.assertEqual([], sessions(*leaders))
        self.assertEqual([], [port for port in ports if answers(f"http://127.0.0.1:{port}")])

    def assert_announced(self, *orders):
        """The stream starts anew with the emulator: what comes then must not be passed over, nor what came before."""
        demo.events(os.environ, [f"{order['id']}:1:0" for order in orders])


def same_ports():
    ports = {"GATEWAY_PORT": str(port("emulator")), "PARTNERS_PORT": str(port("partners"))}
    return {**BARE, **ports, "STACK_FOLDER": str(FOLDER)}


def place():
    status, _, order = demo.call("POST", f"{API}/orders", demo.ORDER, {**AUTH, "Idempotency-Key": str(uuid.uuid4())})
    assert status == 201, order
    return order


def read(order):
    return demo.call("GET", f"{API}/orders/{order}", headers=AUTH)[2]


API = os.environ["API_URL"]
AUTH = {"Authorization": f"Bearer {os.environ['TOKEN']}"}


def builds_for_aws():
    """What `sam build && sam deploy` reads and writes, with the times of the last writes."""
    files = [*(ROOT / ".aws-sam").rglob("*"), *(sam.target_folder() / "lambda").rglob("*")]
    return {file: file.stat().st_mtime_ns for file in files}
