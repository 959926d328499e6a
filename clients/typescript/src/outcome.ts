// What one attempt came to, and what that means for another.

import type { Failure } from "./error.js";
import type { Problem } from "./types.js";

export type Outcome =
  { isSuccess: true; status: number; headers: Headers; body: unknown } | ({ isSuccess: false } & Failure);

/**
 * What an outcome says of the request's effect: it is decided (`final`); it had none, and sent again it may have
 * (`not_now`); or it had its effect or not (`unknown`).
 */
export type Verdict = "final" | "not_now" | "unknown";

/** Reads a response to its end. */
export async function read(response: Response): Promise<Outcome> {
  const { status, headers } = response;
  const text = await response.text();
  const retryAfter = parseRetryAfter(headers.get("Retry-After"));
  if (status === 204 || status === 304) return { isSuccess: true, status, headers, body: undefined };
  const body = parse(text);
  if (isObject(body) && status >= 200 && status < 300) return { isSuccess: true, status, headers, body };
  if (isObject(body) && typeof body["code"] === "string" && status >= 400) {
    return { isSuccess: false, kind: "problem", status, problem: body as Problem, retryAfter };
  }
  return { isSuccess: false, kind: "unreadable", status, retryAfter };
}

export function verdict(outcome: Outcome): Verdict {
  if (outcome.isSuccess) return "final";
  const { kind, status = 0, problem, cause } = outcome;
  if (kind === "no_answer") return wasNeverSent(cause) ? "not_now" : "unknown";
  if (kind === "aborted") return "unknown";
  if (kind === "no_token") return "final";
  if (problem?.code === "conflict" || problem?.code === "reservation_unconfirmed" || status === 429) return "not_now";
  // A success that cannot be read is one all the same, or a proxy's own page.
  return status === 408 || status >= 500 || (status >= 200 && status < 300) ? "unknown" : "final";
}

/** Whether no connection was made, as Node's fetch tells it; other runtimes do not tell. */
function wasNeverSent(error: unknown): boolean {
  const code = isObject(error) && isObject(error["cause"]) ? error["cause"]["code"] : undefined;
  return ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"].includes(String(code));
}

/** Seconds, from seconds or an HTTP date (RFC 9110 §10.2.3). */
function parseRetryAfter(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\d+$/.test(text.trim())) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
