"""Deploys examples/consumer beside the running stack, places an order, and shows the snapshot that arrived."""

import json
import os
import sys
import uuid
from pathlib import Path

import demo
import sam
from aws import client
from outputs import outputs
from processes import StackError, answers, say, wait_until

NAME = "orders-consumer"


def main():
    if "API_URL" not in os.environ:
        raise StackError("no stack; run `make run` first")
    if not answers(f"{os.environ['API_URL']}/health"):
        raise StackError("the stack is down; run `make run`")
    folder = sam.ROOT / os.environ.get("STACK_FOLDER", ".local") / "consumer"
    folder.mkdir(exist_ok=True)
    say("building the consumer")
    sam.cargo_build("consumer")
    sam.build(Path("examples/consumer/template.yaml"), folder)
    say("deploying it")
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    sam.deploy(folder, NAME, {"OrderFeedArn": outputs()["OrderFeedArn"]}, aws)
    sam.save(aws)
    table = outputs(NAME)["SnapshotsTableName"]
    order = place()
    say(f"POST /orders -> {order['id']}; its snapshot in {table}")
    item = wait_until("the arrival of the order's events", lambda: snapshot(table, order["id"]), 60)
    print(json.dumps({"order": item["order"]["S"], "place": item["place"]["S"]}, indent=2))


def place():
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "Idempotency-Key": str(uuid.uuid4())}
    _, _, order = demo.call("POST", f"{os.environ['API_URL']}/orders", demo.ORDER, headers)
    return order


def snapshot(table, order):
    return client("dynamodb", os.environ).get_item(TableName=table, Key={"order": {"S": order}}).get("Item")


if __name__ == "__main__":
    try:
        main()
    except StackError as error:
        sys.exit(f"error: {error}")
