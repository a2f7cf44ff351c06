// The draft list: each order with the dose fields of an order-entry form.

import { choice, el, fill, labelled } from "./dom.js";
import { bounds, drugOf, ends, formOf, ROUTES, sig, withForm, words } from "./record.js";

const INTERVALS = [["", "not stated"], ["4", "every 4 h"], ["6", "every 6 h"], ["8", "every 8 h"], ["12", "every 12 h"], ["24", "every 24 h"], ["48", "every 48 h"], ["once", "once"]];
const NAMES = { ServiceRequest: "Request" };
const UNITS = [["g", "g"], ["mg", "mg"], ["MU", "MU"]];

/** Draws all drafts; `change(index, order)` replaces one, with null it is removed; `select(id)` asks about one. */
export function showOrders(place, drafts, fresh, change, select) {
  if (!drafts.length) {
    fill(place, el("li.quiet", {}, "Nothing is being ordered. Add a drug below, or stop a running order."));
    return;
  }
  fill(place, drafts.map((order, index) => (order.resourceType === "MedicationRequest" ? medication(order, index, fresh, change, select) : other(order, index, fresh, change))));
}

function head(title, index, change, extra = null) {
  const remove = el("button.button.button-small.button-plain.remove", { type: "button", onclick: () => change(index, null), "aria-label": `Remove ${title}` }, "Remove");
  return el("div.order-head", {}, el("b", {}, title), el("span.actions", {}, extra, remove));
}

function medication(order, index, fresh, change, select) {
  const title = drugOf(order);
  if (order.status !== "draft") {
    const verb = ends(order) ? (order.status === "on-hold" ? "Hold" : "Stop") : "Keep";
    return el(ends(order) ? "li.order.order-stop" : "li.order", {}, head(`${verb} ${title}`, index, change), el("p.small.quiet", {}, `${sig(order)} · sent with status “${order.status}”`));
  }
  const form = formOf(order);
  let written = order;
  const note = el("p.small.quiet.bounds", {}, bounds(order));
  const put = (part) => (value) => {
    form[part] = value;
    written = withForm(written, form);
    note.textContent = bounds(written);
    change(index, written);
  };
  const ask = el("button.button.button-small", { type: "button", onclick: () => select(order.id), "aria-label": `Check this order: ${title}`, title: "Calls order-select with this order" }, "Check this order");
  const units = UNITS.some(([value]) => value === form.unit) ? UNITS : [...UNITS, [form.unit, form.unit]];
  const intervals = INTERVALS.some(([value]) => value === form.interval) ? INTERVALS : [...INTERVALS, [form.interval, `every ${form.interval} h`]];
  return el(fresh.has(order.id) ? "li.order.order-new" : "li.order", { "data-order": order.id },
    head(title, index, change, ask),
    el("div.fields", {},
      labelled("Dose", el("span.amount", {}, field(form.dose, put("dose"), `Dose of ${title}`), choice(units, form.unit, put("unit"), { "aria-label": `Unit of ${title}` }))),
      labelled("Route", choice(ROUTES, form.route, put("route"))),
      labelled("Interval", choice(intervals, form.interval, put("interval"))),
      labelled("Infusion, hours", field(form.infusion, put("infusion"))),
      labelled("Days", field(form.days, put("days"))),
      labelled("Reason", el("input", { type: "text", value: form.reason, onchange: (event) => put("reason")(event.target.value) }), true),
    ),
    note,
  );
}

/** A number above 0, or nothing; anything else is marked, is not written into the order, and keeps it from being signed. */
function field(value, onchange, name = null) {
  const input = el("input", { type: "number", step: "any", inputmode: "decimal", value: String(value), "aria-label": name });
  const wrong = () => input.validity.badInput || (input.value !== "" && !(Number(input.value) > 0));
  input.addEventListener("input", () => input.setCustomValidity(wrong() ? "A number above 0, or nothing." : ""));
  input.addEventListener("change", () => (input.validity.valid ? onchange(input.value) : input.reportValidity()));
  return input;
}

function other(order, index, fresh, change) {
  const title = words(order.code) || order.resourceType;
  return el(fresh.has(order.id) ? "li.order.order-new" : "li.order", {}, head(title, index, change), el("p.small.quiet", {}, [NAMES[order.resourceType] || order.resourceType, order.priority].filter(Boolean).join(", ")));
}
