// Makes the connections of live updates, with pauses between attempts that fail.

import { type Failure, OrderServiceError } from "./error.js";
import type { Settings } from "./options.js";
import { Socket } from "./socket.js";
import type { Problem } from "./types.js";

export class Connecting {
  #failures = 0;
  /** Whether there has ever been a subscription: from then on only a refusal is final. */
  #isEstablished = false;
  /** Whether a token was refused since the last connection that caught up. */
  #isTokenRefused = false;

  constructor(
    private readonly settings: Settings,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** A connection; undefined when the signal aborts. */
  async open(): Promise<Socket | undefined> {
    while (!this.signal?.aborted) {
      const token = await this.#token();
      const { liveUrl, WebSocket: Constructor } = this.settings;
      if (liveUrl === undefined) throw new TypeError("the client has no liveUrl");
      const protocols = token === undefined ? ["orders.v1"] : ["orders.v1", `bearer.${token}`];
      const socket = new Socket(new Constructor(liveUrl, protocols), this.signal);
      if (await socket.opened(this.settings.attemptTimeoutMs)) return socket;
      socket.close();
      await this.#failed({ kind: "no_answer", cause: undefined });
    }
    return undefined;
  }

  /** A connection has caught up. */
  succeeded(): void {
    this.#failures = 0;
    this.#isEstablished = true;
    this.#isTokenRefused = false;
  }

  /** A connection has ended, perhaps with a problem. One that another connection does not solve is thrown. */
  async lost(problem: Problem | undefined): Promise<void> {
    if (problem === undefined) return this.#failed({ kind: "no_answer", cause: undefined });
    const status = problem.status ?? 0;
    const failure = { kind: "problem" as const, status, problem };
    const mayBeRenewed = status === 401 && typeof this.settings.token === "function" && !this.#isTokenRefused;
    if (status === 401) this.#isTokenRefused = true;
    if (!mayBeRenewed && status !== 429 && status < 500) throw new OrderServiceError(failure, 1, false);
    return this.#failed(failure);
  }

  /** Waits before the next attempt, or gives up. Whether a token was refused in a handshake, browsers do not tell. */
  async #failed(failure: Failure): Promise<void> {
    if (this.signal?.aborted) return;
    const { maxAttempts, firstPauseMs, longestPauseMs } = this.settings;
    this.#failures += 1;
    if (!this.#isEstablished && this.#failures >= maxAttempts) {
      const attempts = this.#failures;
      this.#failures = 0;
      throw new OrderServiceError(failure, attempts, false);
    }
    const pause = Math.min(firstPauseMs * 2 ** (this.#failures - 1), longestPauseMs);
    await this.#pause(pause * (1 + Math.random()));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.signal?.addEventListener("abort", end);
    });
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
