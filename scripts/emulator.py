"""The local AWS emulator, ministack, with every item on disk before its write is answered, and API keys of authorizers.

ministack saves its state only when it stops in order. Here each write of an item is also appended to a journal, and
`POST /_local/save` saves the whole state and empties the journal. `GET /_local/unread` tells how many stream records
wait for a function, `GET /_local/started` how often each function was started. A start loads what was saved, then writes what the
journal holds: so a killed emulator has lost no item, and the streams carry every change since the last save once more.

`POST /_local/throttle/<table>` lets a table refuse every request as DynamoDB refuses one that is too much, `POST /_local/throttle/`
none; `GET /_local/throttled` tells how many were refused by kind (`scripts/gameday.py`).

`ANY` routes, `$context.path`, the account in conditions, answers to WebSocket handshakes, and the values of parameters for
SAM, which ministack lacks, are added.

The settings are ministack's own (GATEWAY_PORT, STATE_DIR, BIND_HOST ...).
"""

import json
import logging
import os
import threading
from collections import Counter
from contextvars import ContextVar
from pathlib import Path
from urllib.parse import quote

import ministack.app as ministack
from ministack.core.persistence import save_all
from ministack.core.responses import get_account_id, request_scope
from ministack.services import apigateway, apigateway_v1, dynamodb, lambda_svc
from ministack.services.cloudformation import changesets, engine, handlers, stacks
from samtranslator.translator import transform

STATE = Path(os.environ["STATE_DIR"])


class Journal:
    """The last images of the items that were written since the state was saved, one JSON document a line."""

    def __init__(self, file: Path):
        self.file = file
        self.lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        self.lines = file.open("a", buffering=1)

    def add(self, table, key, item):
        line = json.dumps({"table": table, "key": key, "item": item})
        with self.lock:
            self.lines.write(line + "\n")

    def entries(self):
        """The newest entry of every item. A line without an end is a write that was never answered."""
        whole = self.file.read_text().rpartition("\n")[0]
        newest = {}
        for line in whole.splitlines():
            entry = json.loads(line)
            newest[entry["table"], json.dumps(entry["key"], sort_keys=True)] = entry
        return list(newest.values())

    def empty_after(self, save):
        """Nothing is added meanwhile, so what a line says is in the saved state, or the line is still to come."""
        with self.lock:
            save()
            self.lines.truncate(0)


def keep_every_write(journal):
    """Every way of writing an item ends in `_emit_stream_event`, before the request is answered."""
    emit = dynamodb._emit_stream_event

    def kept(table_name, event_name, old_item, new_item, *rest, **more):
        table = dynamodb._tables.get(table_name)
        if table:
            names = [name for name in (table["pk_name"], table["sk_name"]) if name]
            image = new_item or old_item
            journal.add(table_name, {name: image[name] for name in names}, new_item)
        emit(table_name, event_name, old_item, new_item, *rest, **more)

    dynamodb._emit_stream_event = kept


def restore_journal(journal):
    """After the saved state has been loaded, the journal is written on top of it."""
    load = ministack._load_persisted_state

    def restored():
        load()
        # ministack saves how far a stream was read, but not the stream: it would pass over as many new records.
        lambda_svc._dynamodb_stream_positions.clear()
        entries = journal.entries()
        lost = [entry for entry in entries if not write(entry)]
        print(f"restored {len(entries) - len(lost)} items from the journal, {len(lost)} have no table", flush=True)

    ministack._load_persisted_state = restored


def write(entry):
    """Whether the item could be written; its table may have been made after the last save."""
    if entry["table"] not in dynamodb._tables:
        return False
    request = {"TableName": entry["table"]}
    if entry["item"]:
        status, _, body = dynamodb._put_item({**request, "Item": entry["item"]})
    else:
        status, _, body = dynamodb._delete_item({**request, "Key": entry["key"]})
    if status != 200:
        raise RuntimeError(f"an item of the journal cannot be written: {body}")
    return True


def serve_every_method():
    """`ANY` in an imported API, which ministack passes over."""
    any_method = "x-amazon-apigateway-any-method"
    apigateway_v1._OPENAPI_HTTP_METHODS.add(any_method)
    import_operation = apigateway_v1._import_operation

    def imported(api_id, resource_id, method, *rest):
        import_operation(api_id, resource_id, "ANY" if method == any_method.upper() else method, *rest)

    apigateway_v1._import_operation = imported


def give_parameters_to_sam():
    """SAM decides by the values of parameters (`AutoPublishCodeSha256`, `DeploymentPreference`), as on AWS."""
    values = ContextVar("values")
    apply, expand = engine._apply_transforms, transform.transform

    def applied(template, provided=None, previous=None):
        values.set(engine._transform_parameters(template, provided, previous))
        return apply(template, provided, previous)

    changesets._apply_transforms = handlers._apply_transforms = applied
    transform.transform = lambda template, _none, *rest: expand(template, values.get(), *rest)


def tell_conditions_the_account():
    """`AWS::AccountId` in a condition, which ministack takes for a word."""
    evaluate = engine._evaluate_conditions

    def evaluated(template, values):
        return evaluate(template, {**values, "AWS::AccountId": {"Value": get_account_id()}})

    changesets._evaluate_conditions = handlers._evaluate_conditions = stacks._evaluate_conditions = evaluated


def fill_in_path_and_origin():
    """`$context.path` in the answers of the gateway, and the origin of a preflight request in the answer to it, if it is one of
    ALLOWED_ORIGINS. ministack knows neither."""
    execute = apigateway_v1._handle_execute_in_scope
    allowed = os.environ.get("ALLOWED_ORIGINS", "").split(",")

    async def executed(api_id, stage, method, path, request_headers, *rest):
        status, headers, body = await execute(api_id, stage, method, path, request_headers, *rest)
        origin = apigateway_v1._header_ci(request_headers, "origin")
        if method == "OPTIONS" and origin in allowed and "Access-Control-Allow-Origin" in headers:
            headers = {**headers, "Access-Control-Allow-Origin": origin}
        return status, headers, body.replace(b"$context.path", quote(f"/{stage}/{path.lstrip('/')}").encode())

    apigateway_v1._handle_execute_in_scope = executed


def answer_handshakes():
    """The subprotocol that `$connect` answers, without which a browser closes the connection again, and 401 for a token that
    the authorizer refuses: ministack accepts without one, and answers 500."""
    subprotocol = ContextVar("subprotocol", default=None)
    handle, invoke = apigateway.handle_websocket, apigateway._invoke_ws_lambda
    authorize = apigateway._authorize_ws_connect

    async def invoked(api_id, *rest, **more):
        answer = await invoke(api_id, *rest, **more)
        headers = (answer or {}).get("headers") or {}
        subprotocol.set(headers.get("Sec-WebSocket-Protocol"))
        return answer

    async def authorized(*rest):
        refusal, context = await authorize(*rest)
        return (401, "Unauthorized") if refusal == (500, "") else refusal, context

    async def handled(scope, receive, send, *rest, **more):
        async def sent(message):
            if message["type"] == "websocket.accept" and subprotocol.get():
                message = {**message, "subprotocol": subprotocol.get()}
            await send(message)

        await handle(scope, receive, sent, *rest, **more)

    apigateway._invoke_ws_lambda, apigateway.handle_websocket = invoked, handled
    apigateway._authorize_ws_connect = authorized


def save():
    """Saves the state of every service. ministack logs what fails and goes on; here it is an error."""
    failures = []
    watch = logging.Handler(logging.ERROR)
    watch.emit = lambda record: failures.append(record.getMessage())
    log = logging.getLogger("persistence")
    log.addHandler(watch)
    try:
        save_all(ministack._build_persistence_save_dict())
    finally:
        log.removeHandler(watch)
    if failures:
        raise RuntimeError("; ".join(failures))


def unread():
    """How many records of streams wait for a function. They are gone when the emulator stops."""
    waiting = 0
    for account, region, mapping in lambda_svc._iter_all_esms():
        arn = mapping.get("EventSourceArn", "")
        if ":dynamodb:" in arn:
            with request_scope(account, region):
                end = dynamodb.stream_end_position(arn.split("/")[1])
                waiting += end - lambda_svc._dynamodb_stream_positions.get(mapping["UUID"], end)
    return waiting


def count_starts():
    """How often each function was started, from here on; every way of starting one passes through here."""
    started = Counter()
    dispatch = lambda_svc._execute_function_dispatch

    def counted(func, config, *rest):
        started[config["FunctionName"]] += 1
        return dispatch(func, config, *rest)

    lambda_svc._execute_function_dispatch = counted
    return started


class Throttle:
    """The table that refuses requests, if any, and how many it refused: reads and writes."""

    READS = ("GetItem", "BatchGetItem", "Query", "Scan")
    WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")

    def __init__(self):
        self.table, self.refused = "", Counter()

    def guard(self):
        handle = dynamodb.handle_request

        async def guarded(method, path, headers, body, query_params):
            action = headers.get("x-amz-target", "").rpartition(".")[2]
            kind = "reads" if action in self.READS else "writes" if action in self.WRITES else None
            if not self.table or not kind or f'"{self.table}"'.encode() not in body:
                return await handle(method, path, headers, body, query_params)
            self.refused[kind] += 1
            refusal = {"__type": THROTTLED, "message": "The level of configured provisioned throughput was exceeded."}
            return 400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(refusal).encode()

        dynamodb.handle_request = guarded


THROTTLED = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"


def serve_own_routes(journal, started, throttle):
    """Adds the routes beneath `/_local`."""
    app = ministack.app

    async def served(scope, receive, send):
        body = b""
        match scope["type"] == "http" and (scope["method"], scope["path"]):
            case ("POST", "/_local/save"):
                journal.empty_after(save)
            case ("GET", "/_local/unread"):
                body = str(unread()).encode()
            case ("GET", "/_local/started"):
                body = json.dumps(started).encode()
            case ("POST", path) if path.startswith("/_local/throttle/"):
                throttle.table = path.removeprefix("/_local/throttle/")
            case ("GET", "/_local/throttled"):
                body = json.dumps(throttle.refused).encode()
            case _:
                return await app(scope, receive, send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    ministack.app = served


def take_keys_from_authorizers():
    """ministack knows API keys of a header alone. Here the key of a request is the `usageIdentifierKey` that the authorizer
    answered for its token, as on AWS with the source AUTHORIZER, which ministack does not read from the template."""
    keys = {}
    invoke, check = apigateway_v1._invoke_authorizer_lambda, apigateway_v1._check_api_key

    async def invoked(authorizer, event, *rest):
        result = await invoke(authorizer, event, *rest)
        answer = (result or {}).get("body")
        if isinstance(answer, (str, bytes)):
            answer = json.loads(answer or "null")
        if isinstance(answer, dict):
            keys[event.get("authorizationToken")] = answer.get("usageIdentifierKey")
        return result

    def checked(method, api_id, stage_name, headers):
        key = keys.get(apigateway_v1._header_ci(headers, "authorization"))
        return check(method, api_id, stage_name, {"x-api-key": key})

    apigateway_v1._invoke_authorizer_lambda, apigateway_v1._check_api_key = invoked, checked


def main():
    take_keys_from_authorizers()
    journal = Journal(STATE / "journal")
    keep_every_write(journal)
    restore_journal(journal)
    throttle = Throttle()
    throttle.guard()
    serve_own_routes(journal, count_starts(), throttle)
    serve_every_method()
    give_parameters_to_sam()
    tell_conditions_the_account()
    fill_in_path_and_origin()
    answer_handshakes()
    ministack.main()


if __name__ == "__main__":
    main()
