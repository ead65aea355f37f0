// A prompt, and what a language model writes on after it, symbol by symbol.

import { answerTable, probabilities, ranked } from "./answers.js";
import { newSeed, readSeed, uniform } from "./chance.js";
import { button, dial, labelled, make } from "./elements.js";

const UNKNOWN = 0; // the number that stands for all symbols training did not hold
const REPLACEMENT = "\ufffd";
const LONGEST = 2000; // symbols
const FRAME = 16; // milliseconds between two looks at the page

/** A number drawn from probabilities, as in training: never the unknown one. */
export function draw(shares, temperature, chance) {
  let likely = Array.from(shares).slice(UNKNOWN + 1);
  if (!likely.some((share) => share > 0)) likely = likely.map(() => 1);
  if (temperature === 0) return likely.indexOf(Math.max(...likely)) + UNKNOWN + 1;
  const logs = likely.map(Math.log);
  const highest = Math.max(...logs);
  const weights = logs.map((log) => Math.exp((log - highest) / temperature));
  let rest = chance() * weights.reduce((a, b) => a + b, 0);
  const at = weights.findIndex((weight) => (rest -= weight) < 0);
  return (at < 0 ? weights.length - 1 : at) + UNKNOWN + 1;
}

/** The symbols of a text: characters, or what blanks set apart. */
export function symbolsOf(text, unit) {
  return unit === "word" ? text.split(/\s+/).filter(Boolean) : Array.from(text);
}

/** One step of the model after another, its states carried along. */
class Writer {
  constructor(live) {
    this.live = live;
    this.symbols = [REPLACEMENT, ...live.widget.symbols];
    this.numbers = new Map(live.widget.symbols.map((symbol, at) => [symbol, at + 1]));
  }

  begin(prompt, seed) {
    const read = symbolsOf(prompt, this.live.widget.unit).map((symbol) => this.numbers.get(symbol) ?? UNKNOWN);
    this.unread = read.length ? read : [UNKNOWN];
    this.chance = uniform(seed);
    const size = (shape) => shape.reduce((a, b) => a * b, 1);
    this.states = this.live.description.inputs.slice(1).map(({ shape }) => new Float32Array(size(shape)));
    this.shares = null;
  }

  /** Read one of the symbols that are due. */
  async read() {
    const [output, ...states] = await this.live.run([Int32Array.of(this.unread.shift()), ...this.states]);
    this.states = states;
    this.shares = probabilities(output, this.live.widget.answer);
  }

  /** Write one symbol; the last one is read first. */
  write(temperature) {
    const number = draw(this.shares, temperature, this.chance);
    this.unread.push(number);
    return this.symbols[number];
  }
}

/** A symbol as it can be seen. */
function visible(symbol) {
  return { " ": "␣ blank", "\n": "↵ new line", "\t": "⇥ tab", [REPLACEMENT]: "� unknown" }[symbol] ?? symbol;
}

/** Put the prompt into the stage; resolves when the model has said what may come first. */
export async function mount(live) {
  const { widget } = live;
  const word = widget.unit === "word";
  const chosen = { prompt: widget.prompt ?? "", temperature: widget.temperature ?? 1, length: widget.length ?? 200,
    seed: 1, ...fromAddress(live.state) };
  const writer = new Writer(live);

  const prompt = make("textarea", { rows: 2, spellcheck: "false" });
  prompt.value = chosen.prompt;
  const unknown = make("p", { class: "folio-live__hint" });
  const temperature = dial({ label: "Temperature", low: 0, high: 2, step: 0.05, value: chosen.temperature,
    hint: make("p", { class: "folio-live__hint" }, "Below 1 the likely becomes likelier; 0 takes the likeliest each time."),
    changed: (value) => set("temperature", value === null || value < 0 ? 1 : value) });
  const length = dial({ label: word ? "Words" : "Characters", low: 10, high: 500, step: 10, value: chosen.length, whole: true,
    changed: (value) => set("length", Math.max(1, Math.min(LONGEST, Math.round(value ?? 200)))) });
  const seed = make("input", { type: "number", min: 0, step: 1, value: chosen.seed });
  const read = make("span", { class: "folio-live__prompt" });
  const written = make("span");
  const next = answerTable("Likeliest next symbols");
  let run = 0; // the newest run; an older one ends when it sees that
  let text = ""; // what has been written, of which the page shows a little less

  const set = (name, value) => {
    chosen[name] = value;
    live.keep(toAddress(chosen));
  };
  const showNext = () => {
    next.show(ranked(writer.symbols, writer.shares, 6).map(([symbol, share]) => [visible(symbol), share]));
  };

  const showText = () => { written.textContent = text; };
  const write = async (goOn) => {
    const mine = ++run;
    working(true);
    if (!goOn) {
      writer.begin(chosen.prompt, chosen.seed);
      read.textContent = word && chosen.prompt ? `${chosen.prompt} ` : chosen.prompt;
      text = "";
    }
    // The text is put into the page once a frame, and the page is looked after in between.
    let shown = performance.now();
    for (let symbol = 0; symbol < chosen.length; symbol += 1) {
      while (writer.unread.length) {
        await writer.read();
        if (performance.now() - shown > FRAME) {
          showText();
          showNext();
          await pause();
          shown = performance.now();
        }
        if (mine !== run || live.failed) return;
      }
      const drawn = writer.write(chosen.temperature);
      const from = text.length;
      text += word && text ? ` ${drawn}` : drawn;
      const end = widget.stop ? text.indexOf(widget.stop, Math.max(0, from - widget.stop.length)) : -1;
      if (end >= 0) {
        text = text.slice(0, end);
        break;
      }
    }
    showText();
    showNext();
    working(false);
    live.say(`Written: ${text.slice(0, 300)}`);
  };
  const stop = () => {
    run += 1;
    showText();
    working(false);
  };

  const writeButton = button("Write", () => write(false));
  const stopButton = button("Stop", stop, { disabled: true });
  const goOnButton = button("Continue", () => write(true), { disabled: true });
  const working = (now) => {
    [writeButton.disabled, stopButton.disabled, goOnButton.disabled] = [now, !now, now];
  };

  const look = () => {
    const strange = new Set(symbolsOf(chosen.prompt, widget.unit).filter((each) => !writer.numbers.has(each)));
    unknown.textContent = strange.size
      ? `Not known from training, and read as �: ${[...strange].slice(0, 20).map(visible).join(", ")}`
      : "";
  };
  prompt.addEventListener("input", () => {
    set("prompt", prompt.value);
    look();
  });
  seed.addEventListener("input", () => set("seed", readSeed(seed.value)));
  const newOne = button("New seed", () => {
    seed.value = newSeed();
    set("seed", Number(seed.value));
    write(false);
  });
  live.stage.append(
    labelled("Prompt", prompt, unknown),
    make("div", { class: "folio-live__fields folio-live__fields--wide" }, temperature.element, length.element,
      labelled("Seed", seed, make("p", { class: "folio-live__hint" }, "The same seed writes the same text."))),
    make("div", { class: "folio-live__row" }, writeButton, stopButton, goOnButton, newOne),
    make("p", { class: "folio-live__written", tabindex: 0, role: "region", "aria-label": "The text" }, read, written),
    next.element,
  );
  look();
  // What may follow the prompt is the first answer; the text itself is begun by the reader.
  writer.begin(chosen.prompt, chosen.seed);
  read.textContent = chosen.prompt;
  while (writer.unread.length) await writer.read();
  showNext();
}

/** Let the browser draw and take input. */
function pause() {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

function toAddress({ prompt, temperature, length, seed }) {
  return `${temperature};${length};${seed};${prompt.slice(0, 500)}`;
}

function fromAddress(text) {
  const [, temperature, length, seed, prompt] = /^(\d(?:\.\d{1,3})?);(\d{1,4});(\d{1,10});([^]*)$/.exec(text) ?? [];
  if (prompt === undefined) return {};
  return {
    temperature: Number(temperature), length: Math.max(1, Math.min(LONGEST, Number(length))),
    seed: readSeed(seed), prompt: prompt.slice(0, 500),
  };
}
