"""`make rebuild-reports` comes to what was counted as the feed told of it, and repairs what is wrong."""

import os
import unittest
from collections import Counter

from aws import client
from outputs import outputs
from processes import wait_until
from shell import PYTHON, physical, run


class Reports(unittest.TestCase):
    def test_a_recount_comes_to_the_same_and_repairs_a_row(self):
        wait_until("every event being counted", is_counted, 60)
        before = rows()
        self.assertGreater(len(before), 0)
        rebuild(self)
        self.assertEqual(before, rows(), "what all suites left was counted rightly")
        damage()
        self.assertNotEqual(before, rows())
        rebuild(self)
        self.assertEqual(before, rows())


def rebuild(case):
    done = run(PYTHON, "scripts/rebuild_reports.py", env=dict(os.environ))
    case.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)


def is_counted():
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = client("sqs", os.environ).get_queue_attributes(QueueUrl=physical("CountQueue"), AttributeNames=names)
    return set(counts["Attributes"].values()) == {"0"}


def items():
    table = outputs()["ReportsTableName"]
    for page in client("dynamodb", os.environ).get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


def rows():
    """What each row adds up to: its parts of all shards, in whatever generation."""
    sums = Counter()
    for item in items():
        if item["pk"]["S"].startswith("rows#"):
            _, tenant, _, kind, _ = item["pk"]["S"].split("#")
            for name, value in item.items():
                if name not in ("pk", "sk"):
                    sums[tenant, kind, item["sk"]["S"], name] += int(value["N"])
    return {key: value for key, value in sums.items() if value}


def damage():
    row = next(item for item in items() if item["pk"]["S"].startswith("rows#"))
    client("dynamodb", os.environ).update_item(
        TableName=outputs()["ReportsTableName"],
        Key={"pk": row["pk"], "sk": row["sk"]},
        UpdateExpression="ADD o :seven",
        ExpressionAttributeValues={":seven": {"N": "7"}},
    )
