// The list of orders, newest first. Each opens to tell what happened to it.

const SHOWN = 100;

export class Orders {
  #list;
  #none;
  #items = new Map();

  constructor(list, none) {
    this.#list = list;
    this.#none = none;
    list.replaceChildren();
  }

  /** Shows an order unless a newer version is shown, and what happened to it. */
  show(order, event) {
    const item = this.#items.get(order.id) ?? this.#add(order);
    // A row of the list says less of its customer than an event.
    if (order.version > item.version || (order.version === item.version && order.customer)) {
      item.version = order.version;
      item.fill(order);
    }
    if (event) item.tell(event);
  }

  #add(order) {
    const item = new Item(order);
    this.#items.set(order.id, item);
    const next = [...this.#list.children].find((child) => child.dataset.createdAt < item.createdAt);
    this.#list.insertBefore(item.element, next ?? null);
    this.#none.hidden = true;
    if (this.#list.children.length > SHOWN) {
      this.#items.delete(this.#list.lastChild.dataset.id);
      this.#list.lastChild.remove();
    }
    return item;
  }
}

/** One order. */
class Item {
  version = 0;

  constructor(order) {
    this.createdAt = order.created_at;
    this.element = make("li");
    Object.assign(this.element.dataset, { id: order.id, createdAt: order.created_at });
    this.parts = {
      id: make("code", shortId(order.id)),
      status: make("span", "", "status"),
      customer: make("span", "", "customer"),
      total: make("span", "", "total"),
      changed: make("time"),
    };
    const details = make("details");
    const summary = make("summary");
    summary.append(...Object.values(this.parts));
    this.events = make("ol");
    this.quiet = make("p", "Nothing has happened since this page was opened.");
    details.append(summary, this.quiet, this.events);
    this.element.append(details);
  }

  fill(order) {
    const { status, customer, total, changed } = this.parts;
    if (status.textContent && status.textContent !== order.status) flash(this.element);
    status.textContent = order.status;
    status.dataset.status = order.status;
    customer.textContent = order.customer?.name ?? order.customer?.id ?? order.customer_id ?? "";
    total.textContent = order.total ? money(order.total) : "";
    changed.dateTime = order.updated_at;
    changed.textContent = time(order.updated_at);
  }

  tell(event) {
    this.quiet.hidden = true;
    const at = Object.assign(make("time", time(event.time)), { dateTime: event.time });
    const line = make("li");
    line.append(at, ` ${event.type}, version ${Number(event.sequence)}`);
    this.events.append(line);
    if (event.type === "order.deleted") this.parts.status.textContent = "deleted";
  }
}

function make(name, text = "", className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

function flash(element) {
  element.classList.remove("changed");
  void element.offsetWidth; // so that the animation begins anew
  element.classList.add("changed");
}

/** The end of an id tells orders apart; its beginning is the time. */
export function shortId(id) {
  return id.slice(-12);
}

export function time(text) {
  return new Date(text).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function money({ amount, currency }) {
  const format = new Intl.NumberFormat([], { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}
