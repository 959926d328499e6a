// The client against a deployed stack, which API_URL and TOKEN name: `npm run test:stack`. The tenant has no orders yet.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { type NewOrder, OrderServiceClient, type Report } from "order-service-client";

import { failure } from "./script.js";

const DEADLINE_MS = 60_000;
const WANTED: NewOrder = { customer_id: "cust-1", lines: [{ product_id: "sku-1", quantity: 2 }] };

const { API_URL: baseUrl = "", TOKEN: token = "" } = process.env;
const client = new OrderServiceClient({ baseUrl, token });

/** The first answer that is as expected. */
async function eventually<T>(ask: () => Promise<T>, isExpected: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const answer = await ask();
    if (isExpected(answer)) return answer;
    assert.ok(Date.now() < deadline, `not as expected within ${DEADLINE_MS} ms: ${JSON.stringify(answer)}`);
    await setTimeout(100);
  }
}

test("an order is placed once under its key, and read", async () => {
  const first = await client.placeOrder(WANTED);
  const again = await client.placeOrder(WANTED, { idempotencyKey: first.idempotencyKey });
  assert.deepEqual([first.isReplayed, again.isReplayed, again.order.id], [false, true, first.order.id]);
  const read = await client.getOrder(first.order.id);
  assert.deepEqual([read.status, read.lines?.map(({ product_id }) => product_id)], ["confirmed", ["sku-1"]]);
  assert.equal(await client.getOrderIfChanged(read), undefined);
  await client.deleteOrder(read);
  assert.equal((await failure(client.getOrder(read.id))).code, "order_not_found");
});

test("orders are listed page by page", async () => {
  const [{ order: older }, { order: newer }] = [await client.placeOrder(WANTED), await client.placeOrder(WANTED)];
  const listed = async () => {
    const ids = [];
    for await (const row of client.orders({ customer_id: "cust-1", limit: 1 })) ids.push(row.id);
    return ids;
  };
  const ids = await eventually(listed, (ids) => ids.includes(older.id) && ids.includes(newer.id));
  assert.ok(ids.indexOf(newer.id) < ids.indexOf(older.id), "newest first");
});

test("an order is edited on condition of its version, and canceled", async () => {
  const { order: read } = await client.placeOrder(WANTED);
  const edited = await client.updateOrder(read, { notes: "Ring twice.", metadata: { channel: "web" } });
  assert.deepEqual([edited.notes, edited.metadata], ["Ring twice.", { channel: "web" }]);
  assert.equal((await failure(client.updateOrder(read, { notes: null }))).code, "precondition_failed");
  const canceled = await client.moveOrder(edited.id, "canceled", { reason: "changed my mind" });
  assert.equal(canceled.status, "canceled");
  const { code, isUncertain } = await failure(client.moveOrder(edited.id, "processing"));
  assert.deepEqual([code, isUncertain], ["illegal_transition", false]);
  await client.deleteOrder(canceled.id);
});

test("an order is shipped", async () => {
  const { order: placed } = await client.placeOrder(WANTED);
  await client.moveOrder(placed.id, "processing");
  // It waits for the confirmation of the reservation, as Retry-After asks for.
  const shipped = await client.shipOrder(placed.id, { carrier: "Royal Mail", tracking_number: "RM1" });
  assert.deepEqual([shipped.status, shipped.shipping?.tracking_number], ["shipped", "RM1"]);
});

test("each order of a batch is placed or refused by itself", async () => {
  const unknown = { ...WANTED, customer_id: "nobody" };
  const { results, idempotencyKey } = await client.placeBatch([WANTED, unknown]);
  assert.deepEqual([results[0]?.order?.status, results[1]?.problem?.code], ["confirmed", "unknown_customer"]);
  const again = await client.placeBatch([WANTED, unknown], { idempotencyKey });
  assert.deepEqual([again.results[0]?.isReplayed, again.results[0]?.order?.id], [true, results[0]?.order?.id]);
});

test("a report counts the orders of the storefront", async () => {
  const { order: placed } = await client.placeOrder({ ...WANTED, lines: [{ product_id: "sku-9", quantity: 3 }] });
  const day = placed.created_at.slice(0, 10);
  const ask = () => client.getReport({ from: day, to: day, group_by: "product" });
  const ofProduct = ({ groups }: Report) => groups.find(({ key }) => key === "sku-9");
  const report = await eventually(ask, (report) => ofProduct(report) !== undefined);
  assert.deepEqual([ofProduct(report)?.orders, ofProduct(report)?.items], [1, 3]);
});

test("the service tells its health", async () => {
  const { status, fakes } = await client.health();
  assert.ok(["ok", "degraded"].includes(status) && Array.isArray(fakes), status);
});
