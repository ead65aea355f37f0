// A network in a thread of its own, so that the page can be scrolled while it computes.

import { Network } from "./network.js";

let network;

self.addEventListener("message", ({ data }) => {
  if (data.weights) {
    network = new Network(data.description, data.weights);
    return;
  }
  try {
    const begun = performance.now();
    const answer = network[data.task === "run" ? "run" : "deviation"](data.given);
    self.postMessage({ call: data.call, answer, milliseconds: performance.now() - begun });
  } catch (error) {
    self.postMessage({ call: data.call, error: error.message });
  }
});
