"""Every function as AWS starts it: its bootstrap under AWS's own Runtime Interface Emulator, with its sample event."""

import json
import os
import re
import subprocess
import unittest
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import demo
import sam
from aws import client
from outputs import resources
from processes import free_port, wait_until
from shell import FOLDER, ROOT

EMULATOR = Path(find_spec("samcli").origin).parent / "local/rapid/aws-lambda-rie-x86_64"

# Environments start side by side, as many as the machine has processors for.
AT_ONCE = 4


class Functions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        all_of_them = resources("AWS::Lambda::Function").items()
        cls.functions = functions = {logical: physical for logical, physical in all_of_them if is_program(logical)}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            runs = pool.map(lambda names: run(*names), functions.items())
        cls.runs = dict(zip(map(sample_name, functions), runs))

    def test_every_function_answers_its_sample(self):
        samples = {path.stem for path in (ROOT / "events").glob("*.json")}
        self.assertEqual(samples, set(self.runs))
        for name, (answer, output) in self.runs.items():
            with self.subTest(name):
                self.assertEqual(expected(name), outcome(answer), output)

    def test_no_log_line_of_any_level_tells_of_a_person_or_a_token(self):
        levels = set()
        for name, (_, output) in self.runs.items():
            levels |= set(re.findall(r'"level":"(\w+)"', output))
            for secret in secrets():
                with self.subTest(name, secret=secret):
                    self.assertNotIn(secret.lower(), output.lower())
        self.assertIn("INFO", levels, "nothing was logged, so nothing was shown")


    def test_a_log_without_the_filter_tells_of_all_of_them(self):
        """The search above finds a token and personal data, if there are any."""
        sam.run(["cargo", "build", "--quiet", "--locked", "--package", "create-order"])
        unfiltered = sam.target_folder() / "debug/create-order"
        name = "CreateOrderFunction"
        answer, output = run(name, self.functions[name], unfiltered, LOG_LIBRARIES="true")
        self.assertEqual("http", outcome(answer), output)
        for secret in secrets():
            with self.subTest(secret=secret):
                self.assertIn(secret.lower(), output.lower())


def is_program(function):
    """All but check-release, which test_check_release.py runs."""
    return (FOLDER / "sam-build" / function / "bootstrap").exists()


def sample_name(function):
    """`CreateOrderFunction` -> `create-order`"""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", function.removesuffix("Function")).lower()


def run(logical_name, function, bootstrap=None, **more):
    """What a function answers its sample, with logs of the finest level, and all that it says meanwhile."""
    log = FOLDER / f"{function}.rie.log"
    port = free_port()
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    addresses += ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
    bootstrap = bootstrap or FOLDER / "sam-build" / logical_name / "bootstrap"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [EMULATOR, *addresses, bootstrap], env={**environment(function), **more}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            answer = invoke(port, sample(sample_name(logical_name)))
        finally:
            process.terminate()
            process.wait(10)
    return answer, log.read_text(errors="replace")


def environment(function):
    """What the deployed function has."""
    settings = client("lambda", os.environ).get_function_configuration(FunctionName=function)["Environment"]
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    aws["AWS_REGION"] = aws.get("AWS_REGION", aws["AWS_DEFAULT_REGION"])
    return {**aws, **settings["Variables"], "AWS_LAMBDA_LOG_LEVEL": "TRACE"}


def sample(name):
    """The sample event, with a token that is valid."""
    event = json.loads((ROOT / f"events/{name}.json").read_text())
    token = f"Bearer {os.environ['TOKEN']}"
    if "authorizationToken" in event:
        event["authorizationToken"] = token
    if "headers" in event:
        event["headers"]["Authorization"] = token
    return event


def invoke(port, event):
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    request = urllib.request.Request(url, json.dumps(event).encode())

    def answer():
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.read()
        except ConnectionError:
            return None
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionError):
                return None
            raise

    return json.loads(wait_until("the runtime interface emulator", answer, 30))


def outcome(answer):
    """What tells an answer from a failure: a status below 500, or the members of the answer."""
    if isinstance(answer, dict) and "statusCode" in answer:
        return "http" if answer["statusCode"] < 500 else answer
    return sorted(answer) if isinstance(answer, dict) else answer


def expected(name):
    return {
        "count-orders": ["batchItemFailures"],
        "authorize": ["context", "policyDocument", "principalId", "usageIdentifierKey"],
        "publish-events": ["batchItemFailures"],
        "push-updates": ["batchItemFailures"],
        "reconcile-events": sorted("done trail_behind refused orders events missing missing_ids unknown unknown_ids republished".split()),
        "record-events": ["batchItemFailures"],
        "run-follow-ups": None,
        "sweep-follow-ups": None,
        "write-export": None,
    }.get(name, "http")


def secrets():
    """The token, and what the samples and the customer service say of people."""
    address = json.loads(json.loads((ROOT / "events/create-order.json").read_text())["body"])["shipping_address"]
    _, _, customer = demo.call("GET", f"{os.environ['PARTNERS_URL']}/customers/cust-1", headers={"X-Tenant-Id": "demo"})
    signature = os.environ["TOKEN"].rpartition(".")[2]
    return [signature, address["name"], address["line1"], customer["name"], customer["email"]]
