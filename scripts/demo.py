"""The main job, shown: place an order, read it back, see its events, and say how to go on."""

import json
import urllib.request

from aws import client
from processes import say, wait_until

TENANT = "demo"

ORDER = {
    "customer_id": "cust-1",
    "lines": [{"product_id": "sku-1", "quantity": 2}, {"product_id": "sku-2", "quantity": 1}],
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
    },
    "metadata": {"channel": "web"},
}

# Seconds that the events of an order take at most.
PATIENCE = 60


def token(partners_url, scope="orders:read orders:write"):
    """A token of the local issuer, valid for 30 days."""
    wish = {"tenant": TENANT, "sub": "you", "scope": scope, "expires_in": 30 * 24 * 3600}
    _, _, body = call("POST", f"{partners_url}/token", wish)
    return body["token"]


def call(method, url, body=None, headers=None, timeout=30):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.status, answer.headers, json.loads(answer.read() or "null")


def text(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def show(env):
    """Runs the demonstration. Its key is always the same, so running it again changes nothing."""
    orders = f"{env['API_URL']}/orders"
    auth = {"Authorization": f"Bearer {env['TOKEN']}"}
    status, headers, order = call("POST", orders, ORDER, {**auth, "Idempotency-Key": "make-run"})
    is_replay = headers.get("Idempotent-Replayed") == "true"
    say(f"POST /orders -> {status}{' (placed by an earlier run)' if is_replay else ''}")
    print(json.dumps({name: order[name] for name in ("id", "status", "total", "version")}, indent=2))
    status, _, order = call("GET", f"{orders}/{order['id']}", headers=auth)
    say(f"GET /orders/{order['id']} -> {status}, version {order['version']}")
    expected = [
        f"{order['id']}:{entry['version']}:{index}"
        for entry in order["history"]
        for index, _ in enumerate(entry["events"])
    ]
    say("its events, from the queue behind the bus")
    for event in events(env, expected):
        print(f"{event['id']}  {event['type']:<20} {event['time']}")
    print(NEXT.format(**env))


def events(env, ids):
    """The events of these ids, read from the queue and left in it. Each message is read once, however many there are."""
    sqs, queue = client("sqs", env), env["EVENTS_QUEUE_URL"]
    seen, read = {}, []

    def all_seen():
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=2 * PATIENCE, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])["detail"]
            seen[event["id"]] = event
            read.append(message["ReceiptHandle"])
        return all(event_id in seen for event_id in ids)

    try:
        wait_until("the arrival of the order's events", all_seen, PATIENCE)
    finally:
        for handle in read:
            sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    return [seen[event_id] for event_id in ids]


NEXT = """
The service runs. To go on:

  source .local/stack.env
  curl -s "$API_URL/health"
  curl -s "$API_URL/orders" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
    -H "Idempotency-Key: my-first-order" -d '{{"customer_id":"cust-2","lines":[{{"product_id":"sku-3","quantity":1}}]}}'

  {LIVE_PAGE}
  shows its orders as they change; it asks for $TOKEN

  make down    stops it; the data stays
"""
