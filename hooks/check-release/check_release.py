"""Before any request reaches a new version: places, reads, edits, cancels and deletes an order with it.

CodeDeploy calls this once for each function that it deploys (https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html)
and goes on, or takes the deployment back, as it is told. Called with `{}` it only checks. It calls the new versions
themselves, as the gateway does after it has asked the authorizer: they have no traffic yet.
"""

import json
import os
import time
import uuid

import boto3

# What each new version must answer: function, method, route, body and the statuses that are right. 202: a partner is down,
# which is no fault of the release.
STORY = [
    ("GET_HEALTH", "GET", "/health", None, (200,)),
    ("CREATE_ORDER", "POST", "/orders", "order", (201, 202)),
    ("GET_ORDER", "GET", "/orders/{id}", None, (200,)),
    ("LIST_ORDERS", "GET", "/orders", None, (200,)),
    ("UPDATE_ORDER", "PUT", "/orders/{id}", {"notes": "placed to check a release"}, (200,)),
    ("UPDATE_STATUS", "PUT", "/orders/{id}/status", {"status": "canceled"}, (200,)),
    ("UPDATE_SHIPPING", "PUT", "/orders/{id}/shipping", {"carrier": "none", "tracking_number": "none"}, (409,)),
    ("DELETE_ORDER", "DELETE", "/orders/{id}", None, (204,)),
    ("GET_ORDER", "GET", "/orders/{id}", None, (404,)),
]

# Functions of the stream: an empty batch shows that a new version starts.
STREAM = ("PUBLISH_EVENTS", "RUN_FOLLOW_UPS")


class Wrong(Exception):
    """What a new version did that it should not have done."""


def handler(event, _context):
    outcome = {"order_id": None}
    try:
        check(outcome)
    except Exception as error:  # Whatever it is, the release is not deployed.
        outcome["cause"] = f"{type(error).__name__}: {error}"
        if outcome["order_id"]:
            outcome["is_deleted"] = is_deleted(outcome["order_id"])
    tell("the release is refused" if "cause" in outcome else "the release is accepted", outcome)
    if "DeploymentId" in event:
        boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status="Failed" if "cause" in outcome else "Succeeded",
        )
    elif "cause" in outcome:
        raise Wrong(outcome["cause"])
    return outcome


def check(outcome):
    functions = boto3.client("lambda")
    refuses_a_forged_token(functions)
    for name in STREAM:
        call(functions, name, {"Records": []})
    for name, method, route, body, right in STORY:
        answer = call(functions, name, request(method, route, outcome["order_id"], body))
        if answer["statusCode"] not in right:
            raise Wrong(f"{name} answered {answer['statusCode']} to {method} {route}: {answer.get('body')}")
        if name == "CREATE_ORDER":
            outcome["order_id"] = json.loads(answer["body"])["id"]


def is_deleted(order_id):
    """Whether the order of a failed check is deleted, which releases its stock. A broken release may not be able to."""
    try:
        answer = call(boto3.client("lambda"), "DELETE_ORDER", request("DELETE", "/orders/{id}", order_id, None))
    except Exception as error:  # The cause that counts is told already.
        tell("the order of the check stays", {"order_id": order_id, "cause": f"{type(error).__name__}: {error}"})
        return False
    return answer["statusCode"] in (204, 404)


def refuses_a_forged_token(functions):
    method = "arn:aws:execute-api:us-east-1:000000000000:check-release/v1/GET/orders"
    event = {"type": "TOKEN", "methodArn": method, "authorizationToken": "Bearer a.b.c"}
    answer = functions.invoke(FunctionName=os.environ["AUTHORIZE"], Payload=json.dumps(event))
    said = json.loads(answer["Payload"].read())
    if "FunctionError" not in answer or said.get("errorMessage") != "Unauthorized":
        raise Wrong(f"AUTHORIZE answered {said} to a forged token")


def call(functions, name, event):
    answer = functions.invoke(FunctionName=os.environ[name], Payload=json.dumps(event))
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Wrong(f"{name} failed: {said.get('errorMessage', said)}")
    return said


def request(method, route, order_id, body):
    """What API Gateway hands to a function."""
    path = route.replace("{id}", order_id or "")
    headers = {"content-type": "application/json"}
    if body == "order":
        lines = [{"product_id": os.environ["CHECK_PRODUCT"], "quantity": 1}]
        body = {"customer_id": os.environ["CHECK_CUSTOMER"], "lines": lines, "notes": "placed to check a release"}
        headers["idempotency-key"] = str(uuid.uuid4())
    caller = {"principalId": "check-release", "sub": "check-release", "tenant": os.environ["CHECK_TENANT"]}
    return {
        "resource": route,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"id": order_id} if "{id}" in route else None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "check-release",
            "apiId": "check-release",
            "authorizer": {**caller, "exp": str(int(time.time()) + 300), "scope": "orders:read orders:write"},
            "httpMethod": method,
            "identity": {"sourceIp": "127.0.0.1"},
            "path": f"/v1{path}",
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "resourceId": "check-release",
            "resourcePath": route,
            "stage": "v1",
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def tell(message, outcome):
    level = "ERROR" if "cause" in outcome else "INFO"
    line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": level, "message": message}
    print(json.dumps({**line, **outcome}))
