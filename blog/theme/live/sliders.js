// A few numbers to move, and the picture that a decoder makes of them.

import { button, dial, make } from "./elements.js";
import { paint } from "./pictures.js";
import { exampleButtons, latest } from "./widget.js";

const SHOWN = 8; // sliders
const WAY = 2500; // milliseconds from one picture to the next

/** Put sliders and picture into the stage; resolves when the first picture is shown. */
export async function mount(live) {
  const { widget } = live;
  const { codes, channels = 1, examples = [] } = widget;
  const range = widget.range ?? [0, 1];
  const order = (widget.order ?? codes.map((_, at) => at)).slice(0, SHOWN);
  const typical = codes.map((code) => code.typical);
  let now = fromAddress(live.state, codes) ?? [...typical];
  let wandering = 0; // the newest walk; an older one ends when it sees that

  const picture = make("canvas", { class: "folio-live__picture", role: "img", "aria-label": "The picture that the decoder makes" });
  const show = latest(async () => {
    const [output] = await live.run([Float32Array.from(now)]);
    paint(picture, output, widget.size, channels, range);
  });
  const changed = () => {
    if (live.failed) return undefined;
    live.keep(now.map((value) => Number(value.toFixed(3))).join(","));
    return show();
  };
  const dials = order.map((at, rank) => dial({
    label: rank === 0 ? `Code ${at + 1}, the strongest` : `Code ${at + 1}`,
    low: codes[at].low, high: codes[at].high, step: Number(((codes[at].high - codes[at].low) / 200).toPrecision(1)),
    value: Number(now[at].toFixed(3)),
    changed(value) {
      stop();
      now[at] = value ?? typical[at];
      changed();
    },
  }));
  const set = (to) => {
    now = [...to];
    order.forEach((at, rank) => dials[rank].set(Number(now[at].toFixed(3))));
    return changed();
  };
  const jump = (to, what) => {
    stop();
    live.say(what);
    return set(to);
  };

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const goal = () => (examples.length
    ? examples[Math.floor(Math.random() * examples.length)]
    : codes.map(({ low, high }) => low + (high - low) * Math.random()));
  const walk = async () => {
    const mine = ++wandering;
    wander.setAttribute("aria-pressed", "true");
    while (mine === wandering) {
      const [from, to, begun] = [now, goal(), performance.now()];
      for (let part = 0; part < 1 && mine === wandering && !live.failed;) {
        await frame();
        part = Math.min(1, (performance.now() - begun) / WAY);
        const eased = part * part * (3 - 2 * part);
        if (mine === wandering) await set(from.map((value, at) => value + eased * (to[at] - value)));
      }
      if (live.failed || !picture.isConnected) stop();
    }
  };
  const stop = () => {
    wandering += 1;
    wander.setAttribute("aria-pressed", "false");
  };
  const wander = button("Wander", () => {
    if (wander.getAttribute("aria-pressed") === "true") stop();
    else if (still.matches) jump(goal(), "Another picture"); // no animation where none is wanted
    else walk();
  }, { "aria-pressed": "false" });

  live.stage.append(
    make("div", { class: "folio-live__columns" },
      make("div", { class: "folio-live__left" }, picture,
        make("div", { class: "folio-live__row" }, wander, button("Reset", () => jump(typical, "The typical picture")))),
      make("div", { class: "folio-live__fields folio-live__right" }, ...dials.map((each) => each.element))),
    exampleButtons(Math.min(8, examples.length), null, (number) => jump(examples[number], `Example ${number + 1}`)),
  );
  await show();
}

function frame() {
  return new Promise((resolve) => {
    requestAnimationFrame(resolve);
  });
}

/** Codes from an address, held within what a slider can say; null if it says something else. */
function fromAddress(text, codes) {
  const values = text.split(",").map(Number);
  if (!text || values.length !== codes.length || !values.every(Number.isFinite)) return null;
  return values.map((value, at) => Math.max(codes[at].low, Math.min(codes[at].high, value)));
}
