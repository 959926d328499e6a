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
        command = [sys.executable, ROOT / "scripts/transformed.py", ROOT / "template.yaml", "GradualDeployment=true"]
        cls.template = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def test_the_template_has_no_fault(self):
        self.check(lambda resources: None)

    def test_every_planted_fault_is_noticed(self):
        for name, plant in FAULTS.items():
            with self.subTest(name), self.assertRaises(SystemExit):
                self.check(plant)

    def test_a_function_without_a_check_is_told_where_to_add_it(self):
        resources = copy.deepcopy(self.template["Resources"])
        unknown_to_the_hook(resources)
        faults = list(check_operations.unchecked(resources, check_operations.checked()))
        self.assertEqual(3, len(faults), faults)
        for fault, place in zip(faults, ["add EXPORT_ORDERS to STORY or EVENTS in hooks/check-release", "the variable EXPORT_ORDERS", "invoke"]):
            self.assertIn("ExportOrdersFunction is not checked before it is deployed", fault)
            self.assertIn(place, fault)

    def check(self, plant):
        template = copy.deepcopy(self.template)
        plant(template["Resources"])
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(template, file)
            file.flush()
            check_operations.main(file.name)


def setting(resource, name, value):
    return lambda resources: resources[resource]["Properties"].update({name: value})


def without(text):
    """Takes what the check of a release knows of a function out of its role."""

    def plant(resources):
        policies = resources["CheckReleaseFunctionRole"]["Properties"]["Policies"]
        allowed = policies[0]["PolicyDocument"]["Statement"][0]["Resource"]
        allowed.remove(next(version for version in allowed if text in version["Ref"]))

    return plant


def without_alarm(function, alarm):
    def plant(resources):
        resources[f"{function}DeploymentGroup"]["Properties"]["AlarmConfiguration"]["Alarms"].remove({"Name": {"Ref": alarm}})

    return plant


def with_alarms(count):
    def plant(resources):
        alarms = resources["GetOrderFunctionDeploymentGroup"]["Properties"]["AlarmConfiguration"]["Alarms"]
        alarms.extend(alarms[:1] * (count - len(alarms)))

    return plant


def unknown_to_the_hook(resources):
    """A function that somebody added, with all that the others have but a check."""
    resources["ExportOrdersFunction"] = resources["ListOrdersFunction"]
    resources["ExportOrdersFunctionVersion"] = {
        "Type": "AWS::Lambda::Version",
        "Properties": {"FunctionName": {"Ref": "ExportOrdersFunction"}},
    }
    resources["ExportOrdersErrors"] = copy.deepcopy(resources["ListOrdersErrors"])
    resources["ExportOrdersErrors"]["Properties"]["Dimensions"][0]["Value"] = {"Ref": "ExportOrdersFunction"}


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
    "a table whose throttles nobody hears of": lambda resources: resources.pop("CircuitsReadThrottles"),
    "an index whose throttles nobody hears of": lambda resources: resources.pop("ByStatusReadThrottles"),
    "a function that no check calls": unknown_to_the_hook,
    "a function that the check cannot name": lambda resources: resources["CheckReleaseFunction"]["Properties"]["Environment"]["Variables"].pop("GET_REPORT"),
    "a function that the check may not call": without("SweepFollowUpsFunction"),
    "a new version whose errors stop no deployment": setting("NewListOrdersFails", "Dimensions", []),
    "an authorizer that may refuse every token": without_alarm("AuthorizeFunction", "TokensAreRefused"),
    "more alarms than CodeDeploy takes": with_alarms(11),
    "a widget of a metric that nobody emits": dashboard('"FeedLag"', '"FeedLagg"'),
    "a search by other dimensions": dashboard("Code,Route", "Code"),
    "a widget of a function that is not there": dashboard("${UpdateOrderFunction}", "${UpdateOrdrFunction}"),
}
