"""The page of examples/live, as `make run` serves it, shows an order that is placed, and that it advances, within two seconds."""

import os
import unittest

from shell import ROOT, run


class LivePage(unittest.TestCase):
    def test_an_order_appears_and_advances_within_two_seconds(self):
        run("make", "tests/site/node_modules/.package-lock.json", env=os.environ).check_returncode()
        command = f"cd {ROOT}/tests/site && node --test --test-name-pattern='on a stack' live.test.mjs"
        done = run("bash", "-c", command, env=os.environ)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"pass 1\b")
