// Shows a storefront's orders, their changes as they are made, and the day's figures.

import { Api } from "./api.js";
import { Figures } from "./figures.js";
import { Live } from "./live.js";
import { Orders, shortId, time } from "./orders.js";

const EVENTS_SHOWN = 50;
const STATES = { off: "Not connected", connecting: "Connecting …", live: "Live", waiting: "Connection lost, trying again …" };

const byId = (id) => document.getElementById(id);
const form = byId("connect");
let disconnect = () => {};

// The addresses may come with the page's own if they lead to this machine or to where the page is from: a link must not send a
// token that is typed here to anybody else. A token never comes so.
const given = new URLSearchParams(location.hash.slice(1));
for (const name of ["api", "live"]) {
  const address = given.get(name);
  if (address && isTrusted(address)) form.elements[name].value = address;
}

form.addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const { api, live, token } = Object.fromEntries(new FormData(form));
  disconnect();
  disconnect = connect(new Api(api, token), live, token);
});

function connect(api, url, token) {
  complain();
  byId("events").replaceChildren();
  const orders = new Orders(byId("orders"), byId("none"));
  const figures = new Figures(api, { list: byId("figures"), chart: byId("chart"), rows: byId("rows") }, complain);
  const readAgain = () =>
    api.orders().then(
      (page) => page.data.forEach((row) => orders.show(row)),
      (error) => complain(error.message),
    );
  const live = new Live({
    url,
    token,
    onEvent: (event) => {
      if (event.data.order) orders.show(event.data.order, event);
      else readAgain();
      tell(event);
      figures.refreshSoon();
    },
    onState: (state) => {
      say(state);
      if (state !== "live") return;
      byId("board").hidden = false;
      readAgain();
      figures.refresh();
    },
    onMissed: readAgain,
    onProblem: (problem) => complain(problem.title),
  });
  return () => {
    live.close();
    figures.stop();
    say("off");
  };
}

function isTrusted(address) {
  if (!URL.canParse(address)) return false;
  const { hostname, host } = new URL(address);
  return host === location.host || ["localhost", "127.0.0.1"].includes(hostname);
}

function say(state) {
  const element = byId("state");
  element.dataset.state = state;
  element.textContent = STATES[state];
}

function complain(text = "") {
  byId("problem").textContent = text;
  byId("problem").hidden = text === "";
}

function tell(event) {
  const item = document.createElement("li");
  const at = Object.assign(document.createElement("time"), { dateTime: event.time, textContent: time(event.time) });
  item.append(at, ` ${event.type} `, Object.assign(document.createElement("code"), { textContent: shortId(event.subject) }));
  byId("events").prepend(item);
  while (byId("events").children.length > EVENTS_SHOWN) byId("events").lastChild.remove();
}
