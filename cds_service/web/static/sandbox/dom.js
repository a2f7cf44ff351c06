// Builds elements without HTML strings, so that text from a record or a card can never become markup.

/** el("p.small", {title: "x"}, "text", node): an element with classes, attributes, listeners and children; empty children are left out. */
export function el(what, attributes = {}, ...children) {
  const [name, ...classes] = what.split(".");
  const node = document.createElement(name || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) set(node, key, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return node;
}

function set(node, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
  else if (key in node && typeof value !== "string") node[key] = value;
  else node.setAttribute(key, value === true ? "" : value);
}

/** The same for SVG, with attributes only. */
export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** Puts other children into a node. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter(Boolean));
  return node;
}

/** A labelled form field. */
export function labelled(text, control, wide = false) {
  return el(wide ? "label.wide" : "label", {}, text, control);
}

/** A choice: options are [value, text] pairs. */
export function choice(options, chosen, onchange, attributes = {}) {
  const select = el("select", { ...attributes, onchange: (event) => onchange(event.target.value) });
  for (const [value, text] of options) select.append(el("option", { value, selected: value === chosen }, text));
  return select;
}

/** A moment for the eye: "20 Nov, 14:05". */
export function when(text) {
  if (!text) return "no date";
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) return text;
  const day = moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return text.length > 10 ? `${day}, ${moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}` : day;
}
