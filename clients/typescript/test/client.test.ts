// The client against a service that answers by script: refusals, times, tokens, garbage, and answers of newer releases.

import assert from "node:assert/strict";
import { test } from "node:test";

import { OrderServiceClient, type Status } from "order-service-client";

import { failure, ID, known, nobodysUrl, order, placed, problem, Service, type Step, WANTED } from "./script.js";

test("a throttled order is placed after Retry-After under the same key", async (t) => {
  const service = await Service.start(t, problem(429, "throttled", {}, { "Retry-After": "1" }), placed());
  const started = Date.now();
  const { idempotencyKey, isReplayed } = await service.client().placeOrder(WANTED);
  assert.ok(Date.now() - started >= 1000);
  assert.equal(isReplayed, false);
  assert.match(idempotencyKey, /^[0-9a-f-]{36}$/);
  assert.deepEqual(service.headers("idempotency-key"), [idempotencyKey, idempotencyKey]);
  assert.deepEqual(service.requests[0]?.body, WANTED);
});

test("every order has a key of its own unless it is given one", async (t) => {
  const service = await Service.start(t, placed(), placed(), placed({ "Idempotent-Replayed": "true" }));
  const client = service.client();
  await client.placeOrder(WANTED);
  await client.placeOrder(WANTED);
  assert.equal((await client.placeOrder(WANTED, { idempotencyKey: "checkout-7" })).isReplayed, true);
  const [first, second, third] = service.headers("idempotency-key");
  assert.notEqual(first, second);
  assert.equal(third, "checkout-7");
});

test("a report is asked for by days and grouping", async (t) => {
  const report = { from: "2026-01-01", to: "2026-01-31", group_by: "product", groups: [] };
  const service = await Service.start(t, "lose", { status: 200, body: report });
  const { from, to } = report;
  assert.deepEqual(await service.client().getReport({ from, to, group_by: "product" }), report);
  assert.equal(service.requests[1]?.path, "/v1/reports/orders?from=2026-01-01&to=2026-01-31&group_by=product");
});

test("an outage is repeated until the attempts are used up", async (t) => {
  const service = await Service.start(t, ...Array<Step>(9).fill(problem(503, "unavailable")));
  const error = await failure(service.client().getOrder(ID));
  assert.deepEqual(
    [error.code, error.attempts, error.isUncertain, service.requests.length],
    ["unavailable", 4, false, 4],
  );
});

test("a Retry-After beyond the call's time is told and not waited for", async (t) => {
  const service = await Service.start(t, problem(429, "throttled", {}, { "Retry-After": "3600" }));
  const error = await failure(service.client().getOrder(ID));
  assert.deepEqual([error.retryAfter, error.attempts], [3600, 1]);
});

test("a refusal for good is told at once with its members", async (t) => {
  const unavailable = [{ product_id: "sku-1", requested: 2, available: 1 }];
  const service = await Service.start(t, problem(409, "out_of_stock", { unavailable }));
  const error = await failure(service.client().placeOrder(WANTED));
  assert.deepEqual([error.attempts, error.status, error.problem?.unavailable], [1, 409, unavailable]);
});

test("shipping waits for the confirmation of the reservation", async (t) => {
  const early = problem(409, "reservation_unconfirmed", {}, { "Retry-After": "0" });
  const service = await Service.start(t, early, early, order(3, "shipped"));
  assert.equal((await service.client().moveOrder(known(2, "processing"), "shipped")).status, "shipped");
  assert.deepEqual(service.headers("if-match"), ['"2"', '"2"', '"2"']);
});

test("a connection that cannot be made is made again even for a write without a condition", async () => {
  const client = new OrderServiceClient({ baseUrl: await nobodysUrl(), maxAttempts: 3, firstPauseMs: 1 });
  const error = await failure(client.updateOrder(ID, {}));
  assert.deepEqual([error.kind, error.attempts, error.isUncertain], ["no_answer", 3, false]);
});

test("garbage of a proxy is repeated and then told as such", async (t) => {
  const html = { status: 502, body: "<html>Bad gateway</html>" };
  const service = await Service.start(t, html, "cut", { status: 200, body: "[]" }, html);
  const error = await failure(service.client().getOrder(ID));
  assert.deepEqual([error.kind, error.status, error.attempts], ["unreadable", 502, 4]);
});

test("a redirect is not followed", async (t) => {
  const elsewhere = await Service.start(t, order(1, "confirmed"));
  const service = await Service.start(t, { status: 307, headers: { Location: `${elsewhere.url}/orders/${ID}` } });
  assert.equal((await failure(service.client().getOrder(ID))).status, 307);
  assert.equal(elsewhere.requests.length, 0);
});

test("a version that is known is not read again", async (t) => {
  const service = await Service.start(t, { status: 304 }, order(4, "confirmed"));
  const client = service.client();
  assert.equal(await client.getOrderIfChanged(known(3)), undefined);
  assert.equal((await client.getOrderIfChanged(known(3)))?.version, 4);
  assert.deepEqual(service.headers("if-none-match"), ['"3"', '"3"']);
});

test("a list is walked page by page as far as somebody reads, although a page is empty", async (t) => {
  const page = (rows: number, next_cursor: string | null): Step => ({
    status: 200,
    body: {
      data: Array(rows).fill({ id: ID, version: 1 }),
      page: { limit: 2, has_more: next_cursor !== null, next_cursor },
    },
  });
  const service = await Service.start(t, page(2, "a+/="), "lose", page(0, "b"), page(1, null));
  const rows = [];
  for await (const row of service.client().orders({ status: "confirmed", limit: 2 })) rows.push(row);
  assert.equal(rows.length, 3);
  assert.deepEqual(
    service.requests.map(({ path }) => path),
    ["", "&cursor=a%2B%2F%3D", "&cursor=a%2B%2F%3D", "&cursor=b"].map(
      (cursor) => `/v1/orders?status=confirmed&limit=2${cursor}`,
    ),
  );
  const lazy = await Service.start(t, page(2, "a"));
  for await (const row of lazy.client().orders()) if (row.version === 1) break;
  assert.equal(lazy.requests.length, 1);
});

test("a token that is refused is replaced once", async (t) => {
  const refused = problem(401, "unauthenticated");
  const tokens = () => {
    let renewals = 0;
    return async (old?: string) => `token-${old === undefined ? renewals : ++renewals}`;
  };
  const service = await Service.start(t, refused, order(1, "confirmed"));
  await service.client({ token: tokens() }).getOrder(ID);
  assert.deepEqual(service.headers("authorization"), ["Bearer token-0", "Bearer token-1"]);
  const twice = await Service.start(t, refused, refused, refused);
  assert.equal((await failure(twice.client({ token: tokens() }).getOrder(ID))).attempts, 2);
  const fixed = await Service.start(t, refused, refused);
  assert.equal((await failure(fixed.client().getOrder(ID))).attempts, 1);
});

test("without a token nothing is sent, and health needs none", async (t) => {
  const service = await Service.start(t, { status: 200, body: { status: "ok" } });
  const client = service.client({
    token: () => Promise.reject(new Error("the identity provider is down")),
    callTimeoutMs: 300,
  });
  assert.equal((await failure(client.getOrder(ID))).kind, "no_token");
  const never = service.client({ token: () => new Promise<string>(() => {}), callTimeoutMs: 100 });
  assert.equal((await failure(never.getOrder(ID))).kind, "no_token");
  assert.equal((await client.health()).status, "ok");
  assert.deepEqual(service.headers("authorization"), [undefined]);
});

test("no attempt and no call takes longer than it may, and a signal ends it", async (t) => {
  const service = await Service.start(t, "hang", placed());
  await service.client({ attemptTimeoutMs: 200 }).placeOrder(WANTED);
  const hanging = await Service.start(t, "hang", "hang");
  const error = await failure(hanging.client({ attemptTimeoutMs: 60_000, callTimeoutMs: 200 }).placeOrder(WANTED));
  assert.deepEqual([error.kind, error.isUncertain], ["no_answer", true]);
  const aborted = await failure(hanging.client().placeOrder(WANTED, { signal: AbortSignal.timeout(100) }));
  assert.deepEqual([aborted.kind, aborted.attempts], ["aborted", 1]);
});

test("times that are longer than a timer can be are as long as one can be", async (t) => {
  const token = () => new Promise<string>((resolve) => setTimeout(resolve, 50, "late-token"));
  for (const times of [
    { callTimeoutMs: Infinity },
    { callTimeoutMs: Infinity, attemptTimeoutMs: Infinity },
    { callTimeoutMs: 2 ** 40, attemptTimeoutMs: 2 ** 31 },
  ]) {
    const service = await Service.start(t, order(1, "confirmed"));
    assert.equal((await service.client({ token, ...times }).getOrder(ID)).version, 1);
  }
  const patient = await Service.start(t, problem(429, "throttled", {}, { "Retry-After": "5000000" }));
  const error = await failure(patient.client({ callTimeoutMs: Infinity }).getOrder(ID));
  assert.deepEqual([error.retryAfter, error.attempts], [5_000_000, 1]);
});

test("answers of newer releases are read", async (t) => {
  const newer = order(1, "on_hold", { gift_message: "Happy birthday" } as object);
  const service = await Service.start(t, newer, problem(402, "payment_required", { amount: 5 }));
  const client = service.client();
  const { status } = await client.getOrder(ID);
  const sentence = ((): string => {
    switch (status) {
      case "pending":
        return "waits";
      default:
        return `is ${status}`; // the type demands this arm
    }
  })();
  assert.equal(sentence, "is on_hold");
  assert.equal((await failure(client.getOrder(ID))).code, "payment_required");
});

test("attempts are told without tokens, bodies, paths and queries", async (t) => {
  const service = await Service.start(t, "lose", placed());
  const attempts: object[] = [];
  await service.client({ onAttempt: (attempt) => attempts.push(attempt) }).placeOrder(WANTED);
  assert.deepEqual(Object.keys(attempts[0] ?? {}).sort(), ["attempt", "method", "pauseMs", "route", "status"]);
  assert.doesNotMatch(JSON.stringify(attempts), /secret-token|cust-1|sku-1/);
});

test("an observer that fails changes nothing of a call", async (t) => {
  const service = await Service.start(t, placed());
  t.mock.method(console, "error", () => {});
  const onAttempt = (): void => {
    throw new Error("the disk is full");
  };
  assert.equal((await service.client({ onAttempt }).placeOrder(WANTED)).order.id, ID);
});

test("an option that is undefined is one that was not given", async (t) => {
  const service = await Service.start(t, placed());
  const options = { callTimeoutMs: undefined, fetch: undefined } as object;
  assert.equal((await service.client(options).placeOrder(WANTED)).order.id, ID);
});

test("a key that no header can hold is refused before anything is sent", async (t) => {
  const service = await Service.start(t);
  await assert.rejects(service.client().placeOrder(WANTED, { idempotencyKey: "Bestellung-№7" }), TypeError);
  assert.equal(service.requests.length, 0);
});

test("a token is sent in the clear only to this machine or when allowed", () => {
  const client = (baseUrl: string, allowPlainHttp = false) => new OrderServiceClient({ baseUrl, allowPlainHttp });
  for (const url of ["https://a.example/v1/", "http://127.0.0.1:4566/v1", "http://[::1]/v1", "http://x.localhost/v1"])
    client(url);
  for (const url of ["http://a.example/v1", "http://127.0.0.1.example", "ftp://a.example", "orders"]) {
    assert.throws(() => client(url), TypeError, url);
  }
  client("http://emulator:4566/v1", true);
});

// What must not compile.
export function refusedByTheCompiler(client: OrderServiceClient): void {
  // @ts-expect-error two filters have no index
  void client.listOrders({ status: "pending", customer_id: "c" });
  // @ts-expect-error no such status
  const status: Status = "on_hold";
  // @ts-expect-error no such field
  void client.updateOrder(ID, { total: 5, status });
}

const exported = (status: string, download: unknown = null) => ({
  status: 200,
  body: { id: ID, status, format: "csv", filters: {}, orders: 2, bytes: 90, unreadable: 0, download },
});

test("an export is asked for under a key, and asked after until its file is there", async (t) => {
  const link = { url: "https://files.example/secret", expires_at: "2026-11-25T12:15:00.000Z" };
  const service = await Service.start(t, "lose", exported("running"), exported("running"), exported("succeeded", link));
  const client = service.client();
  const { id } = await client.createExport({ format: "csv", filters: { status: "shipped" } });
  const finished = await client.finishedExport(id, 10_000);
  assert.deepEqual(finished.download, link);
  const [first, second, none] = service.headers("idempotency-key");
  assert.deepEqual([second, none], [first, undefined]);
  assert.deepEqual(service.requests[1]?.body, { format: "csv", filters: { status: "shipped" } });
  assert.equal(service.requests[2]?.path, `/v1/exports/${ID}`);
});

test("an export that is still written when the time is up is returned as it is", async (t) => {
  const service = await Service.start(t, exported("running"));
  assert.equal((await service.client().finishedExport(ID, 0)).status, "running");
  assert.equal(service.requests.length, 1);
});
