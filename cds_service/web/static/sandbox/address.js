// The state of the sandbox in the part of the address after #, which no server sees: patient, way of access, changed drafts, last question.

import { moved, now } from "./record.js";

/** The address of a state; `asked` is the hook of the last answer, `selected` the order that it was about. */
export function written(state, asked = null, selected = null) {
  const said = new URLSearchParams({ patient: state.story.patientId });
  if (state.via !== "prefetch") said.set("via", state.via);
  if (state.via === "fhir" && state.fault) { said.set("fault", state.fault); said.set("on", state.on); }
  if (state.touched) said.set("drafts", packed(state.drafts));
  if (asked) said.set("ask", asked);
  if (selected) said.set("selected", selected);
  return said.toString();
}

/** What an address says, and in `wrong` what of it cannot be done; `people`, `hooks`, `faults` and `kinds` are what there is. */
export function read(hash, { people, hooks, faults, kinds }) {
  const said = new URLSearchParams(hash);
  const wrong = [];
  const one = (name, known, usual) => {
    const value = said.get(name);
    if (value === null || known.includes(value)) return value ?? usual;
    wrong.push(`${name} “${value.slice(0, 60)}” is not known here`);
    return usual;
  };
  const drafts = said.has("drafts") ? unpacked(said.get("drafts")) : null;
  if (said.has("drafts") && !drafts) wrong.push("its drafts cannot be read, so those of the story stand here");
  return {
    patient: one("patient", people, null),
    via: one("via", ["prefetch", "fhir"], "prefetch"),
    fault: one("fault", ["", ...faults], ""),
    on: one("on", ["all", ...kinds], "all"),
    drafts,
    ask: one("ask", hooks, null),
    selected: said.get("selected"),
    wrong,
  };
}

function packed(drafts) {
  const bytes = new TextEncoder().encode(JSON.stringify({ at: now(), drafts }));
  return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function unpacked(text) {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    const { at: moment, drafts } = JSON.parse(new TextDecoder().decode(bytes));
    const sound = Array.isArray(drafts) && drafts.every((one) => one?.resourceType && one.id);
    return sound ? moved(drafts, Date.now() - Date.parse(moment)) : null;
  } catch {
    return null;
  }
}
