// The API and the live updates as far as examples/live knows them, played by a test.

import { createServer } from "node:http";

import { accept } from "./socket_server.mjs";

const CUSTOMERS = ["Ada Lovelace", "Grace Hopper", "Alan Turing"];

/** A service with some orders. What a test does to it, its connections are told. */
export async function start() {
  const service = new Service();
  const server = createServer((request, response) => service.answer(request, response));
  server.on("upgrade", (request, socket) => service.connect(request, socket));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  service.port = server.address().port;
  service.stop = () => {
    service.connections.forEach((connection) => connection.drop());
    server.closeAllConnections();
    server.close();
  };
  return service;
}

class Service {
  orders = new Map();
  events = [];
  connections = new Set();
  asked = [];
  subscribedAt = [];
  offered = [];
  /** The token that is accepted. */
  token = "a-token";
  /** Whether pings are not answered. */
  isDeaf = false;
  /** So many subscriptions are answered as the gateway answers when a function fails. */
  fails = 0;

  get urls() {
    return { api: `http://127.0.0.1:${this.port}/v1`, live: `ws://127.0.0.1:${this.port}/v1` };
  }

  /** Places an order, or moves one, and tells of it. */
  place(n, status = "confirmed") {
    const id = `0192f0c1-7a3e-7cc0-8000-${String(n).padStart(12, "0")}`;
    const known = this.orders.get(id);
    const at = new Date().toISOString();
    const order = {
      id,
      customer: { id: `cust-${n}`, name: CUSTOMERS[n % 3], email: null },
      total: { amount: 1_999 * n, currency: "EUR" },
      status,
      version: (known?.version ?? 0) + 1,
      created_at: known?.created_at ?? at,
      updated_at: at,
    };
    this.orders.set(id, order);
    const type = known ? `order.${status}` : "order.created";
    this.events.push(event(order, type, at));
    this.connections.forEach((connection) => connection.isTold && connection.send(this.events.at(-1)));
    return order;
  }

  /** Loses every connection. */
  drop() {
    this.connections.forEach((connection) => connection.drop());
    this.connections.clear();
  }

  /** Accepts another token alone, and says so over every connection, as at the first message after a token has expired. */
  expire(token) {
    this.token = token;
    const problem = { title: "A valid token is required.", status: 401, code: "unauthenticated" };
    this.connections.forEach((connection) => connection.send(problem));
  }

  connect(request, socket) {
    this.offered.push(request.headers["sec-websocket-protocol"]);
    if (!this.offered.at(-1).endsWith(`bearer.${this.token}`)) {
      socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const connection = accept(request, socket, "orders.v1", (message) => {
      this.asked.push(message);
      if (message.action === "ping") {
        if (!this.isDeaf) connection.send({ action: "pong", at: new Date().toISOString() });
        return;
      }
      if (this.fails > 0) {
        this.fails -= 1;
        connection.send({ message: "Internal server error", connectionId: "L0SM9cOFvHcCIhw=", requestId: "r" });
        return;
      }
      const since = message.since ? Date.parse(message.since) : Infinity;
      this.events.filter(({ time }) => Date.parse(time) >= since).forEach(connection.send);
      const at = new Date().toISOString();
      this.subscribedAt.push(Date.parse(at));
      connection.send({ action: "subscribed", at, expires_at: "2030-01-01T00:00:00.000Z" });
      connection.isTold = true;
    });
    this.connections.add(connection);
    socket.on("close", () => this.connections.delete(connection));
  }

  answer(request, response) {
    const headers = {
      "Access-Control-Allow-Origin": request.headers.origin ?? "*",
      "Access-Control-Allow-Headers": "Authorization",
      "Content-Type": "application/json",
    };
    if (request.method === "OPTIONS") return response.writeHead(200, headers).end();
    const isKnown = request.headers.authorization === `Bearer ${this.token}`;
    const body = !isKnown
      ? { title: "A valid token is required.", status: 401, code: "unauthenticated" }
      : request.url.startsWith("/v1/reports/")
        ? { groups: this.groups() }
        : { data: [...this.orders.values()].reverse().map(summary), page: { has_more: false, next_cursor: null } };
    response.writeHead(isKnown ? 200 : 401, headers).end(JSON.stringify(body));
  }

  groups() {
    const orders = [...this.orders.values()];
    return [...new Set(orders.map(({ status }) => status))].map((key) => {
      const own = orders.filter(({ status }) => status === key);
      const amount = own.reduce((sum, { total }) => sum + total.amount, 0);
      return { key, orders: own.length, items: 2 * own.length, value: [{ amount, currency: "EUR" }] };
    });
  }
}

function event(order, type, time) {
  const sequence = String(order.version).padStart(10, "0");
  const id = `${order.id}:${order.version}:0`;
  return { specversion: "1.0", id, type, subject: order.id, sequence, time, data: { order, changes: {} } };
}

function summary({ customer, ...order }) {
  return { ...order, customer_id: customer.id };
}
