// Why a call did not succeed.

import type { Problem } from "./types.js";

/**
 * What the last attempt came to: `problem` (the service refused), `unreadable` (an answer that this API does not send),
 * `no_answer`, `no_token` (the token function failed) or `aborted` (by the caller's signal).
 */
export type ErrorKind = "problem" | "unreadable" | "no_answer" | "no_token" | "aborted";

/** What is known of a call that did not succeed. */
export interface Failure {
  kind: ErrorKind;
  status?: number | undefined;
  problem?: Problem | undefined;
  retryAfter?: number | undefined;
  cause?: unknown;
}

/** A call that did not succeed, whatever was tried. */
export class OrderServiceError extends Error {
  override readonly name = "OrderServiceError";
  /** What the last attempt came to. */
  readonly kind: ErrorKind;
  /** The HTTP status, when there was an answer. */
  readonly status: number | undefined;
  /** The service's own words: RFC 9457 problem details. */
  readonly problem: Problem | undefined;
  /** Seconds after which the same request may succeed. */
  readonly retryAfter: number | undefined;
  /** How many requests were sent. */
  readonly attempts: number;
  /** Whether the call may have taken effect all the same, because an answer was lost. */
  readonly isUncertain: boolean;
  /** The key of the order or batch that was to be placed: placing it again under this key makes no second one. */
  idempotencyKey: string | undefined;

  constructor(failure: Failure, attempts: number, isUncertain: boolean) {
    super(sentence(failure), { cause: failure.cause });
    this.kind = failure.kind;
    this.status = failure.status;
    this.problem = failure.problem;
    this.retryAfter = failure.retryAfter;
    this.attempts = attempts;
    this.isUncertain = isUncertain;
  }

  /** The problem's stable code; programs should look at nothing else. */
  get code(): Problem["code"] | undefined {
    return this.problem?.code;
  }
}

function sentence({ kind, status, problem }: Failure): string {
  switch (kind) {
    case "problem":
      return `${problem?.title ?? "The service refused."} (HTTP ${status})${problem?.detail ? `: ${problem.detail}` : ""}`;
    case "unreadable":
      return `HTTP ${status} with a body that this API does not send`;
    case "no_answer":
      return "no answer";
    case "no_token":
      return "no token";
    case "aborted":
      return "aborted";
  }
}
