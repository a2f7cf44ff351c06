// Cards as a record shows them: indicator, summary, detail as GitHub-flavoured Markdown without HTML, suggestions, override, feedback.

import { choice, el, fill } from "./dom.js";
import { bounds, drugOf, sig, words } from "./record.js";

const NAMES = { critical: "Critical", warning: "Warning", info: "Information" };
const VERBS = { create: "New order:", update: "Changed to:", delete: "Removed:" };
const ORDER = ["critical", "warning", "info"];
const markdown = window.markdownit({ html: false, linkify: false, breaks: false }).disable("image");

/** Draws the cards; `accept(suggestion)` changes the drafts, `send(feedback)` tells the service and resolves to a sentence. */
export function showCards(place, cards, accept, send) {
  const sorted = [...cards].sort((one, other) => ORDER.indexOf(one.indicator) - ORDER.indexOf(other.indicator));
  fill(place, sorted.map((card) => cardOf(card, accept, send)));
}

function cardOf(card, accept, send) {
  const detail = el("div.detail");
  // The renderer escapes every tag and refuses dangerous links; images are off.
  if (card.detail) detail.innerHTML = markdown.render(card.detail);
  for (const link of detail.querySelectorAll("a")) link.rel = "noreferrer";
  const more = el("button.button.button-small.button-plain.unfold", { type: "button", hidden: true, onclick: () => { detail.classList.remove("folded"); more.hidden = true; } }, "Show all of the detail");
  const node = el(`article.card.card-${card.indicator}`, { "data-rule": card.source?.topic?.code || "" },
    el(`span.tag.tag-${card.indicator}`, {}, NAMES[card.indicator] || card.indicator),
    el("h3", {}, card.summary),
    detail,
    more,
    el("p.card-source", {}, "Source: ", sourceOf(card), links(card)),
  );
  const told = el("p.sent", { hidden: true, role: "status", tabindex: "-1" });
  const finish = async (feedback) => {
    const [ok, said] = await send(feedback);
    told.hidden = false;
    told.className = ok ? "sent" : "sent failed";
    told.textContent = said;
    if (!ok) return;
    node.classList.add("card-done");
    for (const control of node.querySelectorAll("button:not(.unfold), select, input")) control.disabled = true;
    told.focus({ preventScroll: true });
  };
  if (card.suggestions?.length) node.append(suggestions(card, accept, finish));
  node.append(override(card, finish), told);
  requestAnimationFrame(() => {
    if (detail.scrollHeight < 420) return;
    detail.classList.add("folded");
    more.hidden = false;
  });
  return node;
}

function sourceOf(card) {
  const label = card.source?.label || "not stated";
  return card.source?.url ? el("a", { href: card.source.url, rel: "noreferrer" }, label) : label;
}

function links(card) {
  return (card.links || []).filter((link) => /^https?:/.test(link.url)).map((link) => [" · ", el("a", { href: link.url, rel: "noreferrer" }, link.label)]).flat();
}

function suggestions(card, accept, finish) {
  const items = card.suggestions.map((suggestion) => {
    const button = el("button.button.button-small", { type: "button", "aria-label": `Accept: ${suggestion.label}`, onclick: async () => {
      accept(suggestion);
      await finish({ card: card.uuid, outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }], outcomeTimestamp: new Date().toISOString() });
    } }, "Accept");
    const actions = el("ul.how", {}, (suggestion.actions || []).map((action) => el("li", {}, describe(action))));
    return el("li", {}, el("span.what", {}, suggestion.label, suggestion.isRecommended ? " (recommended)" : ""), actions, button);
  });
  return el("ul.suggestions", { "aria-label": "Suggestions" }, items);
}

function describe(action) {
  const resource = action.resource;
  if (!resource) return action.description || `${VERBS[action.type]} ${action.resourceId}`;
  if (resource.resourceType !== "MedicationRequest") return `${VERBS[action.type]} ${words(resource.code) || action.description || resource.resourceType}`;
  const verb = action.type === "update" && resource.status === "active" ? "Goes on:" : VERBS[action.type];
  return [`${verb} ${drugOf(resource)} ${resource.dosageInstruction?.[0]?.text || sig(resource)}`, bounds(resource)].filter(Boolean).join(", ");
}

function override(card, finish) {
  const reasons = card.overrideReasons || [];
  const comment = el("input", { type: "text", maxlength: "200" });
  let chosen = "";
  const pick = choice([["", "No reason given"], ...reasons.map((reason) => [reason.code, reason.display])], "", (value) => (chosen = value));
  const button = el("button.button.button-small", { type: "button", onclick: () => {
    const reason = reasons.find((one) => one.code === chosen);
    const said = { ...(reason ? { reason: { code: reason.code, system: reason.system, display: reason.display } } : {}), ...(comment.value ? { userComment: comment.value } : {}) };
    return finish({ card: card.uuid, outcome: "overridden", ...(Object.keys(said).length ? { overrideReason: said } : {}), outcomeTimestamp: new Date().toISOString() });
  } }, "Override");
  return el("div.override", {}, el("label", {}, "Reason for going ahead", pick), el("label", {}, "Comment, sent but not kept", comment), button);
}
