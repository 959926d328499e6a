"""Counts all orders anew in the reports, in a generation of rows of its own, which is read once it is complete.

It uses the stack that the environment names: `source .local/stack.env`, or AWS credentials and STACK_NAME. It may be
interrupted and started again. Orders that change meanwhile are counted in the new generation by count-orders itself.
"""

import json
import sys
from functools import cache

import boto3
from botocore.config import Config
from outputs import in_one_line, outputs

# So many orders are counted by one call of count-orders.
AT_ONCE = 100

# How often an order that was not counted is named again.
TRIES = 5

# The item of the generations (shared/adapters/src/reports/items.rs).
GENERATIONS = {"pk": {"S": "generations"}, "sk": {"S": "-"}}


def main():
    generation = begin()
    orders = 0
    for page in pages(outputs()["OrdersTableName"]):
        count(page)
        orders += len(page)
    end(generation)
    print(f"counted {orders} orders anew; removed {remove_but(generation)} rows of earlier counts")


def begin():
    """From here on orders are counted in a new generation; the one before is read."""
    update = {"UpdateExpression": "ADD c :one", "ExpressionAttributeValues": {":one": {"N": "1"}}, "ReturnValues": "UPDATED_NEW"}
    item = client("dynamodb").update_item(TableName=reports(), Key=GENERATIONS, **update)
    return item["Attributes"]["c"]["N"]


def end(generation):
    """From here on the new generation is read, unless somebody began another."""
    client("dynamodb").update_item(
        TableName=reports(),
        Key=GENERATIONS,
        UpdateExpression="SET r = :new",
        ConditionExpression="c = :new",
        ExpressionAttributeValues={":new": {"N": generation}},
    )


def pages(table):
    """The keys of all orders, some at a time."""
    waiting = []
    scan = client("dynamodb").get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk")
    for page in scan:
        waiting += [item["pk"]["S"] for item in page["Items"]]
        while len(waiting) >= AT_ONCE:
            yield waiting[:AT_ONCE]
            waiting = waiting[AT_ONCE:]
    if waiting:
        yield waiting


def count(orders):
    waiting = orders
    for _ in range(TRIES):
        records = [{"messageId": order, "body": body(order)} for order in waiting]
        answer = client("lambda").invoke(FunctionName=outputs()["CountOrdersFunctionName"], Payload=json.dumps({"Records": records}))
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            sys.exit(f"error: count-orders failed: {payload.get('errorMessage', payload)}")
        waiting = [failure["itemIdentifier"] for failure in payload["batchItemFailures"]]
        if not waiting:
            return
    sys.exit(f"error: {len(waiting)} orders cannot be counted, {waiting[0]} among them; the lines `counted` say why")


def body(order):
    """What names an order, as an event of the feed does."""
    tenant, order_id = order.split("#")
    return json.dumps({"source": f"orders/{tenant}", "subject": order_id})


def remove_but(generation):
    """Removes the rows of all generations but this one; how many."""
    dynamodb, removed = client("dynamodb"), 0
    rows = {"FilterExpression": "begins_with(pk, :rows)", "ExpressionAttributeValues": {":rows": {"S": "rows#"}}}
    for page in dynamodb.get_paginator("scan").paginate(TableName=reports(), ProjectionExpression="pk, sk", **rows):
        for key in page["Items"]:
            if key["pk"]["S"].split("#")[2] != generation:
                dynamodb.delete_item(TableName=reports(), Key=key)
                removed += 1
    return removed


def reports():
    return outputs()["ReportsTableName"]


@cache
def client(service):
    return boto3.client(service, config=Config(read_timeout=60))


if __name__ == "__main__":
    in_one_line(main)
