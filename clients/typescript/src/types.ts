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
