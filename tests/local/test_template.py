"""What the template says where no test can see it: the gateway's and the firewall's own answers, access logs, the table."""

import re
import unittest

from deployment import template
from sam import ROOT

HEADERS = {
    "Cache-Control": "'no-store'",
    "Content-Type": "'application/problem+json'",
    "Strict-Transport-Security": "'max-age=31536000'",
    "X-Content-Type-Options": "'nosniff'",
}


# What a line of the access log may hold. A client chooses paths, queries, headers, and with one of them `requestId`.
LOGGED = set(
    "authorizer.latency authorizer.tenant error.responseType extendedRequestId httpMethod integration.requestId "
    "integrationLatency requestTimeEpoch resourcePath responseLatency status tlsVersion".split()
)


class Template(unittest.TestCase):
    def test_every_gateway_response_is_a_problem_that_nobody_stores(self):
        responses = template()["Resources"]["Api"]["Properties"]["GatewayResponses"]
        self.assertLessEqual({"DEFAULT_4XX", "DEFAULT_5XX"}, set(responses))
        for kind, response in responses.items():
            with self.subTest(kind):
                headers = response["ResponseParameters"]["Headers"]
                self.assertEqual(HEADERS, {name: headers.get(name) for name in HEADERS})

    def test_the_firewalls_own_answer_is_one_that_nobody_stores(self):
        rules = template()["Resources"]["Firewall"]["Properties"]["Rules"]
        answers = [rule["Action"]["Block"]["CustomResponse"] for rule in rules if "Action" in rule]
        self.assertEqual([429], [answer["ResponseCode"] for answer in answers])
        wanted = {name: value.strip("'") for name, value in HEADERS.items() if name != "Content-Type"}
        for answer in answers:
            headers = {header["Name"]: header["Value"] for header in answer["ResponseHeaders"]}
            self.assertEqual({**wanted, "Retry-After": "60"}, headers)

    def test_an_access_log_holds_nothing_that_a_client_chooses(self):
        text = (ROOT / "template.yaml").read_text()
        [log_format] = re.findall(r"^ +Format: '(.*)'$", text, re.MULTILINE)
        self.assertEqual(LOGGED, set(re.findall(r"\$context\.([\w.]+)", log_format)))
        self.assertNotIn("$", re.sub(r"\$context\.[\w.]+", "", log_format))

    def test_the_table_outlives_mistakes(self):
        table = template()["Resources"]["OrdersTable"]
        self.assertEqual(("Retain", "Retain"), (table["DeletionPolicy"], table["UpdateReplacePolicy"]))
        properties = table["Properties"]
        self.assertEqual("DeletionProtection", properties["DeletionProtectionEnabled"])
        self.assertEqual("true", template()["Parameters"]["DeletionProtection"]["Default"])
        self.assertTrue(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
        self.assertTrue(properties["SSESpecification"]["SSEEnabled"])
