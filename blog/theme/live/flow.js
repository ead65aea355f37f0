// One step of backpropagation through a small network: every value, forward and back.
//
// Notation as in models/backprop: layer 0 is the input, w^l_jk goes from neuron k of layer l-1 to
// neuron j of layer l, z^l = w^l a^(l-1) + b^l, and delta^l is the slope of the cost C along z^l.

const FUNCTIONS = {
  sigmoid: (z) => z.map((each) => 1 / (1 + Math.exp(-each))),
  tanh: (z) => z.map(Math.tanh),
  relu: (z) => z.map((each) => Math.max(0, each)),
  linear: (z) => [...z],
  softmax(z) {
    const powers = z.map((each) => Math.exp(each - Math.max(...z)));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  },
};
// The slope at z, by the function's own value a.
const SLOPES = {
  sigmoid: (a) => a * (1 - a), tanh: (a) => 1 - a * a, relu: (a) => (a > 0 ? 1 : 0), linear: () => 1,
};
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const LOWERED = "₀₁₂₃₄₅₆₇₈₉";

/** A symbol with a layer above and neurons below, such as w²₁₃. */
export function indexed(symbol, layer, ...neurons) {
  const raised = layer === null ? "" : RAISED[layer];
  return `${symbol}${raised}${neurons.map((number) => LOWERED[number]).join("")}`;
}

/** Forward and back through the layers, each {w: [j][k], b: [j]}: z, a, delta and nabla by layer. */
export function flow(layers, { x, y, activation, output, cost }) {
  const a = [x];
  const z = [null];
  layers.forEach(({ w, b }, at) => {
    const name = at === layers.length - 1 ? output : activation;
    z.push(w.map((row, j) => row.reduce((sum, weight, k) => sum + weight * a[at][k], b[j])));
    a.push(FUNCTIONS[name](z[at + 1]));
  });
  const last = layers.length;
  const C = costOf(a[last], y, output, cost);
  const delta = [null];
  for (let layer = last; layer > 0; layer -= 1) {
    delta[layer] = a[layer].map((value, j) => {
      // With cross-entropy the slope of the last function cancels out.
      if (layer === last) return (value - y[j]) * (cost === "quadratic" ? SLOPES[output](value) : 1);
      const back = layers[layer].w.reduce((sum, row, next) => sum + row[j] * delta[layer + 1][next], 0);
      return back * SLOPES[activation](value);
    });
  }
  const nabla = [null];
  for (let layer = 1; layer <= last; layer += 1) {
    nabla.push(delta[layer].map((slope) => a[layer - 1].map((value) => slope * value)));
  }
  return { z, a, delta, nabla, C };
}

function costOf(a, y, output, cost) {
  const sum = (terms) => terms.reduce((total, term) => total + term, 0);
  const log = (weight, value) => (weight === 0 ? 0 : weight * Math.log(value));
  if (cost === "quadratic") return sum(a.map((value, j) => (y[j] - value) ** 2 / 2));
  if (output === "softmax") return -sum(a.map((value, j) => log(y[j], value)));
  return -sum(a.map((value, j) => log(y[j], value) + log(1 - y[j], 1 - value)));
}

/** The layers of the exported network: kernels are (from, to), biases (to,). */
export function layersOf({ description, weights }) {
  const read = ({ shape, at, type }) => {
    if (type !== "float32") throw new Error("a network to step through is exported in float32");
    return new Float32Array(weights, at, shape.reduce((a, b) => a * b, 1));
  };
  return description.layers.filter(({ op }) => op === "dense").map((layer) => {
    const [kernel, bias] = layer.weights.map((at) => description.weights[at]);
    const [ins, outs] = kernel.shape;
    const [w, b] = [read(kernel), bias ? read(bias) : new Float32Array(outs)];
    const rows = Array.from({ length: outs }, (_, j) => Array.from({ length: ins }, (__, k) => w[k * outs + j]));
    return { w: rows, b: [...b] };
  });
}

/** Every weight and bias, in order: its symbol, its words, how to read it and how to set it. */
export function parametersOf(layers) {
  return layers.flatMap(({ w, b }, at) => {
    const layer = at + 1;
    const weights = w.flatMap((row, j) => row.map((_, k) => ({
      kind: "w", layer, j, k, symbol: indexed("w", layer, j + 1, k + 1),
      words: `layer ${layer}, from neuron ${k + 1} to ${j + 1}`,
      get value() { return layers[at].w[j][k]; },
      set value(to) { layers[at].w[j][k] = to; },
      slope: ({ nabla }) => nabla[layer][j][k],
    })));
    const biases = b.map((_, j) => ({
      kind: "b", layer, j, symbol: indexed("b", layer, j + 1),
      words: `layer ${layer}, neuron ${j + 1}`,
      get value() { return layers[at].b[j]; },
      set value(to) { layers[at].b[j] = to; },
      slope: ({ delta }) => delta[layer][j],
    }));
    return [...weights, ...biases];
  });
}
