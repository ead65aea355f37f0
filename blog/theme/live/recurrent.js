// Recurrent layers over sequences (steps, numbers). `backwards` reads from the end; `flip` then puts
// the outputs where their inputs were. The last states are kept for `state`, which makes values of them.

import { elementwise } from "./activations.js";

/** What both cells have in common: the loop over steps around `step(h, c, gates)`. */
function loop(layer, [x, ...before], [kernel, recurrent, bias], { make, demand }, gateCount, step) {
  const [steps, inputs] = x.shape, units = recurrent.shape[0], width = gateCount * units;
  demand(x.shape.length === 2 && kernel.shape[0] === inputs, `does not fit its input ${x.shape}`);
  demand(kernel.shape[1] === width && recurrent.shape[1] === width, "has weights that do not fit");
  demand(bias.data.length % width === 0 && bias.data.length <= 2 * width, "has a bias of another length");
  for (const { data } of before) demand(data.length === units, "has a state of another length");
  const y = make(layer.sequences ? [steps, units] : [units]);
  y.states = gateCount === 4 ? [make([units]), make([units])] : [make([units])];
  const h = new Float64Array(units), c = new Float64Array(units), gates = new Float64Array(width);
  y.run = () => {
    for (const [n, state] of [h, c].entries()) {
      state.fill(0);
      if (before[n]) state.set(before[n].data);
    }
    for (let t = 0; t < steps; t++) {
      const time = layer.backwards ? steps - 1 - t : t;
      for (let j = 0; j < width; j++) gates[j] = bias.data[j];
      multiply(x.data, time * inputs, kernel, gates, 0, width);
      step(h, c, gates);
      if (layer.sequences) y.data.set(h, (layer.flip ? time : t) * units);
    }
    if (!layer.sequences) y.data.set(h);
    y.states[0].data.set(h);
    y.states[1]?.data.set(c);
  };
  return y;
}

/** Add a row vector times columns from…to of a matrix to `z`. */
function multiply(a, start, { shape: [rows, width], data }, z, from, to) {
  for (let i = 0, k = 0; i < rows; i++, k += width) {
    const value = a[start + i];
    if (value !== 0) for (let j = from; j < to; j++) z[j] += value * data[k + j];
  }
}

export const recurrent = {
  // Keras' order of gates: z (how much stays), r (reset), candidate.
  gru(layer, values, weights, tools) {
    const [, recurrentKernel, bias] = weights, units = recurrentKernel.shape[0];
    const of = elementwise(layer.activation), gate = elementwise(layer.gate);
    const inner = new Float64Array(3 * units), seen = new Float64Array(units), { after } = layer;
    tools.demand(bias.data.length === (after ? 6 : 3) * units, "has a bias of another length");
    return loop(layer, values, weights, tools, 3, (h, _, gates) => {
      for (let j = 0; j < 3 * units; j++) inner[j] = after ? bias.data[3 * units + j] : 0;
      multiply(h, 0, recurrentKernel, inner, 0, (after ? 3 : 2) * units);
      for (let j = 0; j < 2 * units; j++) gates[j] = gate(gates[j] + inner[j]);
      if (!after) {
        for (let j = 0; j < units; j++) seen[j] = gates[units + j] * h[j];
        multiply(seen, 0, recurrentKernel, inner, 2 * units, 3 * units);
      }
      for (let j = 0; j < units; j++) {
        const memory = inner[2 * units + j] * (after ? gates[units + j] : 1);
        const candidate = of(gates[2 * units + j] + memory);
        h[j] = gates[j] * h[j] + (1 - gates[j]) * candidate;
      }
    });
  },

  // Keras' order of gates: input, forget, candidate, output.
  lstm(layer, values, weights, tools) {
    const [, recurrentKernel] = weights, units = recurrentKernel.shape[0];
    const of = elementwise(layer.activation), gate = elementwise(layer.gate);
    return loop(layer, values, weights, tools, 4, (h, c, gates) => {
      multiply(h, 0, recurrentKernel, gates, 0, 4 * units);
      for (let j = 0; j < units; j++) {
        const candidate = gate(gates[j]) * of(gates[2 * units + j]);
        c[j] = gate(gates[units + j]) * c[j] + candidate;
        h[j] = gate(gates[3 * units + j]) * of(c[j]);
      }
    });
  },

  // One of the states in which a recurrent layer ended.
  state({ number }, [x], weights, { demand }) {
    demand(x.states?.[number], "has no such state before it");
    return x.states[number];
  },
};
