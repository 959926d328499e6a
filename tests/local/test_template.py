"""What the template says where no test can see it: the gateway's and the firewall's own answers, access logs, the cache, the table."""

import json
import os
import re
import unittest

import yaml
from deployment import template
from shell import PYTHON, ROOT, run

VERSION = re.search(r'API_VERSION: &str = "(.+)"', (ROOT / "shared/adapters/src/http/versioning.rs").read_text())[1]

HEADERS = {
    "API-Version": f"'{VERSION}'",
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
LOGGED_OF_SOCKETS = set(
    "authorizer.tenant connectionId error.responseType eventType extendedRequestId integrationLatency requestTimeEpoch "
    "routeKey status".split()
)


class Template(unittest.TestCase):
    def test_every_gateway_response_is_a_problem_that_nobody_stores_and_names_the_version(self):
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
        formats = re.findall(r"^ +Format: '(.*)'$", text, re.MULTILINE)
        logged = [set(re.findall(r"\$context\.([\w.]+)", log_format)) for log_format in formats]
        self.assertEqual([LOGGED, LOGGED_OF_SOCKETS], logged)
        for log_format in formats:
            self.assertNotIn("$", re.sub(r"\$context\.[\w.]+", "", log_format))

    def test_plain_http_is_for_the_emulators_account_alone_which_is_none_of_aws(self):
        self.assertEqual([["AWS::AccountId", "000000000000"]], template()["Conditions"]["RequiresTls"])
        chosen = [name for name in template()["Parameters"] if re.search("Http|Tls", name)]
        self.assertEqual([], chosen, "no parameter switches TLS off")

    def test_the_table_outlives_mistakes(self):
        table = template()["Resources"]["OrdersTable"]
        self.assertEqual(("Retain", "Retain"), (table["DeletionPolicy"], table["UpdateReplacePolicy"]))
        properties = table["Properties"]
        self.assertEqual("DeletionProtection", properties["DeletionProtectionEnabled"])
        self.assertEqual("true", template()["Parameters"]["DeletionProtection"]["Default"])
        self.assertTrue(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
        self.assertTrue(properties["SSESpecification"]["SSEEnabled"])

    def test_files_of_exports_are_encrypted_hidden_and_deleted_after_seven_days(self):
        bucket = template()["Resources"]["ExportFiles"]["Properties"]
        self.assertTrue(all(bucket["PublicAccessBlockConfiguration"].values()))
        self.assertIn("ServerSideEncryptionConfiguration", bucket["BucketEncryption"])
        [rule] = bucket["LifecycleConfiguration"]["Rules"]
        self.assertEqual(("Enabled", 7, 2), (rule["Status"], rule["ExpirationInDays"], rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]))
        [statement] = template()["Resources"]["ExportFilesPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        self.assertEqual(("Deny", {"Bool": {"aws:SecureTransport": "false"}}), (statement["Effect"], statement["Condition"]))


class Cache(unittest.TestCase):
    """What the gateway may keep, with CacheSize, it tells apart by all that an answer depends on."""

    @classmethod
    def setUpClass(cls):
        done = run(PYTHON, "scripts/transformed.py", "template.yaml", env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"})
        resources = json.loads(done.stdout)["Resources"]
        cls.paths = resources["Api"]["Properties"]["Body"]["paths"]
        settings = resources["Apiv1Stage"]["Properties"]["MethodSettings"]
        cls.cached = {setting["ResourcePath"].replace("/~1", "/").replace("~1", "/"): setting for setting in settings if "CachingEnabled" in setting}
        cls.contract = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())

    def test_only_reads_of_orders_are_kept_encrypted_and_when_it_is_asked_for(self):
        self.assertEqual({"/orders", "/orders/{id}"}, set(self.cached))
        for setting in self.cached.values():
            self.assertEqual(("GET", True), (setting["HttpMethod"], setting["CacheDataEncrypted"]))
            self.assertEqual({"Fn::If": ["HasCache", True, False]}, setting["CachingEnabled"])

    def test_the_key_is_the_token_the_origin_and_every_parameter_of_the_contract(self):
        places = {"path": "path", "query": "querystring", "header": "header"}
        for path in self.cached:
            parameters = [self.resolved(reference) for reference in self.contract["paths"][path]["get"].get("parameters", [])]
            wanted = {f"method.request.{places[parameter['in']]}.{parameter['name']}" for parameter in parameters}
            wanted |= {"method.request.header.Authorization", "method.request.header.Origin"}
            with self.subTest(path):
                self.assertEqual(wanted, set(self.paths[path]["get"]["x-amazon-apigateway-integration"]["cacheKeyParameters"]))

    def resolved(self, reference):
        return self.contract["components"]["parameters"][reference["$ref"].rpartition("/")[2]]
