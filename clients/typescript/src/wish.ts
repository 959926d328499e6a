// Whether an order already has what a write asks for.

import type { Edit, Order, Shipment, Status } from "./types.js";

export type Wish = (order: Order) => boolean;

export const hasStatus =
  (status: Status): Wish =>
  (order) =>
    order.status === status;

export const hasShipment =
  (wanted: Shipment): Wish =>
  ({ shipping }) => {
    if (!shipping) return false;
    const texts = ["carrier", "tracking_number", "tracking_url", "service"] as const;
    const moments = ["shipped_at", "estimated_delivery"] as const;
    const isSameMoment = (one: unknown, other: unknown) =>
      (one ?? null) === (other ?? null) || Date.parse(String(one)) === Date.parse(String(other));
    return (
      texts.every((name) => isSame(wanted[name], shipping[name])) &&
      moments.every((name) => isSameMoment(wanted[name], shipping[name]))
    );
  };

export const hasFields =
  ({ lines, ...plain }: Edit): Wish =>
  (order) => {
    const names = Object.keys(plain) as (keyof typeof plain)[];
    const isThere = (name: keyof typeof plain) => plain[name] === undefined || isSame(plain[name], order[name]);
    return names.every(isThere) && (lines === undefined || isSame(units(lines), units(order.lines ?? [])));
  };

/** Units by product: the service sums lines of one product. */
function units(lines: readonly { product_id: string; quantity: number }[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { product_id, quantity } of lines) sums[product_id] = (sums[product_id] ?? 0) + quantity;
  return sums;
}

/** Equal JSON; what is absent, `null` or an empty object is the same. */
function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  const sorted = members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).sort();
  return sorted.length === 0 ? "null" : `{${sorted.join(",")}}`;
}
