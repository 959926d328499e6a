"""Roles and code agree: what a function may call is what its program can call, and nothing may do everything."""

import json
import os
import re
import unittest

import boto3
import roles
from aws import client
from shell import FOLDER, PYTHON, run

# How a program of the AWS SDK names an operation, in a request or in its spans, by service. The SDK links only operations that are called.
NAMES = {
    "dynamodb": re.compile(rb"DynamoDB_20120810\.([A-Za-z]+)"),
    "events": re.compile(rb"AWSEvents\.([A-Za-z]+)"),
    "sqs": re.compile(rb"AmazonSQS\.([A-Za-z]+)"),
    "sns": re.compile(rb"SNS\.([A-Za-z]+)"),
}

# Batches need the action of the single operation on AWS, and one of their own name in the emulator.
BATCHES = re.compile(r"(Publish|DeleteMessage|ChangeMessageVisibility)Batch$")

# Called by Lambda in the function's name, not by the function.
OF_LAMBDA = {
    "PublishEventsFunction": {"s3:PutObject", "s3:ListBucket"},
    "CountOrdersFunction": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "PushUpdatesFunction": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "RecordEventsFunction": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "WriteExportFunction": {"sqs:SendMessage"},
}

# Linked and not used: the authorizer's program holds the code of circuits; only follow-ups write tombstones (PutItem);
# the ping that makes a connection is made of a GetItem and asks for no permission.
NOT_NEEDED = {
    "AuthorizeFunction": {"dynamodb:UpdateItem"},
    "DeleteOrderFunction": {"dynamodb:PutItem"},
    "ListOrdersFunction": {"dynamodb:GetItem"},
    "DisconnectSocketFunction": {"dynamodb:PutItem", "dynamodb:GetItem"},
    "UpdateOrderFunction": {"dynamodb:PutItem"},
    "UpdateShippingFunction": {"dynamodb:PutItem"},
    "UpdateStatusFunction": {"dynamodb:PutItem"},
}

# A transaction needs the permission of each of its writes; there is none of its own.
TRANSACTION = {"dynamodb:PutItem", "dynamodb:UpdateItem"}

# AWS allows these for all resources or not at all (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html and
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html).
FOR_ALL = [["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"], ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]]


class Roles(unittest.TestCase):
    def test_a_role_allows_what_its_program_can_call(self):
        granted = {}
        for function, policy in roles.policies(client("iam", os.environ)):
            granted.setdefault(function, set()).update(roles.actions(policy.document))
        programs = sorted((FOLDER / "sam-build").glob("*Function/bootstrap"))
        self.assertEqual(25, len(programs))
        for program in programs:
            function = program.parent.name
            with self.subTest(function=function):
                needed = actions_of(program.read_bytes()) - NOT_NEEDED.get(function, set())
                # Requests to S3 do not name their operation; least_privilege.py sees them fail.
                named = {action for action in granted.get(function, set()) if not action.startswith("s3:")}
                self.assertEqual(needed, named - OF_LAMBDA.get(function, set()))

    def test_no_role_but_the_authorizers_may_write_the_issuers_keys(self):
        items = {}
        for function, policy in roles.policies(client("iam", os.environ)):
            for statement in roles.as_list(policy.document["Statement"]):
                if "CircuitsTable" in statement["Resource"]:
                    items[function] = statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"]
        self.assertEqual(["issuer-keys"], roles.as_list(items.pop("AuthorizeFunction")))
        self.assertEqual([["circuits"]] * 7, [roles.as_list(keys) for keys in items.values()])

    def test_the_policy_of_a_vpc_allows_what_lambda_asks_for(self):
        done = run(PYTHON, "scripts/transformed.py", "template.yaml", env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"})
        policy = json.loads(done.stdout)["Resources"]["AttachToVpc"]["Properties"]["PolicyDocument"]
        wanted = roles.of_aws(client("iam", os.environ), "AWSLambdaVPCAccessExecutionRole")
        wanted = {action for action in wanted if not action.startswith("logs:")}
        self.assertEqual(wanted, set(roles.actions(policy)))

    def test_no_policy_allows_every_action_or_every_resource(self):
        done = run(PYTHON, "scripts/transformed.py", "template.yaml", env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"})
        resources = json.loads(done.stdout)["Resources"].values()
        statements = [statement for resource in resources for statement in allowed(resource)]
        self.assertGreater(len(statements), 20)
        for statement in statements:
            if statement["Action"] in FOR_ALL:
                continue
            text = json.dumps([statement["Action"], statement["Resource"]])
            self.assertNotRegex(text, r'"(\*|[a-z0-9]+:\*)"', statement)


def actions_of(program):
    # The management API of WebSocket connections knows one action for all its operations, which it names by path.
    found = {"execute-api:ManageConnections"} if b"@connections/" in program else set()
    for service, name in NAMES.items():
        operations = boto3.client(service).meta.service_model.operation_names
        for linked in name.findall(program):
            operation = exact(linked.decode(), operations)
            if operation == "TransactWriteItems":
                found |= TRANSACTION
                continue
            found.add(f"{service}:{operation}")
            if BATCHES.match(operation):
                found.add(f"{service}:{operation.removesuffix('Batch')}")
    return found


def exact(text, operations):
    """The longest operation with which the text begins: in a program a name has no end of its own."""
    return max((name for name in operations if text.startswith(name)), key=len)


def allowed(resource):
    """The statements of a role's or a managed policy's documents, those under a condition among them."""
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::IAM::ManagedPolicy":
        yield from properties["PolicyDocument"]["Statement"]
    if resource["Type"] == "AWS::IAM::Role":
        for policy in properties.get("Policies", []):
            policy = policy["Fn::If"][1] if "Fn::If" in policy else policy
            yield from policy["PolicyDocument"]["Statement"]
