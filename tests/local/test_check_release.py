"""What CodeDeploy calls before requests reach a new version, on the stack under test: it accepts what works and refuses what does
not, and tells CodeDeploy, which is played here, because the emulator has none."""

import importlib.util
import json
import os
import threading
import unittest
import urllib.error
from contextlib import contextmanager, redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from unittest import mock

import demo
from aws import client
from shell import ROOT, physical

DEPLOYMENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "execution-1"}


class CheckRelease(unittest.TestCase):
    def test_the_deployed_function_accepts_the_release_that_is_deployed_and_leaves_no_order(self):
        answer = client("lambda", os.environ).invoke(FunctionName=physical("CheckReleaseFunction"), Payload="{}")
        outcome = json.loads(answer["Payload"].read())
        self.assertNotIn("FunctionError", answer, outcome)
        wish = {"tenant": "check-release", "sub": "tests", "scope": "orders:read"}
        token = demo.call("POST", f"{os.environ['PARTNERS_URL']}/token", wish)[2]["token"]
        with self.assertRaises(urllib.error.HTTPError) as gone:
            demo.call("GET", f"{os.environ['API_URL']}/orders/{outcome['order_id']}", headers={"Authorization": f"Bearer {token}"})
        self.assertEqual(404, gone.exception.code)

    def test_codedeploy_is_told_that_a_release_works(self):
        told, line = call_of_codedeploy({})
        self.assertEqual([{"deploymentId": "d-1", "lifecycleEventHookExecutionId": "execution-1", "status": "Succeeded"}], told)
        self.assertEqual(("INFO", "the release is accepted"), (line["level"], line["message"]))

    def test_codedeploy_is_told_that_a_release_does_not_work_and_the_log_says_why(self):
        works = variables()
        for fault, cause in {
            "a function answers something else": ({"GET_ORDER": works["LIST_ORDERS"]}, "GET_ORDER answered 200 to GET /orders/{id}"),
            "a function fails": ({"UPDATE_STATUS": works["AUTHORIZE"]}, "UPDATE_STATUS failed"),
            "a function of the stream fails": ({"PUBLISH_EVENTS": works["AUTHORIZE"]}, "PUBLISH_EVENTS failed"),
            "the authorizer accepts anything": ({"AUTHORIZE": works["GET_HEALTH"]}, "AUTHORIZE answered"),
            "a version is not there": ({"CREATE_ORDER": "missing"}, "ResourceNotFoundException"),
            "the customer is unknown": ({"CHECK_CUSTOMER": "nobody"}, "CREATE_ORDER answered 422"),
        }.values():
            with self.subTest(cause):
                told, line = call_of_codedeploy(fault)
                self.assertEqual(["Failed"], [verdict["status"] for verdict in told])
                self.assertEqual(("ERROR", "the release is refused"), (line["level"], line["message"]))
                self.assertIn(cause, line["cause"])
                self.assertEqual(line["order_id"] is not None, line.get("is_deleted", False), "no stock stays reserved")


def variables():
    """Those of the deployed function."""
    function = client("lambda", os.environ).get_function_configuration(FunctionName=physical("CheckReleaseFunction"))
    return function["Environment"]["Variables"]


def call_of_codedeploy(fault):
    """What CodeDeploy is told, and the line in the log."""
    specification = importlib.util.spec_from_file_location("check_release", ROOT / "hooks/check-release/check_release.py")
    check_release = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(check_release)
    with codedeploy() as (told, url), redirect_stdout(StringIO()) as log:
        with mock.patch.dict(os.environ, {**variables(), **fault, "AWS_ENDPOINT_URL_CODEDEPLOY": url}):
            check_release.handler(DEPLOYMENT, None)
    return told, json.loads(log.getvalue())


@contextmanager
def codedeploy():
    """A server that takes every verdict: the verdicts, and its URL."""
    told = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            assert self.headers["X-Amz-Target"].endswith(".PutLifecycleEventHookExecutionStatus"), self.headers
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield told, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
