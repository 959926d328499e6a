// A write whose answer was lost takes effect once, and the client says what it knows.

import assert from "node:assert/strict";
import { test } from "node:test";

import { failure, ID, known, order, placed, problem, Service, stale, WANTED } from "./script.js";

const entry = (version: number, event: string) => ({
  version,
  at: "2026-11-25T12:00:00.000Z",
  actor: "service",
  request_id: "r",
  events: [event],
  changes: {},
});

test("an order whose answer was lost is placed again under its key, and named when it may have been placed", async (t) => {
  const service = await Service.start(t, "lose", "cut", placed());
  await service.client().placeOrder(WANTED);
  assert.equal(new Set(service.headers("idempotency-key")).size, 1);
  const lost = await Service.start(t, "lose", "lose", "lose", "lose");
  const error = await failure(lost.client().placeOrder(WANTED));
  assert.deepEqual([error.kind, error.attempts, error.isUncertain], ["no_answer", 4, true]);
  assert.equal(error.idempotencyKey, lost.headers("idempotency-key")[0]);
});

test("an order that is refused after a lost answer was not placed", async (t) => {
  const service = await Service.start(t, "lose", problem(422, "unknown_customer"));
  const error = await failure(service.client().placeOrder(WANTED));
  assert.deepEqual([error.code, error.isUncertain], ["unknown_customer", false]);
});

test("a refusal for what a lost attempt may have changed leaves the call uncertain", async (t) => {
  const illegal = problem(409, "illegal_transition", { from: "shipped", to: "processing", allowed: ["delivered"] });
  const moved = await Service.start(t, "lose", illegal);
  assert.equal((await failure(moved.client().moveOrder(ID, "processing"))).isUncertain, true);
  const deleted = await Service.start(t, "lose", problem(410, "order_deleted"));
  assert.equal((await failure(deleted.client().placeOrder(WANTED))).isUncertain, true);
  const certain = await Service.start(t, problem(429, "throttled"), illegal);
  assert.equal((await failure(certain.client().moveOrder(ID, "processing"))).isUncertain, false);
  // The key decides before the stock does: an order that was placed is found.
  const refused = await Service.start(t, "lose", problem(409, "out_of_stock", { unavailable: [] }));
  assert.equal((await failure(refused.client().placeOrder(WANTED))).isUncertain, false);
});

test("a batch whose answer was lost is sent again under its key and tells what became of each order", async (t) => {
  const unavailable = [{ product_id: "sku-1", requested: 2, available: 1 }];
  const results = [
    { index: 0, status: 201, replayed: true, order: known() },
    { index: 1, status: 409, problem: problem(409, "out_of_stock", { unavailable }).body },
  ];
  const service = await Service.start(t, "lose", { status: 207, body: { results } });
  const batch = await service.client().placeBatch([WANTED, WANTED], { idempotencyKey: "import-7" });
  assert.deepEqual(service.headers("idempotency-key"), ["import-7", "import-7"]);
  assert.deepEqual(service.requests[0]?.body, { orders: [WANTED, WANTED] });
  const [placedOrder, refused] = batch.results;
  assert.deepEqual([placedOrder?.order?.id, placedOrder?.isReplayed], [ID, true]);
  assert.deepEqual([refused?.problem?.code, refused?.problem?.unavailable], ["out_of_stock", unavailable]);
  assert.deepEqual([refused?.order, batch.results.length, batch.idempotencyKey], [undefined, 2, "import-7"]);
});

test("a batch that may have been placed names its key", async (t) => {
  const service = await Service.start(t, "lose", "lose", "lose", "lose");
  const error = await failure(service.client().placeBatch([WANTED]));
  assert.deepEqual([error.isUncertain, error.idempotencyKey], [true, service.headers("idempotency-key")[0]]);
});

test("a conditional write that finds its own change has succeeded", async (t) => {
  const moved = await Service.start(t, "lose", stale(2), order(2, "processing"));
  assert.equal((await moved.client().moveOrder(known(), "processing")).version, 2);
  const edited = await Service.start(t, problem(500, "internal"), stale(2), order(2, "confirmed", { notes: "x" }));
  assert.equal((await edited.client().updateOrder(known(), { notes: "x", shipping_address: null })).version, 2);
  const shipping = { carrier: "c", tracking_number: "n", estimated_delivery: "2026-12-24T00:00:00.000Z" };
  const shipped = await Service.start(t, "lose", stale(2), order(2, "shipped", { shipping }));
  assert.equal(
    (await shipped.client().shipOrder(known(), { ...shipping, estimated_delivery: "2026-12-24" })).version,
    2,
  );
});

test("a cancellation whose stock was released meanwhile has succeeded", async (t) => {
  const history = [entry(2, "order.canceled"), entry(3, "inventory.released")];
  const released = await Service.start(t, "lose", stale(3), order(3, "canceled", { history }));
  assert.equal((await released.client().moveOrder(known(), "canceled")).version, 3);
  const edited = [entry(2, "order.canceled"), entry(3, "order.updated")];
  const changed = await Service.start(t, "lose", stale(3), order(3, "canceled", { history: edited }));
  assert.equal((await failure(changed.client().moveOrder(known(), "canceled"))).code, "precondition_failed");
});

test("a conditional write that finds somebody else's change is refused", async (t) => {
  for (const found of [order(2, "canceled"), order(3, "processing")]) {
    const service = await Service.start(t, "lose", stale(found.body.version), found);
    const error = await failure(service.client().moveOrder(known(), "processing"));
    assert.deepEqual([error.code, error.isUncertain], ["precondition_failed", true]);
  }
  const service = await Service.start(t, stale(2));
  const error = await failure(service.client().updateOrder(known(), { notes: "x" }));
  assert.deepEqual([error.problem?.current_version, error.isUncertain, service.requests.length], [2, false, 1]);
});

test("an edit without a condition is sent again only after it was refused for now", async (t) => {
  for (const lost of ["lose", problem(503, "unavailable")] as const) {
    const service = await Service.start(t, lost, order(2, "confirmed"));
    const error = await failure(service.client().updateOrder(ID, { notes: "x" }));
    assert.deepEqual([error.attempts, error.isUncertain], [1, true]);
  }
  const service = await Service.start(t, problem(409, "conflict"), order(2, "confirmed"));
  assert.equal((await service.client().updateOrder(ID, { notes: "x" })).version, 2);
  assert.deepEqual(service.headers("if-match"), [undefined, undefined]);
});

test("a deletion that finds the order gone has succeeded only after a lost answer", async (t) => {
  const gone = problem(404, "order_not_found");
  await (await Service.start(t, "lose", gone)).client().deleteOrder(known());
  await (await Service.start(t, { status: 204 })).client().deleteOrder(known());
  const service = await Service.start(t, problem(429, "throttled"), gone);
  assert.equal((await failure(service.client().deleteOrder(known()))).code, "order_not_found");
});
