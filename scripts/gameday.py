"""Breaks the stack that the environment names in five ways, one at a time: shows which metric, alarm and log line tells it, names
the cause from them, and repairs it.

    gameday.py [CASE ...]

The emulator knows no metrics of CloudWatch. So the alarms of template.yaml are evaluated here, on the metrics in the log lines
(they are in embedded metric format), on the queues, and on what the emulator counts in the place of AWS: refused requests of
the table, answers of the API, records that wait in the stream. A minute of an alarm is a second here: ages count sixtyfold, and
one datapoint is enough. What an alarm says is its description, which names a section of docs/operations.md.
"""

import os
import sys
import time
from dataclasses import dataclass
from typing import Callable

import breakages
from alarms import ringing
from observed import Observed
from processes import StackError, say, wait_until

# A case that is not told within a minute has failed.
PATIENCE = 60


@dataclass(frozen=True)
class Case:
    """Something that breaks. `alarm` and `section` are what must tell it, `line` a text that the log must hold."""

    name: str
    breaks: Callable
    uses: Callable
    repairs: Callable
    works: Callable
    alarm: str
    section: str
    line: str


CASES = [
    Case(
        name="partner-down",
        breaks=breakages.partners_fail,
        uses=breakages.place_orders,
        repairs=breakages.partners_work,
        works=breakages.an_order_is_confirmed,
        alarm="InventoryCircuit",
        section="a-partner-is-down",
        line="inventory service",
    ),
    Case(
        name="bus-refused",
        breaks=breakages.refuse_the_bus,
        uses=breakages.place_orders,
        repairs=breakages.allow_the_bus,
        works=breakages.the_stream_is_read,
        alarm="PublishIteratorAge",
        section="events-are-late",
        line="the bus did not take an event",
    ),
    Case(
        name="poison-record",
        breaks=breakages.write_what_is_no_order,
        uses=breakages.nothing,
        repairs=breakages.take_it_away,
        works=breakages.nothing_is_set_aside,
        alarm="UnpublishedChangesWait",
        section="unpublished-changes",
        line="a stream record is not an order",
    ),
    Case(
        name="table-throttled",
        breaks=breakages.throttle_the_table,
        uses=breakages.read_an_order,
        repairs=breakages.serve_the_table,
        works=breakages.an_order_is_confirmed,
        alarm="OrdersReadThrottles",
        section="the-table-throttles",
        line="ProvisionedThroughputExceeded",
    ),
    Case(
        name="bad-deployment",
        breaks=breakages.deploy_a_broken_version,
        uses=breakages.read_an_order,
        repairs=breakages.roll_back,
        works=breakages.an_order_is_read,
        alarm="ApiErrors",
        section="requests-are-answered-5xx",
        line="AccessDeniedException",
    ),
]

# When several alarms begin, the first of these whose line is there as well names the cause: a request fails for many reasons.
CAUSES = ["table-throttled", "poison-record", "partner-down", "bus-refused", "bad-deployment"]


def main(*names):
    if unknown := set(names) - {case.name for case in CASES}:
        raise StackError(f"there is no case {', '.join(sorted(unknown))}; there are {', '.join(case.name for case in CASES)}")
    for case in CASES:
        if not names or case.name in names:
            play(case)
    print(f"{len(names) or len(CASES)} cases were told and repaired")


def play(case):
    say(f"{case.name}: {case.breaks.__doc__}")
    observed = Observed(os.environ)
    began = time.monotonic()
    broken = case.breaks()
    try:
        alarms, line = wait_until(f"{case.name}: what tells it", lambda: told(case, observed), PATIENCE)
    finally:
        case.repairs(broken)
    took = time.monotonic() - began
    cause = cause_of(alarms, observed)
    if cause != case.section:
        raise StackError(f"{case.name}: it looked like {cause}: {[alarm.name for alarm in alarms]}")
    for alarm in alarms:
        print(f"  alarm   {alarm.name}: {alarm.metric} is {alarm.value:g}, above {alarm.threshold:g} ({alarm.section})")
    print(f"  line    {line[:400]}")
    print(f"  cause   docs/operations.md#{cause}, after {took:.0f} s")
    wait_until(f"{case.name}: the repair", case.works, PATIENCE)
    print(f"  repair  {case.repairs.__doc__}: it works after {time.monotonic() - began - took:.0f} s")


def cause_of(alarms, observed):
    """The section that the alarms and the log name, whatever was broken."""
    began, cases = {alarm.name for alarm in alarms}, {case.name: case for case in CASES}
    known = (cases[name] for name in CAUSES)
    return next(case.section for case in known if case.alarm in began and observed.line_with(case.line))


def told(case, observed):
    """The alarms and the line, once the alarm of the case has begun and the line is there."""
    case.uses()
    observed.look()
    alarms = ringing(observed)
    line = observed.line_with(case.line)
    return (alarms, line) if line and case.alarm in {alarm.name for alarm in alarms} else None


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except StackError as error:
        sys.exit(f"error: {error}")
