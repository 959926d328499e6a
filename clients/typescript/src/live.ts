// Changes of orders as they are made, over a WebSocket connection that is made anew as often as it takes.

import { OrderServiceError } from "./error.js";
import type { Settings } from "./options.js";
import { Places } from "./places.js";
import { Socket } from "./socket.js";
import type { Order, Problem } from "./types.js";

/**
 * What to be told of: an order, or all orders that the token allows, or those of a customer. `lastSequence` is the last
 * version that is known, and `missedSeconds` how far back to begin; without them it begins now.
 */
export type Subscription =
  | { orderId: string; lastSequence?: number }
  | { orderId?: never; customerId?: string; missedSeconds?: number };

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

/** What the service says. */
type Message =
  | (LiveEvent & { specversion: string })
  | (Told & { specversion?: never })
  | (Problem & { specversion?: never; action?: never });

/** What is said of a subscription. */
interface Told {
  action: string;
  order_id?: string;
  from?: number;
  to?: number;
}

/** Each order's changes in the order of its versions, each event once, until the signal aborts. */
export async function* follow(
  settings: Settings,
  subscription: Subscription,
  signal?: AbortSignal,
): AsyncGenerator<Update, void, undefined> {
  const places = new Places();
  const connecting = new Connecting(settings, signal);
  let heard: number | undefined;
  while (!signal?.aborted) {
    const socket = await connecting.open();
    try {
      socket.send(request(subscription, places, heard));
      const caughtUp = await catchUp(socket, places);
      if (!caughtUp) {
        await connecting.failed(undefined);
        continue;
      }
      connecting.succeeded();
      heard = Date.now();
      yield* caughtUp;
      for (;;) {
        const message = (await socket.next()) as Message | undefined;
        if (message === undefined) break;
        heard = Date.now();
        if (message.specversion !== undefined) {
          const verdict = places.take(message);
          // A version is missing: the next connection begins with it.
          if (verdict === "too far") break;
          if (verdict === "new") yield { kind: "event", event: message };
        } else if (message.action === undefined) {
          throw refused(message);
        }
      }
    } finally {
      socket.close();
    }
  }
}

/** What was missed, in the order of versions; undefined when the connection ends before all has come. */
async function catchUp(socket: Socket, places: Places): Promise<Update[] | undefined> {
  const [events, updates]: [LiveEvent[], Update[]] = [[], []];
  for (;;) {
    const message = (await socket.next()) as Message | undefined;
    if (message === undefined) return undefined;
    if (message.specversion !== undefined) {
      events.push(message);
    } else if (message.action === undefined) {
      throw refused(message);
    } else if (message.action === "missed") {
      // What is gone is passed over, so that what follows it is no gap.
      const told = message as Told;
      places.passOver(told.order_id, told.to);
      updates.push(missed(told));
    } else if (message.action === "subscribed") {
      events.sort((one, other) => Places.compare(one, other));
      const added = events.filter((event) => places.takeOn(event));
      return [...updates, ...added.map((event): Update => ({ kind: "event", event }))];
    }
  }
}

/** Asks for what was missed. The events of the last version may not all have come. */
function request(subscription: Subscription, places: Places, heard: number | undefined): object {
  if (subscription.orderId !== undefined) {
    const last = places.version(subscription.orderId);
    const last_sequence = last === undefined ? subscription.lastSequence : Math.max(0, last - 1);
    return { action: "subscribe", order_id: subscription.orderId, last_sequence };
  }
  const { customerId: customer_id, missedSeconds } = subscription;
  const missed_seconds = heard === undefined ? missedSeconds : Math.ceil((Date.now() - heard) / 1000) + 1;
  return { action: "subscribe", customer_id, missed_seconds };
}

function missed({ order_id, from, to }: Told): Update {
  const whole = order_id !== undefined && from !== undefined && to !== undefined;
  return whole ? { kind: "missed", orderId: order_id, from, to } : { kind: "missed" };
}

function refused(problem: Problem): OrderServiceError {
  return new OrderServiceError({ kind: "problem", status: problem.status ?? undefined, problem }, 1, false);
}

/** Makes connections, with pauses between attempts that fail. */
class Connecting {
  #failures = 0;

  constructor(
    private readonly settings: Settings,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async open(): Promise<Socket> {
    for (;;) {
      const token = await this.#token();
      const { liveUrl, WebSocket: Constructor } = this.settings;
      if (liveUrl === undefined) throw new TypeError("the client has no liveUrl");
      const protocols = token === undefined ? ["orders.v1"] : ["orders.v1", `bearer.${token}`];
      const socket = new Socket(new Constructor(liveUrl, protocols), this.signal);
      if (await socket.opened(this.settings.attemptTimeoutMs)) return socket;
      socket.close();
      await this.failed(undefined);
    }
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Waits before the next attempt, or gives up. Whether a token was refused, browsers do not tell. */
  async failed(cause: unknown): Promise<void> {
    if (this.signal?.aborted) throw new OrderServiceError({ kind: "aborted" }, this.#failures, false);
    const { maxAttempts, firstPauseMs, longestPauseMs } = this.settings;
    this.#failures += 1;
    if (this.#failures >= maxAttempts) {
      const attempts = this.#failures;
      this.#failures = 0;
      throw new OrderServiceError({ kind: "no_answer", cause }, attempts, false);
    }
    const pause = Math.min(firstPauseMs * 2 ** (this.#failures - 1), longestPauseMs);
    await new Promise((resolve) => setTimeout(resolve, pause * (1 + Math.random())));
  }

  async #token(): Promise<string | undefined> {
    const { token } = this.settings;
    try {
      return typeof token === "function" ? await token() : token;
    } catch (cause) {
      throw new OrderServiceError({ kind: "no_token", cause }, this.#failures, false);
    }
  }
}
