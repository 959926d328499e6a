"""Ways to break a local stack, to see it used while it is broken, and to repair it (`make gameday`)."""

import json
import os
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import demo
import roles
from aws import client
from outputs import outputs, physical

# So many requests at a time: more than the environments whose failures open a circuit.
AT_ONCE = 6


def partners_fail():
    """the inventory service answers 500"""
    fault("status", 500)


def partners_work(_):
    """the inventory service answers again"""
    fault("none", 0)


def fault(kind, value):
    for route in ("products", "reservations"):
        demo.call("PUT", f"{os.environ['PARTNERS_URL']}/admin/faults", {"route": route, "kind": kind, "value": value})


def refuse_the_bus():
    """publish-events loses its permission to put events on the bus"""
    iam = client("iam", os.environ)
    for function, policy in roles.policies(iam):
        if function == "PublishEventsFunction" and "events:PutEvents" in roles.actions(policy.document):
            policy.put(iam, roles.without(policy.document, "events:PutEvents"))
            return policy
    raise AssertionError("publish-events may not put events on the bus")


def allow_the_bus(policy):
    """it gets the permission back"""
    policy.put(client("iam", os.environ), policy.document)


def write_what_is_no_order():
    """something that is no order is written into the table"""
    key = {"pk": {"S": f"poison#{uuid.uuid4()}"}}
    client("dynamodb", os.environ).put_item(TableName=os.environ["ORDERS_TABLE"], Item=key)
    return key


def take_it_away(key):
    """the item is deleted, and what was set aside of it as well"""
    client("dynamodb", os.environ).delete_item(TableName=os.environ["ORDERS_TABLE"], Key=key)
    sqs, url = client("sqs", os.environ), outputs()["UnpublishedChangesUrl"]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def nothing_is_set_aside():
    answer = client("sqs", os.environ).get_queue_attributes(
        QueueUrl=outputs()["UnpublishedChangesUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return answer["Attributes"]["ApproximateNumberOfMessages"] == "0"


def throttle_the_table():
    """the table of the orders throttles"""
    throttle(os.environ["ORDERS_TABLE"])


def serve_the_table(_):
    """it serves every request again"""
    throttle("")


def throttle(table):
    request = urllib.request.Request(f"{os.environ['AWS_ENDPOINT_URL']}/_local/throttle/{table}", method="POST")
    with urllib.request.urlopen(request, timeout=30):
        pass


def deploy_a_broken_version():
    """a version of get-order that looks for its orders in a table that is not its own is made live, without a check"""
    functions = client("lambda", os.environ)
    name = physical("GetOrderFunction")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    live = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    broken = {**variables, "ORDERS_TABLE": "no-such-table"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    return name, live, variables


def roll_back(before):
    """the alias is moved back to the version before"""
    name, live, variables = before
    functions = client("lambda", os.environ)
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=live)
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def place_orders():
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda _: place(), range(AT_ONCE)))


def place():
    return answer("POST", "/orders", demo.ORDER)


def an_order_is_confirmed():
    status, order = place()
    return status == 201 and order["status"] == "confirmed"


def read_an_order():
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda _: answer("GET", f"/orders/{uuid.uuid4()}"), range(AT_ONCE)))


def an_order_is_read():
    """A 404 is one of the table; without it, get-order answers 5xx."""
    return {status for status, _ in read_an_order()} == {404}


def the_stream_is_read():
    return demo.text(f"{os.environ['AWS_ENDPOINT_URL']}/_local/unread") == "0"


def nothing():
    pass


def answer(method, path, body=None):
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "Idempotency-Key": str(uuid.uuid4())}
    try:
        status, _, document = demo.call(method, os.environ["API_URL"] + path, body, headers)
    except urllib.error.HTTPError as error:
        return error.code, None
    return status, document
