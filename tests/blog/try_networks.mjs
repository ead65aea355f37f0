// Makes networks of descriptions as they come, damaged ones among them, and says what happens.
//
//     node try_networks.mjs LIVE < CASES
//
// CASES is a JSON list of {description, weights (Base64), golden (Base64), calls: [inputs, …]}.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { Network } = await import(pathToFileURL(join(process.argv[2], "network.js")));
const bytes = (text) => {
  const { buffer, byteOffset, length } = Buffer.from(text, "base64");
  return buffer.slice(byteOffset, byteOffset + length);
};
const answer = (attempt) => {
  try {
    return { value: attempt() };
  } catch (error) {
    return { error: error.message, kind: error.constructor.name };
  }
};

const found = JSON.parse(readFileSync(0, "utf8")).map(({ description, weights, golden, calls }) => {
  let network;
  const made = answer(() => {
    network = new Network(description, bytes(weights));
    return network.shapes;
  });
  if (!network) return { made };
  const called = calls.map((inputs) => answer(() => network.run(inputs).map((output) => [...output])));
  const deviation = answer(() => String(network.deviation(bytes(golden))));
  const kept = answer(() => {
    const [first] = network.run(calls[0]);
    const before = [...first];
    network.run(calls[0].map((input) => input.map((number) => number + 1)));
    return before.every((number, at) => Object.is(number, first[at]));
  });
  return { made, called, deviation, kept };
});
console.log(JSON.stringify(found));
