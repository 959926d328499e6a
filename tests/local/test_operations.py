"""scripts/check_operations.py notices each kind of fault that it is for."""

import copy
import json
import subprocess
import sys
import tempfile
import unittest

import check_operations
from check_operations import ROOT


class Operations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = [sys.executable, ROOT / "scripts/transformed.py", ROOT / "template.yaml"]
        cls.template = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def test_the_template_has_no_fault(self):
        self.check(lambda resources: None)

    def test_every_planted_fault_is_noticed(self):
        for name, plant in FAULTS.items():
            with self.subTest(name), self.assertRaises(SystemExit):
                self.check(plant)

    def check(self, plant):
        template = copy.deepcopy(self.template)
        plant(template["Resources"])
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(template, file)
            file.flush()
            check_operations.main(file.name)


def setting(resource, name, value):
    return lambda resources: resources[resource]["Properties"].update({name: value})


def dashboard(old, new):
    def plant(resources):
        body = resources["Dashboard"]["Properties"]["DashboardBody"]
        assert old in body["Fn::Sub"]
        body["Fn::Sub"] = body["Fn::Sub"].replace(old, new)

    return plant


FAULTS = {
    "an alarm on a metric that nobody emits": setting("BusLags", "MetricName", "BusLagg"),
    "an alarm on dimensions that the metric lacks": setting("BusLags", "Dimensions", [{"Name": "Route", "Value": "x"}]),
    "an alarm in another namespace": setting("BusLags", "Namespace", "Orders"),
    "an alarm without a section": setting("BusLags", "AlarmDescription", "docs/operations.md#nowhere"),
    "a function without an alarm": lambda resources: resources.pop("GetHealthErrors"),
    "a queue of a rule without an alarm": lambda resources: resources.pop("UndeliveredWait"),
    "a queue of a stream without an alarm": lambda resources: resources.pop("UnpublishedChangesWait"),
    "a queue of a subscription without an alarm": lambda resources: resources.pop("UndeliveredFeedWait"),
    "a widget of a metric that nobody emits": dashboard('"FeedLag"', '"FeedLagg"'),
    "a search by other dimensions": dashboard("Code,Route", "Code"),
    "a widget of a function that is not there": dashboard("${UpdateOrderFunction}", "${UpdateOrdrFunction}"),
}
