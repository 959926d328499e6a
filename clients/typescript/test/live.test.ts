// Live updates against connections that talk by script: catching up, gaps, lost connections, refusals.

import assert from "node:assert/strict";
import { test } from "node:test";

import { OrderServiceClient, OrderServiceError, type Subscription, type Update } from "order-service-client";

import { ID } from "./script.js";

const OTHER = "0192f0c1-7a3e-7cc0-8000-000000000002";

/** What happens on one connection: it is refused, or its messages answer the subscription and it ends or stays open. */
interface Script {
  isRefused?: boolean;
  messages?: object[];
  isClosed?: boolean;
}

const event = (order: string, version: number, index = 0) => ({
  specversion: "1.0",
  id: `${order}:${version}:${index}`,
  type: "order.updated",
  subject: order,
  sequence: String(version).padStart(10, "0"),
  time: "2026-01-01T00:00:01.000Z",
  data: {},
});
const subscribed = { action: "subscribed", at: "2026-01-01T00:00:00.000Z", expires_at: "2026-01-01T00:10:00.000Z" };
/** An event that was made so many seconds after the connection had caught up. */
const eventAfter = (seconds: number, version: number, order = ID) => ({
  ...event(order, version),
  time: `2026-01-01T00:00:${String(seconds).padStart(2, "0")}.000Z`,
});
const problem = (code: string, status: number) => ({ code, status, title: "A problem." });

/** A client whose connections play one script each, and what they were asked. */
function service(...scripts: Script[]) {
  return serviceWith("secret-token", ...scripts);
}

function serviceWith(token: string | (() => string), ...scripts: Script[]) {
  const asked: Record<string, unknown>[] = [];
  const protocols: string[][] = [];
  class Scripted extends EventTarget {
    readonly #script = scripts.shift() ?? { isRefused: true };

    constructor(_url: string, offered: string[]) {
      super();
      protocols.push(offered);
      queueMicrotask(() => this.dispatchEvent(new Event(this.#script.isRefused ? "close" : "open")));
    }

    send(text: string): void {
      asked.push(JSON.parse(text) as Record<string, unknown>);
      for (const message of this.#script.messages ?? []) {
        this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
      }
      if (this.#script.isClosed) this.dispatchEvent(new Event("close"));
    }

    close(): void {}
  }
  const client = new OrderServiceClient({
    baseUrl: "https://orders.example/v1",
    liveUrl: "wss://live.orders.example/v1",
    token,
    maxAttempts: 3,
    firstPauseMs: 1,
    longestPauseMs: 2,
    WebSocket: Scripted as unknown as typeof WebSocket,
  });
  return { client, asked, protocols };
}

/** The ids of so many events, without the order's. */
async function places(client: OrderServiceClient, subscription: Subscription, count: number): Promise<string[]> {
  const found: string[] = [];
  for await (const update of client.subscribe(subscription)) {
    found.push(update.kind === "event" ? update.event.id.replace(/^[^:]*:/, "") : `missed ${update.from} to ${update.to}`);
    if (found.length === count) break;
  }
  return found;
}

test("what comes while catching up is taken in the order of versions and once", async () => {
  const caughtUp = [event(ID, 3), event(ID, 6), event(ID, 4), event(ID, 5), event(ID, 4, 1), subscribed];
  const { client, asked, protocols } = service({ messages: [...caughtUp, event(ID, 6), event(ID, 7)] });
  const found = await places(client, { orderId: ID, lastSequence: 2 }, 6);
  assert.deepEqual(found, ["3:0", "4:0", "4:1", "5:0", "6:0", "7:0"]);
  assert.deepEqual(asked, [{ action: "subscribe", order_id: ID, last_sequence: 2 }]);
  assert.deepEqual(protocols, [["orders.v1", "bearer.secret-token"]]);
});

test("a lost connection is resumed before the last version, whose events may not all have come", async () => {
  const { client, asked } = service(
    { messages: [subscribed, event(ID, 7)], isClosed: true },
    { messages: [event(ID, 7)], isClosed: true },
    { isRefused: true },
    { messages: [event(ID, 7), event(ID, 7, 1), event(ID, 8), subscribed] },
  );
  assert.deepEqual(await places(client, { orderId: ID }, 3), ["7:0", "7:1", "8:0"]);
  assert.deepEqual(asked.map((request) => request["last_sequence"]), [undefined, 6, 6]);
});

test("a gap is closed by connecting again", async () => {
  const { client, asked } = service(
    { messages: [subscribed, event(ID, 1), event(OTHER, 4), event(ID, 3)] },
    { messages: [event(ID, 1), event(ID, 2), event(ID, 3), event(OTHER, 4), subscribed] },
  );
  assert.deepEqual(await places(client, {}, 4), ["1:0", "4:0", "2:0", "3:0"]);
  assert.deepEqual(asked[0], { action: "subscribe" });
  assert.equal(asked[1]?.["since"], "2026-01-01T00:00:01.000Z");
});

test("versions that are gone are told and passed over", async () => {
  const missed = { action: "missed", order_id: ID, from: 3, to: 29 };
  const { client } = service({ messages: [missed, event(ID, 30), subscribed, event(ID, 31)] });
  const found = await places(client, { orderId: ID, lastSequence: 2 }, 3);
  assert.deepEqual(found, ["missed 3 to 29", "30:0", "31:0"]);
});

test("a refusal is an error, and a service that was never there is tried as often as a call", async () => {
  const next = async (updates: AsyncGenerator<Update>) => {
    const error = await updates.next().then(() => assert.fail("it should fail"), (reason: unknown) => reason);
    assert.ok(error instanceof OrderServiceError, String(error));
    return error;
  };
  const problem = { type: "t", title: "There is no such order.", status: 404, code: "order_not_found", instance: "/live" };
  assert.equal((await next(service({ messages: [problem] }).client.subscribe({ orderId: ID }))).code, "order_not_found");
  const away = await next(service().client.subscribe({ orderId: ID }));
  assert.deepEqual([away.kind, away.attempts], ["no_answer", 3]);
});

test("a signal ends it", async () => {
  const { client } = service({ messages: [subscribed, event(ID, 1)] });
  const controller = new AbortController();
  const found: Update[] = [];
  for await (const update of client.subscribe({ orderId: ID }, { signal: controller.signal })) {
    found.push(update);
    controller.abort();
  }
  assert.equal(found.length, 1);
});

test("a token is sent in the clear only to this machine or when allowed", () => {
  const at = (liveUrl: string, allowPlainHttp = false) =>
    new OrderServiceClient({ baseUrl: "https://orders.example/v1", liveUrl, allowPlainHttp });
  assert.ok(at("wss://a.example/v1") && at("ws://127.0.0.1:4566/v1") && at("ws://a.example/v1", true));
  for (const url of ["ws://a.example/v1", "https://a.example/v1"]) assert.throws(() => at(url), TypeError, url);
});

test("an order without events yet is resumed from the version at which it was subscribed to", async () => {
  const at = (sequence: number) => ({ ...subscribed, order_id: ID, sequence });
  const { client, asked } = service(
    { messages: [at(9)], isClosed: true },
    { messages: [event(ID, 10), at(10), event(ID, 11)] },
  );
  assert.deepEqual(await places(client, { orderId: ID }, 2), ["10:0", "11:0"]);
  assert.deepEqual(asked[1], { action: "subscribe", order_id: ID, last_sequence: 9 });
});

test("all orders are resumed since the last event that was taken, and after a gap since the last of its order", async () => {
  const { client, asked } = service(
    { messages: [subscribed, eventAfter(3, 1), eventAfter(5, 1, OTHER)], isClosed: true },
    { messages: [subscribed, eventAfter(7, 2), eventAfter(50, 2, OTHER), eventAfter(51, 4)] },
    { messages: [eventAfter(51, 3), eventAfter(51, 4), eventAfter(50, 2, OTHER), subscribed] },
  );
  assert.deepEqual(await places(client, {}, 6), ["1:0", "1:0", "2:0", "2:0", "3:0", "4:0"]);
  const times = asked.map((request) => request["since"]);
  assert.deepEqual(times, [undefined, "2026-01-01T00:00:05.000Z", "2026-01-01T00:00:07.000Z"]);
});

test("a version that is not sent again is told to be missed", async () => {
  const { client } = service(
    { messages: [subscribed, event(ID, 1), event(ID, 4)] },
    { messages: [event(ID, 4), subscribed] },
  );
  assert.deepEqual(await places(client, {}, 3), ["1:0", "missed 2 to 3", "4:0"]);
});

test("a service that fails to subscribe is asked again over another connection", async () => {
  const { client, asked } = service(
    { messages: [{ message: "Internal server error", connectionId: "L0SM9cOFvHcCIhw=", requestId: "r" }] },
    { messages: [problem("unavailable", 503)] },
    { messages: [subscribed, event(ID, 1), problem("too_many_requests", 429)] },
    { messages: [subscribed, event(ID, 2)] },
  );
  // Each of the first two counts as an attempt of three.
  assert.deepEqual(await places(client, {}, 2), ["1:0", "2:0"]);
  assert.equal(asked.length, 4);
});

test("a service that never says that it is all is asked again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { client, asked } = service({ messages: [event(ID, 1)] }, { messages: [event(ID, 1), subscribed] });
  let found: string[] | undefined;
  const finding = places(client, {}, 1).then((all) => (found = all));
  while (found === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(10_000);
  }
  assert.deepEqual(await finding, ["1:0"]);
  assert.equal(asked.length, 2);
});

test("a token that expires is exchanged for another, and one that cannot be is an error", async () => {
  const expired = problem("unauthenticated", 401);
  const scripts = () => [{ messages: [subscribed, event(ID, 1), expired] }, { messages: [subscribed, event(ID, 2)] }];
  const tokens = ["first", "second"];
  const { client, protocols } = serviceWith(() => tokens.shift() ?? "none", ...scripts());
  assert.deepEqual(await places(client, {}, 2), ["1:0", "2:0"]);
  assert.deepEqual(protocols.map(([, token]) => token), ["bearer.first", "bearer.second"]);
  await assert.rejects(places(service(...scripts()).client, {}, 2), OrderServiceError);
});

test("who was subscribed once tries without an end", async () => {
  const away = Array.from({ length: 9 }, () => ({ isRefused: true }));
  const { client } = service(
    { messages: [subscribed, event(ID, 1)], isClosed: true },
    ...away,
    { messages: [subscribed, event(ID, 2)] },
  );
  assert.deepEqual(await places(client, {}, 2), ["1:0", "2:0"]);
});
