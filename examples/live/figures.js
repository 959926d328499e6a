// What today's orders add up to, as figures, a chart and a table.

import { money } from "./orders.js";

const STATUSES = ["pending", "confirmed", "processing", "shipped", "delivered", "canceled"];
/** Changes are counted some seconds after they were made. */
const SOON_MS = [1_000, 7_000];

export class Figures {
  #api;
  #places;
  #complain;
  #chart;
  #timers = new Map();
  #stale = new Set();

  constructor(api, places, complain) {
    this.#api = api;
    this.#places = places;
    this.#complain = complain;
  }

  /** Reads the figures again once what has just changed is counted. */
  refreshSoon() {
    SOON_MS.forEach((wait) => this.#readIn(wait));
  }

  /** However many changes come, the figures are read once in this time, and once more after the last. */
  #readIn(wait) {
    if (this.#timers.has(wait)) {
      this.#stale.add(wait);
      return;
    }
    const read = () => {
      this.#timers.delete(wait);
      this.refresh();
      if (this.#stale.delete(wait)) this.#readIn(wait);
    };
    this.#timers.set(wait, setTimeout(read, wait));
  }

  stop() {
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
    this.#stale.clear();
  }

  async refresh() {
    try {
      this.#show((await this.#api.report()).groups);
    } catch (error) {
      this.#complain(error.message);
    }
  }

  #show(groups) {
    const of = (status) => groups.find(({ key }) => key === status);
    const sum = (name) => groups.reduce((total, group) => total + group[name], 0);
    const orders = sum("orders");
    const figures = { Orders: orders, Items: sum("items"), Value: values(groups), Canceled: of("canceled")?.orders ?? 0 };
    const pairs = Object.entries(figures).map(([name, value]) => {
      const pair = document.createElement("div");
      pair.append(text("dt", name), text("dd", String(value)));
      return pair;
    });
    this.#places.list.replaceChildren(...pairs);
    this.#places.rows.replaceChildren(...STATUSES.map((status) => row(status, of(status))));
    this.#draw(STATUSES.map((status) => of(status)?.orders ?? 0));
  }

  #draw(counts) {
    const data = { labels: STATUSES, series: counts };
    const options = {
      distributeSeries: true,
      horizontalBars: true,
      reverseData: true,
      axisX: { onlyInteger: true },
      axisY: { offset: 90 },
      low: 0,
      high: Math.max(4, ...counts),
      chartPadding: { right: 20 },
    };
    if (this.#chart) this.#chart.update(data, options);
    else this.#chart = new Chartist.BarChart(this.#places.chart, data, options);
  }
}

function row(status, group) {
  const element = document.createElement("tr");
  const name = Object.assign(text("th", status), { scope: "row" });
  element.append(name, text("td", group?.orders ?? 0), text("td", group?.items ?? 0), text("td", values(group ? [group] : [])));
  return element;
}

/** The value of groups, by currency. */
function values(groups) {
  const sums = new Map();
  for (const { amount, currency } of groups.flatMap(({ value }) => value)) {
    sums.set(currency, (sums.get(currency) ?? 0) + amount);
  }
  return [...sums].map(([currency, amount]) => money({ amount, currency })).join(" + ") || "–";
}

function text(name, content) {
  return Object.assign(document.createElement(name), { textContent: content });
}
