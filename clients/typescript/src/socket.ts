// One WebSocket connection, message by message.

/** After this time without a message a connection is asked for one: the gateway closes it after ten minutes. */
const IDLE_MS = 240_000;
/** An answer takes no longer. */
const ANSWER_MS = 40_000;

/** What is used of a WebSocket. */
export type WebSocketLike = Pick<WebSocket, "send" | "close" | "addEventListener">;
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export class Socket {
  readonly #messages: unknown[] = [];
  #isOver = false;
  #wake: () => void = () => {};
  readonly #opening: Promise<boolean>;

  constructor(
    private readonly socket: WebSocketLike,
    signal?: AbortSignal,
  ) {
    this.#opening = new Promise((resolve) => {
      socket.addEventListener("open", () => resolve(true));
      socket.addEventListener("close", () => resolve(false));
      socket.addEventListener("error", () => resolve(false));
    });
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("close", () => this.#end());
    socket.addEventListener("error", () => this.#end());
    signal?.addEventListener("abort", () => this.close(), { once: true });
    if (signal?.aborted) this.close();
  }

  /** Whether it opens within this time. */
  async opened(timeoutMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const opened = await Promise.race([this.#opening, late]);
    clearTimeout(timer);
    return opened && !this.#isOver;
  }

  send(message: object): void {
    // One that does not arrive is found out by what comes next.
    if (!this.#isOver) this.socket.send(JSON.stringify(message));
  }

  /** The next message; undefined when the connection has ended. */
  async next(): Promise<unknown> {
    let isAsked = false;
    for (;;) {
      if (this.#messages.length > 0) return this.#messages.shift();
      if (this.#isOver) return undefined;
      if (await this.#woken(isAsked ? ANSWER_MS : IDLE_MS)) continue;
      if (isAsked) return undefined;
      isAsked = true;
      this.send({ action: "ping" });
    }
  }

  close(): void {
    this.#end();
    this.socket.close();
  }

  /** Whether anything happens before the connection has been idle for long. */
  #woken(patienceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), patienceMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #take(data: unknown): void {
    try {
      this.#messages.push(JSON.parse(String(data)));
    } catch {
      // Nothing of this service: what is missing for it shows as a gap.
      return;
    }
    this.#wake();
  }

  #end(): void {
    this.#isOver = true;
    this.#wake();
  }
}
