// Reads what a page shows from FHIR R4 resources, and writes draft orders as an order-entry form does.

import { when } from "./dom.js";

const UCUM = "http://unitsofmeasure.org";
const SNOMED = "http://snomed.info/sct";
const MU = "MU", MILLION = 1000000, HALF_HOUR = 1800000;
export const ROUTES = [
  ["47625008", "Intravenous"], ["26643006", "Oral"], ["78421000", "Intramuscular"], ["447694001", "Inhaled"], ["72607000", "Intrathecal"], ["", "not stated"],
];

/** The words of a CodeableConcept. */
export const words = (concept) => concept?.text || concept?.coding?.find((one) => one.display)?.display || concept?.coding?.[0]?.code || "";

/** What an order calls its drug, with a capital. */
export const drugOf = (order) => capital(words(order.medicationCodeableConcept) || order.medicationReference?.display || "No medication chosen");

/** The same words with a capital at the beginning. */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Whether a draft ends an order that runs: the same order with a status that is neither new nor going on. */
export const ends = (draft) => draft.resourceType === "MedicationRequest" && !["draft", "active"].includes(draft.status);

/** All resources of one type. */
export const every = (resources, kind) => resources.filter((one) => one.resourceType === kind);

/** When a result is filed. */
export const dated = (one) => one.effectiveDateTime || one.effectivePeriod?.start || one.issued || one.authoredOn || "";

/** Whether an Observation belongs to the laboratory. */
export const laboratory = (one) => one.category?.some((category) => category.coding?.some((coding) => coding.code === "laboratory"));

/** The answer of a result as text. */
export function answerOf(one) {
  const quantity = one.valueQuantity;
  const number = quantity ? `${quantity.comparator || ""}${quantity.value} ${quantity.unit || quantity.code || ""}`.trim() : "";
  const read = one.interpretation?.map(words).join(", ");
  return [words(one.valueCodeableConcept), one.valueString, number, read && !/^\w$/.test(read) ? read : read && `(${read})`].filter(Boolean).join(" ") || one.status;
}

/** Years since a birth date. */
export function ageOf(patient) {
  if (!patient?.birthDate) return null;
  const born = new Date(patient.birthDate), now = new Date();
  return now.getFullYear() - born.getFullYear() - (now < new Date(now.getFullYear(), born.getMonth(), born.getDate()) ? 1 : 0);
}

export const startOf = (order) => order.dosageInstruction?.[0]?.timing?.repeat?.boundsPeriod?.start || order.authoredOn || "";
export const endOf = (order) => order.dosageInstruction?.[0]?.timing?.repeat?.boundsPeriod?.end || "";

/** The editable parts of a medication order. */
export function formOf(order) {
  const dosage = order.dosageInstruction?.[0] || {};
  const repeat = dosage.timing?.repeat || {};
  const quantity = dosage.doseAndRate?.[0]?.doseQuantity || {};
  const millions = quantity.code === "[iU]" || quantity.unit === "[iU]";
  const once = repeat.count === 1;
  const interval = repeat.periodUnit === "h" ? repeat.period / (repeat.frequency || 1) : repeat.periodUnit === "d" ? (24 * repeat.period) / (repeat.frequency || 1) : "";
  const infusion = repeat.durationUnit === "h" ? repeat.duration : repeat.durationUnit === "min" ? Math.round((100 * repeat.duration) / 60) / 100 : "";
  return {
    drug: drugOf(order),
    dose: millions ? quantity.value / MILLION : quantity.value ?? "",
    unit: millions ? MU : quantity.unit || quantity.code || "g",
    route: dosage.route?.coding?.find((one) => one.system === SNOMED)?.code ?? "",
    interval: once ? "once" : String(interval),
    infusion: infusion ?? "",
    days: repeat.boundsDuration?.value ?? "",
    starts: startOf(order),
    reason: order.reasonCode?.map(words).join(", ") || "",
  };
}

/** The order with changed parts written back; what the form does not know stays as it was. */
export function withForm(order, form) {
  const old = order.dosageInstruction?.[0] || {};
  const { count, frequency, period, periodUnit, duration, durationUnit, boundsDuration, ...repeat } = old.timing?.repeat || {};
  if (form.interval === "once") repeat.count = 1;
  else if (form.interval) Object.assign(repeat, { frequency: 1, period: Number(form.interval), periodUnit: "h" });
  if (form.infusion) Object.assign(repeat, whole(Number(form.infusion)));
  if (form.days) {
    delete repeat.boundsPeriod;
    repeat.boundsDuration = { value: Number(form.days), unit: "days", system: UCUM, code: "d" };
  } else repeat.boundsPeriod = { ...(repeat.boundsPeriod || {}), start: repeat.boundsPeriod?.start || form.starts || order.authoredOn };
  const route = ROUTES.find(([code]) => code && code === form.route);
  const dosage = { text: sentence(form), timing: { repeat } };
  if (route) dosage.route = { coding: [{ system: SNOMED, code: route[0] }], text: route[1] };
  if (form.dose !== "") dosage.doseAndRate = [{ doseQuantity: quantityOf(form) }];
  const changed = { ...order, dosageInstruction: [dosage, ...(order.dosageInstruction || []).slice(1)] };
  if (form.reason) changed.reasonCode = [{ text: form.reason }];
  else delete changed.reasonCode;
  return changed;
}

function quantityOf(form) {
  const [value, unit] = form.unit === MU ? [Math.round(Number(form.dose) * MILLION), "[iU]"] : [Number(form.dose), form.unit];
  return { value, unit, system: UCUM, code: unit };
}

function whole(hours) {
  return Number.isInteger(hours) ? { duration: hours, durationUnit: "h" } : { duration: Math.round(hours * 60), durationUnit: "min" };
}

/** A dose as a pharmacist would write it. */
export function sentence(form) {
  const route = ROUTES.find(([code]) => code === form.route)?.[1];
  const interval = form.interval === "once" ? "once" : form.interval ? `every ${form.interval} h` : "";
  const parts = [form.dose !== "" ? `${form.dose} ${form.unit}` : "", form.route && route === "Intravenous" ? "IV" : form.route ? route.toLowerCase() : ""];
  return [...parts, interval, form.infusion ? `over ${Number(form.infusion)} h` : "", form.days ? `for ${form.days} days` : ""].filter(Boolean).join(" ");
}

/** A dose as the order itself says it. */
export const sig = (order) => sentence(formOf(order)) || order.dosageInstruction?.[0]?.text || "";

/** When an order begins, if that is more than half an hour from now, and when it ends: "starts 25 Nov, 14:00, until 28 Nov, 08:00". */
export function bounds(order) {
  const start = startOf(order), end = endOf(order);
  const later = Date.parse(start) - Date.now() > HALF_HOUR;
  return [later ? `starts ${when(start)}` : "", end ? `until ${when(end)}` : ""].filter(Boolean).join(", ");
}

/** A new draft order of one drug. */
export function draftOf(drug, usual, story, id) {
  const order = {
    resourceType: "MedicationRequest",
    id,
    status: "draft",
    intent: "order",
    category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/medicationrequest-category", code: "inpatient" }] }],
    medicationCodeableConcept: { ...(drug.coding ? { coding: [drug.coding] } : {}), text: drug.name },
    subject: { reference: `Patient/${story.patientId}` },
    ...(story.encounterId ? { encounter: { reference: `Encounter/${story.encounterId}` } } : {}),
    authoredOn: now(),
    requester: { reference: "Practitioner/prescriber-1" },
  };
  return withForm(order, { drug: drug.name, dose: "", unit: "g", route: drug.injection ? "47625008" : "", interval: "8", infusion: "", days: "", reason: "", starts: now(), ...usual });
}

/** The draft that stops a running order: the same order with another status, as a record sends it. */
export const stopOf = (order) => ({ ...order, status: "stopped" });

export const now = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");

/** Every moment inside a value, moved by so many milliseconds. */
export function moved(value, by) {
  if (Array.isArray(value)) return value.map((one) => moved(one, by));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, moved(one, by)]));
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value)) return new Date(Date.parse(value) + by).toISOString().replace(/\.\d+Z$/, "Z");
  return value;
}
