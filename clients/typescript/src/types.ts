// The JSON of requests and answers, from the generated types, open for what later releases add.

import type { components } from "./schema.js";

type Schemas = components["schemas"];

/** A type whose enums also take values that this release does not know. */
export type Open<T> = T extends string
  ? string extends T
    ? T
    : T | (string & {})
  : T extends readonly (infer Item)[]
    ? Open<Item>[]
    : T extends object
      ? { [Name in keyof T]: Open<T[Name]> }
      : T;

export type Order = Open<Schemas["Order"]>;
export type OrderSummary = Open<Schemas["OrderSummary"]>;
export type OrderPage = Open<Schemas["OrderPage"]>;
export type Health = Open<Schemas["Health"]>;
export type Report = Open<Schemas["OrderReport"]>;
export type ReportGroup = Open<Schemas["ReportGroup"]>;
export type Export = Open<Schemas["Export"]>;
export type Problem = Open<Schemas["Problem"]>;
export type FieldError = Open<Schemas["FieldError"]>;
export type Status = Schemas["Order"]["status"];
export type ProblemCode = Schemas["ProblemCode"];

export type NewOrder = Schemas["CreateOrder"];
export type NewExport = Schemas["CreateExport"];
export type Edit = Schemas["UpdateOrder"];
export type Shipment = Schemas["UpdateShipping"];

/** Which orders are listed, newest first: all, those with a status or those of a customer. */
export type ListQuery = {
  created_after?: string;
  created_before?: string;
  /** Rows per page, 1 to 100. */
  limit?: number;
} & ({ status?: Status; customer_id?: never } | { status?: never; customer_id?: string });

/**
 * The order that a write is about. An order or a row of a list: on condition that it still has this version. A bare id:
 * on no condition.
 */
export type Target = string | { readonly id: string; readonly version: number };

/** An order that was placed. */
export interface Placed {
  /** The order as it is now. It is `pending` while a partner of the service cannot be asked. */
  order: Order;
  /** Whether an earlier request with this key had placed it. */
  isReplayed: boolean;
  /** The key it was placed under. */
  idempotencyKey: string;
}

/** A batch that was answered. */
export interface Batch {
  /** What became of each order, in the order in which they were sent. */
  results: BatchResult[];
  /** The key it was sent under: sent again under it, the orders that were placed are found and the others tried again. */
  idempotencyKey: string;
}

/** An order of a batch that was placed, with whether an earlier request had placed it, or why it was not. */
export type BatchResult =
  | { order: Order; isReplayed: boolean; problem?: never }
  | { problem: Problem; order?: never; isReplayed?: never };

/** Which report is asked for: of the orders that were placed from the first to the last day, in UTC. */
export type ReportQuery = {
  /** The first day: `2026-01-01`. */
  from: string;
  /** The last day, at most 366 days in all. */
  to: string;
  /** What the orders of a group have in common; by default their day. */
  group_by?: Schemas["OrderReport"]["group_by"];
};
