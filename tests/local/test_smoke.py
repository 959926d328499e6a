"""`make smoke`, with the Rust client, against the stack under test: it passes, and says what failed."""

import os
import re
import unittest

from shell import errors, run


class Smoke(unittest.TestCase):
    def test_an_order_is_placed_read_canceled_and_deleted(self):
        done = smoke()
        self.assertEqual(0, done.returncode, done.stderr)
        said = [line.partition(":")[0] for line in done.stdout.splitlines()]
        self.assertEqual(["health", "placed", "read", "canceled", "deleted"], said)

    def test_what_fails_is_said_in_one_line(self):
        for fault, expected in {
            "no token": ({"TOKEN": "a.b.c"}, "error: placing an order: "),
            "another address": ({"URL": os.environ["API_URL"] + "/elsewhere"}, "error: GET /health: "),
            "an unknown product": ({"SMOKE_PRODUCT": "nothing"}, "error: placing an order: "),
        }.values():
            with self.subTest(fault):
                [line] = errors(smoke(**fault))
                self.assertTrue(line.startswith(expected), line)

    def test_a_setting_that_is_missing_is_named(self):
        [line] = errors(smoke(URL=None))
        self.assertRegex(line, re.escape("error: URL is not set"))


def smoke(**settings):
    env = {**os.environ, "URL": os.environ["API_URL"], **settings}
    return run("make", "--no-print-directory", "smoke", env={name: value for name, value in env.items() if value is not None})
