// Changes of orders as they are made, over a WebSocket connection that is made anew as often as it takes.

import { Connecting } from "./connecting.js";
import type { Settings } from "./options.js";
import { Places } from "./places.js";
import type { Socket } from "./socket.js";
import type { Order, Problem } from "./types.js";

/**
 * What to be told of: an order, or all orders that the token allows, or those of a customer. `lastSequence` is the last
 * version that is known, and `since` the `time` of the last event that is known; without them it begins now.
 */
export type Subscription =
  | { orderId: string; lastSequence?: number }
  | { orderId?: never; customerId?: string; since?: string };

/** One event of one version of an order, a CloudEvent. */
export interface LiveEvent {
  /** `<order>:<version>:<n>`, the same however often the event is sent. */
  id: string;
  /** What happened, such as `order.shipped`. */
  type: string;
  /** The order. */
  subject: string;
  /** The order's version, ten digits. */
  sequence: string;
  /** When it was made. */
  time: string;
  /** The order as it was when the event was sent, and what became different; `omitted` names what was too large. */
  data: { order?: Order; changes?: Record<string, unknown>; omitted?: string[] };
}

/** An event, or versions of which the service knows no more: read the order then or, without `orderId`, list all. */
export type Update =
  | { kind: "event"; event: LiveEvent }
  | { kind: "missed"; orderId?: string; from?: number; to?: number };

/** What the service says; a frame that is none of these is the gateway's, which says that the service failed. */
type Message =
  | (LiveEvent & { specversion: string })
  | (Told & { specversion?: never })
  | (Problem & { specversion?: never; action?: never });

/** What is said of a subscription, and the service's time. */
interface Told {
  action: string;
  order_id?: string;
  sequence?: number;
  from?: number;
  to?: number;
  at?: string;
}

/** The service has 29 seconds to send what was missed. */
const CATCHING_UP_MS = 40_000;

/** Each order's changes in the order of its versions, each event once, until the signal aborts. */
export async function* follow(
  settings: Settings,
  subscription: Subscription,
  signal?: AbortSignal,
): AsyncGenerator<Update, void, undefined> {
  const connecting = new Connecting(settings, signal);
  const following = new Following(subscription);
  for (;;) {
    const socket = await connecting.open();
    if (socket === undefined) return;
    try {
      socket.send(following.request());
      const caughtUp = await following.catchUp(socket);
      if (Array.isArray(caughtUp)) {
        connecting.succeeded();
        yield* caughtUp;
        const problem = yield* following.listen(socket);
        await connecting.lost(problem);
      } else {
        await connecting.lost(caughtUp);
      }
    } finally {
      socket.close();
    }
  }
}

/** How far a subscription has been followed. */
class Following {
  readonly #places = new Places();
  /** The last time that the service gave: whatever it knew then has been taken. */
  #heard: string | undefined;

  constructor(private readonly subscription: Subscription) {
    if (subscription.orderId === undefined) this.#heard = subscription.since;
    else if (subscription.lastSequence !== undefined) this.#places.reach(subscription.orderId, subscription.lastSequence);
  }

  /** Asks for what was missed. */
  request(): object {
    const { orderId: order_id, customerId: customer_id } = { customerId: undefined, ...this.subscription };
    if (order_id === undefined) return { action: "subscribe", customer_id, since: this.#heard };
    return { action: "subscribe", order_id, last_sequence: this.#places.resumeAfter(order_id) };
  }

  /** What was missed, in the order of versions; a problem, or nothing, when not all has come. */
  async catchUp(socket: Socket): Promise<Update[] | Problem | undefined> {
    const deadline = setTimeout(() => socket.close(), CATCHING_UP_MS);
    const [events, gone]: [LiveEvent[], Told[]] = [[], []];
    try {
      for (;;) {
        const message = (await socket.next()) as Message | undefined;
        if (message === undefined) return undefined;
        if (message.specversion !== undefined) events.push(message);
        else if (message.action === undefined) return problemIn(message);
        else if (message.action === "missed") gone.push(message as Told);
        else if (message.action === "subscribed") return this.#takeOver(events, gone, message as Told);
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Changes as they are made, until the connection ends; with the problem that ended it, if there was one. */
  async *listen(socket: Socket): AsyncGenerator<Update, Problem | undefined, undefined> {
    for (;;) {
      const message = (await socket.next()) as Message | undefined;
      if (message === undefined) return undefined;
      if (message.specversion !== undefined) {
        const verdict = this.#places.take(message);
        if (typeof verdict === "object") {
          // A version is missing: the next connection begins with it.
          this.#heard = verdict.knownAt ?? this.#heard;
          return undefined;
        }
        this.#heard = later(this.#heard, message.time);
        if (verdict === "new") yield { kind: "event", event: message };
      } else if (message.action === undefined) {
        return problemIn(message);
      } else if (message.action === "missed") {
        yield this.#passOver(message as Told);
      } else if (message.action === "pong") {
        this.#heard = later(this.#heard, (message as Told).at);
      }
    }
  }

  /** Takes what was missed. A version that is missing even there is told. */
  #takeOver(events: LiveEvent[], gone: Told[], { sequence, at }: Told): Update[] {
    const { orderId } = this.subscription;
    const isNew = orderId !== undefined && this.#places.resumeAfter(orderId) === undefined;
    if (isNew && sequence !== undefined) this.#places.reach(orderId, sequence);
    const updates = gone.map((told) => this.#passOver(told));
    for (const event of events.sort((one, other) => Places.compare(one, other))) {
      let verdict = this.#places.take(event);
      if (typeof verdict === "object") {
        const [from, to] = [verdict.after + 1, Number(event.sequence) - 1];
        updates.push(this.#passOver({ action: "missed", order_id: event.subject, from, to }));
        verdict = this.#places.take(event);
      }
      if (verdict === "new") updates.push({ kind: "event", event });
    }
    if (orderId !== undefined && sequence !== undefined) this.#places.reach(orderId, sequence);
    this.#heard = at ?? this.#heard;
    return updates;
  }

  /** What is gone is passed over, so that what follows it is no gap. */
  #passOver({ order_id, from, to }: Told): Update {
    this.#places.passOver(order_id, to);
    const whole = order_id !== undefined && from !== undefined && to !== undefined;
    return whole ? { kind: "missed", orderId: order_id, from, to } : { kind: "missed" };
  }
}

/** A frame of the gateway is no problem of the service: it is as if the connection had ended. */
function problemIn(message: Problem): Problem | undefined {
  return message.code === undefined ? undefined : message;
}

function later(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Date.parse(one) < Date.parse(other) ? other : one;
}
