// A small network in which every weight can be changed and every number follows.

import { diagram } from "./diagram.js";
import { button, dial, labelled, make, short } from "./elements.js";
import { flow, layersOf, parametersOf } from "./flow.js";

/** Put the drawing into the stage; resolves when the exported network agrees with it. */
export async function mount(live) {
  const { widget } = live;
  const layers = layersOf(live);
  const parameters = parametersOf(layers);
  const begun = parameters.map((each) => each.value);
  const [output] = await live.run([Float32Array.from(widget.x)]);
  const own = flow(layers, widget).a.at(-1);
  if (own.some((value, j) => !(Math.abs(value - output[j]) < 1e-4))) {
    throw new Error("the numbers of the drawing are not those of the exported network");
  }
  restore(parameters, live.state);
  let [chosen, eta, before] = [0, widget.eta ?? 0.5, null];

  const drawing = diagram(parameters, widget, (at) => choose(at));
  const select = make("select", {}, ...parameters.map((each, at) => make("option", { value: at }, `${each.symbol}, ${each.words}`)));
  const value = dial({ label: "Its value", low: -4, high: 4, step: 0.01, value: 0, changed(to) {
    parameters[chosen].value = to ?? 0;
    before = null;
    update(false);
  } });
  const cost = make("p", { class: "folio-live__number" });
  const [neurons, weights] = [make("tbody"), make("tbody")];

  const update = (renewDial = true) => {
    const now = flow(layers, widget);
    drawing.update(now, chosen);
    if (renewDial) value.set(parameters[chosen].value);
    const was = before === null ? "" : `, was ${short(before, 4)}`;
    cost.textContent = `C = ${short(now.C, 4)}${was}`;
    fillTables(now);
    live.say(`Cost ${short(now.C, 4)}${was}`);
    live.keep(parameters.map((each) => Number(each.value.toPrecision(6))).join(","));
  };
  const fillTables = (now) => {
    const cells = (...numbers) => numbers.map((number) => make("td", {}, number === null ? "" : short(number, 4)));
    neurons.replaceChildren(...now.a.flatMap((values, layer) => values.map((a, j) => make("tr", {},
      make("th", { scope: "row" }, `layer ${layer}, neuron ${j + 1}`),
      ...cells(now.z[layer]?.[j] ?? null, a, now.delta[layer]?.[j] ?? null)))));
    weights.replaceChildren(...parameters.map((each) => make("tr", {},
      make("th", { scope: "row" }, each.symbol), ...cells(each.value, each.slope(now), each.value - eta * each.slope(now)))));
  };
  const choose = (at) => {
    chosen = at;
    select.selectedIndex = at;
    update();
  };
  const step = () => {
    const now = flow(layers, widget);
    before = now.C;
    // All slopes first: a weight's new value must not change another's slope.
    const slopes = parameters.map((each) => each.slope(now));
    parameters.forEach((each, at) => { each.value -= eta * slopes[at]; });
    update();
  };
  const reset = () => {
    parameters.forEach((each, at) => { each.value = begun[at]; });
    before = null;
    update();
  };
  select.addEventListener("change", () => choose(select.selectedIndex));
  const rate = make("input", { type: "number", min: 0, step: "any", inputmode: "decimal", value: eta });
  rate.addEventListener("input", () => {
    eta = Number.isFinite(rate.valueAsNumber) ? Math.max(0, rate.valueAsNumber) : 0;
    update(false);
  });
  const head = (...names) => make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name))));
  const table = (title, names, body) => make("table", { class: "folio-live__values" }, make("caption", {}, title), head(...names), body);
  live.stage.append(
    drawing.element,
    cost,
    make("div", { class: "folio-live__fields folio-live__fields--wide" },
      labelled("Weight or bias to change", select), value.element,
      labelled("Learning rate η", rate)),
    make("div", { class: "folio-live__row" }, button("One step of gradient descent", step), button("Reset", reset)),
    make("details", { class: "folio folio-live__details" }, make("summary", {}, "All values"),
      table("Neurons", ["Neuron", "z", "a", "δ"], neurons),
      table("Weights and biases", ["Symbol", "Value", "Slope of C", "After one step"], weights)),
  );
  update();
}

/** Set the parameters to numbers from an address, if there are as many. */
function restore(parameters, text) {
  const values = text.split(",").map(Number);
  if (!text || values.length !== parameters.length) return;
  if (!values.every((value) => Number.isFinite(value) && Math.abs(value) < 1e6)) return;
  parameters.forEach((each, at) => { each.value = values[at]; });
}
