"""Sends the events again of the changes that could not be published: those of the bucket UnpublishedRecords, and those
that the messages of the queue UnpublishedChanges name. Has the orders counted again that the messages of the queue
UncountedOrders name.

It uses the stack that the environment names: `source .local/stack.env`, or AWS credentials and STACK_NAME.
"""

import json
import sys
from functools import cache

import boto3
import reconcile
from outputs import in_one_line, outputs

# So many orders are sent again by one call of reconcile-events.
AT_ONCE = 100


def main():
    """Resends the events of each letter before it deletes it: a crash in between does it twice, which is harmless. A letter
    that cannot be dealt with stays, and the others go on."""
    done = failed = 0
    for letter, delete in letters():
        try:
            resend(orders_of(letter))
        except reconcile.Failed as error:
            print(f"error: {error}; it stays", file=sys.stderr)
            failed += 1
        else:
            delete()
            done += 1
    print(f"redrove {done} letters, and {count_again()} messages to be counted")
    sys.exit(failed > 0)


def count_again():
    """Hands the messages of uncounted orders to the queue that they came from, each before it is deleted: a message that
    comes twice counts nothing twice."""
    sqs, url = client("sqs"), outputs()["UncountedOrdersUrl"]
    done = 0
    for message in messages(url):
        sqs.send_message(QueueUrl=outputs()["CountQueueUrl"], MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        done += 1
    return done


def letters():
    """What was set aside, and how it is deleted: objects of the bucket, then messages of the queue."""
    bucket = outputs()["UnpublishedRecordsName"]
    s3 = client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for key in [found["Key"] for found in page.get("Contents", [])]:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            yield json.loads(body), lambda key=key: s3.delete_object(Bucket=bucket, Key=key)
    url = outputs()["UnpublishedChangesUrl"]
    for message in messages(url):
        handle = message["ReceiptHandle"]
        yield json.loads(message["Body"]), lambda handle=handle: client("sqs").delete_message(QueueUrl=url, ReceiptHandle=handle)


def messages(url):
    """The messages of a queue, until it has no more that are visible."""
    while some := client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        yield from some


def orders_of(letter):
    """The orders that a letter is about, `<tenant>#<order id>`."""
    if "payload" in letter:
        # Whole records, as Lambda writes them to a bucket.
        payload = letter["payload"]
        return keys((json.loads(payload) if isinstance(payload, str) else payload)["Records"])
    if batch := letter.get("DDBStreamBatchInfo"):
        return keys(records_of(batch))
    return [letter["key"]]


def keys(records):
    return sorted({record["dynamodb"]["Keys"]["pk"]["S"] for record in records})


def records_of(batch):
    """The records between two positions of the stream, which keeps them for 24 hours."""
    streams = client("dynamodbstreams")
    last, found = int(batch["endSequenceNumber"]), []
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
    except (streams.exceptions.TrimmedDataAccessException, streams.exceptions.ResourceNotFoundException) as error:
        window = f'--from {batch["approximateArrivalOfFirstRecord"]} --to {batch["approximateArrivalOfLastRecord"]}'
        hint = f'make reconcile ARGS="{window} --republish"'
        raise reconcile.Failed(f"the stream no longer has these records; widen by a minute: {hint}") from error
    while iterator:
        page = streams.get_records(ShardIterator=iterator)
        found += [record for record in page["Records"] if int(record["dynamodb"]["SequenceNumber"]) <= last]
        is_past = any(int(record["dynamodb"]["SequenceNumber"]) >= last for record in page["Records"])
        iterator = None if is_past or not page["Records"] else page.get("NextShardIterator")
    return found


def resend(orders):
    """Has the events of these orders' histories sent again; consumers drop what they have seen."""
    if not orders:
        raise reconcile.Failed("a letter names no order")
    for first in range(0, len(orders), AT_ONCE):
        some = orders[first : first + AT_ONCE]
        report = reconcile.run({"mode": "resend_orders", "orders": some})
        if report["republished"] < report["events"]:
            raise reconcile.Failed(f"{some} sent {report['republished']} of {report['events']} events")
        if report["orders"] < len(some):
            raise reconcile.Failed(f"{len(some) - report['orders']} of {some} have no history to take events from")
        print(f"{len(some)} orders sent {report['republished']} events")


@cache
def client(service):
    return boto3.client(service)


if __name__ == "__main__":
    in_one_line(main)
