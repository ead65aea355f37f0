// Runs a network: in the page while that is quick, in a Worker when a call would hold the page up.

import { Network } from "./network.js";

const SLOW = 50; // milliseconds
const MULTIPLY_ADDS = 2e5; // a millisecond, in plain JavaScript on a slow phone or so

/** A network whose answers are promises, wherever they are computed. */
export class Engine {
  /** @param worker the address of worker.js, or null where there can be none. */
  constructor(description, weights, worker) {
    this.description = description;
    this.weights = weights;
    this.network = new Network(description, weights);
    this.address = worker;
    this.worker = null;
    this.waiting = new Map();
    this.calls = 0;
    this.slow = 0;
    this.milliseconds = 0;
    if (description.work / MULTIPLY_ADDS > SLOW) this.#hire();
  }

  /** Where the last answer was computed: "page" or "worker". */
  get place() {
    return this.worker ? "worker" : "page";
  }

  /** The outputs for one example, each a Float32Array of its own. */
  async run(inputs) {
    if (this.worker) return this.#ask("run", inputs);
    const begun = performance.now();
    const outputs = this.network.run(inputs);
    this.milliseconds = performance.now() - begun;
    // Twice, since a browser compiles what it runs for the first time.
    this.slow = this.milliseconds > SLOW ? this.slow + 1 : 0;
    if (this.slow > 1) this.#hire();
    return outputs;
  }

  /** The largest difference from what Keras computed for the golden inputs. */
  async deviation(golden) {
    return this.worker ? this.#ask("deviation", golden) : this.network.deviation(golden);
  }

  #hire() {
    if (!this.address || typeof Worker === "undefined") return;
    try {
      this.worker = new Worker(this.address, { type: "module" });
    } catch {
      this.address = null;
      return;
    }
    this.worker.addEventListener("message", ({ data }) => this.#answered(data));
    this.worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#dismiss();
    });
    this.worker.postMessage({ description: this.description, weights: this.weights });
  }

  #ask(task, given) {
    this.calls += 1;
    return new Promise((resolve, reject) => {
      this.waiting.set(this.calls, { task, given, resolve, reject });
      this.worker.postMessage({ call: this.calls, task, given });
    });
  }

  #answered({ call, answer, milliseconds, error }) {
    const { task, resolve, reject } = this.waiting.get(call);
    this.waiting.delete(call);
    if (error !== undefined) reject(new Error(error));
    else {
      if (task === "run") this.milliseconds = milliseconds;
      resolve(answer);
    }
  }

  /** Without a Worker after all: what it was asked is computed in the page. */
  #dismiss() {
    const asked = [...this.waiting.values()];
    this.waiting.clear();
    this.worker?.terminate();
    this.worker = this.address = null;
    for (const { task, given, resolve, reject } of asked) this[task](given).then(resolve, reject);
  }
}
