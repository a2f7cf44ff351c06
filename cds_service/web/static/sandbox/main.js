// The order-entry sandbox: one state, drawn anew after each change, and kept in the address so that a link reproduces it.

import { read, written } from "./address.js";
import { addFeedback, copy, nameSilence, refusal, showAnswer, showExchange, showLine } from "./answer.js";
import { showChart } from "./chart.js";
import { el, fill } from "./dom.js";
import { showExplanation } from "./explain.js";
import { call, compose, discover } from "./hooks.js";
import { showOrders } from "./orders.js";
import { draftOf, stopOf } from "./record.js";

const at = (name) => document.getElementById(name);
const places = Object.fromEntries(["person", "results", "kidney", "allergies", "running", "timeline"].map((name) => [name, at(`chart-${name}`)]));
// `turn` counts stories and questions: an answer that comes after the next step belongs to nobody and is dropped.
const state = { people: [], story: null, drafts: [], touched: false, facts: null, via: "prefetch", fault: "", on: "all", fresh: new Set(), last: null, asking: false, turn: 0 };
let services = {}, formulary = [];

async function start() {
  const bench = at("bench");
  try {
    [state.people, formulary, services] = await Promise.all([json(bench.dataset.people), json(bench.dataset.formulary), discover()]);
  } catch {
    return notice("The service could not be reached, so there is nobody to show. Start it again and load this page anew.");
  }
  fill(at("drugs"), formulary.map((drug) => el("option", { value: drug.name })));
  if (!state.people.length) return notice("There are no patients: the folder of shipped patients is empty, and no --fhir-data was given.");
  drawPeople();
  listen();
  await restore();
  window.addEventListener("hashchange", restore);
  bench.dataset.ready = "yes";
}

async function json(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

function notice(text = "") {
  at("notice").hidden = !text;
  at("notice").textContent = text;
}

function listen() {
  at("sign").addEventListener("click", () => ask("order-sign"));
  at("open-chart").addEventListener("click", () => ask("patient-view"));
  at("reset").addEventListener("click", () => openStory(state.story.patientId));
  at("add-order").addEventListener("submit", (event) => { event.preventDefault(); addOrder(at("drug").value.trim()); });
  at("person-select").addEventListener("change", (event) => openStory(event.target.value));
  for (const radio of document.querySelectorAll("input[name=via]")) radio.addEventListener("change", () => source({ via: radio.value }));
  at("fault").addEventListener("change", (event) => source({ fault: event.target.value }));
  at("fault-on").addEventListener("change", (event) => source({ on: event.target.value }));
  at("copy-link").addEventListener("click", (event) => copy(location.href, event.currentTarget));
  const tabs = [...document.querySelectorAll("[role=tab]")];
  for (const tab of tabs) {
    tab.addEventListener("click", () => showTab(tab));
    tab.addEventListener("keydown", (event) => {
      const here = tabs.indexOf(tab);
      const next = tabs[{ ArrowRight: (here + 1) % tabs.length, ArrowLeft: (here + tabs.length - 1) % tabs.length, Home: 0, End: tabs.length - 1 }[event.key]];
      if (!next) return;
      event.preventDefault();
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

async function restore() {
  const hash = location.hash.slice(1);
  if (hash === state.written) return;
  const options = (select) => [...at(select).options].map((one) => one.value);
  const said = read(hash, { people: state.people.map((one) => one.patientId), hooks: Object.keys(services), faults: options("fault"), kinds: options("fault-on") });
  Object.assign(state, { via: said.via, fault: said.fault, on: said.on });
  await openStory(said.patient || at("bench").dataset.first || state.people[0].patientId, said.drafts);
  notice(said.wrong.length ? `Of this link, ${said.wrong.join("; ")}.` : "");
  if (said.ask) await ask(said.ask, said.selected);
}

function remember(asked = null, selected = null) {
  state.written = written(state, asked, selected);
  history.replaceState(null, "", `#${state.written}`);
}

// The visitor's steps.

async function openStory(patientId, drafts = null) {
  const turn = (state.turn += 1);
  let story;
  try {
    story = await json(`${at("bench").dataset.people}/${encodeURIComponent(patientId)}`);
  } catch {
    return notice("This patient could not be had from the service. Is it still running?");
  }
  if (turn !== state.turn) return;
  notice();
  busy(false);
  Object.assign(state, { story, drafts: drafts || story.drafts, touched: Boolean(drafts), fresh: new Set(), facts: null, last: null });
  showPeople();
  showSource();
  show();
  remember();
  fill(at("cards"), waiting());
  showExplanation(at("explanation"), null);
  fill(at("exchange"), el("p.empty", {}, "The request and the answer appear here."));
  fill(at("answer-line"));
  const read = await explain("patient-view");
  if (turn !== state.turn) return;
  state.facts = read?.facts || null;
  chart();
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
  if (!name) return;
  const drug = formulary.find((one) => one.name.toLowerCase() === name.toLowerCase()) || { name, injection: false };
  changeDrafts([...state.drafts, draftOf(drug, drug.usual || {}, state.story, unused(state.drafts))]);
  at("drug").value = "";
  at("orders").lastElementChild.querySelector("input").focus();
}

function unused(drafts) {
  let number = 1;
  while (drafts.some((one) => one.id === `draft-${number}`)) number += 1;
  return `draft-${number}`;
}

/** Other drafts than before: the answer on the page is about the old ones, and says so. */
function changeDrafts(drafts) {
  const old = new Set(state.drafts.map((one) => one.id));
  state.fresh = new Set(drafts.map((one) => one.id).filter((id) => !old.has(id)));
  keep(drafts);
  orders();
}

function keep(drafts) {
  Object.assign(state, { drafts, touched: true });
  chart();
  remember();
  if (state.last) showLine(at("answer-line"), state.last.service, state.last.answer, true);
}

/** An edited field keeps its place on the page, and with it the keyboard; only a removed order makes the list anew. */
function changeOrder(index, order) {
  if (order) return keep(state.drafts.with(index, order));
  changeDrafts(state.drafts.toSpliced(index, 1));
  (at("orders").querySelectorAll(".remove")[Math.min(index, state.drafts.length - 1)] || at("drug")).focus();
}

function stop(order) {
  changeDrafts([...state.drafts, stopOf(order)]);
  at("orders").lastElementChild.querySelector(".remove").focus();
}

function accept(suggestion) {
  let drafts = [...state.drafts];
  for (const action of suggestion.actions || []) {
    const name = action.resourceId?.split("/").pop() || action.resource?.id;
    if (action.type === "delete") drafts = drafts.filter((one) => one.id !== name);
    if (action.type === "update") drafts = drafts.map((one) => (one.id === name ? action.resource : one));
    if (action.type === "create") drafts.push({ ...action.resource, id: !name || drafts.some((one) => one.id === name) ? unused(drafts) : name });
  }
  changeDrafts(drafts);
}

function source(change) {
  Object.assign(state, change);
  showSource();
  remember();
}

async function ask(hook, selectedId = null) {
  const service = services[hook];
  if (!service || state.asking) return;
  const wrong = hook === "patient-view" ? null : at("orders").querySelector(":invalid");
  if (wrong) return wrong.reportValidity();
  const turn = (state.turn += 1);
  const { story, drafts } = state;
  const selected = drafts.filter((one) => !selectedId || one.id === selectedId);
  const url = `/cds-services/${service.id}`;
  const said = state.via === "fhir" ? "the service read the FHIR server" : "prefetch filled by this page";
  busy(true, true);
  fill(at("answer-line"), el("span", { role: "status" }, `Asking ${service.id} …`));
  const request = await compose(service, { story, drafts, selected, source: { ...state } });
  const answer = await call(url, request);
  if (turn !== state.turn) return;
  state.asking = false;
  state.last = { service, answer };
  const changed = drafts !== state.drafts;
  if (!changed) remember(hook, selectedId);
  const within = at("cards").contains(document.activeElement);
  showLine(at("answer-line"), service, answer, changed);
  showAnswer(at("cards"), service, answer, { accept, send: (feedback) => send(service, feedback), explain: () => { showTab(at("tab-explanation")); at("tab-explanation").focus(); } });
  showExchange(at("exchange"), url, request, answer, said);
  showTab(at("tab-cards"));
  if (within) at("tab-cards").focus({ preventScroll: true });
  const place = at("answer").getBoundingClientRect();
  if (place.top > innerHeight * 0.75 || place.bottom < 80) at("answer").scrollIntoView();
  fill(at("explanation"), el("p.empty", {}, "Reading why …"));
  const why = await explain(hook, request);
  if (turn !== state.turn) return;
  showExplanation(at("explanation"), why);
  nameSilence(why);
  busy(false);
}

/** Until the answer is there nothing else is asked; until the explanation is there the page is not yet settled. */
function busy(yes, asking = false) {
  state.asking = asking;
  at("bench").dataset.busy = yes ? "yes" : "";
}

/** The same question to the explaining endpoint; a refusal is an explanation without verdicts, null where there was no question. */
async function explain(hook, request = null) {
  const service = services[hook];
  if (!service) return null;
  const body = request || (await compose(service, { story: state.story, drafts: [], selected: [], source: { via: "prefetch" } }));
  const answer = await call(`${at("bench").dataset.explain}/${service.id}`, body);
  if (answer.status === 200) return answer.body;
  return request ? { verdicts: null, why: refusal(answer) } : null;
}

async function send(service, feedback) {
  const url = `/cds-services/${service.id}/feedback`;
  const request = { feedback: [feedback] };
  const answer = await call(url, request);
  addFeedback(at("exchange"), url, request, answer);
  if (answer.status < 200 || answer.status >= 300) return [false, `The service did not take the feedback: ${refusal(answer)}`];
  if (feedback.outcome === "accepted") return [true, "Accepted: the drafts have changed, and the service was told. Sign again to check them."];
  return [true, feedback.overrideReason ? `Overridden: the service was told, and keeps silent for this user and regimen for ${at("bench").dataset.overrideLasts}.` : "Overridden without a reason: the service was told, and will speak again."];
}

// Drawing.

function show() {
  chart();
  orders();
}

function chart() {
  showChart(places, state.story, state.drafts, state.facts, stop);
}

function orders() {
  showOrders(at("orders"), state.drafts, state.fresh, changeOrder, (id) => ask("order-select", id));
}

function drawPeople() {
  fill(at("people"), state.people.map((one) => el("li", {}, el("button", { type: "button", "data-patient": one.patientId, onclick: () => openStory(one.patientId) }, el("b", {}, one.title), el("span", {}, one.story)))));
  fill(at("person-select"), state.people.map((one) => el("option", { value: one.patientId }, one.title)));
}

function showPeople() {
  const chosen = state.story.patientId;
  for (const button of at("people").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.patient === chosen));
  at("person-select").value = chosen;
  const opens = state.story.hook === "patient-view";
  at("open-chart").classList.toggle("button-main", opens);
  at("sign").classList.toggle("button-main", !opens);
}

function showSource() {
  for (const radio of document.querySelectorAll("input[name=via]")) radio.checked = radio.value === state.via;
  at("fault").value = state.fault;
  at("fault-on").value = state.on;
  at("faults").hidden = state.via !== "fhir";
  at("fault-on-label").hidden = state.via !== "fhir" || !state.fault;
}

start();
