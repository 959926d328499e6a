"""What CodeDeploy calls before requests reach a new version, on the stack under test: it accepts what works and refuses what does
not, and tells CodeDeploy, which is played here, because the emulator has none."""

import base64
import importlib.util
import json
import os
import threading
import unittest
import urllib.error
import urllib.parse
import uuid
from contextlib import contextmanager, redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from unittest import mock

import demo
from aws import client
from outputs import physical
from shell import ROOT

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
        told, [warning, line] = call_of_codedeploy({})
        self.assertEqual([{"deploymentId": "d-1", "lifecycleEventHookExecutionId": "execution-1", "status": "Succeeded"}], told)
        self.assertEqual(("INFO", "the release is accepted"), (line["level"], line["message"]))
        self.assertEqual("WARN", warning["level"])
        self.assertIn("CheckTokenSecret is empty", warning["message"])

    def test_a_genuine_token_is_accepted_whether_it_is_given_or_asked_for(self):
        token = token_of("check-release", "orders:read orders:write")
        with issuer(token) as (asked, url):
            for secret in ({"token": token}, {"token_url": url, "client_id": "check", "client_secret": "s+/", "audience": "orders"}):
                with self.subTest(sorted(secret)), secret_of(secret) as arn:
                    told, lines = call_of_codedeploy({"CHECK_TOKEN_SECRET": arn})
                    self.assertEqual((["Succeeded"], ["INFO"]), ([it["status"] for it in told], [line["level"] for line in lines]), lines)
                    self.assertNotIn(token, json.dumps(lines))
        basic = base64.b64encode(b"check:s%2B%2F").decode()
        self.assertEqual([(f"Basic {basic}", {"grant_type": ["client_credentials"], "audience": ["orders"]})], asked)

    def test_a_release_that_refuses_a_genuine_token_is_refused_before_any_order_is_placed(self):
        genuine, other = token_of("check-release", "orders:read"), token_of("demo", "orders:read")
        forged = genuine[:-8] + "AAAAAAAA"
        for secret, cause in [
            ({"token": forged}, "AUTHORIZE failed: Unauthorized"),
            ({"token": token_of("check-release", "email")}, "AUTHORIZE answered ['Deny'], tenant None"),
            ({"token": other}, "AUTHORIZE answered ['Allow'], tenant demo, to a genuine token of check-release"),
            ({"token_url": "http://issuer.example", "client_id": "a", "client_secret": "b"}, "token_url is not https"),
            ({"token_url": "http://127.0.0.1:1/", "client_id": "a", "client_secret": "b"}, "Connection refused"),
        ]:
            with self.subTest(cause), secret_of(secret) as arn:
                told, [line] = call_of_codedeploy({"CHECK_TOKEN_SECRET": arn})
                self.assertEqual((["Failed"], "ERROR", None), ([it["status"] for it in told], line["level"], line["order_id"]))
                self.assertIn(cause, line["cause"])

    def test_codedeploy_is_told_that_a_release_does_not_work_and_the_log_says_why(self):
        works = variables()
        for fault, cause in {
            "a function answers something else": ({"GET_ORDER": works["LIST_ORDERS"]}, "GET_ORDER answered 200 to GET /orders/{id}"),
            "a function fails": ({"UPDATE_STATUS": works["AUTHORIZE"]}, "UPDATE_STATUS failed"),
            "a function of the stream fails": ({"PUBLISH_EVENTS": works["AUTHORIZE"]}, "PUBLISH_EVENTS failed"),
            "the sweep fails": ({"SWEEP_FOLLOW_UPS": works["AUTHORIZE"]}, "SWEEP_FOLLOW_UPS failed"),
            "the comparison fails": ({"RECONCILE_EVENTS": works["SWEEP_FOLLOW_UPS"]}, "RECONCILE_EVENTS failed"),
            "events are not recorded": ({"RECORD_EVENTS": "missing"}, "ResourceNotFoundException"),
            "orders are not counted": ({"COUNT_ORDERS": works["AUTHORIZE"]}, "COUNT_ORDERS failed"),
            "a batch is not answered": ({"CREATE_BATCH": works["GET_HEALTH"]}, "CREATE_BATCH answered"),
            "a report is not answered": ({"GET_REPORT": works["GET_ORDER"]}, "GET_REPORT answered"),
            "the metrics are not answered": ({"GET_METRICS": works["GET_ORDER"]}, "GET_METRICS answered"),
            "the authorizer accepts anything": ({"AUTHORIZE": works["GET_HEALTH"]}, "AUTHORIZE answered"),
            "a version is not there": ({"CREATE_ORDER": "missing"}, "ResourceNotFoundException"),
            "the customer is unknown": ({"CHECK_CUSTOMER": "nobody"}, "CREATE_BATCH placed no order"),
        }.values():
            with self.subTest(cause):
                told, lines = call_of_codedeploy(fault)
                line = lines[-1]
                self.assertEqual(["Failed"], [verdict["status"] for verdict in told])
                self.assertEqual(("ERROR", "the release is refused"), (line["level"], line["message"]))
                self.assertIn(cause, line["cause"])
                self.assertEqual(line["order_id"] is not None, line.get("is_deleted", False), "no stock stays reserved")


def variables():
    """Those of the deployed function."""
    function = client("lambda", os.environ).get_function_configuration(FunctionName=physical("CheckReleaseFunction"))
    return function["Environment"]["Variables"]


def call_of_codedeploy(fault):
    """What CodeDeploy is told, and the lines in the log."""
    specification = importlib.util.spec_from_file_location("check_release", ROOT / "hooks/check-release/check_release.py")
    check_release = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(check_release)
    with codedeploy() as (told, url), redirect_stdout(StringIO()) as log:
        with mock.patch.dict(os.environ, {**variables(), **fault, "AWS_ENDPOINT_URL_CODEDEPLOY": url}):
            check_release.handler(DEPLOYMENT, None)
    return told, [json.loads(line) for line in log.getvalue().splitlines()]


def token_of(tenant, scope):
    wish = {"tenant": tenant, "sub": "check-release", "scope": scope}
    return demo.call("POST", f"{os.environ['PARTNERS_URL']}/token", wish)[2]["token"]


@contextmanager
def secret_of(value):
    """A secret that holds this: its ARN."""
    secrets = client("secretsmanager", os.environ)
    arn = secrets.create_secret(Name=f"check-release-{uuid.uuid4()}", SecretString=json.dumps(value))["ARN"]
    try:
        yield arn
    finally:
        secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@contextmanager
def issuer(token):
    """The token endpoint of an identity provider: what it was asked for, and its URL."""
    asked = []

    class Issuer(BaseHTTPRequestHandler):
        def do_POST(self):
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append((self.headers["Authorization"], urllib.parse.parse_qs(form)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"access_token": token, "token_type": "Bearer"}).encode())

        def log_message(self, *_):
            pass

    with served(Issuer) as url:
        yield asked, url


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

    with served(Server) as url:
        yield told, url


@contextmanager
def served(handler):
    """The URL of a server."""
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
