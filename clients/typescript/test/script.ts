// A service on loopback that answers each request with the next step of its script.

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

import { type NewOrder, type Options, type Order, OrderServiceClient, OrderServiceError } from "order-service-client";

export const ID = "0192f0c1-7a3e-7cc0-8000-000000000001";

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** An answer; `lose`: the request is read and the connection closed; `cut`: half an answer; `hang`: no answer ever. */
export type Step = Answer | "lose" | "cut" | "hang";

export interface Received {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: unknown;
}

export class Service {
  readonly requests: Received[] = [];
  private constructor(readonly url: string) {}

  static async start(test: TestContext, ...script: Step[]): Promise<Service> {
    const server = createServer(async (request, response) => {
      service.requests.push(await receive(request));
      play(script.shift() ?? problem(400, "the_script_is_over"), response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const service = new Service(`http://127.0.0.1:${port}/v1`);
    test.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return service;
  }

  client(options: Partial<Options> = {}): OrderServiceClient {
    const short = {
      maxAttempts: 4,
      firstPauseMs: 1,
      longestPauseMs: 4,
      attemptTimeoutMs: 5_000,
      callTimeoutMs: 10_000,
    };
    return new OrderServiceClient({ baseUrl: this.url, token: "secret-token", ...short, ...options });
  }

  headers(name: string): (string | string[] | undefined)[] {
    return this.requests.map(({ headers }) => headers[name]);
  }
}

/** Where nobody listens. */
export async function nobodysUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/v1`;
}

async function receive(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const { method = "", url = "", headers } = request;
  return { method, path: url, headers, body: text === "" ? undefined : JSON.parse(text) };
}

function play(step: Step, response: ServerResponse): void {
  if (step === "hang") return;
  if (step === "lose") return void response.destroy();
  if (step === "cut") {
    response.writeHead(200, { "Content-Length": 1000 }).write('{"id":', () => response.destroy());
    return;
  }
  const { status, headers = {}, body } = step;
  response.writeHead(status, { Connection: "close", ...headers });
  response.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
}

export function problem(
  status: number,
  code: string,
  members: object = {},
  headers: Record<string, string> = {},
): Answer {
  return {
    status,
    headers,
    body: { type: `urn:problem-type:orders:${code}`, title: code, status, code, request_id: "r", ...members },
  };
}

export function order(version: number, status: string, more: Partial<Order> = {}): Answer & { body: Order } {
  const body = {
    id: ID,
    customer: { id: "cust-1", name: "Ada Lovelace", email: "ada@shop.example" },
    lines: [],
    total: { amount: 198, currency: "EUR" },
    status,
    inventory: "reserved",
    shipping_address: null,
    shipping: null,
    metadata: {},
    external_reference: null,
    notes: null,
    version,
    created_at: "2026-11-25T12:00:00.000Z",
    updated_at: "2026-11-25T12:00:01.000Z",
    allowed_transitions: ["processing", "canceled"],
    history: [],
    ...more,
  };
  return { status: 200, body };
}

export const WANTED: NewOrder = { customer_id: "cust-1", lines: [{ product_id: "sku-1", quantity: 2 }] };
export const placed = (headers = {}) => ({ ...order(1, "confirmed"), status: 201, headers });
export const known = (version = 1, status = "confirmed") => order(version, status).body;
export const stale = (current_version: number) => problem(412, "precondition_failed", { current_version });

/** The error that a call ends with. */
export async function failure(call: Promise<unknown>): Promise<OrderServiceError> {
  const error = await call.then(
    () => assert.fail("the call should fail"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OrderServiceError, String(error));
  return error;
}
