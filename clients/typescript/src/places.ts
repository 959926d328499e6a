// How far each order has been followed.

/** So many orders are remembered. An order that was forgotten may bring an event twice. */
const MOST = 10_000;

/** The place behind the last event of a version. */
const WHOLE = Infinity;

interface Placed {
  id: string;
  subject: string;
  sequence: string;
  time: string;
}

interface Place {
  version: number;
  index: number;
}

/** The last event of an order, and when it was made. */
interface Last extends Place {
  at: string | undefined;
}

/** A version is missing: the last one, and when it was made. */
interface TooFar {
  after: number;
  knownAt: string | undefined;
}

export class Places {
  readonly #last = new Map<string, Last>();

  /** The last version of an order of which everything has come: the events of the last one may not all have come. */
  resumeAfter(order: string): number | undefined {
    const last = this.#last.get(order);
    if (last === undefined) return undefined;
    return last.index === WHOLE ? last.version : Math.max(0, last.version - 1);
  }

  /** What an event is to its order, and takes it if it is the next. */
  take(event: Placed): "new" | "known" | TooFar {
    const last = this.#last.get(event.subject);
    const place = placeOf(event);
    if (last !== undefined && compare(place, last) <= 0) return "known";
    if (last !== undefined && place.version > last.version + 1) return { after: last.version, knownAt: last.at };
    this.#set(event.subject, { ...place, at: event.time });
    return "new";
  }

  /** All of this version has come, or is not wanted. */
  reach(order: string, version: number): void {
    const last = this.#last.get(order);
    const whole = { version, index: WHOLE, at: last?.at };
    if (last === undefined || compare(whole, last) > 0) this.#set(order, whole);
  }

  /** Goes on after versions that are gone; after too many to be named everything may come. */
  passOver(order: string | undefined, version: number | undefined): void {
    if (order === undefined || version === undefined) this.#last.clear();
    else this.reach(order, version);
  }

  static compare(one: Placed, other: Placed): number {
    return compare(placeOf(one), placeOf(other));
  }

  #set(order: string, last: Last): void {
    this.#last.set(order, last);
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
  return one.version - other.version || (one.index === other.index ? 0 : one.index - other.index);
}
