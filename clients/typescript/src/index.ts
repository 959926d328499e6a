/** Typed client of the order service's HTTP API. */

export { OrderServiceClient } from "./client.js";
export { type ErrorKind, OrderServiceError } from "./error.js";
export type { LiveEvent, Subscription, Update } from "./live.js";
export type { WebSocketConstructor, WebSocketLike } from "./socket.js";
export type { Attempt, CallOptions, Options, PlaceOptions, TokenSource } from "./options.js";
export type * from "./types.js";
export type { components, operations, paths } from "./schema.js";
