"""The secret of the cursors is rotated as docs/operations.md says, under clients that walk through pages."""

import json
import os
import secrets
import unittest
import uuid

import demo
from aws import client
from deployment import Deployment
from outputs import physical
from shell import FOLDER


class Rotation(unittest.TestCase):
    def test_a_cursor_outlives_the_rotation_of_its_secret_and_new_ones_are_signed_with_the_new(self):
        manager, secret = client("secretsmanager", os.environ), physical("CursorSecret")
        # What is deployed counts as it was for the tests that follow.
        mark = FOLDER / "deployed"
        self.addCleanup(mark.write_text, mark.read_text())
        for _ in range(2):
            place()
        before = page()["page"]["next_cursor"]
        old, new = json.loads(manager.get_secret_value(SecretId=secret)["SecretString"])["key"], secrets.token_hex(32)
        rotated = manager.put_secret_value(SecretId=secret, SecretString=json.dumps({"key": new, "previous": old}))
        self.assertEqual((old, None), settings(), "as long as nothing is deployed")
        deploy({"CursorSecretVersion": rotated["VersionId"]})
        self.assertEqual((new, old), settings())
        self.assertEqual(1, len(page(f"&cursor={before}")["data"]))
        self.assertNotEqual(before, page()["page"]["next_cursor"])


def settings():
    """The secrets that list-orders has."""
    function = client("lambda", os.environ).get_function_configuration(FunctionName=physical("ListOrdersFunction"))
    variables = function["Environment"]["Variables"]
    return variables["CURSOR_SECRET"], variables["PREVIOUS_CURSOR_SECRET"] or None


def deploy(parameters):
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    page_url = os.environ["LIVE_PAGE"].partition("/#")[0]
    deployment = Deployment(FOLDER, aws, os.environ["PARTNERS_URL"], page_url)
    deployment.parameters.update(parameters)
    deployment.deploy()


def place():
    demo.call("POST", f"{os.environ['API_URL']}/orders", demo.ORDER, {**authorization(), "Idempotency-Key": str(uuid.uuid4())})


def page(more=""):
    return demo.call("GET", f"{os.environ['API_URL']}/orders?limit=1{more}", headers=authorization())[2]


def authorization():
    return {"Authorization": f"Bearer {os.environ['TOKEN']}"}
