// What came back: the line above it, the cards or the reason why there are none, and the exchange with its feedback.

import { showCards } from "./cards.js";
import { el, fill } from "./dom.js";
import { curl } from "./hooks.js";

const SILENCE = { "order-sign": "Signed in silence", "order-select": "Checked in silence", "patient-view": "Opened in silence" };

/** Why the service refused, in its own words. */
export const refusal = (answer) => answer.body?.issue?.[0]?.diagnostics || answer.body?.issue?.[0]?.details?.text || (answer.status ? `HTTP status ${answer.status}` : "No answer came.");

/** The line above the tabs: what came, how long it took, from which service; `changed` says that the drafts are others now. */
export function showLine(place, service, answer, changed = false) {
  const cards = answer.body?.cards;
  const said = cards ? (cards.length ? `${cards.length} card${cards.length > 1 ? "s" : ""}` : "No card") : answer.status ? `Refused with ${answer.status}` : "No answer";
  fill(place,
    el("b", { role: "status" }, said),
    answer.status ? el("span.number", {}, `${answer.ms} ms`) : null,
    el("code", {}, service.id),
    changed ? el("span.tag.tag-warning", { role: "status" }, "Before your last change: ask again") : null,
  );
}

/** The cards, or the sentence that stands where none is. */
export function showAnswer(place, service, answer, { accept, send, explain }) {
  const cards = answer.body?.cards;
  if (!cards) fill(place, undecided(answer));
  else if (cards.length) showCards(place, cards, accept, send);
  else fill(place, el("div.empty", {}, el("b", {}, SILENCE[service.hook] || "Silence"), el("p", { id: "silence" }, "Reading why …"), el("button.button", { type: "button", onclick: explain }, "Why no card")));
}

/** Says what a silence means, once the explanation is there: looked and found nothing, or nothing to look at. */
export function nameSilence(explanation) {
  const place = document.getElementById("silence");
  if (!place) return;
  place.textContent = explanation?.facts ? "The service looked and found nothing to say. The explanation lists every rule and why it kept silent." : explanation?.why || "The explanation could not be had.";
}

function undecided(answer) {
  const reason = answer.status
    ? "Failure never looks like silence: no empty list of cards is sent when something needed could not be had."
    : "Nothing was judged. Is the service still running? Start it again and ask once more.";
  return el("article.card.card-warning", {},
    el("span.tag.tag-warning", {}, answer.status ? `HTTP ${answer.status}` : "No connection"),
    el("h3", {}, answer.status ? "The service did not decide" : "The service could not be reached"),
    el("p", {}, refusal(answer)),
    el("p.small.quiet", {}, reason),
  );
}

/** The very request and answer, to copy; feedback is added below as it is sent. */
export function showExchange(place, url, request, answer, said) {
  fill(place, el("p.small.quiet", {}, `POST ${url} · ${answer.status ? `HTTP ${answer.status} · ${answer.ms} ms` : "no answer"} · ${said}`), ...pair("", url, request, answer));
}

/** One feedback call below the exchange that it belongs to. */
export function addFeedback(place, url, request, answer) {
  place.append(el("p.small.quiet.told", {}, `POST ${url} · ${answer.status ? `HTTP ${answer.status} · ${answer.ms} ms` : "no answer"}`), ...pair("Feedback: ", url, request, answer));
}

function pair(name, url, request, answer) {
  const pretty = (value) => JSON.stringify(value, null, 2);
  const back = answer.body ? pretty(answer.body) : answer.text || "(empty)";
  return [
    ...block(name ? `${name}request` : "Request", pretty(request), copyButton(curl(url, request), "Copy as curl")),
    ...block(name ? `${name}response` : "Response", back, null),
  ];
}

function block(title, text, extra) {
  return [el("h3", {}, title, el("span.actions", {}, extra, copyButton(text, "Copy"))), el("pre", { tabindex: "0" }, el("code", {}, text))];
}

const copyButton = (text, name) => el("button.button.button-small", { type: "button", onclick: (event) => copy(text, event.currentTarget) }, name);

/** Puts a text on the clipboard, and says so on the button for a moment. */
export async function copy(text, button) {
  const name = button.dataset.name || button.textContent;
  button.dataset.name = name;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy by hand";
  }
  setTimeout(() => (button.textContent = name), 1800);
}
