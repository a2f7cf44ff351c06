// The part of the record that matters for a regimen: who, results, kidney, allergies, running orders.

import { el, fill, when } from "./dom.js";
import { ageOf, answerOf, capital, dated, drugOf, ends, every, laboratory, sig, words } from "./record.js";
import { timeline } from "./timeline.js";

/** Draws the chart of a story; `stop` is called with a running order that the visitor stops. */
export function showChart(places, story, drafts, facts, stop) {
  const patient = every(story.resources, "Patient")[0] || {};
  const age = ageOf(patient);
  const name = patient.name?.[0] ? patient.name[0].text || [...(patient.name[0].given || []), patient.name[0].family].join(" ") : story.patientId;
  const measured = (pattern) => latest(every(story.resources, "Observation").filter((one) => pattern.test(words(one.code)) && one.valueQuantity));
  const weight = measured(/weight/i), height = measured(/height/i);
  fill(
    places.person,
    el("div.patient-name", {}, el("h2", {}, story.title), el("span.quiet", {}, name)),
    el("p", {}, story.story),
    el("p.small.quiet", {}, [
      [patient.gender, age === null ? "age not recorded" : `${age} years`].filter(Boolean).join(", "),
      weight ? `${weight.valueQuantity.value} ${weight.valueQuantity.unit}` : "weight not recorded",
      height ? `${height.valueQuantity.value} ${height.valueQuantity.unit}` : null,
    ].filter(Boolean).join(" · ")),
  );
  fill(places.results, results(story));
  fill(places.kidney, kidney(story, facts));
  fill(places.allergies, allergies(story));
  fill(places.running, running(story, drafts, stop));
  timeline(places.timeline, story, drafts);
}

const latest = (found) => [...found].sort((one, other) => dated(other).localeCompare(dated(one)))[0];

function item(what, answer, moment, found = false) {
  return el("li", {}, el(found ? "span.found" : "span", {}, what ? `${what}: ${answer}` : answer), el("span.when", {}, moment ? when(moment) : ""));
}

function list(items, empty) {
  return items.length ? el("ul.chart-list", {}, items) : el("p.quiet", {}, empty);
}

function results(story) {
  const specimens = Object.fromEntries(every(story.resources, "Specimen").map((one) => [`Specimen/${one.id}`, words(one.type)]));
  const kidney = /creatinine/i;
  const found = every(story.resources, "Observation").filter((one) => laboratory(one) && !kidney.test(words(one.code)));
  const reports = every(story.resources, "DiagnosticReport");
  const items = [...found, ...reports].sort((one, other) => dated(other).localeCompare(dated(one))).map((one) => {
    const answer = one.resourceType === "DiagnosticReport" ? one.conclusion || "report" : answerOf(one);
    const positive = /^detected|positive/i.test(answer);
    const name = words(one.code).replace(/ \[Susceptibility\].*| \[Presence\].*/i, "");
    return item(name, answer, dated(one), positive);
  });
  const sites = [...new Set(Object.values(specimens))].join(", ");
  return [list(items, "No laboratory results."), sites ? el("p.small.quiet", {}, `Specimen: ${sites}`) : null];
}

function kidney(story, facts) {
  const found = every(story.resources, "Observation").filter((one) => /creatinine|effluent/i.test(words(one.code)) && one.valueQuantity);
  const items = found.sort((one, other) => dated(other).localeCompare(dated(one))).slice(0, 4);
  const read = facts?.kidney;
  const clearance = read?.clearance ? el("p", {}, el("b.number", {}, `${read.clearance} mL/min`), " clearance as the service reads it (Cockcroft-Gault)", read.steady ? "" : el("b", {}, ", not reliable in acute kidney injury")) : null;
  const replacement = read?.replacement ? el("p", {}, el("b", {}, capital(read.replacement)), ", so no clearance is used") : null;
  const lacking = read?.lacking?.length ? el("p.quiet", {}, `Not known: ${read.lacking.join(", ")}`) : null;
  return [clearance, replacement, lacking, list(items.map((one) => item(words(one.code).replace(/ \[.*/, ""), answerOf(one), dated(one))), "No creatinine in the record.")];
}

function allergies(story) {
  const found = every(story.resources, "AllergyIntolerance").map((one) => {
    const reactions = (one.reaction || []).flatMap((reaction) => (reaction.manifestation || []).map(words));
    const about = [...reactions, one.criticality && one.criticality !== "low" ? `criticality ${one.criticality}` : null].filter(Boolean).join(", ");
    return item(words(one.code), about || "reaction not recorded", one.recordedDate, one.criticality === "high");
  });
  const problems = every(story.resources, "Condition").map((one) => item("", words(one.code), one.onsetDateTime || one.recordedDate));
  return [list(found, "None recorded."), problems.length ? el("h3", {}, "Problems") : null, problems.length ? list(problems, "") : null];
}

function running(story, drafts, stop) {
  const ending = new Set(drafts.filter(ends).map((one) => one.id));
  const orders = every(story.resources, "MedicationRequest").filter((one) => one.status === "active");
  const items = orders.map((one) =>
    el("li", {},
      el("span", {}, el("b", {}, drugOf(one)), ` ${sig(one)}`),
      ending.has(one.id) ? el("span.when", {}, "being stopped") : el("button.button.button-small", { type: "button", onclick: () => stop(one), "aria-label": `Stop ${drugOf(one)}` }, "Stop"),
    ),
  );
  return list(items, "No running medication orders.");
}
