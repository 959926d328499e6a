// Places an order, edits, lists and cancels it: `source .local/stack.env` after `make run`, then run this.

import { OrderServiceClient, OrderServiceError } from "order-service-client";

const { API_URL, TOKEN } = process.env;
if (!API_URL || !TOKEN) throw new Error("API_URL and TOKEN are not set: source .local/stack.env");
const client = new OrderServiceClient({ baseUrl: API_URL, token: TOKEN });

const wanted = {
  customer_id: "cust-1",
  lines: [
    { product_id: "sku-1", quantity: 2 },
    { product_id: "sku-2", quantity: 1 },
  ],
  shipping_address: { line1: "12 St James's Square", city: "London", country: "GB" },
  metadata: { channel: "web" },
};
const placed = await client.placeOrder(wanted);
console.log(`placed ${placed.order.id}: ${placed.order.status}`);

// The same key and order again make no second order.
const again = await client.placeOrder(wanted, { idempotencyKey: placed.idempotencyKey });
console.log(`placed again: ${again.order.id}, replayed: ${again.isReplayed}`);

const order = await client.updateOrder(placed.order, { notes: "Ring twice." });
console.log(`edited: version ${order.version}`);

// What was read first is out of date now.
try {
  await client.updateOrder(placed.order, { notes: "Ring once." });
  throw new Error("a stale edit was accepted");
} catch (error) {
  if (!(error instanceof OrderServiceError) || error.code !== "precondition_failed") throw error;
  console.log(`refused: it has version ${error.problem?.current_version}`);
}

const newest = [];
for await (const row of client.orders({ customer_id: "cust-1", limit: 3 })) {
  newest.push(row.id);
  if (newest.length === 3) break;
}
console.log(`the newest orders of cust-1: ${newest.join(", ")}`);

const canceled = await client.moveOrder(order, "canceled", { reason: "it was an example" });
console.log(`now ${canceled.status}`);
