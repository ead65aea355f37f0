// What every widget stands in: the stage, what is said aloud, the check against Keras, the address.

import { button, make, short } from "./elements.js";
import { Engine } from "./engine.js";

const LONGEST = 4000; // characters of an address that are read

/** Put the widget in the place of the still picture, run it, and check the network. */
export async function open({ section, stage, prefix, description, weights, golden, worker, module }) {
  if (description.format !== 1) {
    throw new Error(`model.json: format ${JSON.stringify(description.format)}, this page reads 1`);
  }
  const engine = new Engine(description, weights, worker);
  const still = make("div", { class: "folio-live__still" });
  still.append(...stage.childNodes);
  const inputs = make("fieldset", { class: "folio-live__widget", tabindex: -1, "aria-label": "Try the network" });
  const check = make("p", { class: "folio-live__check" });
  const time = make("span");
  const said = make("p", { class: "folio-live__said", role: "status", "aria-live": "polite" });
  stage.append(still, inputs, check, said);
  const state = shared(prefix);
  const keep = debounced(400, (text) => share(prefix, text));
  const live = {
    stage: inputs,
    description,
    weights,
    widget: description.widget,
    state,
    /** Whether the network may not be used, because it does not compute what was trained. */
    failed: false,
    keep,
    say: debounced(700, (text) => { said.textContent = text; }),
    async run(given) {
      const outputs = await engine.run(given).catch((error) => {
        halt(live, inputs, check, `The network in this page stopped and is switched off (${error.message}).`);
        throw error;
      });
      const spent = engine.milliseconds;
      time.textContent = `${spent < 0.1 ? "under 0.1" : short(spent, 2)} ms in this browser`;
      inputs.dataset.place = engine.place;
      return outputs;
    },
    async example(number) {
      return engine.network.golden(number, await golden);
    },
  };
  try {
    await module.mount(live);
  } catch (error) {
    stage.replaceChildren(...still.childNodes);
    throw error;
  }
  inputs.focus({ preventScroll: true });
  await compare({ live, engine, golden, inputs, check, time });
}

/** Write how far the network in this page is from Keras, or stop it where that is too far. */
async function compare({ live, engine, golden, inputs, check, time }) {
  const { tolerance = 1e-5 } = live.description.golden ?? {};
  let buffer;
  try {
    buffer = await golden;
  } catch (error) {
    check.append(`Not compared with the trained network (${error.message}). `, time);
    return;
  }
  let deviation;
  try {
    deviation = await engine.deviation(buffer);
  } catch {
    deviation = Infinity;
  }
  if (deviation <= tolerance) {
    const { parameters, precision } = live.description;
    // The numbers to match were computed with the rounded weights, too.
    const rounded = precision === "float32" ? "" : ` rounded to ${precision}`;
    const size = Number(parameters).toLocaleString("en");
    const agreed = deviation === 0 ? "Matches the trained network exactly" : `Matches the trained network to ${ceiling(deviation)}`;
    check.append(`${agreed} · ${size} parameters${rounded} · `, time);
    return;
  }
  const apart = Number.isFinite(deviation) ? ` The answers differ by up to ${short(deviation, 2)}.` : "";
  halt(live, inputs, check,
    `The network in this page does not compute what was trained, so it is switched off.${apart}`);
}

/** Take the widget away, wrong answers and all, and say why; the still picture is back. */
function halt(live, inputs, check, why) {
  live.failed = true;
  inputs.disabled = inputs.inert = true;
  check.remove();
  inputs.parentElement.prepend(make("p", { class: "folio-live__error", role: "alert" }, why));
}

/** The first digit of a small number, rounded up: what it stays below. */
function ceiling(value) {
  const power = Math.floor(Math.log10(value));
  const digit = Math.ceil(Number((value / 10 ** power).toFixed(9)));
  return digit === 10 ? `1e${power + 1}` : `${digit}e${power}`;
}

/** What an address says of this widget, "" if nothing. */
function shared(prefix) {
  if (!location.hash.startsWith(prefix) || location.hash.length > LONGEST) return "";
  try {
    return decodeURIComponent(location.hash.slice(prefix.length));
  } catch {
    return "";
  }
}

function share(prefix, text) {
  // What a mail program would take for the end of an address is written in hex.
  const safe = encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  if (prefix.length + safe.length > LONGEST) return;
  try {
    history.replaceState(history.state, "", prefix + safe);
  } catch {
    // Browsers allow so many changes in a while; the next one will be written.
  }
}

function debounced(milliseconds, task) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => task(...values), milliseconds);
  };
}

/** Run a task as often as it is asked for, but never twice at a time, and rest in between. */
export function latest(task, rest = 0) {
  let running = null;
  let again = false;
  return function ask() {
    again = true;
    running ??= (async () => {
      try {
        while (again) {
          again = false;
          await task();
          if (rest) await new Promise((resolve) => { setTimeout(resolve, rest); });
        }
      } finally {
        running = null;
      }
    })();
    return running;
  };
}

/** Buttons that each show an example, in a row. */
export function exampleButtons(count, names, pressed) {
  const buttons = Array.from({ length: count }, (_, number) => button(
    names?.[number] == null ? `Example ${number + 1}` : `Example ${number + 1}: ${names[number]}`,
    () => pressed(number),
  ));
  return make("div", { class: "folio-live__row" }, ...buttons);
}
