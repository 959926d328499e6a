"""Sends the events again that the messages of the dead-letter queue UnpublishedChanges stand for.

It uses the stack that the environment names: `source .local/stack.env`, or AWS credentials and STACK_NAME.
"""

import json
import sys
from datetime import datetime, timedelta
from functools import cache

import boto3
import reconcile
from outputs import in_one_line, outputs

# A change is stamped before it reaches the stream, by a clock that may be wrong.
MARGIN = timedelta(seconds=60)


def main():
    """Resends the events of each message before it deletes it: a crash in between does it twice, which is harmless. A
    message that cannot be dealt with stays, and the others go on."""
    url = outputs()["UnpublishedChangesUrl"]
    done = failed = 0
    while messages := sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            try:
                resend(message["Body"])
            except reconcile.Failed as error:
                print(f"error: {error}; the message stays", file=sys.stderr)
                failed += 1
            else:
                sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                done += 1
    print(f"redrove {done} messages")
    sys.exit(failed > 0)


@cache
def sqs():
    return boto3.client("sqs")


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
        raise reconcile.Failed(f"{request} sent {report['republished']} of {report['events']} events")
    print(f"{request} sent {report['republished']} events")


def time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


if __name__ == "__main__":
    in_one_line(main)
