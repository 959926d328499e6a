"""No log of the whole run tells of a person, a token or a secret, although everything is logged that can be."""

import json
import os
import re
import time
import unittest
from functools import cache

from aws import client
from processes import wait_until
from outputs import physical
from shell import FOLDER

# What the suites, the samples and the partners say of people; tests/src/seeds.rs seeds the first.
PEOPLE = r"quillfeather|lovelace|james's square|@shop\.example|\bcustomer \d+\b"
# A token, and what tests/tokens puts into the tokens, paths and key ids of attackers.
TOKENS = r"eyJ[\w-]{6,}|hostile-marker|bearer +[\w-]{8,}"


class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lines = list(function_logs())

    def test_no_line_tells_of_a_person_a_token_or_a_secret(self):
        found = leaks([*self.lines, *file_logs()])
        self.assertEqual([], found[:20], f"{len(found)} lines")

    def test_what_is_searched_was_logged_at_the_finest_level(self):
        self.assertEqual({"trace"}, {line["log_level"] for line in messages(self.lines, "logging began")})
        self.assertGreater(len(list(messages(self.lines, "request served"))), 50)

    def test_a_person_a_token_and_a_secret_in_a_log_are_found(self):
        logs, group = client("logs", os.environ), physical("Logs")
        planted = [
            "ships to 1 Quillfeather Lane",
            "mail for customer-7@shop.example",
            "name=Customer 7",
            f"authorization: {os.environ['TOKEN']}",
            f"claims {os.environ['TOKEN'].split('.')[1]}",
            "kid hostile-marker",
            f"signed with {cursor_secrets()[0]}",
        ]
        logs.create_log_stream(logGroupName=group, logStreamName="planted")
        try:
            events = [{"timestamp": int(time.time() * 1000), "message": line} for line in planted]
            logs.put_log_events(logGroupName=group, logStreamName="planted", logEvents=events)
            self.assertEqual(sorted(planted), sorted(leaks(function_logs("planted"))))
        finally:
            logs.delete_log_stream(logGroupName=group, logStreamName="planted")
        self.assertEqual([], leaks(["request served", "a token was refused", "customer service", "bearer token"]))


class Coverage(unittest.TestCase):
    """What the suites make functions log, and so what the search above has seen."""

    def test_every_route_was_called_and_tokens_were_refused(self):
        lines = list(function_logs())
        paths = {line["Route"].partition(" ")[2] for line in messages(lines, "request served")}
        of_orders = {"/orders", "/orders/batch", "/orders/{id}", "/orders/{id}/shipping", "/orders/{id}/status"}
        served = of_orders | {"/reports/orders", "/exports", "/exports/{export_id}", "/health", "/metrics"}
        self.assertEqual(served, paths)
        causes = {line["cause"] for line in messages(lines, "a token was refused")}
        self.assertGreaterEqual(len(causes), 10, causes)
        wait_until("the line of a sweep", lambda: list(messages(function_logs(), "swept")), 120)


def messages(lines, text):
    """The members of each line with this message."""
    return (json.loads(line) for line in lines if f'"message":"{text}"' in line)


def leaks(lines):
    secrets = "|".join(re.escape(secret) for secret in cursor_secrets())
    pattern = re.compile(f"{PEOPLE}|{TOKENS}|{secrets}", re.IGNORECASE)
    return [line for line in lines if pattern.search(line)]


def function_logs(stream=None):
    """Every line of the functions' log group, or of one stream of it. Stream by stream: the emulator ends an answer at
    10,000 lines and names no next page."""
    logs, group = client("logs", os.environ), physical("Logs")
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group)
    streams = [stream] if stream else [each["logStreamName"] for page in pages for each in page["logStreams"]]
    for name in streams:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, logStreamNames=[name]):
            for event in page["events"]:
                yield event["message"]


def file_logs():
    """The lines of the logs that the programs of this run wrote into the stack's folder; test_functions.py has its own."""
    for file in sorted(set(FOLDER.glob("*.log")) - set(FOLDER.glob("*.rie.log"))):
        for line in file.read_text(errors="replace").splitlines():
            yield f"{file.name}: {line}"


@cache
def cursor_secrets():
    secret = client("secretsmanager", os.environ).get_secret_value(SecretId=physical("CursorSecret"))["SecretString"]
    return [value for value in json.loads(secret).values() if value]
