// Runs every exported network in a folder, and says as JSON how far each is from Keras.
//
//     node run_networks.mjs LIVE MODELS [CALLS]
//
// LIVE holds the interpreter, MODELS a folder for each network. With CALLS each is timed, too.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [live, models, calls] = process.argv.slice(2);
const { Network } = await import(pathToFileURL(join(live, "network.js")));

function bytes(file) {
  const { buffer, byteOffset, length } = readFileSync(file);
  return buffer.slice(byteOffset, byteOffset + length);
}

function median(network, inputs) {
  for (let call = 0; call < 5; call++) network.run(inputs);
  const times = Array.from({ length: Number(calls) }, () => {
    const begun = performance.now();
    network.run(inputs);
    return performance.now() - begun;
  });
  return times.sort((a, b) => a - b)[times.length >> 1];
}

const found = {};
for (const name of readdirSync(models)) {
  const at = (file) => join(models, name, file);
  try {
    const network = new Network(JSON.parse(readFileSync(at("model.json"), "utf8")), bytes(at("model.bin")));
    const golden = bytes(at("golden.bin"));
    const { inputs } = network.golden(0, golden);
    const answers = network.run(inputs).map((output) => [...output.slice(0, 50)]);
    found[name] = { deviation: String(network.deviation(golden)), shapes: network.shapes, answers };
    if (calls) found[name].milliseconds = median(network, inputs);
  } catch (error) {
    found[name] = { error: error.message, kind: error.constructor.name };
  }
}
console.log(JSON.stringify(found));
