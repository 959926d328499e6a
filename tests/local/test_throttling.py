"""Storefronts are throttled by their tier: the authorizer names the key, the gateway counts."""

import json
import os
import unittest
import urllib.error
from concurrent.futures import ThreadPoolExecutor

import demo
from outputs import outputs
from shell import PYTHON, run

# Listed in StorefrontsWithKey by scripts/deployment.py, whose tier Standard allows two requests at once.
LISTED = "slow"


class Throttling(unittest.TestCase):
    @classmethod
    def tearDownClass(cls):
        storefront("remove", LISTED)

    def test_a_storefront_beyond_its_tier_is_told_to_wait_and_no_other_is(self):
        storefront("add", LISTED)
        answers = requests(LISTED, 8)
        self.assertEqual({200, 429}, {status for status, _, _ in answers})
        status, headers, problem = next(answer for answer in answers if answer[0] == 429)
        self.assertEqual(("1", "application/problem+json"), (headers["Retry-After"], headers["Content-Type"]))
        self.assertEqual(("throttled", status), (problem["code"], problem["status"]))
        self.assertEqual({200}, statuses(demo.TENANT, 8), "the storefronts that share a key go on")
        with_shared = statuses(LISTED, 8, {"X-Api-Key": outputs()["SharedUsageKey"]})
        self.assertIn(429, with_shared, "a client cannot choose its key")

    def test_another_tier_is_another_limit_without_a_deployment(self):
        storefront("add", LISTED, "plus")
        self.assertEqual({200}, statuses(LISTED, 8))
        storefront("add", LISTED, "standard")
        self.assertIn(429, statuses(LISTED, 8))

    def test_a_storefront_that_is_listed_and_has_no_key_is_refused(self):
        storefront("remove", LISTED)
        status, _, problem = requests(LISTED, 1)[0]
        self.assertEqual((403, "INVALID_API_KEY"), (status, problem["reason"]))

    def test_health_needs_no_key(self):
        self.assertEqual(200, answer("/health", {})[0])


def storefront(*arguments):
    done = run(PYTHON, "scripts/storefront.py", *arguments, env=dict(os.environ))
    assert done.returncode == 0, done


def statuses(tenant, count, headers=None):
    return {status for status, _, _ in requests(tenant, count, headers)}


def requests(tenant, count, headers=None):
    """What a storefront is answered to so many requests side by side."""
    wish = {"tenant": tenant, "sub": "tests", "scope": "orders:read"}
    token = demo.call("POST", f"{os.environ['PARTNERS_URL']}/token", wish)[2]["token"]
    all_headers = {"Authorization": f"Bearer {token}", **(headers or {})}
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: answer("/orders", all_headers), range(count)))


def answer(path, headers):
    try:
        return demo.call("GET", os.environ["API_URL"] + path, headers=headers)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.loads(error.read())
