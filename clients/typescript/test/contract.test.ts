// Every operation of docs/openapi.yaml has a method.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import type { NewOrder, operations, OrderServiceClient, ReportQuery, Shipment } from "order-service-client";

import { ID, Service } from "./script.js";

const ORDER: NewOrder = { customer_id: "cust-1", lines: [{ product_id: "sku-1", quantity: 2 }] };
const SHIPMENT: Shipment = { carrier: "Royal Mail", tracking_number: "RM1" };
const JANUARY: ReportQuery = { from: "2026-01-01", to: "2026-01-31" };

/** A call of each operation's method. The types of the operations are the document's: one that is missing is an error. */
const METHODS: Record<keyof operations, ((client: OrderServiceClient) => Promise<unknown>) | "none"> = {
  create_batch: (client) => client.placeBatch([ORDER]),
  create_export: (client) => client.createExport({ format: "csv" }),
  create_order: (client) => client.placeOrder(ORDER),
  delete_order: (client) => client.deleteOrder(ID),
  get_export: (client) => client.getExport(ID),
  get_health: (client) => client.health(),
  // It answers text for a scraper, not for a storefront.
  get_metrics: "none",
  get_order: (client) => client.getOrder(ID),
  get_report: (client) => client.getReport(JANUARY),
  list_orders: (client) => client.listOrders(),
  update_order: (client) => client.updateOrder(ID, {}),
  update_shipping: (client) => client.shipOrder(ID, SHIPMENT),
  update_status: (client) => client.moveOrder(ID, "canceled"),
};

/** `METHOD path` of each operation, from the paths of the document, which has one key a line. */
function routes(): Map<string, string> {
  const document = readFileSync(join(import.meta.dirname, "../../../../docs/openapi.yaml"), "utf8");
  const paths = document.split(/^paths:$/m)[1]?.split(/^\w/m)[0] ?? "";
  const found = new Map<string, string>();
  let [path, method] = ["", ""];
  for (const line of paths.split("\n")) {
    path = /^ {2}"?(\/[^"]*)"?:$/.exec(line)?.[1] ?? path;
    method = /^ {4}(\w+):$/.exec(line)?.[1] ?? method;
    const id = /^ {6}operationId: (\w+)$/.exec(line)?.[1];
    if (id !== undefined) found.set(id, `${method.toUpperCase()} ${path}`);
  }
  return found;
}

test("every operation of the document has a method that sends its request, or none on purpose", async (t) => {
  const documented = routes();
  assert.deepEqual([...documented.keys()].sort(), Object.keys(METHODS).sort());
  for (const [id, call] of Object.entries(METHODS)) {
    if (call === "none") continue;
    // Every request is refused.
    const service = await Service.start(t);
    await assert.rejects(call(service.client()));
    const sent = service.requests.map(({ method, path }) => `${method} ${path.split("?")[0]?.replace(ID, "{id}")}`);
    assert.deepEqual(sent, [documented.get(id)?.replace(" /", " /v1/").replace("{export_id}", "{id}")], id);
  }
});
