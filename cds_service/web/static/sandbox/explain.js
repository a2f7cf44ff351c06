// The explanation: what the service read, and what each rule said or why it kept silent.

import { el, fill } from "./dom.js";

const KINDS = [
  ["spoke", "Spoke"],
  ["stood down", "Stood down"],
  ["nothing to say", "Looked and found nothing"],
  ["does not apply", "Does not apply to this patient"],
  ["switched off", "Switched off by site policy"],
];

/** Draws facts and verdicts of one explanation. */
export function showExplanation(place, explanation) {
  if (!explanation) return fill(place, el("p.empty", {}, "Sign, select or open the chart first."));
  if (!explanation.verdicts) return fill(place, el("p.empty", {}, el("b", {}, "No rule was asked"), explanation.why));
  const groups = KINDS.map(([kind, title]) => [kind, title, explanation.verdicts.filter((one) => one.kind === kind)]).filter(([, , found]) => found.length);
  return fill(place, facts(explanation.facts), ...groups.map(([kind, title, found]) => group(kind, title, found)));
}

function group(kind, title, found) {
  const items = found.map((one) => {
    const tone = kind === "spoke" ? `.spoke-${one.indicator}` : "";
    const name = el("a", { href: `/rules/${one.rule}` }, one.title);
    return el(`li${tone}`, {}, el("p", {}, name, one.shown === false ? " (opened no card)" : ""), el("p.small.quiet", {}, one.why), ...(one.saw || []).map((line) => el("p.small.quiet", {}, line)));
  });
  return el("details.verdicts", { open: kind === "spoke" || kind === "stood down" },
    el("summary", {}, `${title}: ${found.length}`),
    el("ul", {}, items),
  );
}

function facts(read) {
  const lines = [
    ["Evidence", read.evidence], ["Regimen once signed", read.regimen], ["Expected to work", read.works], ["Kidney", read.kidney.said], ["Known about the patient", read.circumstances],
    ["Not read", read.unread], ["Missing from the record", read.missing],
  ].filter(([, said]) => said && said.length);
  return el("dl.facts-seen", { "aria-label": "Facts that the service saw" }, lines.flatMap(([name, said]) => [el("dt", {}, name), el("dd", {}, ...[said].flat().flatMap((line, index) => (index ? [el("br"), line] : [line])))]));
}
