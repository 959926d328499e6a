"""What the gateway answers by itself has the headers of every answer, also where no test can make it answer."""

import unittest

from deployment import template

HEADERS = {
    "Cache-Control": "'no-store'",
    "Content-Type": "'application/problem+json'",
    "Strict-Transport-Security": "'max-age=31536000'",
    "X-Content-Type-Options": "'nosniff'",
}


class Template(unittest.TestCase):
    def test_every_gateway_response_is_a_problem_that_nobody_stores(self):
        responses = template()["Resources"]["Api"]["Properties"]["GatewayResponses"]
        self.assertLessEqual({"DEFAULT_4XX", "DEFAULT_5XX"}, set(responses))
        for kind, response in responses.items():
            with self.subTest(kind):
                headers = response["ResponseParameters"]["Headers"]
                self.assertEqual(HEADERS, {name: headers.get(name) for name in HEADERS})
