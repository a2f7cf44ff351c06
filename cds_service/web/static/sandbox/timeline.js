// The therapy timeline: orders as bars, results as marks, creatinine as a line; drawn anew when the width changes.

import { fill, svg, when } from "./dom.js";
import { answerOf, dated, drugOf, endOf, ends, every, laboratory, startOf, words } from "./record.js";

const DAY = 86400000, ROW = 26, HEAD = 24, LABEL = 22;

/** Draws into a container and redraws on resize. */
export function timeline(container, story, drafts) {
  const draw = () => fill(container, picture(Math.max(container.clientWidth, 260), story, drafts));
  draw();
  if (!container.observer) {
    container.observer = new ResizeObserver(() => container.redraw?.());
    container.observer.observe(container);
  }
  container.redraw = draw;
}

function picture(width, story, drafts) {
  const now = Date.now();
  const orders = every(story.resources, "MedicationRequest").filter((one) => one.status !== "entered-in-error");
  const stopped = new Set(drafts.filter(ends).map((one) => one.id));
  const planned = drafts.filter((one) => one.resourceType === "MedicationRequest" && one.status === "draft");
  const results = every(story.resources, "Observation").filter((one) => laboratory(one) && !one.valueQuantity && !one.interpretation);
  const creatinine = every(story.resources, "Observation").filter((one) => /creatinine/i.test(words(one.code)) && one.valueQuantity);
  const times = [...orders.map(startOf), ...results.map(dated), ...creatinine.map(dated)].map(Date.parse).filter((one) => one <= now);
  const from = Math.max(Math.min(...times, now - 3 * DAY) - 0.35 * DAY, now - 60 * DAY);
  const until = now + Math.max((now - from) * 0.3, 0.8 * DAY);
  const x = (time) => 4 + ((time - from) / (until - from)) * (width - 8);
  const rows = [
    ...(results.length ? [{ kind: "results", results }] : []),
    ...(creatinine.length ? [{ kind: "lab", creatinine }] : []),
    ...orders.map((order) => ({ kind: stopped.has(order.id) ? "ending" : "running", order })),
    ...planned.map((order) => ({ kind: "draft", order })),
  ];
  const height = HEAD + rows.length * (ROW + LABEL) + 6;
  const label = `Therapy timeline: ${orders.length} running orders, ${planned.length} drafts, ${results.length} microbiology results`;
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "timeline", role: "img", "aria-label": label });
  axis(drawing, x, from, until, now, width, height);
  rows.forEach((row, index) => line(drawing, row, x, HEAD + index * (ROW + LABEL), { from, until, now, width }));
  return drawing;
}

/** When an order ends: as it says, after its days, after its one dose, or not yet. */
function ending(order, begins) {
  const repeat = order.dosageInstruction?.[0]?.timing?.repeat || {};
  const stated = Date.parse(endOf(order));
  if (!Number.isNaN(stated)) return stated;
  if (repeat.boundsDuration?.code === "d") return begins + repeat.boundsDuration.value * DAY;
  return repeat.count === 1 ? begins + DAY / 8 : Infinity;
}

function axis(drawing, x, from, until, now, width, height) {
  const days = (until - from) / DAY;
  const step = [1, 2, 5, 7, 10, 14, 30].find((one) => (days / one) * 62 < width) || 30;
  const first = new Date(from);
  first.setHours(24, 0, 0, 0);
  for (let time = first.getTime(); time < until; time += step * DAY) {
    drawing.append(svg("line", { x1: x(time), x2: x(time), y1: 18, y2: height, class: "axis" }));
    if (Math.abs(x(time) - x(now)) > 40 && x(time) < width - 40) drawing.append(text(x(time) + 3, 12, new Date(time).toLocaleDateString("en-GB", { day: "numeric", month: "short" })));
  }
  drawing.append(svg("line", { x1: x(now), x2: x(now), y1: 4, y2: height, class: "now" }), text(x(now) + 4, 12, "now", "now-label"));
}

function text(x, y, said, kind = "", anchor = "start") {
  const node = svg("text", { x, y, class: kind, "text-anchor": anchor });
  node.textContent = said;
  return node;
}

function line(drawing, row, x, top, { from, until, now, width }) {
  const middle = top + LABEL + ROW / 2 - 4;
  const put = (said) => drawing.append(text(4, top + 16, said, "run-label"));
  if (row.kind === "results") {
    put("Microbiology");
    const detected = (one) => /^detected|^positive/i.test(answerOf(one));
    for (const one of [...row.results].sort((a, b) => detected(a) - detected(b))) {
      const at = x(Math.max(Date.parse(dated(one)), from));
      const mark = svg("path", { d: `M${at} ${middle - 7} l7 7 l-7 7 l-7 -7 z`, class: detected(one) ? "result" : "result-other" });
      const title = svg("title");
      title.textContent = `${words(one.code)}: ${answerOf(one)}, ${when(dated(one))}`;
      mark.append(title);
      drawing.append(mark);
    }
    const found = row.results.filter(detected);
    const last = found[0] || row.results[0];
    const said = found.length ? found.map((one) => words(one.code).split(" ")[0]).join(", ") + " detected" : `${words(last.code)}: ${answerOf(last)}`;
    const at = x(Math.max(Date.parse(dated(last)), from));
    drawing.append(at > width * 0.6 ? text(at - 12, middle + 4, said, "", "end") : text(at + 12, middle + 4, said));
  } else if (row.kind === "lab") {
    const points = row.creatinine.map((one) => [Date.parse(dated(one)), one.valueQuantity.value]).sort((a, b) => a[0] - b[0]);
    const unit = row.creatinine[0].valueQuantity.unit;
    put(`Creatinine, ${unit}`);
    const low = Math.min(...points.map((one) => one[1])), high = Math.max(...points.map((one) => one[1]));
    const y = (value) => middle + 7 - ((value - low) / (high - low || 1)) * 14 * (high > low);
    const placed = points.map(([time, value]) => [x(Math.max(time, from)), y(value), value]);
    drawing.append(svg("polyline", { points: placed.map(([a, b]) => `${a},${b}`).join(" "), class: "lab" }));
    placed.forEach(([a, b, value], index) => {
      drawing.append(svg("circle", { cx: a, cy: b, r: 3.5, class: "lab-dot" }));
      if (index === 0 || index === placed.length - 1) drawing.append(text(a + 6, b - 4, String(value)));
    });
  } else {
    const start = Date.parse(startOf(row.order)) || now;
    const begins = row.kind === "draft" ? Math.max(now, Math.min(start, until)) : Math.max(Math.min(start, until), from);
    const last = row.kind === "ending" ? now : Math.min(ending(row.order, begins), until);
    const about = { running: "running", draft: "draft", ending: "stopped by this session" }[row.kind];
    const said = `${drugOf(row.order)}, ${about}`;
    const far = row.kind === "draft" && x(begins) + said.length * 6.4 > width;
    drawing.append(far ? text(width - 4, top + 16, said, "run-label", "end") : text(Math.max(x(begins), 4), top + 16, said, "run-label"));
    const shape = { x: x(begins), y: middle - 5, width: Math.max(x(last) - x(begins), 3), height: 10, rx: 2 };
    drawing.append(svg("rect", { ...shape, class: { running: "run", draft: "draft", ending: "stopped" }[row.kind] }));
  }
}
