// How a client is set up.

import type { WebSocketConstructor } from "./socket.js";

/** A token, or a function that gives one for each attempt. `refused` is the one that was just answered 401. */
export type TokenSource = string | ((refused?: string) => string | Promise<string>);

/** What is told of each attempt: nothing personal, no token. */
export interface Attempt {
  method: string;
  /** The path as the documentation writes it. */
  route: string;
  /** 1 for the first. */
  attempt: number;
  /** The HTTP status, when there was an answer. */
  status: number | undefined;
  /** The pause before the next attempt, when there is one. */
  pauseMs: number | undefined;
}

export interface Options {
  /** The deployment's URL, stage included: `https://orders.example/v1`. */
  baseUrl: string;
  token?: TokenSource;
  /** Requests per call, the first included: 5. */
  maxAttempts?: number;
  /** The pause after the first attempt: 200. It doubles with each, and jitter adds up to as much again. */
  firstPauseMs?: number;
  /** The longest pause, unless `Retry-After` asks for a longer one: 5,000. */
  longestPauseMs?: number;
  /** Time for one answer: 10,000. */
  attemptTimeoutMs?: number;
  /** Time for a call with all its attempts and pauses: 30,000. `Infinity` is 24 days, the longest that a timer waits. */
  callTimeoutMs?: number;
  /** Send tokens over plain HTTP also to other hosts than this machine's own. */
  allowPlainHttp?: boolean;
  /** Where live updates come from, stage included: `wss://live.orders.example/v1`. */
  liveUrl?: string;
  /** Another `WebSocket`, for runtimes that have none. */
  WebSocket?: WebSocketConstructor;
  /** Another `fetch`. */
  fetch?: typeof fetch;
  /** Called after each attempt, for logs and metrics. */
  onAttempt?: (attempt: Attempt) => void;
}

export interface CallOptions {
  /** Ends the call. */
  signal?: AbortSignal;
}

export interface PlaceOptions extends CallOptions {
  /** Names this order or batch: sent again under the same key, it is not placed twice. */
  idempotencyKey?: string;
}

type Unset = "token" | "onAttempt" | "liveUrl";
export type Settings = Required<Omit<Options, Unset>> & Pick<Options, Unset>;

/** The longest that a timer waits, 24 days: a longer one ends at once. No pause is longer than the call. */
const LONGEST_MS = 2 ** 31 - 1;

export function settings(options: Options): Settings {
  const { baseUrl, liveUrl, allowPlainHttp = false } = options;
  requireEncryption(baseUrl, "http", allowPlainHttp);
  if (liveUrl !== undefined) requireEncryption(liveUrl, "ws", allowPlainHttp);
  const { attemptTimeoutMs = 10_000, callTimeoutMs = 30_000 } = options;
  return {
    maxAttempts: 5,
    firstPauseMs: 200,
    longestPauseMs: 5_000,
    fetch: (...request) => fetch(...request),
    WebSocket: globalThis.WebSocket,
    ...set(options),
    attemptTimeoutMs: Math.min(attemptTimeoutMs, LONGEST_MS),
    callTimeoutMs: Math.min(callTimeoutMs, LONGEST_MS),
    allowPlainHttp,
    baseUrl: baseUrl.replace(/\/+$/, ""),
  };
}

function requireEncryption(text: string, scheme: "http" | "ws", allowPlainHttp: boolean): void {
  const url = new URL(text);
  if (url.protocol !== `${scheme}s:` && !(url.protocol === `${scheme}:` && (allowPlainHttp || isLoopback(url.hostname)))) {
    throw new TypeError(`${text} must be ${scheme}s: a token would be readable on its way`);
  }
}

/** An option that is undefined is one that was not given. */
function set(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as unknown as Options;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}
