// Talks CDS Hooks as a record does: discovery, prefetch or a FHIR server, the call, the feedback.

const FHIR = "/sandbox/fhir";
const USER = "Practitioner/prescriber-1";

/** The services by hook. */
export async function discover() {
  const body = await fetched("/cds-services");
  if (!body) throw new Error("no discovery");
  return Object.fromEntries(body.services.map((service) => [service.hook, service]));
}

/** The request of one hook, filled the way the visitor chose. */
export async function compose(service, { story, drafts, selected, source }) {
  const context = { userId: USER, patientId: story.patientId, ...(story.encounterId ? { encounterId: story.encounterId } : {}) };
  if (service.hook !== "patient-view") {
    context.draftOrders = { resourceType: "Bundle", type: "collection", entry: drafts.map((resource) => ({ resource })) };
  }
  if (service.hook === "order-select") context.selections = selected.map((one) => `${one.resourceType}/${one.id}`);
  const request = { hook: service.hook, hookInstance: crypto.randomUUID(), context };
  if (source.via === "prefetch") return { ...request, prefetch: await prefetch(service.prefetch, context) };
  const faulty = source.fault ? `/faults/${source.fault}/${source.on || "all"}` : "";
  const authorization = { access_token: "fixture-token", token_type: "Bearer", expires_in: 300, scope: "patient/*.read", subject: "sandbox" };
  return { ...request, fhirServer: `${location.origin}${FHIR}${faulty}`, ...(source.fault === "token" ? { fhirAuthorization: authorization } : {}) };
}

/** Every template filled from the fixture server; one whose context value is unknown is left out, as is one that fails. */
async function prefetch(templates, context) {
  const parts = await Promise.all(
    Object.entries(templates || {}).map(async ([key, template]) => {
      const tokens = [...template.matchAll(/\{\{context\.(\w+)\}\}/g)].map((match) => match[1]);
      if (!tokens.every((token) => context[token])) return null;
      const resource = await fetched(`${FHIR}/${template.replace(/\{\{context\.(\w+)\}\}/g, (_, token) => context[token])}`);
      return resource && [key, resource];
    }),
  );
  return Object.fromEntries(parts.filter(Boolean));
}

async function fetched(url) {
  try {
    const answer = await fetch(url);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** One call, timed: {status, ms, body, text}; status 0 where no answer came. */
export async function call(url, body) {
  const began = performance.now();
  try {
    const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, ms: Math.round(performance.now() - began), text, body: parsed(text) };
  } catch {
    return { status: 0, ms: Math.round(performance.now() - began), text: "", body: null };
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The same call for a terminal. */
export function curl(url, body) {
  return `curl -s -X POST '${location.origin}${url}' -H 'Content-Type: application/json' --data-binary @- <<'REQUEST'\n${JSON.stringify(body, null, 1)}\nREQUEST`;
}
