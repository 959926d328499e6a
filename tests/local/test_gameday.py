"""`make gameday` names the cause of each of its cases and repairs it; what it evaluates alarms on is theirs."""

import os
import time
import unittest

import alarms
import gameday
from observed import Observed
from shell import errors, run


class GameDay(unittest.TestCase):
    def test_each_case_is_told_within_a_minute_named_and_repaired(self):
        done = run("make", "gameday", env=dict(os.environ))
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        for case in gameday.CASES:
            self.assertIn(f"cause   docs/operations.md#{case.section}", done.stdout)
        self.assertIn("5 cases were told and repaired", done.stdout)

    def test_a_stack_that_nobody_broke_rings_no_alarm_of_a_case(self):
        observed = Observed(os.environ)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            gameday.breakages.read_an_order()
            observed.look()
        sections = {alarm.section for alarm in alarms.ringing(observed)}
        self.assertEqual(set(), sections & {case.section for case in gameday.CASES})

    def test_a_case_that_does_not_exist_is_refused(self):
        [line] = errors(run("make", "gameday", "CASES=flood", env=dict(os.environ)))
        self.assertRegex(line, "^error: there is no case flood; there are partner-down, ")


class Alarms(unittest.TestCase):
    def test_an_alarm_begins_beyond_its_threshold_by_its_own_statistic(self):
        for metric, values, expected in [
            ("5XXError", [0.0] * 99 + [1.0], set()),
            ("5XXError", [0.0] * 98 + [1.0] * 2, {"ApiErrors"}),
            ("InventoryCircuitOpen", [0.0, 1.0, 0.0], {"InventoryCircuit"}),
            ("InventoryCircuitOpen", [0.0, 0.0], set()),
            ("InternalErrors", [1.0], {"ReleaseFails"}),
            ("TokensRefused", [1.0] * 3, {"TokensAreRefused"}),
            ("TokensRefused", [1.0] * 3 + [0.0], set()),
            # A minute is a second.
            ("BusLag", [900.0, 990.0], set()),
            ("BusLag", [900.0, 1_100.0], {"BusLags"}),
        ]:
            with self.subTest(metric, values=values[-3:]):
                self.assertEqual(expected, {alarm.name for alarm in alarms.ringing(Seen(metric, values))})

    def test_each_case_expects_an_alarm_that_names_its_section(self):
        resources = alarms.template()["Resources"]
        for case in gameday.CASES:
            with self.subTest(case.name):
                self.assertTrue(resources[case.alarm]["Properties"]["AlarmDescription"].endswith(f"#{case.section}"))


class Seen:
    """Observations of one metric."""

    def __init__(self, metric, values):
        self.metric, self.seen = metric, values

    def values(self, _namespace, metric, _dimensions):
        return self.seen if metric == self.metric else []
