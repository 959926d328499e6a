"""`make load` against the stack under test, for a few seconds: every call is in the table, and what fails is counted."""

import os
import re
import unittest

from shell import errors, run


class Load(unittest.TestCase):
    def test_shoppers_place_read_list_and_delete_orders(self):
        done = load(RATE="5", SECONDS="4")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        calls = dict(re.findall(r"^\| ([A-Z]+ /\S+) \| (\d+) \|", done.stdout, re.MULTILINE))
        expected = {"POST /orders": "16", "GET /orders/{id}": "16", "GET /orders": "4", "DELETE /orders/{id}": "16"}
        self.assertEqual(expected, calls)

    def test_what_fails_is_counted(self):
        done = load(RATE="5", SECONDS="2", LOAD_PRODUCT="nothing")
        self.assertEqual(2, done.returncode)
        self.assertRegex(done.stdout, r"(?m)^failed: POST /orders 8 times: 422 ")

    def test_a_rate_that_is_no_number_is_refused(self):
        [line] = errors(load(RATE="many"))
        self.assertEqual("error: RATE is many, and must be a number from 1 to 100000", line)


def load(**settings):
    env = {**os.environ, "URL": os.environ["API_URL"], "PROFILE": "dev", **settings}
    return run("make", "--no-print-directory", "load", env=env)
