// The order-entry sandbox: one state, drawn anew after each change, and kept in the address so that a link reproduces it.

import { showCards } from "./cards.js";
import { showChart } from "./chart.js";
import { el, fill } from "./dom.js";
import { showExplanation } from "./explain.js";
import { call, compose, curl, discover } from "./hooks.js";
import { showOrders } from "./orders.js";
import { draftOf, drugOf, moved, now, stopOf } from "./record.js";

const at = (name) => document.getElementById(name);
const places = Object.fromEntries(["person", "results", "kidney", "allergies", "running", "timeline"].map((name) => [name, at(`chart-${name}`)]));
const state = { people: [], story: null, drafts: [], touched: false, facts: null, via: "prefetch", fault: "", on: "all", fresh: new Set(), last: null, number: 0 };
let services = {}, formulary = [];

async function start() {
  const bench = at("bench");
  [state.people, formulary, services] = await Promise.all([json(bench.dataset.people), json(bench.dataset.formulary), discover()]);
  fill(at("drugs"), formulary.map((drug) => el("option", { value: drug.name })));
  listen();
  await restore();
  window.addEventListener("hashchange", restore);
  bench.dataset.ready = "yes";
}

const json = async (url) => (await fetch(url)).json();

function listen() {
  at("sign").addEventListener("click", () => ask("order-sign"));
  at("open-chart").addEventListener("click", () => ask("patient-view"));
  at("reset").addEventListener("click", () => openStory(state.story.patientId));
  at("add-order").addEventListener("submit", (event) => { event.preventDefault(); addOrder(at("drug").value.trim()); });
  at("person-select").addEventListener("change", (event) => openStory(event.target.value));
  for (const radio of document.querySelectorAll("input[name=via]")) radio.addEventListener("change", () => { state.via = radio.value; showSource(); remember(); });
  at("fault").addEventListener("change", (event) => { state.fault = event.target.value; showSource(); remember(); });
  at("fault-on").addEventListener("change", (event) => { state.on = event.target.value; remember(); });
  at("copy-link").addEventListener("click", (event) => copy(location.href, event.target));
  const tabs = [...document.querySelectorAll("[role=tab]")];
  for (const tab of tabs) {
    tab.addEventListener("click", () => showTab(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
      next.focus();
      showTab(next);
    });
  }
}

function showTab(chosen) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const mine = tab === chosen;
    tab.setAttribute("aria-selected", String(mine));
    tab.tabIndex = mine ? 0 : -1;
    at(tab.getAttribute("aria-controls")).hidden = !mine;
  }
}

// State in and out of the address: patient, way of access, changed drafts, and the last question.

async function restore() {
  const said = new URLSearchParams(location.hash.slice(1));
  if (location.hash.slice(1) === state.written) return;
  Object.assign(state, { via: said.get("via") || "prefetch", fault: said.get("fault") || "", on: said.get("on") || "all" });
  const wanted = state.people.find((one) => one.patientId === said.get("patient")) || state.people.find((one) => one.patientId === at("bench").dataset.first) || state.people[0];
  if (!wanted) return fill(at("cards"), el("p.empty", {}, el("b", {}, "No patients"), "The folder of shipped patients is empty."));
  await openStory(wanted.patientId, unpack(said.get("drafts")));
  if (said.get("ask") && services[said.get("ask")]) await ask(said.get("ask"), said.get("selected"));
}

function remember(asked = null, selected = null) {
  const said = new URLSearchParams({ patient: state.story.patientId });
  if (state.via !== "prefetch") said.set("via", state.via);
  if (state.via === "fhir" && state.fault) { said.set("fault", state.fault); said.set("on", state.on); }
  if (state.touched) said.set("drafts", pack(state.drafts));
  if (asked) said.set("ask", asked);
  if (selected) said.set("selected", selected);
  state.written = said.toString();
  history.replaceState(null, "", `#${state.written}`);
}

function pack(drafts) {
  const bytes = new TextEncoder().encode(JSON.stringify({ at: now(), drafts }));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function unpack(text) {
  if (!text) return null;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    const { at: written, drafts } = JSON.parse(new TextDecoder().decode(bytes));
    return moved(drafts, Date.now() - Date.parse(written));
  } catch {
    return null;
  }
}

// The visitor's steps.

async function openStory(patientId, drafts = null) {
  const story = await json(`${at("bench").dataset.people}/${encodeURIComponent(patientId)}`);
  Object.assign(state, { story, drafts: drafts || story.drafts, touched: Boolean(drafts), fresh: new Set(), facts: null, last: null });
  showPeople();
  showSource();
  show();
  remember();
  fill(at("cards"), waiting());
  showExplanation(at("explanation"), null);
  fill(at("exchange"), el("p.empty", {}, "The request and the answer appear here."));
  fill(at("answer-line"));
  state.facts = (await explain("patient-view"))?.facts || null;
  show();
}

function waiting() {
  const opens = state.story.hook === "patient-view";
  const button = el("button.button.button-main", { type: "button", onclick: () => ask(opens ? "patient-view" : "order-sign") }, opens ? "Open chart" : "Sign orders");
  const said = opens
    ? "This story is told when the chart is opened. The service is asked over HTTP, as a record would ask it."
    : "Look at the chart and the draft orders, then sign. The service is asked over HTTP, as a record would ask it.";
  return el("div.empty", {}, el("b", {}, opens ? "Ready to open the chart" : "Ready to sign"), el("p", {}, said), button);
}

function addOrder(name) {
  const drug = formulary.find((one) => one.name.toLowerCase() === name.toLowerCase()) || { name, injection: false };
  if (!name) return;
  state.number += 1;
  changeDrafts([...state.drafts, draftOf(drug, drug.usual || {}, state.story, unused())]);
  at("drug").value = "";
}

function unused() {
  const taken = new Set(state.drafts.map((one) => one.id));
  let number = 1;
  while (taken.has(`draft-${number}`)) number += 1;
  return `draft-${number}`;
}

function changeDrafts(drafts) {
  const old = new Set(state.drafts.map((one) => one.id));
  state.fresh = new Set(drafts.map((one) => one.id).filter((id) => !old.has(id)));
  Object.assign(state, { drafts, touched: true });
  show();
  remember();
}

function changeOrder(index, order) {
  changeDrafts(order ? state.drafts.with(index, order) : state.drafts.toSpliced(index, 1));
}

function accept(suggestion) {
  let drafts = [...state.drafts];
  for (const action of suggestion.actions || []) {
    const name = action.resourceId?.split("/").pop() || action.resource?.id;
    if (action.type === "delete") drafts = drafts.filter((one) => one.id !== name);
    if (action.type === "update") drafts = drafts.map((one) => (one.id === name ? action.resource : one));
    if (action.type === "create") drafts.push({ ...action.resource, id: drafts.some((one) => one.id === name) || !name ? `${unusedIn(drafts)}` : name });
  }
  changeDrafts(drafts);
}

function unusedIn(drafts) {
  let number = 1;
  while (drafts.some((one) => one.id === `draft-${number}`)) number += 1;
  return `draft-${number}`;
}

async function ask(hook, selectedId = null) {
  const service = services[hook];
  if (!service) return;
  const selected = state.drafts.filter((one) => (selectedId ? one.id === selectedId : true));
  const url = `/cds-services/${service.id}`;
  at("bench").dataset.busy = "yes";
  fill(at("answer-line"), el("span", { role: "status" }, `Asking ${service.id} …`));
  const request = await compose(service, { story: state.story, drafts: state.drafts, selected, source: state });
  const answer = await call(url, request);
  state.last = { hook, service, request, answer };
  remember(hook, selectedId);
  showAnswer(service, answer);
  showExchange(url, request, answer);
  showExplanation(at("explanation"), await explain(hook, request));
  at("bench").dataset.busy = "";
  const place = at("answer").getBoundingClientRect();
  if (place.top > innerHeight * 0.75 || place.bottom < 80) at("answer").scrollIntoView();
}

/** The same question to the explaining endpoint; null where it refuses. */
async function explain(hook, request = null) {
  const service = services[hook];
  if (!service) return null;
  const body = request || (await compose(service, { story: state.story, drafts: [], selected: [], source: { via: "prefetch" } }));
  const answer = await call(`${at("bench").dataset.explain}/${service.id}`, body);
  return answer.status === 200 ? answer.body : request ? { verdicts: null, why: refusal(answer) } : null;
}

async function send(service, feedback) {
  const answer = await call(`/cds-services/${service.id}/feedback`, { feedback: [feedback] });
  const ok = answer.status >= 200 && answer.status < 300;
  if (!ok) return [false, `The service refused the feedback: ${refusal(answer)}`];
  return [true, feedback.outcome === "accepted" ? "Accepted: the drafts have changed, and the service was told. Sign again to check them." : "Overridden: the service was told and keeps silent about this for 12 hours."];
}

const refusal = (answer) => answer.body?.issue?.[0]?.diagnostics || answer.body?.issue?.[0]?.details?.text || `status ${answer.status}`;

// Drawing.

function show() {
  showChart(places, state.story, state.drafts, state.facts, (order) => changeDrafts([...state.drafts, stopOf(order)]));
  showOrders(at("orders"), state.drafts, state.fresh, changeOrder, (index) => ask("order-select", state.drafts[index].id));
}

function showPeople() {
  const chosen = state.story.patientId;
  fill(at("people"), state.people.map((one) => el("li", {}, el("button", { type: "button", "aria-pressed": String(one.patientId === chosen), onclick: () => openStory(one.patientId) }, el("b", {}, one.title), el("span", {}, one.story)))));
  fill(at("person-select"), state.people.map((one) => el("option", { value: one.patientId, selected: one.patientId === chosen }, one.title)));
}

function showSource() {
  for (const radio of document.querySelectorAll("input[name=via]")) radio.checked = radio.value === state.via;
  at("fault").value = state.fault;
  at("fault-on").value = state.on;
  at("faults").hidden = state.via !== "fhir";
  at("fault-on-label").hidden = !state.fault;
}

function showAnswer(service, answer) {
  const cards = answer.body?.cards;
  const said = cards ? (cards.length ? `${cards.length} card${cards.length > 1 ? "s" : ""}` : "No card") : `Refused with ${answer.status}`;
  fill(at("answer-line"), el("b", { role: "status" }, said), el("span.number", {}, `${answer.ms} ms`), el("code", {}, service.id));
  if (!cards) fill(at("cards"), el("article.card.card-warning", {}, el("span.tag.tag-warning", {}, `HTTP ${answer.status}`), el("h3", {}, "The service did not decide"), el("p", {}, refusal(answer)), el("p.small.quiet", {}, "Failure never looks like silence: no empty list of cards is sent when something needed could not be had.")));
  else if (!cards.length) fill(at("cards"), el("p.empty", {}, el("b", {}, "Signed in silence"), "The service looked and found nothing to say. The explanation lists every rule and why it kept silent."));
  else showCards(at("cards"), cards, accept, (feedback) => send(service, feedback));
  showTab(at("tab-cards"));
}

function showExchange(url, request, answer) {
  const pretty = (value) => JSON.stringify(value, null, 2);
  const block = (title, text, extra) => [el("h3", {}, title, el("span.actions", {}, extra, copyButton(text, "Copy"))), el("pre", { tabindex: "0" }, el("code", {}, text))];
  fill(at("exchange"),
    el("p.small.quiet", {}, `POST ${url} · HTTP ${answer.status} · ${answer.ms} ms · ${state.via === "fhir" ? "the service read the FHIR server" : "prefetch filled by this page"}`),
    ...block("Request", pretty(request), copyButton(curl(url, request), "Copy as curl")),
    ...block("Response", answer.body ? pretty(answer.body) : answer.text, null),
  );
}

const copyButton = (text, name) => el("button.button.button-small", { type: "button", onclick: (event) => copy(text, event.target) }, name);

async function copy(text, button) {
  const name = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy by hand";
  }
  setTimeout(() => (button.textContent = name), 1800);
}

start();
