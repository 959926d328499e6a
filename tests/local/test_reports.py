"""`make rebuild-reports` comes to what was counted as the feed told of it, and repairs what is wrong."""

import os
import unittest
import uuid
from collections import Counter

import demo
from aws import client
from outputs import outputs
from processes import wait_until
from shell import PYTHON, run


# A storefront of this test alone: other tests lose events on purpose.
TENANT = "recount"


class Reports(unittest.TestCase):
    def test_a_recount_comes_to_the_same_and_repairs_a_row(self):
        orders = [place() for _ in range(5)]
        call("PUT", f"/orders/{orders[0]['id']}/status", {"status": "canceled"})
        wait_until("every event being counted", lambda: orders_by_status() == {"canceled": 1, "confirmed": 4}, 60)
        before = rows()
        rebuild(self)
        self.assertEqual(before, rows(), "what the feed told of was counted rightly")
        damage()
        self.assertNotEqual(before, rows())
        rebuild(self)
        self.assertEqual(before, rows())


def call(method, path, body):
    wish = {"tenant": TENANT, "sub": "tests", "scope": "orders:read orders:write"}
    token = demo.call("POST", f"{os.environ['PARTNERS_URL']}/token", wish)[2]["token"]
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
    return demo.call(method, f"{os.environ['API_URL']}{path}", body, headers)[2]


def place():
    return call("POST", "/orders", demo.ORDER)


def orders_by_status():
    counted = Counter()
    for (kind, row, name), value in rows().items():
        if kind == "s" and name == "o":
            counted[row.split("#")[1]] += value
    return counted


def rebuild(case):
    done = run(PYTHON, "scripts/rebuild_reports.py", env=dict(os.environ))
    case.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)


def items():
    """The rows of the storefront."""
    table = outputs()["ReportsTableName"]
    for page in client("dynamodb", os.environ).get_paginator("scan").paginate(TableName=table):
        yield from (item for item in page["Items"] if item["pk"]["S"].startswith("rows#") and item["pk"]["S"].split("#")[1] == TENANT)


def rows():
    """What each row adds up to: its parts of all shards, in the generation that is read."""
    sums, read = Counter(), generation()
    for item in items():
        _, _, of, kind, _ = item["pk"]["S"].split("#")
        if of != read:
            continue
        for name, value in item.items():
            if name not in ("pk", "sk"):
                sums[kind, item["sk"]["S"], name] += int(value["N"])
    return {key: value for key, value in sums.items() if value}


def generation():
    key = {"pk": {"S": "generations"}, "sk": {"S": "-"}}
    return client("dynamodb", os.environ).get_item(TableName=outputs()["ReportsTableName"], Key=key)["Item"].get("r", {"N": "0"})["N"]


def damage():
    read = generation()
    row = next(item for item in items() if item["pk"]["S"].split("#")[2] == read)
    client("dynamodb", os.environ).update_item(
        TableName=outputs()["ReportsTableName"],
        Key={"pk": row["pk"], "sk": row["sk"]},
        UpdateExpression="ADD o :seven",
        ExpressionAttributeValues={":seven": {"N": "7"}},
    )
