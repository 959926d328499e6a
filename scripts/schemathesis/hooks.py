"""What a document cannot say of a valid request: which customers and products exist, which keys and cursors are taken, and how many
exports run.

Only requests that are meant to be valid are changed, in what their schema leaves open.
"""

import json
import os
import time
import urllib.request
import uuid

import schemathesis
from schemathesis.generation import GenerationMode

# One for each line: all lines of a product together are bounded.
PRODUCTS = [f"contract-{n}" for n in range(100)]

# The filters of every cursor that a page named: it belongs to these alone.
PAGES = {}

# The exports that were asked for and may not be over, the oldest first. Ten of a storefront run at a time, and a busy machine writes
# them more slowly than they are asked for.
EXPORTS = []
AT_ONCE = 8


def stock(product):
    """Makes a product of which there is always enough."""
    body = {"name": product, "unit_price": {"amount": 100, "currency": "EUR"}, "available": 1_000_000_000}
    url = f"{os.environ['PARTNERS_URL']}/admin/stock/{product}"
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="PUT")
    with urllib.request.urlopen(request, timeout=10):
        pass


for product in PRODUCTS:
    stock(product)


@schemathesis.deserializer("application/openmetrics-text")
def text(context, response):
    return response.content.decode()


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if case.operation.label == "POST /exports":
        wait_for_exports()
    if isinstance(case.body, dict):
        for order in case.body.get("orders") or [case.body]:
            known_to_the_partners(order)
        if isinstance(case.body.get("filters"), dict):
            case.body["filters"] = answerable(case.body["filters"])
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if case.query:
        case.query = answerable(dict(case.query))


def known_to_the_partners(body):
    if "customer_id" in body:
        body["customer_id"] = "cust-1"
    for index, line in enumerate(body.get("lines") or []):
        line["product_id"] = PRODUCTS[index % len(PRODUCTS)]


def answerable(query):
    """A cursor with its own filters, never both a status and a customer, and no period that ends before it begins."""
    if "from" in query and "to" in query:
        query["to"] = query["from"]
    cursor = query.pop("cursor", None)
    if cursor in PAGES:
        return {**PAGES[cursor], "cursor": cursor}
    if "status" in query:
        query.pop("customer_id", None)
    return query


def wait_for_exports():
    deadline = time.monotonic() + 60
    while len(EXPORTS) >= AT_ONCE and time.monotonic() < deadline:
        if is_running(EXPORTS[0]):
            time.sleep(0.1)
        else:
            EXPORTS.pop(0)


def is_running(export):
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    request = urllib.request.Request(f"{os.environ['API_URL']}/exports/{export}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["status"] == "running"


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.label == "POST /exports" and response.status_code == 202:
        EXPORTS.append(response.json()["id"])
    if case.operation.label == "GET /orders" and response.status_code == 200:
        cursor = response.json()["page"]["next_cursor"]
        if cursor:
            PAGES[cursor] = {name: value for name, value in (case.query or {}).items() if name != "cursor"}
