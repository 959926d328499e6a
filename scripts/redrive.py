"""Moves the messages of a dead-letter queue back to where they came from.

    redrive.py [QUEUE]     QUEUE is `settle` (the default)

It uses the stack that the environment names: `source .local/stack.env`, or AWS credentials and STACK_NAME.
"""

import os
import sys

import boto3

# Dead-letter queue and source, as outputs of the stack.
QUEUES = {"settle": ("UnsettledMessagesUrl", "SettleQueueUrl")}


def main(name="settle"):
    if name not in QUEUES:
        sys.exit(__doc__)
    stack = boto3.client("cloudformation").describe_stacks(StackName=os.environ.get("STACK_NAME", "orders"))
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Stacks"][0]["Outputs"]}
    dead_letters, source = (outputs[output] for output in QUEUES[name])
    print(f"moved {redrive(boto3.client('sqs'), dead_letters, source)} messages back to {source}")


def redrive(sqs, dead_letters, source):
    """Sends each message before it deletes it: a crash in between doubles a message, and settling twice is harmless."""
    moved = 0
    while messages := receive(sqs, dead_letters):
        for message in messages:
            sqs.send_message(QueueUrl=source, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def receive(sqs, queue):
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])


if __name__ == "__main__":
    main(*sys.argv[1:])
