// A small network as a drawing: neurons with their values, edges with their weights.

import { makeSvg, short } from "./elements.js";
import { indexed } from "./flow.js";

/** The network as SVG; edges and neurons are chosen by a click, or by arrows and Enter. */
export function diagram(parameters, widget, choose) {
  const { sizes } = widget;
  const most = Math.max(...sizes);
  const [width, rise] = [440, 112];
  const height = most * rise + 8;
  const place = (layer, j) => [
    44 + (layer * (width - 100)) / (sizes.length - 1),
    height / 2 + (j - (sizes[layer] - 1) / 2) * rise - 22,
  ];
  const parts = parameters.map((each, at) => {
    const part = each.kind === "w" ? edge(place(each.layer - 1, each.k), place(each.layer, each.j), each, sizes)
      : neuron(...place(each.layer, each.j));
    part.element.addEventListener("click", () => go(at));
    return part;
  });
  const inputs = widget.x.map((_, j) => neuron(...place(0, j), true));
  const element = makeSvg("svg", { class: "folio-live__network", viewBox: `0 0 ${width} ${height}`, role: "group",
    "aria-label": "The network. Arrow keys go from weight to weight; the one chosen is changed below." },
    ...parts.flatMap((part) => part.line ?? []), // below all weights
    ...parts.filter((_, at) => parameters[at].kind === "w").map((part) => part.element),
    ...inputs.map((part) => part.element),
    ...parts.filter((_, at) => parameters[at].kind === "b").map((part) => part.element),
    ...[...inputs, ...parts].flatMap((part) => part.numbers ?? []));
  const go = (at) => {
    choose(at);
    parts[at].element.focus();
  };
  element.addEventListener("keydown", (event) => {
    const at = parts.findIndex((part) => part.element === document.activeElement);
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Enter: 0, " ": 0 }[event.key];
    if (at < 0 || way === undefined) return;
    event.preventDefault();
    go((at + way + parts.length) % parts.length);
  });
  const update = ({ z, a, delta }, chosen) => {
    inputs.forEach((part, j) => part.write([`${short(a[0][j])}`, indexed("x", null, j + 1)]));
    parts.forEach((part, at) => {
      const { kind, layer, j, value, symbol, words } = parameters[at];
      if (kind === "w") part.write(value);
      else part.write([short(a[layer][j]), `z ${short(z[layer][j])}`, `b ${short(value)}`, `δ ${short(delta[layer][j])}`]);
      part.element.setAttribute("tabindex", at === chosen ? 0 : -1);
      part.element.setAttribute("aria-pressed", String(at === chosen));
      part.element.setAttribute("aria-label", `${symbol}, ${words}: ${short(value)}`);
    });
  };
  return { element, update };
}

/** A line, and on it the weight; weights of different origin stand in different places. */
function edge(from, to, { j, k, layer }, sizes) {
  const origins = sizes[layer - 1];
  const [first, last] = origins > 3 ? [0.26, 0.66] : [0.3, 0.55];
  const way = origins > 1 ? first + ((last - first) * k) / (origins - 1) : 0.4;
  const [x, y] = from.map((start, axis) => start + way * (to[axis] - start));
  const ends = { x1: from[0], y1: from[1], x2: to[0], y2: to[1] };
  const line = makeSvg("line", { class: "folio-live__edge", ...ends });
  const label = makeSvg("text", { x, y: y + 5, "text-anchor": "middle" });
  const name = `${layer}_${j + 1}${k + 1}`;
  const element = makeSvg("g", { class: "folio-live__part", role: "button", "data-weight": name },
    makeSvg("line", { class: "folio-live__reach", ...ends }),
    makeSvg("rect", { class: "folio-live__chip", x: x - 23, y: y - 10, width: 46, height: 20, rx: 4 }), label);
  return { element, line, write(value) {
    label.textContent = short(value);
    line.setAttribute("stroke-width", String(Math.min(6, 0.8 + 1.6 * Math.abs(value))));
    line.classList.toggle("folio-live__edge--negative", value < 0);
  } };
}

/** A circle with its first line inside and the others below it; an input cannot be chosen. */
function neuron(x, y, isInput = false) {
  const lines = [y + 5, y + 42, y + 58, y + 74].map((at) => makeSvg("text", { x, y: at, "text-anchor": "middle" }));
  const circle = makeSvg("circle", { class: "folio-live__neuron", cx: x, cy: y, r: 25 });
  const reach = makeSvg("rect", { class: "folio-live__reach", x: x - 25, y: y - 25, width: 50, height: 105 });
  const element = makeSvg("g", isInput ? { class: "folio-live__neuron--input" } : { class: "folio-live__part", role: "button" },
    circle, ...(isInput ? [] : [reach]));
  // The numbers are beside the button, whose name has the one that it changes.
  const numbers = makeSvg("g", { class: "folio-live__numbers", "aria-hidden": "true" }, ...lines);
  return { element, numbers, write(texts) {
    lines.forEach((line, at) => { line.textContent = texts[at] ?? ""; });
  } };
}
