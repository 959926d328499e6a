"""Changes that could not be published are sent again, from whatever was set aside of them."""

import json
import os
import time
import unittest
import uuid

import demo
from aws import client
from outputs import outputs
from processes import wait_until
from shell import PYTHON, run


class Redrive(unittest.TestCase):
    def test_the_events_of_what_was_set_aside_come_out_again(self):
        orders = [placed() for _ in range(3)]
        records = {"Records": [record(order) for order in orders[:2]]}
        bucket, queue = outputs()["UnpublishedRecordsName"], os.environ["UNPUBLISHED_QUEUE_URL"]
        s3, sqs = client("s3", os.environ), client("sqs", os.environ)
        s3.put_object(Bucket=bucket, Key="aws/lambda/a/b", Body=json.dumps({"payload": json.dumps(records)}))
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"key": f"{os.environ['TENANT']}#{orders[2]}"}))
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"DDBStreamBatchInfo": position_of_the_newest()}))
        came_out = {order: occurrences(order) for order in orders}
        done = run(PYTHON, "scripts/redrive.py", env=dict(os.environ))
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("redrove 3 letters", done.stdout)
        self.assertEqual([], s3.list_objects_v2(Bucket=bucket).get("Contents", []))
        for order in orders:
            wait_until(f"the events of {order} coming out again", lambda o=order: occurrences(o) > came_out[o], 30)

    def test_an_order_that_could_not_be_counted_is_counted_again(self):
        sqs, table = client("sqs", os.environ), client("dynamodb", os.environ)
        wish = {"tenant": "redrive", "sub": "tests", "scope": "orders:write"}
        order = placed(demo.call("POST", f"{os.environ['PARTNERS_URL']}/token", wish)[2]["token"])
        key = {"pk": {"S": f"order#redrive#{order}"}, "sk": {"S": "-"}}

        def counted():
            return "Item" in table.get_item(TableName=outputs()["ReportsTableName"], Key=key)

        wait_until("the order being counted", counted, 60)
        table.delete_item(TableName=outputs()["ReportsTableName"], Key=key)
        body = json.dumps({"source": "orders/redrive", "subject": order})
        sqs.send_message(QueueUrl=outputs()["UncountedOrdersUrl"], MessageBody=body)
        done = run(PYTHON, "scripts/redrive.py", env=dict(os.environ))
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("1 messages to be counted", done.stdout)
        wait_until("the order being counted again", counted, 60)

    def test_a_letter_that_names_an_unknown_order_stays(self):
        queue, sqs = os.environ["UNPUBLISHED_QUEUE_URL"], client("sqs", os.environ)
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"key": f"demo#{uuid.uuid4()}"}))
        done = run(PYTHON, "scripts/redrive.py", env=dict(os.environ))
        self.assertEqual(1, done.returncode, done.stdout)
        self.assertIn("it stays", done.stderr)
        sqs.purge_queue(QueueUrl=queue)


SEEN = {}


def occurrences(order):
    """How many events of an order came out of the bus so far."""
    sqs, url = client("sqs", os.environ), os.environ["EVENTS_QUEUE_URL"]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            subject = json.loads(message["Body"])["detail"]["subject"]
            SEEN[subject] = SEEN.get(subject, 0) + 1
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return SEEN.get(order, 0)


def placed(token=os.environ["TOKEN"]):
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
    return demo.call("POST", f"{os.environ['API_URL']}/orders", demo.ORDER, headers)[2]["id"]


def record(order):
    return {"dynamodb": {"Keys": {"pk": {"S": f"{os.environ['TENANT']}#{order}"}}}}


def position_of_the_newest():
    """Where the stream has its newest record, as Lambda says it of a batch."""
    streams = client("dynamodbstreams", os.environ)
    arn = streams.list_streams(TableName=os.environ["ORDERS_TABLE"])["Streams"][0]["StreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][-1]["ShardId"]
    kind = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator, number = streams.get_shard_iterator(**kind)["ShardIterator"], None
    deadline = time.monotonic() + 30
    while iterator and time.monotonic() < deadline:
        page = streams.get_records(ShardIterator=iterator)
        if not page["Records"]:
            break
        number = page["Records"][-1]["dynamodb"]["SequenceNumber"]
        iterator = page.get("NextShardIterator")
    return {"streamArn": arn, "shardId": shard, "startSequenceNumber": number, "endSequenceNumber": number}
