// How far each order has been followed.

/** So many orders are remembered. An order that was forgotten may bring an event twice. */
const MOST = 10_000;

interface Placed {
  id: string;
  subject: string;
  sequence: string;
}

interface Place {
  version: number;
  index: number;
}

export class Places {
  readonly #last = new Map<string, Place>();

  /** The last version of an order that an event came of. */
  version(order: string): number | undefined {
    return this.#last.get(order)?.version;
  }

  /** What an event is to its order, and takes it if it is the next. */
  take(event: Placed): "new" | "known" | "too far" {
    const last = this.#last.get(event.subject);
    const place = placeOf(event);
    if (last !== undefined && compare(place, last) <= 0) return "known";
    if (last !== undefined && place.version > last.version + 1) return "too far";
    this.#set(event.subject, place);
    return "new";
  }

  /** Takes an event of what was missed, which is whole, so that nothing can be missing before it; whether it is new. */
  takeOn(event: Placed): boolean {
    const last = this.#last.get(event.subject);
    const place = placeOf(event);
    if (last !== undefined && compare(place, last) <= 0) return false;
    this.#set(event.subject, place);
    return true;
  }

  /** Goes on after versions that are gone; after too many to be named everything may come. */
  passOver(order: string | undefined, version: number | undefined): void {
    if (order === undefined || version === undefined) this.#last.clear();
    else this.#set(order, { version, index: Infinity });
  }

  static compare(one: Placed, other: Placed): number {
    return compare(placeOf(one), placeOf(other));
  }

  #set(order: string, place: Place): void {
    this.#last.set(order, place);
    if (this.#last.size > MOST) {
      const [oldest] = this.#last.keys();
      if (oldest !== undefined) this.#last.delete(oldest);
    }
  }
}

function placeOf({ id, sequence }: Placed): Place {
  return { version: Number(sequence), index: Number(id.slice(id.lastIndexOf(":") + 1)) };
}

function compare(one: Place, other: Place): number {
  return one.version - other.version || one.index - other.index;
}
