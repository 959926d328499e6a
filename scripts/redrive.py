"""Gives what ended in a dead-letter queue another try.

    redrive.py settle      moves messages back to SettleQueue
    redrive.py publish     sends the events again that messages of UnpublishedChanges stand for

It uses the stack that the environment names: `source .local/stack.env`, or AWS credentials and STACK_NAME.
"""

import json
import sys
from datetime import datetime, timedelta

import boto3
import reconcile
from outputs import outputs

# A change is stamped before it reaches the stream, by a clock that may be wrong.
MARGIN = timedelta(seconds=60)


def main(name="settle"):
    match name:
        case "settle":
            moved = redrive("UnsettledMessagesUrl", lambda body: send(outputs()["SettleQueueUrl"], body))
            print(f"moved {moved} messages back")
        case "publish":
            print(f"dealt with {redrive('UnpublishedChangesUrl', resend)} messages")
        case _:
            sys.exit(__doc__)


def redrive(queue, deal_with):
    """Deals with each message before it deletes it: a crash in between does it twice, which is harmless."""
    sqs, url = boto3.client("sqs"), outputs()[queue]
    count = 0
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            deal_with(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            count += 1
    return count


def send(url, body):
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def resend(body):
    """Rebuilds the events from the histories: of the orders of a batch by its time, of an unreadable record by its key."""
    letter = json.loads(body)
    if batch := letter.get("DDBStreamBatchInfo"):
        start = time(batch["approximateArrivalOfFirstRecord"]) - MARGIN
        end = time(batch["approximateArrivalOfLastRecord"]) + MARGIN
        request = {"mode": "resend", "from": reconcile.rfc3339(start), "to": reconcile.rfc3339(end)}
    else:
        request = {"mode": "resend_orders", "orders": [letter["key"]]}
    report = reconcile.run(request)
    if report["republished"] < report["events"] or not report["orders"]:
        sys.exit(f"error: {request} sent {report['republished']} of {report['events']} events; the message stays")
    print(f"{request} sent {report['republished']} events")


def time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


if __name__ == "__main__":
    main(*sys.argv[1:])
