"""scripts/check_parameters.py notices each kind of fault that it is for, and scripts/deploy.py what must not be deployed."""

import copy
import json
import re
import tempfile
import unittest
from pathlib import Path

import attach_table
import check_parameters
import deploy
from processes import StackError
from samcli.yamlhelper import yaml_parse
from shell import ROOT


class Parameters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = yaml_parse((ROOT / "template.yaml").read_text())
        cls.document = (ROOT / "docs/deploy.md").read_text()

    def test_every_parameter_is_grouped_labelled_explained_and_used(self):
        self.assertEqual([], list(check_parameters.faults_of(self.template, self.document)))

    def test_every_planted_fault_is_noticed(self):
        for plant, expected in FAULTS:
            with self.subTest(expected):
                template = copy.deepcopy(self.template)
                document = plant(template["Parameters"], template["Metadata"]["AWS::CloudFormation::Interface"], self.document)
                faults = list(check_parameters.faults_of(template, document or self.document))
                self.assertIn(expected, faults)


class Releases(unittest.TestCase):
    def test_a_release_is_another_one_for_any_change_and_for_each_attempt(self):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "AFunction/bootstrap"
            program.parent.mkdir()
            program.write_bytes(b"one")
            first = deploy.release_of(Path(folder), ["A=1", "B=2"], 1)
            self.assertRegex(first, "^[0-9a-f]{10}$")
            self.assertEqual(first, deploy.release_of(Path(folder), ["B=2", "A=1"], 1))
            self.assertNotEqual(first, deploy.release_of(Path(folder), ["A=1", "B=2"], 2))
            self.assertNotEqual(first, deploy.release_of(Path(folder), ["A=1", "B=3"], 1))
            program.write_bytes(b"two")
            self.assertNotEqual(first, deploy.release_of(Path(folder), ["A=1", "B=2"], 1))

    def test_nothing_is_deployed_that_was_not_built(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(StackError, "nothing is built"):
            deploy.release_of(Path(folder), [], 1)

    def test_parameters_are_read_in_both_forms_that_sam_keeps_and_an_old_release_is_left_out(self):
        for kept in (["A=1 2", "Release=old", "B=", 'C={"x": 1}'], r'A="1 2" Release="old" B="" C="{\"x\": 1}"'):
            config = {"prod": {"deploy": {"parameters": {"parameter_overrides": kept}}}}
            self.assertEqual(["A=1 2", "B=", 'C={"x": 1}'], deploy.overrides_of(config, "prod"))
        self.assertEqual([], deploy.overrides_of({"prod": {}}, "prod"))
        with self.assertRaisesRegex(StackError, "no section other"):
            deploy.overrides_of({"prod": {}}, "other")

    def test_without_parameters_sam_asks_for_each(self):
        self.assertIn("--guided", deploy.command("default", [], "0123456789", asks=True))
        with self.assertRaisesRegex(StackError, "no parameters"):
            deploy.command("default", [], "0123456789", asks=False)
        words = deploy.command("prod", ["A=1 2", 'C={"x": 1}'], "0123456789", asks=False)
        self.assertIn("--no-confirm-changeset", words)
        at = words.index("--parameter-overrides") + 1
        self.assertEqual(['A="1 2"', r'C="{\"x\": 1}"', 'Release="0123456789"'], words[at : at + 3])


class Attaching(unittest.TestCase):
    def test_what_is_imported_is_the_table_alone_as_the_template_has_it(self):
        whole, part = yaml_parse((ROOT / "template.yaml").read_text()), attach_table.template()
        self.assertEqual({"OrdersTable": whole["Resources"]["OrdersTable"]}, part["Resources"])
        self.assertEqual("Retain", part["Resources"]["OrdersTable"]["DeletionPolicy"], "an import asks for it")
        self.assertEqual(set(part["Parameters"]), set(re.findall(r'"Ref": "(\w+)"', json.dumps(part["Resources"]))))


def ungrouped(_, interface, __):
    interface["ParameterGroups"][0]["Parameters"].remove("Release")


def grouped_twice(_, interface, __):
    interface["ParameterGroups"][1]["Parameters"].append("Release")


def unlabelled(_, interface, __):
    del interface["ParameterLabels"]["Jwks"]


def may_be_empty(parameters, _, __):
    del parameters["TokenIssuer"]["AllowedPattern"]


def not_used(parameters, _, __):
    parameters["Idle"] = {"Type": "String", "Default": "x"}


def another_default(_, __, document):
    return document.replace("| `PendingTimeoutHours` | `PENDING_TIMEOUT_HOURS` | 24 |", "| `PendingTimeoutHours` | `PENDING_TIMEOUT_HOURS` | 12 |")


FAULTS = [
    (ungrouped, "Release is in no group"),
    (grouped_twice, "Release is in two groups"),
    (unlabelled, "Jwks has no label"),
    (may_be_empty, "TokenIssuer is required and may be empty"),
    (not_used, "Idle is used nowhere"),
    (another_default, "docs/deploy.md says that PendingTimeoutHours is 12 by default, and it is 24"),
]
