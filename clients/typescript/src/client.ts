// The operations of the API.

import { OrderServiceError } from "./error.js";
import { follow, type Subscription, type Update } from "./live.js";
import { type CallOptions, type Options, type PlaceOptions, type Settings, settings } from "./options.js";
import type { components } from "./schema.js";
import { type Call, type Effect, sleep, type Success, Transport } from "./transport.js";
import type {
  Batch,
  BatchResult,
  Edit,
  Export,
  Health,
  ListQuery,
  NewExport,
  NewOrder,
  Order,
  OrderPage,
  OrderSummary,
  Placed,
  Problem,
  Report,
  ReportQuery,
  Shipment,
  Status,
  Target,
} from "./types.js";
import { hasFields, hasShipment, hasStatus, type Wish } from "./wish.js";

/** A client of one deployment. Every method rejects with {@link OrderServiceError}; with a TypeError before anything is sent, when a header cannot hold what it is given. */
export class OrderServiceClient {
  readonly #settings: Settings;
  readonly #transport: Transport;

  constructor(options: Options) {
    this.#settings = settings(options);
    this.#transport = new Transport(this.#settings);
  }

  /**
   * `POST /orders`. Without a key of the caller's own, the call gets a random one. The same key and order again answer the
   * order as it is then.
   */
  async placeOrder(order: NewOrder, options: PlaceOptions = {}): Promise<Placed> {
    const { body, headers, idempotencyKey } = await this.#place("/orders", order, options);
    return { order: body as Order, isReplayed: headers.get("Idempotent-Replayed") === "true", idempotencyKey };
  }

  /**
   * `POST /orders/batch`: places up to 50 orders, each by itself. Without a key of the caller's own, the call gets a random
   * one. The same key and orders again find the orders that were placed, and try the others again.
   */
  async placeBatch(orders: readonly NewOrder[], options: PlaceOptions = {}): Promise<Batch> {
    const { body, idempotencyKey } = await this.#place("/orders/batch", { orders }, options);
    const { results } = body as components["schemas"]["BatchResults"];
    return { results: results.map(batchResult), idempotencyKey };
  }

  /** `GET /orders/{id}` */
  async getOrder(id: string, { signal }: CallOptions = {}): Promise<Order> {
    const { body } = await this.#transport.send({ ...read("/orders/{id}", pathOf(id)), signal });
    return body as Order;
  }

  /** `GET /orders/{id}` with `If-None-Match`: undefined while the order still has this version. */
  async getOrderIfChanged(known: Order, { signal }: CallOptions = {}): Promise<Order | undefined> {
    const headers = { "If-None-Match": entityTag(known.version) };
    const { body } = await this.#transport.send({ ...read("/orders/{id}", pathOf(known.id)), headers, signal });
    return body as Order | undefined;
  }

  /** `GET /orders`: one page, the first one or the one at a cursor. */
  async listOrders(query: ListQuery & { cursor?: string } = {}, { signal }: CallOptions = {}): Promise<OrderPage> {
    const { body } = await this.#transport.send({ ...read("/orders", "/orders"), query, signal });
    return body as OrderPage;
  }

  /** `GET /orders`: all rows, each page when the loop comes to it. */
  async *orders(query: ListQuery = {}, options: CallOptions = {}): AsyncGenerator<OrderSummary, void, undefined> {
    let cursor: string | null = null;
    do {
      const page: OrderPage = await this.listOrders(cursor === null ? query : { ...query, cursor }, options);
      yield* page.data;
      cursor = page.page.next_cursor;
    } while (cursor !== null);
  }

  /** `PUT /orders/{id}`: replaces the fields given; `null` empties one. */
  updateOrder(target: Target, edit: Edit, options: CallOptions = {}): Promise<Order> {
    return this.#change(target, "", edit, overwriting(target), hasFields(edit), options);
  }

  /** `PUT /orders/{id}/shipping`: sets the shipping information, which ships an order that is `processing`. */
  shipOrder(target: Target, shipment: Shipment, options: CallOptions = {}): Promise<Order> {
    return this.#change(target, "/shipping", shipment, overwriting(target), hasShipment(shipment), options);
  }

  /** `PUT /orders/{id}/status`: moves the order to another status. */
  moveOrder(target: Target, status: Status, options: CallOptions & { reason?: string } = {}): Promise<Order> {
    const { reason } = options;
    // No status is left and entered again, so a move that is repeated undoes nothing.
    return this.#change(target, "/status", { status, reason }, "idempotent", hasStatus(status), options);
  }

  /** `DELETE /orders/{id}` */
  async deleteOrder(target: Target, { signal }: CallOptions = {}): Promise<void> {
    const path = pathOf(idOf(target));
    const call: Call = {
      method: "DELETE",
      route: "/orders/{id}",
      path,
      headers: ifMatch(target),
      effect: "idempotent",
      signal,
    };
    try {
      await this.#transport.send(call);
    } catch (error) {
      // An attempt whose answer was lost has deleted it.
      if (!(error instanceof OrderServiceError && error.isUncertain && error.code === "order_not_found")) throw error;
    }
  }

  /** `GET /reports/orders`: what the orders of some days amount to. It trails the orders by some seconds. */
  async getReport(query: ReportQuery, { signal }: CallOptions = {}): Promise<Report> {
    const { body } = await this.#transport.send({ ...read("/reports/orders", "/reports/orders"), query, signal });
    return body as Report;
  }

  /**
   * Changes of orders as they are made, each order's in the order of its versions and each event once, over as many
   * connections as it takes. Ends with the signal, or when the loop is left.
   */
  subscribe(subscription: Subscription, { signal }: CallOptions = {}): AsyncGenerator<Update, void, undefined> {
    return follow(this.#settings, subscription, signal);
  }

  /** `POST /exports`: has orders written to a file. Without a key of the caller's own, the call gets a random one. */
  async createExport(
    wanted: NewExport,
    options: PlaceOptions = {},
  ): Promise<Export> {
    const { idempotencyKey = crypto.randomUUID(), signal } = options;
    const headers = { "Idempotency-Key": idempotencyKey };
    const route = "/exports";
    const call: Call = { method: "POST", route, path: route, headers, body: wanted, effect: "idempotent", signal };
    try {
      return (await this.#transport.send(call)).body as Export;
    } catch (error) {
      if (error instanceof OrderServiceError) error.idempotencyKey = idempotencyKey;
      throw error;
    }
  }

  /** `GET /exports/{export_id}` */
  async getExport(id: string, { signal }: CallOptions = {}): Promise<Export> {
    const path = `/exports/${encodeURIComponent(id)}`;
    return (await this.#transport.send({ ...read("/exports/{export_id}", path), signal })).body as Export;
  }

  /**
   * `GET /exports/{export_id}`, again and again until the export is no longer `running`, or for so many milliseconds.
   * Pauses grow to five seconds.
   */
  async finishedExport(id: string, withinMs: number, options: CallOptions = {}): Promise<Export> {
    const deadline = Date.now() + withinMs;
    for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      const found = await this.getExport(id, options);
      if (found.status !== "running" || Date.now() + pauseMs > deadline) return found;
      await sleep(pauseMs, options.signal);
    }
  }

  /** `GET /health`, without a token. */
  async health({ signal }: CallOptions = {}): Promise<Health> {
    const { body } = await this.#transport.send({ ...read("/health", "/health"), isPublic: true, signal });
    return body as Health;
  }

  async #place(path: string, body: unknown, options: PlaceOptions): Promise<Success & { idempotencyKey: string }> {
    const { idempotencyKey = crypto.randomUUID(), signal } = options;
    const headers = { "Idempotency-Key": idempotencyKey };
    const call: Call = { method: "POST", route: path, path, headers, body, effect: "idempotent", signal };
    try {
      return { ...(await this.#transport.send(call)), idempotencyKey };
    } catch (error) {
      if (error instanceof OrderServiceError) error.idempotencyKey = idempotencyKey;
      throw error;
    }
  }

  async #change(
    target: Target,
    part: string,
    body: unknown,
    effect: Effect,
    wish: Wish,
    { signal }: CallOptions,
  ): Promise<Order> {
    const path = pathOf(idOf(target)) + part;
    const call: Call = {
      method: "PUT",
      route: `/orders/{id}${part}`,
      path,
      headers: ifMatch(target),
      body,
      effect,
      signal,
    };
    try {
      return (await this.#transport.send(call)).body as Order;
    } catch (error) {
      const isOwn = error instanceof OrderServiceError && error.isUncertain && error.code === "precondition_failed";
      const order = isOwn ? await this.#ownChange(target, wish) : undefined;
      if (order === undefined) throw error;
      return order;
    }
  }

  /**
   * The order, when nobody but the service has changed it since the next version and it has what was wished for: then an
   * attempt whose answer was lost has changed it, and a later attempt found the version gone.
   */
  async #ownChange(target: Target, wish: Wish): Promise<Order | undefined> {
    const order = await this.getOrder(idOf(target)).catch(() => undefined);
    if (!order || typeof target === "string") return undefined;
    return isNext(order, target.version) && wish(order) ? order : undefined;
  }
}

/** Whether one change was made since this version, with what the service does of itself about the stock afterwards. */
function isNext(order: Order, version: number): boolean {
  const followUps = (order.history ?? []).filter(
    (entry) => entry.version > version + 1 && entry.events.length > 0 && entry.events.every(isOfStock),
  );
  return order.version > version && followUps.length === order.version - version - 1;
}

function isOfStock(event: string): boolean {
  return event.startsWith("inventory.");
}

function batchResult({ order, replayed, problem }: components["schemas"]["BatchResult"]): BatchResult {
  return order ? { order, isReplayed: replayed === true } : { problem: problem as Problem };
}

const read = (route: string, path: string) => ({ method: "GET", route, path, effect: "read" }) as const;
const pathOf = (id: string) => `/orders/${encodeURIComponent(id)}`;
const idOf = (target: Target) => (typeof target === "string" ? target : target.id);
const entityTag = (version: number) => `"${version}"`;
const ifMatch = (target: Target): Record<string, string> =>
  typeof target === "string" ? {} : { "If-Match": entityTag(target.version) };
/** Without a condition, a write that is repeated could replace what somebody else wrote after it. */
const overwriting = (target: Target): Effect => (typeof target === "string" ? "once" : "idempotent");
