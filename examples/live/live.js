// The live updates of all orders that a token allows, over as many connections as it takes (docs/live.md).

const IDLE_MS = 240_000;
const ANSWER_MS = 40_000;
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
  /** The last time that the service gave: whatever it knew then has been taken. */
  #heard;
  #catchingUp = [];
  #seen = new Set();
  /** The last event of each order. */
  #last = new Map();

  constructor({ url, token, onEvent, onState, onMissed, onProblem }) {
    this.#url = url;
    this.#token = token;
    this.#on = { event: onEvent, state: onState, missed: onMissed, problem: onProblem };
    this.#connect();
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect() {
    this.#on.state("connecting");
    this.#catchingUp = [];
    // A page can set no header: the token is offered as a subprotocol.
    const socket = new WebSocket(this.#url, ["orders.v1", `bearer.${this.#token}`]);
    this.#socket = socket;
    socket.addEventListener("open", () => socket === this.#socket && this.#ask({ action: "subscribe", since: this.#heard }));
    socket.addEventListener("message", ({ data }) => socket === this.#socket && this.#hear(JSON.parse(data)));
    socket.addEventListener("close", () => socket === this.#socket && this.#retry());
  }

  /** What is not answered in time is asked over another connection. */
  #ask(message) {
    this.#socket.send(JSON.stringify(message));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lose(), ANSWER_MS);
  }

  #lose() {
    this.#socket.close();
    this.#retry();
  }

  #retry() {
    clearTimeout(this.#timer);
    // Whatever this connection still says comes too late.
    this.#socket = undefined;
    if (this.#isClosed) return;
    this.#on.state("waiting");
    const pause = Math.min(250 * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), pause * (1 + Math.random()));
  }

  #hear(message) {
    if (message.specversion !== undefined) {
      if (this.#catchingUp) this.#catchingUp.push(message);
      else this.#take(message);
    } else if (message.action === "subscribed") {
      this.#caughtUp(message.at);
    } else if (message.action === "pong") {
      this.#heard = later(this.#heard, message.at);
    } else if (message.action === "missed") {
      this.#last.clear();
      this.#on.missed();
    } else if (message.action === undefined) {
      this.#refused(message);
    }
    // What was missed has come within one time limit; from then on silence is broken by a ping.
    if (!this.#socket || this.#catchingUp) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask({ action: "ping" }), IDLE_MS);
  }

  /** A service that is overloaded or fails is asked again; a frame without a code is the gateway's, which says so too. */
  #refused(problem) {
    if (problem.code === undefined || problem.status === 429 || problem.status >= 500) {
      this.#lose();
      return;
    }
    this.#on.problem(problem);
    if (problem.status !== 401) return;
    // The page knows no other token.
    this.close();
    this.#socket = undefined;
    this.#on.state("off");
  }

  /** Until now events came in any order. */
  #caughtUp(at) {
    const events = this.#catchingUp.sort((one, other) => place(one) - place(other));
    this.#catchingUp = undefined;
    this.#failures = 0;
    this.#on.state("live");
    for (const event of events) {
      if (this.#isTooFar(event)) this.#on.missed();
      this.#tell(event);
    }
    this.#heard = at;
  }

  #take(event) {
    if (this.#isTooFar(event)) {
      // The next connection begins with what is missing.
      this.#heard = this.#last.get(event.subject).time;
      this.#lose();
      return;
    }
    this.#heard = later(this.#heard, event.time);
    this.#tell(event);
  }

  /** Whether a version is missing before it. */
  #isTooFar({ subject, sequence }) {
    const last = this.#last.get(subject);
    return last !== undefined && Number(sequence) > last.version + 1;
  }

  #tell(event) {
    if (this.#seen.has(event.id)) return;
    this.#seen.add(event.id);
    const version = Number(event.sequence);
    if (version >= (this.#last.get(event.subject)?.version ?? 0)) this.#last.set(event.subject, { version, time: event.time });
    for (const known of [this.#seen, this.#last]) {
      if (known.size > REMEMBERED) known.delete(known.keys().next().value);
    }
    this.#on.event(event);
  }
}

/** Where an event stands among those of its order: `<order>:<version>:<n>`. */
function place({ id, sequence }) {
  return Number(sequence) * 1_000 + Number(id.slice(id.lastIndexOf(":") + 1));
}

function later(one, other) {
  return one === undefined || Date.parse(one) < Date.parse(other) ? other : one;
}
