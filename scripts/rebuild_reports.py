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
    before, generation = begin()
    orders, uncounted = 0, []
    for page in pages(outputs()["OrdersTableName"]):
        uncounted += count(page)
        orders += len(page)
    end(generation)
    print(f"counted {orders - len(uncounted)} orders anew; removed {remove_before(before)} rows of earlier counts")
    for order in uncounted:
        print(f"error: {order} cannot be counted; the causes of the lines `counted` say why", file=sys.stderr)
    sys.exit(len(uncounted) > 0)


def begin():
    """From here on orders are counted in a new generation, or in the one of a recount that was not finished; the one
    before is read. Both."""
    key = {"TableName": reports(), "Key": GENERATIONS}
    item = client("dynamodb").get_item(**key, ConsistentRead=True).get("Item", {})
    reading, counting = (int(item.get(name, {"N": "0"})["N"]) for name in ("r", "c"))
    if counting > reading:
        print("continuing a recount that was not finished")
        return reading, counting
    client("dynamodb").update_item(
        **key,
        UpdateExpression="SET c = :new",
        ConditionExpression="c = :old OR attribute_not_exists(c)",
        ExpressionAttributeValues={":new": {"N": str(counting + 1)}, ":old": {"N": str(counting)}},
    )
    return reading, counting + 1


def end(generation):
    """From here on the new generation is read."""
    client("dynamodb").update_item(
        TableName=reports(),
        Key=GENERATIONS,
        UpdateExpression="SET r = :new",
        ConditionExpression="c = :new",
        ExpressionAttributeValues={":new": {"N": str(generation)}},
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
    """Has these orders counted; those that are not."""
    waiting = orders
    for _ in range(TRIES):
        records = [{"messageId": order, "body": body(order)} for order in waiting]
        answer = client("lambda").invoke(FunctionName=outputs()["CountOrdersFunctionName"], Payload=json.dumps({"Records": records}))
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            sys.exit(f"error: count-orders failed: {payload.get('errorMessage', payload)}")
        waiting = [failure["itemIdentifier"] for failure in payload["batchItemFailures"]]
        if not waiting:
            break
    return waiting


def body(order):
    """What names an order, as an event of the feed does."""
    tenant, _, order_id = order.rpartition("#")
    return json.dumps({"source": f"orders/{tenant}", "subject": order_id})


def remove_before(generation):
    """Removes the rows of all generations before this one, which a report may still be reading; how many."""
    dynamodb, removed = client("dynamodb"), 0
    rows = {"FilterExpression": "begins_with(pk, :rows)", "ExpressionAttributeValues": {":rows": {"S": "rows#"}}}
    for page in dynamodb.get_paginator("scan").paginate(TableName=reports(), ProjectionExpression="pk, sk", **rows):
        for key in page["Items"]:
            if int(key["pk"]["S"].split("#")[2]) < generation:
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
