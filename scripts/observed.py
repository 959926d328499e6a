"""What can be seen of a local stack from the outside: its log lines, with the metrics in them, its queues, and what the emulator
counts in the place of AWS."""

import json
import time
import urllib.request
from collections import Counter

from aws import client


class Observed:
    """What happened since it was made."""

    def __init__(self, env):
        self.env, self.since = env, int(time.time() * 1000)
        self.lines, self.records, self.unread_since = {}, [], None
        resources = client("cloudformation", env).describe_stack_resources(StackName=env["STACK_NAME"])["StackResources"]
        self.physical = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
        self.throttled_before = self.local("throttled")

    def look(self):
        """Reads the log, the queues and the counts as they are now."""
        pages = client("logs", self.env).get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=self.physical["Logs"], startTime=self.since):
            for event in page["events"]:
                self.lines[event["logStreamName"], event["timestamp"], event["message"]] = event["message"]
        self.records = [line for line in map(parsed, self.lines.values()) if line]
        if not self.local("unread"):
            self.unread_since = None
        elif self.unread_since is None:
            self.unread_since = time.monotonic()

    def line_with(self, text):
        """The first line of the level WARN or ERROR that holds this text."""
        return next((line for line in self.lines.values() if text in line and ('"WARN"' in line or '"ERROR"' in line)), None)

    def values(self, namespace, metric, dimensions):
        """The values of a metric, none where it cannot be seen here."""
        match namespace, metric:
            case "AWS::StackName", _:
                return [value for record in self.records if metric in names(record) for value in as_list(record.get(metric))]
            case "AWS/SQS", _:
                return [self.waiting(dimensions["QueueName"])]
            case "AWS/DynamoDB", _ if "GlobalSecondaryIndexName" not in dimensions:
                kind = "reads" if metric.startswith("Read") else "writes"
                return [self.local("throttled").get(kind, 0) - self.throttled_before.get(kind, 0)]
            case "AWS/ApiGateway", "5XXError":
                return [float(record["status"] >= 500) for record in self.records if "status" in record]
            case "AWS/Lambda", "IteratorAge" if dimensions["FunctionName"] == "PublishEventsFunction":
                return [1000 * (time.monotonic() - self.unread_since)] if self.unread_since else []
            case _:
                return []

    def waiting(self, queue):
        url = self.physical[queue]
        answer = client("sqs", self.env).get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return float(answer["Attributes"]["ApproximateNumberOfMessages"])

    def local(self, what):
        with urllib.request.urlopen(f"{self.env['AWS_ENDPOINT_URL']}/_local/{what}", timeout=30) as answer:
            return Counter(json.load(answer)) if what == "throttled" else json.load(answer)


def parsed(line):
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def names(record):
    """The metrics that a line declares."""
    declared = record.get("_aws", {}).get("CloudWatchMetrics", [])
    return {metric["Name"] for group in declared for metric in group["Metrics"]}


def as_list(value):
    return value if isinstance(value, list) else [value]
