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
const subscribed = { action: "subscribed", expires_at: "2026-01-01T00:00:01.000Z" };

/** A client whose connections play one script each, and what they were asked. */
function service(...scripts: Script[]) {
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
    token: "secret-token",
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
  assert.ok(Number(asked[1]?.["missed_seconds"]) >= 1);
});

test("versions that are gone are told and passed over", async () => {
  const missed = { action: "missed", order_id: ID, from: 3, to: 29 };
  const { client } = service({ messages: [missed, event(ID, 30), subscribed, event(ID, 31)] });
  const found = await places(client, { orderId: ID, lastSequence: 2 }, 3);
  assert.deepEqual(found, ["missed 3 to 29", "30:0", "31:0"]);
});

test("a refusal is an error, and a service that is away is tried as often as a call", async () => {
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
