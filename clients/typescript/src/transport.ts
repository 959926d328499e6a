// Sends calls: attempt by attempt, each with its token.

import { type Failure, OrderServiceError } from "./error.js";
import type { Attempt, Settings } from "./options.js";
import { type Outcome, read, verdict } from "./outcome.js";

/** What repeating a call can do: nothing, nothing more, or undo what somebody else changed meanwhile. */
export type Effect = "read" | "idempotent" | "once";

/** A request that may be sent several times. */
export interface Call {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** The path as the documentation writes it, for logs. */
  route: string;
  path: string;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string>;
  body?: unknown;
  effect: Effect;
  isPublic?: boolean;
  signal?: AbortSignal | undefined;
}

export type Success = Extract<Outcome, { isSuccess: true }>;
type Refusal = Exclude<Outcome, Success>;

export class Transport {
  constructor(private readonly settings: Settings) {}

  /** Sends a call until it is decided, or may not be repeated any more. */
  async send(call: Call): Promise<Success> {
    const deadline = Date.now() + this.settings.callTimeoutMs;
    let [attempts, isUncertain, isRenewed] = [0, false, false];
    const fail = (failure: Failure) => new OrderServiceError(failure, attempts, isUncertain);
    let token = await this.token(call, deadline, fail);
    for (;;) {
      attempts += 1;
      const outcome = await this.attempt(call, token, deadline);
      if (outcome.status === 401 && !isRenewed && token !== undefined) {
        isRenewed = true;
        const renewed = await this.token(call, deadline, fail, token);
        if (renewed !== token) {
          token = renewed;
          continue;
        }
      }
      isUncertain ||= verdict(outcome) === "unknown" && call.effect !== "read";
      const pauseMs = this.pauseAfter(call, outcome, attempts, deadline);
      const { method, route } = call;
      this.tell({ method, route, attempt: attempts, status: outcome.status, pauseMs });
      if (pauseMs === undefined) {
        if (outcome.isSuccess) return outcome;
        isUncertain &&= !decidesEarlierAttempts(outcome);
        throw fail(outcome);
      }
      await sleep(pauseMs, call.signal);
      token = await this.token(call, deadline, fail);
    }
  }

  /** Tells the observer, whose failure must not change what became of the call. */
  private tell(attempt: Attempt): void {
    try {
      this.settings.onAttempt?.(attempt);
    } catch (failure) {
      console.error("onAttempt failed", failure);
    }
  }

  /** The pause before another attempt; undefined when there must be no other. */
  private pauseAfter(call: Call, outcome: Outcome, attempts: number, deadline: number): number | undefined {
    const decision = verdict(outcome);
    const mayRepeat = decision === "not_now" || (decision === "unknown" && call.effect !== "once");
    if (outcome.isSuccess || !mayRepeat || call.signal?.aborted || attempts >= this.settings.maxAttempts)
      return undefined;
    const backoff = Math.min(this.settings.firstPauseMs * 2 ** (attempts - 1), this.settings.longestPauseMs);
    const pause = Math.max(backoff * (1 + Math.random()), (outcome.retryAfter ?? 0) * 1000);
    return Date.now() + pause < deadline ? pause : undefined;
  }

  private async attempt(call: Call, token: string | undefined, deadline: number): Promise<Outcome> {
    const { fetch, attemptTimeoutMs } = this.settings;
    // Outside of the attempt: a header that cannot be sent is a mistake of the caller (TypeError), and nothing was sent.
    const headers = new Headers({ Accept: "application/json, application/problem+json", ...call.headers });
    if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
    if (call.body !== undefined) headers.set("Content-Type", "application/json");
    const timeout = AbortSignal.timeout(Math.max(0, Math.min(attemptTimeoutMs, deadline - Date.now())));
    const signal = call.signal ? AbortSignal.any([timeout, call.signal]) : timeout;
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    try {
      return await read(
        await fetch(this.url(call), { method: call.method, headers, body, signal, redirect: "manual" }),
      );
    } catch (cause) {
      return { isSuccess: false, kind: call.signal?.aborted ? "aborted" : "no_answer", cause };
    }
  }

  private async token(
    call: Call,
    deadline: number,
    fail: (failure: Failure) => OrderServiceError,
    refused?: string,
  ): Promise<string | undefined> {
    const { token } = this.settings;
    if (call.isPublic) return undefined;
    if (typeof token !== "function") return token;
    try {
      return await within(deadline - Date.now(), async () => token(refused));
    } catch (cause) {
      throw fail({ kind: "no_token", cause });
    }
  }

  private url({ path, query = {} }: Call): string {
    const pairs = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const search = new URLSearchParams(pairs).toString();
    return `${this.settings.baseUrl}${path}${search && `?${search}`}`;
  }
}

/**
 * Whether a refusal says that no earlier attempt took effect either. Not when it is about the token, or about the order's
 * existence, version or status, which an earlier attempt may have changed.
 */
function decidesEarlierAttempts(refusal: Refusal): boolean {
  const { status = 0, problem } = refusal;
  const isAboutOrder = [404, 409, 410, 412].includes(status) && problem?.code !== "out_of_stock";
  return verdict(refusal) === "final" && !isAboutOrder && ![401, 403].includes(status);
}

/** A pause that the signal ends; the next attempt then says why. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
}

async function within<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the token did not come in time")), Math.max(0, milliseconds));
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
