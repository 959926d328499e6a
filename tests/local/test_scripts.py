"""The scripts say in one line what is wrong, and leave nothing behind."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import textwrap
import unittest
from pathlib import Path
from unittest import mock

import init_time
from processes import StackError, answers, free_port, port_setting, wait_until
from shell import BARE, FOLDER, PYTHON, ROOT, errors, run, stack_py


class Ports(unittest.TestCase):
    def test_what_is_no_port_is_refused(self):
        for text in ("abc", "0", "99999", "-1", "4566 ", "\u0664\u0665"):
            with self.subTest(text=text), mock.patch.dict(os.environ, A_PORT=text):
                with self.assertRaisesRegex(StackError, f"^A_PORT is `{text}`, not a port from 1 to 65535$"):
                    port_setting("A_PORT", 4566)
        for name in ("GATEWAY_PORT", "PARTNERS_PORT"):
            self.assert_refused({name: ""}, f"error: {name} is ``, not a port from 1 to 65535")

    def test_one_port_for_both_is_refused(self):
        self.assert_refused(
            {"GATEWAY_PORT": "4600", "PARTNERS_PORT": "4600"}, "error: GATEWAY_PORT and PARTNERS_PORT are both 4600"
        )

    def test_a_port_that_somebody_holds_on_any_interface_is_refused(self):
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2"), (socket.AF_INET6, "::1")):
            with self.subTest(host=host), socket.socket(family) as holder:
                try:
                    holder.bind((host, 0))
                except OSError:
                    self.skipTest(f"this machine has no {host}")
                holder.listen()
                held = str(holder.getsockname()[1])
                self.assert_refused(
                    {"GATEWAY_PORT": held, "PARTNERS_PORT": str(free_port())},
                    f"error: port {held} for the emulator: address already in use; "
                    "free it, or set GATEWAY_PORT to another",
                )

    def assert_refused(self, ports, line):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual([line], errors(stack_py("run", STACK_FOLDER=folder, **ports)))


class WithoutAStack(unittest.TestCase):
    def test_every_command_that_needs_one_says_so_in_one_line(self):
        with tempfile.TemporaryDirectory() as empty:
            for command in ("watch", "consumer", "reconcile", "redrive"):
                with self.subTest(command=command):
                    env = {**BARE, "HOME": empty, "STACK_FOLDER": empty, "AWS_EC2_METADATA_DISABLED": "true"}
                    env |= {"RUSTUP_HOME": f"{os.environ['HOME']}/.rustup", "CARGO_HOME": f"{os.environ['HOME']}/.cargo"}
                    self.assert_one_line(run("make", command, env=env))

    def test_every_command_that_needs_one_says_in_one_line_that_it_is_down(self):
        with tempfile.TemporaryDirectory() as folder:
            gone = f"http://127.0.0.1:{free_port()}"
            stack_env = (FOLDER / "stack.env").read_text().replace(os.environ["AWS_ENDPOINT_URL"], gone)
            (Path(folder) / "stack.env").write_text(stack_env)
            for command in ("watch", "consumer", "reconcile", "redrive"):
                with self.subTest(command=command):
                    self.assert_one_line(run("make", command, env={**BARE, "STACK_FOLDER": folder}))

    def test_an_environment_that_leads_to_aws_comes_before_the_local_stack(self):
        for command in ("reconcile", "redrive"):
            with self.subTest(command=command):
                line = self.assert_one_line(run("make", command, env={**BARE, "STACK_FOLDER": str(FOLDER), "AWS_PROFILE": "of-aws"}))
                self.assertIn("of-aws", line)

    def test_watch_does_not_start_on_a_busy_port(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = str(holder.getsockname()[1])
            done = run("make", "watch", env={**BARE, "STACK_FOLDER": str(FOLDER), "WATCH_PORT": port})
        self.assertIn(f"port {port}", self.assert_one_line(done))

    def assert_one_line(self, done):
        lines = errors(done)
        self.assertEqual(1, len(lines), done.stderr)
        self.assertTrue(lines[0].startswith("error: "), lines[0])
        return lines[0]


class Reset(unittest.TestCase):
    def test_data_is_deleted_after_a_yes_and_only_then(self):
        with tempfile.TemporaryDirectory() as folder:
            state = Path(folder) / "emulator"
            state.mkdir()
            for answer in ("", "n\n", "no\n"):
                self.assertNotEqual(0, self.reset(folder, answer).returncode)
                self.assertTrue(state.exists())
            self.reset(folder, "y\n").check_returncode()
            self.assertFalse(state.exists())

    def reset(self, folder, answer):
        return run("make", "reset", env={**BARE, "STACK_FOLDER": folder}, input=answer)


class Starts(unittest.TestCase):
    def test_every_function_starts_where_its_start_is_measured(self):
        programs = sorted((FOLDER / "sam-build").glob("*Function/bootstrap"))
        self.assertNotEqual([], programs)
        for program in programs:
            with self.subTest(program.parent.name), init_time.endpoint("answer") as address:
                self.assertGreater(init_time.start(program, address), 0)


class Interpreter(unittest.TestCase):
    def test_a_python_that_is_too_old_is_refused(self):
        with tempfile.TemporaryDirectory() as only:
            for tool in ("bash", "dirname"):
                (Path(only) / tool).symlink_to(f"/bin/{tool}")
            old = Path(only) / "python3"
            old.write_text("#!/bin/bash\nexit 1\n")
            old.chmod(0o755)
            done = run("scripts/venv.sh", env={"PATH": only})
        self.assertEqual(["error: Python 3.11 or later with venv is missing"], errors(done))


class SideBySide(unittest.TestCase):
    """`make test` runs lanes of jobs side by side."""

    SCRIPT = """
        import json
        import sys
        import tests
        from pathlib import Path
        tests.OUTPUT = Path(sys.argv[1])
        tests.ROOT = tests.OUTPUT
        lanes = [[tests.Job(name, ["bash", "-c", command], 0) for name, command in lane.items()] for lane in json.loads(sys.argv[2])]
        sys.exit(len(tests.run(*lanes)))
    """

    def start(self, folder, *lanes):
        """Each lane is commands by the names of their jobs."""
        return subprocess.Popen(
            [PYTHON, "-c", textwrap.dedent(self.SCRIPT), folder, json.dumps(lanes)],
            env={**BARE, "PYTHONPATH": str(ROOT / "scripts")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def test_each_output_is_shown_whole_and_one_failure_is_one(self):
        with tempfile.TemporaryDirectory() as folder:
            wait = f"until [ -e {folder}/b-began ]; do sleep 0.05; done"
            process = self.start(
                folder, {"a": f"echo a1; {wait}; echo a2"}, {"b": f"echo b1; touch {folder}/b-began; echo b2; exit 3"}
            )
            shown, _ = process.communicate(timeout=60)
        self.assertEqual(1, process.returncode, shown)
        self.assertIn("a1\na2\n", shown)
        self.assertIn("b1\nb2\n", shown)
        self.assertIn("==> b: FAILED", shown)
        self.assertNotIn("==> a: FAILED", shown)

    def test_a_job_of_a_lane_waits_for_the_one_before_it_and_runs_when_that_one_failed(self):
        with tempfile.TemporaryDirectory() as folder:
            process = self.start(folder, {"a": f"sleep 0.5; touch {folder}/a-is-over; exit 3", "b": f"ls {folder}/a-is-over"})
            shown, _ = process.communicate(timeout=60)
        self.assertEqual(1, process.returncode, shown)
        self.assertIn("==> a: FAILED", shown)
        self.assertIn(f"==> b: output of 0 s\n{folder}/a-is-over\n", shown)

    def test_whatever_stops_it_stops_all_of_them(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number), tempfile.TemporaryDirectory() as folder:
                # As a stack does, the first takes down what it started.
                orderly = f"trap 'touch {folder}/down; exit 1' INT; touch {folder}/up; while true; do sleep 0.1; done"
                process = self.start(folder, {"a": orderly}, {"b": "true", "c": f"echo $$ > {folder}/pid; exec sleep 600"})
                wait_until("the start", lambda: (Path(folder) / "up").exists() and read_pid(folder), 20)
                process.send_signal(number)
                process.communicate(timeout=30)
                self.assertNotEqual(0, process.returncode)
                self.assertTrue((Path(folder) / "down").exists())
                self.assertFalse(Path(f"/proc/{read_pid(folder)}").exists())


def read_pid(folder):
    try:
        return int((Path(folder) / "pid").read_text())
    except (FileNotFoundError, ValueError):
        return None


class Interrupted(unittest.TestCase):
    # Starts a server that takes a second to stop, then fails, as a deployment does.
    SCRIPT = """
        import sys, time
        from pathlib import Path
        from processes import Process, stop
        folder, port = Path(sys.argv[1]), int(sys.argv[2])
        server = Process("server", [sys.executable, "-c", sys.argv[3], str(port)], port, "PORT",
                         f"http://127.0.0.1:{port}", folder, {})
        try:
            server.start()
            time.sleep(60)
        except BaseException:
            (folder / "stopping").touch()
            stop([server.pid_file])
            raise
    """
    SERVER = """
        import signal, sys, time
        from http.server import HTTPServer, SimpleHTTPRequestHandler
        signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), sys.exit()))
        HTTPServer(("127.0.0.1", int(sys.argv[1])), SimpleHTTPRequestHandler).serve_forever()
    """

    def test_a_second_ctrl_c_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            port = free_port()
            script, server = textwrap.dedent(self.SCRIPT), textwrap.dedent(self.SERVER)
            process = subprocess.Popen(
                [PYTHON, "-c", script, folder, str(port), server],
                env={**BARE, "PYTHONPATH": str(ROOT / "scripts")},
                stderr=subprocess.DEVNULL,
                # A shell's background job ignores Ctrl-C, and so would this process.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )
            url = f"http://127.0.0.1:{port}"
            wait_until("the start of the server", lambda: answers(url), 20)
            process.send_signal(signal.SIGINT)
            wait_until("the first Ctrl-C", (Path(folder) / "stopping").exists, 20)
            process.send_signal(signal.SIGINT)
            self.assertNotEqual(0, process.wait(20))
            self.assertFalse(answers(url))
            self.assertEqual([], list(Path(folder).glob("*.pid")))
