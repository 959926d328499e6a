"""Proves that no role allows more than its function needs: takes each action away in turn and sees a call fail.

What Lambda itself does in a function's name (logs, streams) the emulator does not ask the role for. There the managed
policies must allow what AWS's own do, and no more. tests/local/test_roles.py compares roles with programs. It runs against the stack that the environment names and puts every policy back.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

import demo
import reconcile
import roles
from aws import client
from outputs import outputs, physical, resources
from processes import StackError, say, wait_until
from sockets import Socket

# What is used only when something is overdue, or when a record cannot be published (the emulator has no bucket for it); and sns:Publish, which AWS asks for
# where the emulator asks for sns:PublishBatch. The emulator reads a queue for its function without the function's role.
NOT_PROVED_HERE = {
    "RunFollowUpsFunction": ("dynamodb:PutItem",),
    "SweepFollowUpsFunction": ("dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:PutItem", "dynamodb:Query"),
    "PublishEventsFunction": ("sqs:SendMessage", "sns:Publish", "s3:PutObject", "s3:ListBucket"),
    "ReconcileEventsFunction": ("sns:Publish",),
    # The emulator knows no CodeDeploy; tests/local/test_check_release.py shows the call.
    "CheckReleaseFunction": ("codedeploy:PutLifecycleEventHookExecutionStatus",),
    # What could not be recorded comes back after three minutes, and nothing is compared until then. test_roles.py shows it.
    "CountOrdersFunction": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "PushUpdatesFunction": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    # When ten exports run.
    "CreateExportFunction": ("dynamodb:GetItem",),
    # When completing a file is repeated, and when an export failed for six hours.
    "WriteExportFunction": ("s3:GetObject", "sqs:SendMessage"),
    "RecordEventsFunction": ("dynamodb:UpdateItem", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
}

# Whose actions are taken away together, one after the other. Lanes go side by side, since most of the time is spent waiting for
# what must not happen; so no probe may need a function of another lane. Only `first` and `last` have nothing beside them.
LANES = {
    # Probes of all lanes place and change orders, and subscribe to them.
    "CreateOrderFunction": "first",
    "UpdateOrderFunction": "first",
    "SubscribeOrdersFunction": "first",
    # What comes out of publish-events is pushed, and compared.
    "PublishEventsFunction": "events",
    "PushUpdatesFunction": "events",
    "ReconcileEventsFunction": "events",
    "CreateExportFunction": "exports",
    "GetExportFunction": "exports",
    "WriteExportFunction": "exports",
    # Its probe calls every function.
    "CheckReleaseFunction": "last",
}

# What Lambda sends traces with, as in AWS's own AWSXRayDaemonWriteAccess, which also allows to read sampling rules.
TRACING = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}

REPORT = "/reports/orders?from=2026-01-01&to=2026-12-31"
EXPORT = {"format": "csv", "filters": {"status": "confirmed"}}
SHIPPING = {"carrier": "Carrier", "tracking_number": "1"}
CANCELED = {"status": "canceled"}


def main():
    iam = client("iam", os.environ)
    probes = {
        ("CreateOrderFunction", "dynamodb:PutItem"): lambda: place() < 500,
        ("CreateOrderFunction", "dynamodb:GetItem"): lambda: place_unknown_customer() < 500,
        ("CreateBatchFunction", "dynamodb:PutItem"): lambda: place_batch(demo.ORDER["customer_id"]) < 500,
        ("CreateBatchFunction", "dynamodb:GetItem"): lambda: place_batch("nobody") < 500,
        ("GetOrderFunction", "dynamodb:GetItem"): lambda: status("GET", unknown_order()) < 500,
        ("GetMetricsFunction", "dynamodb:GetItem"): shows_metrics,
        ("GetMetricsFunction", "dynamodb:Query"): shows_metrics,
        ("GetReportFunction", "dynamodb:GetItem"): lambda: status("GET", REPORT) < 500,
        ("GetReportFunction", "dynamodb:Query"): lambda: status("GET", REPORT) < 500,
        ("CountOrdersFunction", "dynamodb:GetItem"): is_counted,
        ("CountOrdersFunction", "dynamodb:PutItem"): is_counted,
        ("CountOrdersFunction", "dynamodb:UpdateItem"): is_counted,
        ("SubscribeOrdersFunction", "dynamodb:GetItem"): subscribes,
        ("SubscribeOrdersFunction", "dynamodb:PutItem"): subscribes,
        ("SubscribeOrdersFunction", "dynamodb:Query"): subscribes,
        ("SubscribeOrdersFunction", "dynamodb:UpdateItem"): lambda: subscribes(last_sequence=1),
        ("SubscribeOrdersFunction", "dynamodb:DeleteItem"): unsubscribes,
        ("SubscribeOrdersFunction", "execute-api:ManageConnections"): subscribes,
        ("DisconnectSocketFunction", "dynamodb:Query"): forgets_what_is_closed,
        ("DisconnectSocketFunction", "dynamodb:DeleteItem"): forgets_what_is_closed,
        ("PushUpdatesFunction", "dynamodb:GetItem"): is_pushed,
        ("PushUpdatesFunction", "dynamodb:PutItem"): is_pushed,
        ("PushUpdatesFunction", "dynamodb:Query"): is_pushed,
        ("PushUpdatesFunction", "dynamodb:DeleteItem"): forgets_what_is_gone,
        ("PushUpdatesFunction", "execute-api:ManageConnections"): is_pushed,
        ("CreateExportFunction", "dynamodb:PutItem"): lambda: status("POST", "/exports", EXPORT) < 500,
        ("CreateExportFunction", "dynamodb:Query"): lambda: status("POST", "/exports", EXPORT) < 500,
        ("GetExportFunction", "dynamodb:GetItem"): lambda: status("GET", f"/exports/{uuid.uuid4()}") < 500,
        ("GetExportFunction", "s3:GetObject"): is_downloaded,
        ("WriteExportFunction", "dynamodb:Query"): is_exported,
        ("WriteExportFunction", "dynamodb:GetItem"): is_exported,
        ("WriteExportFunction", "dynamodb:PutItem"): is_exported,
        ("WriteExportFunction", "s3:PutObject"): is_exported,
        ("ListOrdersFunction", "dynamodb:Query"): lambda: status("GET", "/orders") < 500,
        ("UpdateOrderFunction", "dynamodb:GetItem"): lambda: status("PUT", unknown_order(), {}) < 500,
        ("UpdateOrderFunction", "dynamodb:UpdateItem"): lambda: change("PUT", "", {"notes": new_key()}) < 500,
        ("UpdateShippingFunction", "dynamodb:GetItem"): lambda: status("PUT", f"{unknown_order()}/shipping", SHIPPING) < 500,
        ("UpdateShippingFunction", "dynamodb:UpdateItem"): lambda: change("PUT", "/shipping", SHIPPING) < 500,
        ("UpdateStatusFunction", "dynamodb:GetItem"): lambda: status("PUT", f"{unknown_order()}/status", CANCELED) < 500,
        ("UpdateStatusFunction", "dynamodb:UpdateItem"): lambda: change("PUT", "/status", CANCELED) < 500,
        ("DeleteOrderFunction", "dynamodb:GetItem"): lambda: status("DELETE", unknown_order()) < 500,
        ("DeleteOrderFunction", "dynamodb:UpdateItem"): lambda: change("DELETE", "") < 500,
        ("RunFollowUpsFunction", "dynamodb:UpdateItem"): is_released,
        ("ReconcileEventsFunction", "dynamodb:Scan"): compares,
        ("ReconcileEventsFunction", "dynamodb:BatchGetItem"): compares,
        ("ReconcileEventsFunction", "dynamodb:PutItem"): compares,
        ("ReconcileEventsFunction", "dynamodb:GetItem"): lambda: resends() and compares(),
        ("ReconcileEventsFunction", "sqs:SendMessage"): compares,
        ("ReconcileEventsFunction", "sqs:GetQueueAttributes"): compares,
        ("ReconcileEventsFunction", "events:PutEvents"): resends,
        ("ReconcileEventsFunction", "sns:PublishBatch"): resends,
        ("CheckReleaseFunction", "lambda:InvokeFunction"): accepts_the_release,
        ("PublishEventsFunction", "events:PutEvents"): lambda: comes_out_of("EVENTS_QUEUE_URL"),
        ("PublishEventsFunction", "sns:PublishBatch"): lambda: comes_out_of("FEED_QUEUE_URL"),
    }
    check_managed(iam)
    proofs = list(to_prove(iam))
    granted = {(function, action) for function, _, action in proofs}
    if unproved := granted - probes.keys():
        raise StackError(f"nothing here proves that these are needed: {sorted(unproved)}")
    if missing := probes.keys() - granted:
        raise StackError(f"no role allows {sorted(missing)}")
    lanes = defaultdict(list)
    for function, policy, action in proofs:
        lanes[LANES.get(function)].append(Proof(function, policy, action, probes[function, action]))
    first, last = lanes.pop("first"), lanes.pop("last")
    for side_by_side in ([first], lanes.values(), [last]):
        prove_side_by_side(iam, side_by_side)
    print(f"{len(proofs)} passed, 0 failed")


@dataclass
class Proof:
    """An action of a function, and what does not work without it."""

    function: str
    policy: roles.Policy
    action: str
    probe: Callable[[], bool]


def to_prove(iam):
    """Function, policy and action of all that is proved here."""
    for function, policy in roles.policies(iam):
        if not is_of_circuits(policy.document):
            for action in roles.actions(policy.document):
                if action not in NOT_PROVED_HERE.get(function, ()):
                    yield function, policy, action


def prove_side_by_side(iam, lanes):
    """Proves what is in these lanes. After a failure, or Ctrl-C, each lane ends with the proof that it is at."""
    is_over = Event()

    def go(lane):
        for proof in lane:
            if not is_over.is_set():
                prove(iam, proof)

    with ThreadPoolExecutor(len(lanes)) as pool:
        try:
            for done in as_completed([pool.submit(go, lane) for lane in lanes]):
                done.result()
        finally:
            is_over.set()


def prove(iam, proof):
    """Takes an action away and gives it back: the probe fails, and works again."""
    policy = proof.policy
    policy.put(iam, roles.without(policy.document, proof.action))
    try:
        works = proof.probe()
    finally:
        policy.put(iam, policy.document)
    if works:
        raise StackError(f"{proof.function} works without {proof.action}: take it from the template")
    wait_until(f"{proof.function} working again with {proof.action}", proof.probe, 120)
    say(f"{proof.function} needs {proof.action}")


def check_managed(iam):
    """Every function may write logs, and those that are fed by the stream may read it, as AWS says that Lambda needs it."""
    logs, stream = (roles.of_aws(iam, name) for name in ("AWSLambdaBasicExecutionRole", "AWSLambdaDynamoDBExecutionRole"))
    # The stack makes the log group.
    write_logs, read_changes = logs - {"logs:CreateLogGroup"} | TRACING, stream - logs
    mappings = client("lambda", os.environ).list_event_source_mappings()["EventSourceMappings"]
    fed = {mapping["FunctionArn"].split(":")[6] for mapping in mappings if ":dynamodb:" in mapping["EventSourceArn"]}
    functions = resources("AWS::Lambda::Function")
    for function, role in roles.functions():
        wanted = write_logs | (read_changes if functions[function] in fed else set())
        attached = [policy["PolicyArn"] for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]]
        # What a VPC asks for (docs/adr/0017-on-aws.md) the emulator does not ask the role for.
        allowed = {action for arn in attached for action in roles.of_policy(iam, arn) if not action.startswith("ec2:")}
        if allowed != wanted:
            raise StackError(f"{function} may {sorted(allowed)} by managed policies, and Lambda needs {sorted(wanted)}")
        say(f"{function} needs its managed policies")


def is_of_circuits(document):
    """Circuits fail open, so a function works without their table, and the authorizer without the copy of the issuer's keys in it; the outages suite needs it."""
    return all("CircuitsTable" in statement["Resource"] for statement in roles.as_list(document["Statement"]))


def place():
    return status("POST", "/orders", demo.ORDER)


def place_unknown_customer():
    """A refusal by a partner makes the function read whether the key's order exists."""
    return status("POST", "/orders", {**demo.ORDER, "customer_id": "nobody"})


def place_batch(customer):
    """The status of the one order of a batch."""
    batch = {"orders": [{**demo.ORDER, "customer_id": customer}]}
    return demo.call("POST", f"{os.environ['API_URL']}/orders/batch", batch, headers())[2]["results"][0]["status"]


def shows_metrics():
    """Whether all figures are there; those of the reports are left out when they cannot be read."""
    token = demo.token(os.environ["PARTNERS_URL"], "orders:admin")
    request = urllib.request.Request(f"{os.environ['API_URL']}/metrics", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return b'orders{status="pending"} ' in answer.read()
    except urllib.error.HTTPError:
        return False


def is_counted():
    """Whether a new order can be counted."""
    order = new_order()
    body = json.dumps({"source": f"orders/{os.environ['TENANT']}", "subject": order["id"]})
    event = json.dumps({"Records": [{"messageId": "1", "body": body}]})
    function = outputs()["CountOrdersFunctionName"]
    answer = client("lambda", os.environ).invoke(FunctionName=function, Payload=event)
    return json.loads(answer["Payload"].read()) == {"batchItemFailures": []}


def new_order():
    """An order that a probe needs."""
    return demo.call("POST", f"{os.environ['API_URL']}/orders", demo.ORDER, headers())[2]


def connected():
    return Socket(os.environ["WS_URL"], os.environ["TOKEN"])


def subscribe(socket, **to):
    """What a probe of another function needs: it proves nothing when it fails."""
    answer = socket.ask(action="subscribe", **to)
    if (answer or {}).get("action") != "subscribed":
        raise StackError(f"a probe could not subscribe: {answer}")


def subscribes(**more):
    order = new_order()
    with connected() as socket:
        return (socket.ask(action="subscribe", order_id=order["id"], **more) or {}).get("action") == "subscribed"


def unsubscribes():
    with connected() as socket:
        return (socket.ask(action="unsubscribe", order_id=str(uuid.uuid4())) or {}).get("action") == "unsubscribed"


def is_pushed():
    """Whether a subscriber to all orders is told of a new one within ten seconds."""
    with connected() as socket:
        subscribe(socket)
        order = new_order()
        return socket.message(lambda event: event.get("subject") == order["id"]) is not None


def forgets_what_is_closed():
    """Whether nothing is kept for a connection that was closed. Nothing happens to what it subscribed to: an event would find
    it gone as well."""
    customer = new_key()
    with connected() as socket:
        subscribe(socket, customer_id=customer)
    return has_no_subscriber(f"customer#{os.environ['TENANT']}#{customer}")


def forgets_what_is_gone():
    """Whether nothing is kept for a connection that a change found gone."""
    with connected() as socket:
        # Changes of a storefront that nobody subscribes to find nobody.
        subscribe(socket)
    order = new_order()
    end = str(int(time.time()) + 3600)
    key = f"order#{os.environ['TENANT']}#{order['id']}"
    item = {"pk": {"S": key}, "sk": {"S": "gone"}, "c": {"S": "gone"}, "e": {"N": end}, "ttl": {"N": end}}
    client("dynamodb", os.environ).put_item(TableName=outputs()["SubscriptionsTableName"], Item=item)
    demo.call("PUT", f"{os.environ['API_URL']}/orders/{order['id']}", {"notes": new_key()}, headers())
    return has_no_subscriber(key)


def has_no_subscriber(key):
    """Whether a key is without subscribers within ten seconds."""
    deadline = time.monotonic() + 10
    request = {
        "TableName": outputs()["SubscriptionsTableName"],
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": key}},
    }
    while time.monotonic() < deadline:
        if not client("dynamodb", os.environ).query(**request)["Items"]:
            return True
        time.sleep(0.2)
    return False


def finished_export():
    """A new export, once it is finished; None, when it is not within a few seconds."""
    new_order()
    _, _, export = demo.call("POST", f"{os.environ['API_URL']}/exports", EXPORT, headers())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        _, _, export = demo.call("GET", f"{os.environ['API_URL']}/exports/{export['id']}", headers=headers())
        if export["status"] == "succeeded":
            return export
        time.sleep(0.2)
    return None


def is_exported():
    return finished_export() is not None


def is_downloaded():
    """Whether the link to a file works."""
    export = finished_export()
    if not export:
        return False
    try:
        with urllib.request.urlopen(export["download"]["url"], timeout=30) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


def unknown_order():
    return f"/orders/{uuid.uuid4()}"


def change(method, path, body=None):
    """Changes a new order."""
    order = new_order()
    return status(method, f"/orders/{order['id']}{path}", body)


def comes_out_of(queue):
    """Whether the events of a new order reach this queue within a few seconds."""
    order = new_order()
    sqs = client("sqs", os.environ)
    url = os.environ[queue]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if order["id"] in message["Body"]:
                return True
    return False


def compares():
    """Whether a new order's history can be compared with what came out of it, which has to be recorded for that."""
    order = new_order()
    end = datetime.fromisoformat(order["updated_at"]) + timedelta(seconds=1)
    return succeeds({"mode": "compare", "from": order["created_at"], "to": reconcile.rfc3339(end)})


def resends():
    order = new_order()
    return succeeds({"mode": "resend_orders", "orders": [f"{os.environ['TENANT']}#{order['id']}"]})


def succeeds(request):
    try:
        report = reconcile.run(request)
    except reconcile.Failed:
        return False
    return report["done"] if request["mode"] == "compare" else report["republished"] == report["events"] > 0


def accepts_the_release():
    """Whether the check before a deployment reaches every new version."""
    answer = client("lambda", os.environ).invoke(FunctionName=physical("CheckReleaseFunction"), Payload="{}")
    return "FunctionError" not in answer


def is_released():
    """Whether a canceled order is released within a few seconds."""
    order = new_order()
    path = f"/orders/{order['id']}"
    status("PUT", f"{path}/status", CANCELED)
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        _, _, order = demo.call("GET", os.environ["API_URL"] + path, headers=headers())
        if order["inventory"] == "released":
            return True
        time.sleep(0.2)
    return False


def status(method, path, body=None):
    try:
        return demo.call(method, os.environ["API_URL"] + path, body, headers())[0]
    except urllib.error.HTTPError as error:
        return error.code


def headers():
    return {"Authorization": f"Bearer {os.environ['TOKEN']}", "Idempotency-Key": new_key()}


def new_key():
    return str(uuid.uuid4())


if __name__ == "__main__":
    try:
        main()
    except StackError as error:
        sys.exit(f"error: {error}")
