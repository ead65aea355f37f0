// Layers that are neither convolutions nor recurrent. Each is a function of its description, the
// values before it and its weights, all {shape, data}; it gives its own value, whose `run` fills it.

import { activation } from "./activations.js";

const product = (shape) => shape.reduce((all, n) => all * n, 1);
const same = (a, b) => a.length === b.length && a.every((n, i) => n === b[i]);

const MERGES = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  average: (a, b, n) => a + b / n,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
};

export const layers = {
  // y = x W + b over the last axis, W of shape (inputs, units).
  dense(layer, [x], [kernel, bias], { make, demand }) {
    const [inputs, units] = kernel.shape;
    demand(kernel.shape.length === 2 && x.shape.at(-1) === inputs, `does not fit its input ${x.shape}`);
    demand(!bias || bias.data.length === units, "has a bias of another length");
    const y = make([...x.shape.slice(0, -1), units]), z = new Float64Array(units);
    const activate = activation(layer.activation, y);
    y.run = () => {
      for (let row = 0, to = 0; to < y.data.length; row += inputs, to += units) {
        z.fill(0);
        if (bias) z.set(bias.data);
        for (let i = 0, k = 0; i < inputs; i++, k += units) {
          const a = x.data[row + i];
          if (a !== 0) for (let j = 0; j < units; j++) z[j] += a * kernel.data[k + j];
        }
        y.data.set(z, to);
      }
      activate();
    };
    return y;
  },

  // (x − mean) · scale + offset over the last axis: what is left of the normalisations after training.
  affine(layer, [x], [mean, scale, offset], { make, demand }) {
    const width = x.shape.at(-1), y = make(x.shape);
    for (const { data } of [mean, scale, offset]) demand(data.length === width, "does not fit its input");
    const activate = activation(layer.activation, y);
    y.run = () => {
      for (let start = 0; start < y.data.length; start += width) {
        for (let i = 0; i < width; i++) {
          y.data[start + i] = (x.data[start + i] - mean.data[i]) * scale.data[i] + offset.data[i];
        }
      }
      activate();
    };
    return y;
  },

  // Layer normalisation over the last axis.
  norm({ epsilon }, [x], [gamma, beta], { make, demand }) {
    const width = x.shape.at(-1), y = make(x.shape);
    demand(gamma.data.length === width && beta.data.length === width, "does not fit its input");
    y.run = () => {
      for (let start = 0; start < y.data.length; start += width) {
        let mean = 0, variance = 0;
        for (let i = 0; i < width; i++) mean += x.data[start + i] / width;
        for (let i = 0; i < width; i++) variance += (x.data[start + i] - mean) ** 2 / width;
        const scale = 1 / Math.sqrt(variance + epsilon);
        for (let i = 0; i < width; i++) {
          y.data[start + i] = (x.data[start + i] - mean) * scale * gamma.data[i] + beta.data[i];
        }
      }
    };
    return y;
  },

  embedding(layer, [x], [table], { make, demand }) {
    const [rows, width] = table.shape;
    demand(table.shape.length === 2, "has no table");
    const y = make([...x.shape, width]);
    y.run = () => {
      for (let i = 0; i < x.data.length; i++) {
        const id = x.data[i];
        if (!(id >= 0 && id < rows)) throw new Error(`${id} is not one of the ${rows} ids that the network knows.`);
        y.data.set(table.data.subarray(id * width, (id + 1) * width), i * width);
      }
    };
    return y;
  },

  activation(layer, [x], weights, { make }) {
    const y = make(x.shape), activate = activation(layer.activation, y);
    y.run = () => {
      y.data.set(x.data);
      activate();
    };
    return y;
  },

  prelu(layer, [x], [alpha], { make, demand }) {
    const y = make(x.shape), slopes = alpha.data;
    demand(x.data.length % slopes.length === 0, "does not fit its input");
    y.run = () => {
      for (let i = 0; i < y.data.length; i++) {
        y.data[i] = x.data[i] > 0 ? x.data[i] : x.data[i] * slopes[i % slopes.length];
      }
    };
    return y;
  },

  // Half of the last axis, gated by the other half.
  glu(layer, [x], weights, { make, demand }) {
    const width = x.shape.at(-1) / 2;
    demand(Number.isInteger(width), "cannot halve its input");
    const y = make([...x.shape.slice(0, -1), width]);
    y.run = () => {
      for (let i = 0; i < y.data.length; i++) {
        const at = i + width * Math.floor(i / width);
        y.data[i] = x.data[at] / (1 + Math.exp(-x.data[at + width]));
      }
    };
    return y;
  },

  // The same numbers in the same order.
  reshape({ shape }, [x], weights, { demand }) {
    const fits = Array.isArray(shape) && shape.every(Number.isInteger) && product(shape) === x.data.length;
    demand(fits, `cannot make ${shape} of ${x.shape}`);
    return { shape, data: x.data };
  },

  concat({ axis }, inputs, weights, { make, demand }) {
    const [{ shape: first }] = inputs, others = (shape) => shape.filter((_, i) => i !== axis);
    demand(Number.isInteger(axis) && axis >= 0 && axis < first.length, "has no such axis");
    for (const { shape } of inputs) demand(same(others(shape), others(first)), "has inputs that do not fit");
    const shape = [...first];
    shape[axis] = inputs.reduce((sum, x) => sum + x.shape[axis], 0);
    const y = make(shape), widths = inputs.map((x) => product(x.shape.slice(axis)));
    y.run = () => {
      for (let row = 0, to = 0; to < y.data.length; row++) {
        for (let n = 0; n < inputs.length; to += widths[n++]) {
          y.data.set(inputs[n].data.subarray(row * widths[n], (row + 1) * widths[n]), to);
        }
      }
    };
    return y;
  },

  merge({ kind, activation: told }, inputs, weights, { make, demand }) {
    demand(Object.hasOwn(MERGES, kind), `merges by ${kind}`);
    const y = make(inputs[0].shape), merge = MERGES[kind], n = inputs.length;
    for (const { shape } of inputs) demand(same(shape, y.shape), "has inputs of unequal shapes");
    const activate = activation(told, y), share = kind === "average" ? n : 1;
    y.run = () => {
      for (let i = 0; i < y.data.length; i++) {
        let sum = inputs[0].data[i] / share;
        for (let k = 1; k < n; k++) sum = merge(sum, inputs[k].data[i], n);
        y.data[i] = sum;
      }
      activate();
    };
    return y;
  },

  dot(layer, [a, b], weights, { make, demand }) {
    demand(a.shape.length === 1 && same(a.shape, b.shape), "has inputs that do not fit");
    const y = make([1]);
    y.run = () => {
      let sum = 0;
      for (let i = 0; i < a.data.length; i++) sum += a.data[i] * b.data[i];
      y.data[0] = sum;
    };
    return y;
  },

  // The number of each word or whole number in a vocabulary.
  lookup({ vocabulary, first, unknown, mask }, [x], weights, { make, demand }) {
    demand(Array.isArray(vocabulary), "has no vocabulary");
    const numbers = new Map(vocabulary.map((word, i) => [word, i + first])), y = make(x.shape, Int32Array);
    if (mask !== null) numbers.set(mask, 0);
    y.run = () => {
      for (let i = 0; i < y.data.length; i++) {
        const number = numbers.get(x.data[i]) ?? unknown;
        if (number === null) throw new Error(`${x.data[i]} is not in the network's vocabulary.`);
        y.data[i] = number;
      }
    };
    return y;
  },

  // A 1 in the place of each number; with `many` in one row for all numbers of the last axis.
  onehot({ shape, many }, [x], weights, { make, demand }) {
    const y = make(shape), classes = y.shape.at(-1), group = many ? x.shape.at(-1) ?? 1 : 1;
    demand(y.data.length * group === x.data.length * classes, "does not fit its input");
    y.run = () => {
      y.data.fill(0);
      for (let i = 0; i < x.data.length; i++) {
        const id = x.data[i];
        if (!(id >= 0 && id < classes)) throw new Error(`${id} is not one of the network's ${classes} classes.`);
        y.data[Math.floor(i / group) * classes + id] = 1;
      }
    };
    return y;
  },
};
