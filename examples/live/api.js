// What the page reads of the API.

export class Api {
  #url;
  #token;

  constructor(url, token) {
    this.#url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  /** The newest orders. */
  orders() {
    return this.#get("/orders?limit=50");
  }

  /** What today's orders (UTC) add up to, by status. */
  report() {
    const today = new Date().toISOString().slice(0, 10);
    return this.#get(`/reports/orders?from=${today}&to=${today}&group_by=status`);
  }

  async #get(path) {
    const response = await fetch(this.#url + path, { headers: { Authorization: `Bearer ${this.#token}` } });
    const body = await response.json();
    if (!response.ok) throw new Error(body.title ?? `HTTP ${response.status}`);
    return body;
  }
}
