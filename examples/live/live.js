// The live updates of all orders that a token allows, over as many connections as it takes (docs/live.md).

const IDLE_MS = 240_000;
const LONGEST_PAUSE_MS = 30_000;
const REMEMBERED = 5_000;

/**
 * Tells `onEvent` of each event once, each order's in the order of its versions; `onState` of `connecting`, `live` and
 * `waiting`; `onMissed` that more was missed than is sent. Ends with `close()`.
 */
export class Live {
  #url;
  #token;
  #on;
  #socket;
  #timer;
  #isClosed = false;
  #failures = 0;
  #heardAt;
  #catchingUp = [];
  #seen = new Set();
  #versions = new Map();

  constructor({ url, token, onEvent, onState, onMissed, onProblem }) {
    this.#url = url;
    this.#token = token;
    this.#on = { event: onEvent, state: onState, missed: onMissed, problem: onProblem };
    this.#connect();
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket.close();
  }

  #connect() {
    this.#on.state("connecting");
    this.#catchingUp = [];
    // A page can set no header: the token is offered as a subprotocol.
    const socket = new WebSocket(this.#url, ["orders.v1", `bearer.${this.#token}`]);
    this.#socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify(this.#request())));
    socket.addEventListener("message", ({ data }) => socket === this.#socket && this.#hear(JSON.parse(data)));
    socket.addEventListener("close", () => socket === this.#socket && this.#retry());
  }

  #request() {
    const away = this.#heardAt === undefined ? 0 : (Date.now() - this.#heardAt) / 1000;
    return { action: "subscribe", missed_seconds: Math.ceil(away) + 1 };
  }

  #retry() {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#on.state("waiting");
    const pause = Math.min(250 * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), pause * (1 + Math.random()));
  }

  #hear(message) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.send('{"action":"ping"}'), IDLE_MS);
    if (message.specversion !== undefined) {
      if (this.#catchingUp) this.#catchingUp.push(message);
      else this.#take(message);
    } else if (message.action === "subscribed") {
      this.#caughtUp();
    } else if (message.action === "missed") {
      this.#versions.clear();
      this.#on.missed();
    } else if (message.action === undefined) {
      this.#on.problem(message);
    }
    if (!this.#catchingUp) this.#heardAt = Date.now();
  }

  /** Until now events came in any order. */
  #caughtUp() {
    const events = this.#catchingUp.sort((one, other) => place(one) - place(other));
    this.#catchingUp = undefined;
    this.#failures = 0;
    this.#on.state("live");
    for (const event of events) this.#tell(event);
  }

  #take(event) {
    const last = this.#versions.get(event.subject);
    const isMissing = last !== undefined && Number(event.sequence) > last + 1;
    // The next connection begins with what is missing.
    if (isMissing) this.#socket.close();
    else this.#tell(event);
  }

  #tell(event) {
    if (this.#seen.has(event.id)) return;
    this.#seen.add(event.id);
    this.#versions.set(event.subject, Math.max(Number(event.sequence), this.#versions.get(event.subject) ?? 0));
    for (const known of [this.#seen, this.#versions]) {
      if (known.size > REMEMBERED) known.delete(known.keys().next().value);
    }
    this.#on.event(event);
  }
}

/** Where an event stands among those of its order: `<order>:<version>:<n>`. */
function place({ id, sequence }) {
  return Number(sequence) * 1_000 + Number(id.slice(id.lastIndexOf(":") + 1));
}
