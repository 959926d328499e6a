"""Compares the histories of orders that changed in a window of time with what came out of bus and feed.

    reconcile.py [--from TIME] [--to TIME] [--republish]

Times are RFC 3339; without them the last hour is compared, but for its last minute. The report is JSON. It exits with 1
when anything is missing that was not sent again, or came out and is in no history. Interrupted, the same command with
the same times goes on where it was.
"""

import argparse
import json
import sys
import time
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config
from outputs import in_one_line, outputs

# So long what came out may take to be recorded: 200 seconds after the marker when the queue is never empty, and a while.
PATIENCE_SECONDS = 300


class Failed(Exception):
    """What went wrong, in one line for the operator."""


def main():
    now = datetime.now(timezone.utc)
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--from", dest="start", default=rfc3339(now - timedelta(hours=1)))
    arguments.add_argument("--to", default=rfc3339(now - timedelta(minutes=1)))
    arguments.add_argument("--republish", action="store_true")
    wish = arguments.parse_args()
    report = run_to_its_end({"mode": "compare", "from": wish.start, "to": wish.to, "republish": wish.republish})
    print(json.dumps(report, indent=2))
    sys.exit(sum(report["missing"].values()) > report["republished"] or report["unknown"] > 0)


def run_to_its_end(request):
    """The report of a run that is done, however many invocations it takes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (report := run(request))["done"]:
        print(f"{report['orders']} orders compared, {report['events']} events; it goes on", file=sys.stderr)
        if report["refused"]:
            raise Failed(f"{report['refused']} missing events were sent again and refused; the same command tries them again")
        if not report["trail_behind"]:
            deadline = time.monotonic() + PATIENCE_SECONDS
        elif time.monotonic() > deadline:
            raise Failed("what came out is not recorded: does record-events run? see docs/operations.md")
    return report


def run(request):
    """What reconcile-events answers."""
    # The function may take five minutes.
    client = boto3.client("lambda", config=Config(read_timeout=320, retries={"max_attempts": 0}))
    answer = client.invoke(FunctionName=outputs()["ReconcileFunctionName"], Payload=json.dumps(request))
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Failed(f"reconcile-events failed: {payload.get('errorMessage', payload)}")
    return payload


def rfc3339(at):
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    try:
        in_one_line(main)
    except Failed as error:
        sys.exit(f"error: {error}")
