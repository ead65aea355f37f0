// Runs a network that models/live exported: model.json says what is computed, model.bin holds the
// weights. One example at a time, in single precision between layers, as Keras computes.

import { convolutions } from "./convolutions.js";
import { layers } from "./layers.js";
import { recurrent } from "./recurrent.js";

const OPS = { ...layers, ...convolutions, ...recurrent };

// What the exporter promises; a description that wants more is not one of its own.
const MOST_NUMBERS = 2 ** 24;
const MOST_LAYERS = 1000;

function demand(condition, message) {
  if (!condition) throw new Error(`This is no network that can be run: ${message}.`);
}

const isWhole = (n, most) => Number.isInteger(n) && n >= 0 && n <= most;

/** How many numbers a value or weight of this shape holds. */
function count(shape, what) {
  const fits = Array.isArray(shape) && shape.length <= 4 && shape.every((n) => n > 0 && isWhole(n, MOST_NUMBERS));
  const numbers = fits ? shape.reduce((product, n) => product * n, 1) : Infinity;
  demand(numbers <= MOST_NUMBERS, `${what} has the shape ${JSON.stringify(shape)}`);
  return numbers;
}

/** IEEE 754's half precision. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = (bits & 1023) / 1024;
  if (exponent === 31) return NaN;
  return sign * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14);
}

const STORED = { float32: Float32Array, float16: Uint16Array, int8: Int8Array };

/** The weights as {shape, data}, each checked to lie within the file and to be finite. */
function readWeights(told, buffer) {
  let total = 0;
  const read = (Type, at, length, what) => {
    const size = Type.BYTES_PER_ELEMENT;
    demand(isWhole(at, buffer.byteLength) && at % size === 0, `${what} lies at ${at}`);
    demand(at + length * size <= buffer.byteLength, `${what} ends beyond the file`);
    return new Type(buffer, at, length);
  };
  return told.map(({ shape, at, type, scales }, number) => {
    const what = `weight ${number}`, length = count(shape, what);
    total += length;
    demand(total <= MOST_NUMBERS, "it has too many weights");
    demand(Object.hasOwn(STORED, type), `${what} is of type ${type}`);
    const stored = read(STORED[type], at, length, what);
    let data = stored;
    if (type === "float16") data = Float32Array.from(stored, half);
    if (type === "int8") {
      // Whole steps; what a step is worth differs along the last axis, or the last two together.
      const channels = count([scales?.count], `${what}'s scale`), worth = read(Float32Array, scales.at, channels, what);
      demand(length % channels === 0, `${what} has ${channels} scales`);
      data = new Float32Array(length);
      for (let i = 0, c = 0; i < length; i++, c = c + 1 < channels ? c + 1 : 0) data[i] = stored[i] * worth[c];
    }
    demand(data.every(Number.isFinite), `${what} holds values that are no numbers`);
    return { shape, data };
  });
}

/**
 * A network that answers with what Keras would answer, up to rounding.
 *
 * `description` is the parsed model.json, `buffer` the ArrayBuffer of model.bin. An Error says what
 * is wrong with either: a file cut short, a layer that this interpreter does not know, a reference
 * to what is not there.
 */
export class Network {
  #numbers = 0;
  #inputs;
  #steps = [];
  #outputs;

  constructor(description, buffer) {
    const { format, inputs, outputs, layers: told, weights, bytes } = Object(description);
    demand(format === 1, `its format is ${format}, and this page reads 1`);
    for (const list of [inputs, outputs, told, weights]) demand(Array.isArray(list), "a list is missing");
    demand(told.length <= MOST_LAYERS, `it has ${told.length} layers`);
    const whole = bytes?.["model.bin"];
    demand(buffer.byteLength === whole, `its weights are ${buffer.byteLength} bytes long, not ${whole}`);
    const tensors = readWeights(weights, buffer);
    const pick = (list, number, what) => {
      demand(isWhole(number, list.length - 1), `${what} ${number} is not there`);
      return list[number];
    };
    const make = this.#make.bind(this);
    const types = { float32: Float32Array, int32: Int32Array, string: Array };
    this.#inputs = inputs.map(({ shape, dtype }) => {
      demand(Object.hasOwn(types, dtype), `an input is of type ${dtype}`);
      return make(shape, types[dtype]);
    });
    const values = [...this.#inputs];
    for (const [number, layer] of told.entries()) {
      const { op, from = [], weights: used = [] } = Object(layer);
      demand(Object.hasOwn(OPS, op), `layer ${number} is “${op}”, which this page does not know`);
      const before = from.map((n) => pick(values, n, "value"));
      const value = OPS[op](layer, before, used.map((n) => pick(tensors, n, "weight")), {
        make,
        demand: (condition, message) => demand(condition, `layer ${number}, “${op}”, ${message}`),
      });
      values.push(value);
      if (value.run) this.#steps.push(value.run);
    }
    this.#outputs = outputs.map((n) => pick(values, n, "value"));
    /** The parsed model.json. */
    this.description = description;
    /** The shape of each output. */
    this.shapes = this.#outputs.map(({ shape }) => shape);
  }

  /** A value's place in memory, made once and used in every call. */
  #make(shape, Type = Float32Array) {
    const length = count(shape, "a value");
    this.#numbers += length;
    demand(this.#numbers <= MOST_NUMBERS, "its values are too many");
    return { shape, data: Type === Array ? new Array(length).fill("") : new Type(length) };
  }

  /**
   * The outputs for one example, a flat Float32Array each. `inputs` has a flat array for each input:
   * numbers, whole numbers or strings as the description says.
   */
  run(inputs) {
    if (inputs.length !== this.#inputs.length) throw new Error(`${this.#inputs.length} inputs are needed.`);
    for (const [number, { data }] of this.#inputs.entries()) {
      const given = inputs[number];
      if (given.length !== data.length) {
        throw new Error(`Input ${number} holds ${given.length} values, and ${data.length} are needed.`);
      }
      for (let i = 0; i < data.length; i++) data[i] = given[i];
    }
    for (const step of this.#steps) step();
    return this.#outputs.map(({ data }) => Float32Array.from(data));
  }

  /** The inputs and outputs of golden example `i`; `buffer` is the ArrayBuffer of golden.bin. */
  golden(i, buffer) {
    const { examples, inputs: others } = Object(this.description.golden);
    const types = this.description.inputs.map(({ dtype }) => dtype);
    const floats = this.#inputs.filter((_, number) => types[number] === "float32");
    const length = [...floats, ...this.#outputs].reduce((sum, { data }) => sum + data.length, 0);
    demand(isWhole(i, examples - 1), `it has no golden example ${i}`);
    demand(buffer.byteLength === 4 * length * examples, `its golden vectors are ${buffer.byteLength} bytes long`);
    let at = 4 * length * i;
    const read = (size) => {
      const part = new Float32Array(buffer, at, size);
      at += 4 * size;
      return part;
    };
    const inputs = this.#inputs.map(({ data }, n) => (types[n] === "float32" ? read(data.length) : others[i][n]));
    return { inputs, outputs: this.#outputs.map(({ data }) => read(data.length)) };
  }

  /** The largest |difference| between this network's answers and Keras' on all golden examples. */
  deviation(buffer) {
    let most = 0;
    for (let i = 0; i < this.description.golden.examples; i++) {
      const { inputs, outputs } = this.golden(i, buffer);
      for (const [number, found] of this.run(inputs).entries()) {
        for (let k = 0; k < found.length; k++) {
          const difference = Math.abs(found[k] - outputs[number][k]);
          most = Number.isNaN(difference) ? Infinity : Math.max(most, difference);
        }
      }
    }
    return most;
  }
}
