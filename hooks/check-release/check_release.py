"""Before any request reaches a new version: asks every new version for something, and leaves nothing behind.

CodeDeploy calls this once for each function that it deploys (https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html)
and goes on, or takes the deployment back, as it is told. Called with `{}` it only checks. It calls the new versions
themselves, as the gateway, queues and schedules do: they have no traffic yet.
"""

import base64
import json
import os
import time
import urllib.parse
import urllib.request
import uuid

import boto3

# What the new versions of the functions of routes must answer: function, method, route, body and the statuses that are right.
# `{id}` is the order that was placed last, and there is no export `{export_id}`. 202: a partner is down, which is no fault of the release.
STORY = [
    ("GET_HEALTH", "GET", "/health", None, (200,)),
    ("GET_METRICS", "GET", "/metrics", None, (200,)),
    ("GET_REPORT", "GET", "/reports/orders?from=2026-01-01&to=2026-12-31", None, (200,)),
    # Refused, since an export would stay for days.
    ("CREATE_EXPORT", "POST", "/exports", {"format": "none"}, (422,)),
    ("GET_EXPORT", "GET", "/exports/{export_id}", None, (404,)),
    ("CREATE_BATCH", "POST", "/orders/batch", "batch", (207,)),
    ("DELETE_ORDER", "DELETE", "/orders/{id}", None, (204,)),
    ("CREATE_ORDER", "POST", "/orders", "order", (201, 202)),
    ("GET_ORDER", "GET", "/orders/{id}", None, (200,)),
    ("LIST_ORDERS", "GET", "/orders", None, (200,)),
    ("UPDATE_ORDER", "PUT", "/orders/{id}", {"notes": "placed to check a release"}, (200,)),
    ("UPDATE_STATUS", "PUT", "/orders/{id}/status", {"status": "canceled"}, (200,)),
    ("UPDATE_SHIPPING", "PUT", "/orders/{id}/shipping", {"carrier": "none", "tracking_number": "none"}, (409,)),
    ("DELETE_ORDER", "DELETE", "/orders/{id}", None, (204,)),
    ("GET_ORDER", "GET", "/orders/{id}", None, (404,)),
]

# What the new versions of the other functions are called with: each starts, reads what it works on, and changes nothing.
NO_ORDER = {"source": "orders/check-release", "subject": str(uuid.UUID(int=0))}
NO_EVENT = {
    **NO_ORDER,
    "sequence": "0000000001",
    "time": "2026-01-01T00:00:00.000Z",
    "data": {"order": {"customer": {"id": "check-release"}}},
}
EVENTS = [
    ("PUBLISH_EVENTS", {"Records": []}),
    ("RUN_FOLLOW_UPS", {"Records": []}),
    ("RECORD_EVENTS", {"Records": []}),
    ("COUNT_ORDERS", {"Records": [{"messageId": "1", "body": json.dumps(NO_ORDER)}]}),
    ("WRITE_EXPORT", {"Records": []}),
    ("PUSH_UPDATES", {"Records": [{"messageId": "1", "body": json.dumps(NO_EVENT)}]}),
    ("SWEEP_FOLLOW_UPS", {"detail-type": "check", "source": "check-release", "detail": {}}),
    ("RECONCILE_EVENTS", {"mode": "check"}),
]

# The new versions of the functions of WebSocket connections: nobody is connected under this name.
CONNECTION = "Y2hlY2tyZWxlYXNl"
SOCKETS = [
    # 501: live updates are switched off.
    ("CONNECT_SOCKET", None, (200, 501)),
    ("SUBSCRIBE_ORDERS", {"action": "ping"}, (200,)),
    ("DISCONNECT_SOCKET", None, (200,)),
]

# Every function that is checked, by the variable that names its new version. `make lint-template` compares it with the template.
CHECKED = {"AUTHORIZE", *(name for name, *_ in STORY + SOCKETS), *(name for name, _ in EVENTS)}


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
    accepts_a_genuine_token(functions)
    for name, event in EVENTS:
        said = call(functions, name, event)
        if isinstance(said, dict) and said.get("batchItemFailures"):
            raise Wrong(f"{name} answered {said} to {event}")
    for name, message, right in SOCKETS:
        answer = call(functions, name, of_socket(message))
        if answer["statusCode"] not in right:
            raise Wrong(f"{name} answered {answer['statusCode']} to {message}")
    for name, method, route, body, right in STORY:
        answer = call(functions, name, request(method, route, outcome["order_id"], body))
        if answer["statusCode"] not in right:
            raise Wrong(f"{name} answered {answer['statusCode']} to {method} {route}: {answer.get('body')}")
        if method == "POST" and route.startswith("/orders"):
            outcome["order_id"] = placed(name, json.loads(answer["body"]))


def placed(name, body):
    """The id of the order that was placed."""
    if "results" not in body:
        return body["id"]
    [result] = body["results"]
    if "order" not in result:
        raise Wrong(f"{name} placed no order: {result}")
    return result["order"]["id"]


def is_deleted(order_id):
    """Whether the order of a failed check is deleted, which releases its stock. A broken release may not be able to."""
    try:
        answer = call(boto3.client("lambda"), "DELETE_ORDER", request("DELETE", "/orders/{id}", order_id, None))
    except Exception as error:  # The cause that counts is told already.
        tell("the order of the check stays", {"order_id": order_id, "cause": f"{type(error).__name__}: {error}"})
        return False
    return answer["statusCode"] in (204, 404)


def refuses_a_forged_token(functions):
    answer = functions.invoke(FunctionName=os.environ["AUTHORIZE"], Payload=json.dumps(shown("a.b.c")))
    said = json.loads(answer["Payload"].read())
    if "FunctionError" not in answer or said.get("errorMessage") != "Unauthorized":
        raise Wrong(f"AUTHORIZE answered {said} to a forged token")


def accepts_a_genuine_token(functions):
    token = genuine_token()
    if token is None:
        return tell("CheckTokenSecret is empty: nothing shows that the new authorizer accepts a token", {}, "WARN")
    said = call(functions, "AUTHORIZE", shown(token))
    effects = [statement["Effect"] for statement in said["policyDocument"]["Statement"]]
    tenant = said["context"].get("tenant")
    if effects != ["Allow"] or tenant != os.environ["CHECK_TENANT"]:
        raise Wrong(f"AUTHORIZE answered {effects}, tenant {tenant}, to a genuine token of {os.environ['CHECK_TENANT']}")


def shown(token):
    """What API Gateway hands to an authorizer."""
    method = "arn:aws:execute-api:us-east-1:000000000000:check-release/v1/GET/orders"
    return {"type": "TOKEN", "methodArn": method, "authorizationToken": f"Bearer {token}"}


def genuine_token():
    """The token that the secret holds, or one that the identity provider gives for what it holds; none without a secret."""
    if not os.environ.get("CHECK_TOKEN_SECRET"):
        return None
    value = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["CHECK_TOKEN_SECRET"])["SecretString"]
    secret = json.loads(value)
    return secret["token"] if "token" in secret else issued(**secret)


def issued(token_url, client_id, client_secret, **more):
    """A token by client credentials (RFC 6749, section 4.4); `scope`, `audience` and the like are sent as they are."""
    if not token_url.startswith(("https://", "http://127.0.0.1:")):
        raise Wrong("token_url is not https: the client's secret would be readable on its way")
    form = urllib.parse.urlencode({"grant_type": "client_credentials", **more}).encode()
    pair = ":".join(urllib.parse.quote(part, safe="") for part in (client_id, client_secret))
    headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    with urllib.request.urlopen(urllib.request.Request(token_url, form, headers), timeout=10) as answer:
        return json.load(answer)["access_token"]


def call(functions, name, event):
    answer = functions.invoke(FunctionName=os.environ[name], Payload=json.dumps(event))
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Wrong(f"{name} failed: {said.get('errorMessage', said)}")
    return said


def request(method, route, order_id, body):
    """What API Gateway hands to a function."""
    resource, _, query = route.partition("?")
    ids = {"id": order_id or "", "export_id": str(uuid.UUID(int=0))}
    path = resource.format(**ids)
    headers = {"content-type": "application/json"}
    if body in ("order", "batch"):
        lines = [{"product_id": os.environ["CHECK_PRODUCT"], "quantity": 1}]
        order = {"customer_id": os.environ["CHECK_CUSTOMER"], "lines": lines, "notes": "placed to check a release"}
        body = {"orders": [order]} if body == "batch" else order
        headers["idempotency-key"] = str(uuid.uuid4())
    scope = "orders:admin" if resource == "/metrics" else "orders:read orders:write"
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(urllib.parse.parse_qsl(query)) or None,
        "multiValueQueryStringParameters": urllib.parse.parse_qs(query) or None,
        "pathParameters": {name: value for name, value in ids.items() if f"{{{name}}}" in resource} or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "check-release",
            "apiId": "check-release",
            "authorizer": caller(scope),
            "httpMethod": method,
            "identity": {"sourceIp": "127.0.0.1"},
            "path": f"/v1{path}",
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "resourceId": "check-release",
            "resourcePath": resource,
            "stage": "v1",
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def of_socket(message):
    """What API Gateway hands to a function of WebSocket connections."""
    context = {"connectionId": CONNECTION, "requestId": str(uuid.uuid4()), "authorizer": caller("orders:read")}
    return {"requestContext": context, "body": None if message is None else json.dumps(message), "isBase64Encoded": False}


def caller(scope):
    """What the authorizer says of the check."""
    who = {"principalId": "check-release", "sub": "check-release", "tenant": os.environ["CHECK_TENANT"]}
    return {**who, "exp": str(int(time.time()) + 300), "scope": scope}


def tell(message, outcome, level=None):
    level = level or ("ERROR" if "cause" in outcome else "INFO")
    line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": level, "message": message}
    print(json.dumps({**line, **outcome}))
