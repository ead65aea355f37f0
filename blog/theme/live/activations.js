// The activations of Keras, by the names Keras gives them. They are computed in double precision;
// what comes out is stored in single precision, as Keras stores it.

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const between = (z, low, high) => Math.min(Math.max(z, low), high);
const hardSigmoid = (z) => between(z + 3, 0, 6) / 6;
const elu = (z, alpha) => (z > 0 ? z : alpha * Math.expm1(z));

// The error function by its series of positive terms (Abramowitz and Stegun, 7.1.6), so that
// nothing cancels.
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

// For each name, a function of the layer's options that gives the function of one number.
const OF_ONE = {
  linear: () => (z) => z,
  relu: ({ slope = 0, most = Infinity, threshold = 0 }) => (z) =>
    z >= most ? most : z >= threshold ? z : slope * (z - threshold),
  relu6: () => (z) => between(z, 0, 6),
  leaky_relu: ({ slope = 0.2 }) => (z) => (z >= 0 ? z : slope * z),
  elu: ({ alpha = 1 }) => (z) => elu(z, alpha),
  celu: () => (z) => elu(z, 1),
  selu: () => (z) => 1.0507009873554805 * elu(z, 1.6732632423543772),
  gelu: () => (z) => z * 0.5 * (1 + erf(z * Math.SQRT1_2)),
  sigmoid: () => sigmoid,
  log_sigmoid: () => (z) => -softplus(-z),
  hard_sigmoid: () => hardSigmoid,
  sparse_sigmoid: () => (z) => between((z + 1) / 2, 0, 1),
  silu: () => (z) => z * sigmoid(z),
  hard_silu: () => (z) => z * hardSigmoid(z),
  mish: () => (z) => z * Math.tanh(softplus(z)),
  tanh: () => Math.tanh,
  hard_tanh: () => (z) => between(z, -1, 1),
  tanh_shrink: () => (z) => z - Math.tanh(z),
  hard_shrink: () => (z) => (Math.abs(z) > 0.5 ? z : 0),
  soft_shrink: () => (z) => (Math.abs(z) > 0.5 ? z - Math.sign(z) * 0.5 : 0),
  softplus: () => softplus,
  softsign: () => (z) => z / (1 + Math.abs(z)),
  squareplus: () => (z) => (z + Math.sqrt(z * z + 4)) / 2,
  sparse_plus: () => (z) => (z <= -1 ? 0 : z >= 1 ? z : ((z + 1) * (z + 1)) / 4),
  exponential: () => Math.exp,
};

// Those in which each number of a row depends on all others of that row.
const OF_A_ROW = {
  softmax(data, start, end) {
    let most = -Infinity, sum = 0;
    for (let i = start; i < end; i++) most = Math.max(most, data[i]);
    for (let i = start; i < end; i++) sum += Math.exp(data[i] - most);
    for (let i = start; i < end; i++) data[i] = Math.exp(data[i] - most) / sum;
  },
  log_softmax(data, start, end) {
    let most = -Infinity, sum = 0;
    for (let i = start; i < end; i++) most = Math.max(most, data[i]);
    for (let i = start; i < end; i++) sum += Math.exp(data[i] - most);
    for (let i = start; i < end; i++) data[i] -= most + Math.log(sum);
  },
  // Martins and Astudillo, From softmax to sparsemax (2016), algorithm 1, but as Keras has it: the
  // threshold comes from all running sums, where the paper takes the last. A network was trained so.
  sparsemax(data, start, end) {
    const sorted = data.slice(start, end).sort().reverse();
    let sum = 0, total = 0, k = 0;
    for (; k < sorted.length && 1 + k * sorted[k] > sum; k++) total += sum += sorted[k];
    for (let i = start; i < end; i++) data[i] = Math.max(data[i] - (total - 1) / k, 0);
  },
};

const nameOf = (told) => (typeof told === "object" && told !== null ? told.name : told ?? "linear");

/** The function of one number that `told`, a name or an object of name and options, stands for. */
export function elementwise(told) {
  const name = nameOf(told);
  if (!Object.hasOwn(OF_ONE, name)) throw new Error(`The activation “${name}” is not one of numbers.`);
  return OF_ONE[name](Object(told));
}

/** A function that applies an activation in place to a value, along its last axis. */
export function activation(told, { shape, data }) {
  const name = nameOf(told);
  if (name === "linear") return () => {};
  const width = shape.at(-1);
  if (Object.hasOwn(OF_A_ROW, name)) {
    return () => {
      for (let start = 0; start < data.length; start += width) OF_A_ROW[name](data, start, start + width);
    };
  }
  if (name === "relu" && typeof told === "string") {
    return () => {
      for (let i = 0; i < data.length; i++) if (data[i] < 0) data[i] = 0;
    };
  }
  const of = elementwise(told);
  return () => {
    for (let i = 0; i < data.length; i++) data[i] = of(data[i]);
  };
}
