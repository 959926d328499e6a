"""The consumer in docs/events.md works as printed."""

import json
import os
import re
import subprocess
import tempfile
import unittest
import uuid
from pathlib import Path

import demo
from aws import client
from outputs import outputs
from processes import wait_until
from shell import PYTHON, ROOT


class Python(unittest.TestCase):
    def test_an_event_is_applied_once_in_order(self):
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "output"
            tenant = f"t-{uuid.uuid4().hex}"
            env = {**os.environ, "FEED_QUEUE_URL": subscribed_queue(tenant)}
            with output.open("w") as log:
                consumer = subprocess.Popen([PYTHON, "-c", printed()], cwd=folder, env=env, stdout=log)
            try:
                order = place(tenant)
                expected = [f"applied {kind} {order} 0000000001:00{n}" for n, kind in enumerate(CREATED)]
                wait_until("the order's events", lambda: len(output.read_text().splitlines()) >= 3, 60)
                self.assertEqual(expected, output.read_text().splitlines()[:3])
            finally:
                consumer.kill()
                consumer.wait()


CREATED = ["order.created", "inventory.reserved", "order.confirmed"]


def printed():
    return re.search(r"^```python\n(.*?)^```", (ROOT / "docs/events.md").read_text(), re.DOTALL | re.MULTILINE)[1]


def place(tenant):
    wish = {"tenant": tenant, "sub": "consumer", "scope": "orders:write"}
    token = demo.call("POST", f"{os.environ['PARTNERS_URL']}/token", wish)[2]["token"]
    headers = {"Authorization": f"Bearer {token}"}
    return demo.call("POST", f"{os.environ['API_URL']}/orders", demo.ORDER, headers)[2]["id"]


def subscribed_queue(tenant):
    """A queue of the feed's events of one tenant."""
    sqs, topic = client("sqs", os.environ), outputs()["OrderFeedArn"]
    queue = sqs.create_queue(QueueName=f"{uuid.uuid4()}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    options = {"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"tenant": [tenant]})}
    client("sns", os.environ).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=options)
    return queue
