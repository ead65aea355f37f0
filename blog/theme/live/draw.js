// A pad to draw on, and what the network takes the drawing for.

import { answerTable, percent, probabilities, ranked } from "./answers.js";
import { button, fresh, make } from "./elements.js";
import { paint } from "./pictures.js";
import { GRID, extend, rasterise, read, trace, write } from "./strokes.js";
import { exampleButtons, latest } from "./widget.js";

const SIDE = 480; // pixels of the pad's canvas
const STEP = GRID / 32; // the pen's way at one press of an arrow
const REST = 60; // milliseconds between two answers, in which the pen is followed
const EMPTY = "Nothing is drawn yet, so there is nothing to recognise.";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Put the pad into the stage; resolves when the first answer, if there is one, is shown. */
export async function mount(live) {
  const { widget } = live;
  const [height, width] = widget.size;
  const { channels = 1, background = 1, ink = 0, classes, top = 5 } = widget;
  const range = widget.range ?? [Math.min(background, ink), Math.max(background, ink)];
  let strokes = read(live.state);
  let example = /^e[0-2]$/.test(live.state) ? Number(live.state[1]) : null;
  let shown = null; // the example's picture, which the next stroke replaces

  const pad = make("canvas", { class: "folio-live__pad", tabindex: 0, role: "application", "aria-label": "Drawing pad" });
  const seen = make("canvas", { class: "folio-live__seen", role: "img", "aria-label": "What the network sees" });
  const hint = make("p", { class: "folio-live__hint", id: fresh("hint") },
    "Draw with a mouse, a finger or a pen. With the keyboard: the arrows move the pen, space puts it down or lifts it, Backspace takes back a stroke, Delete clears.");
  pad.setAttribute("aria-describedby", hint.id);
  const answers = answerTable("What the network takes it for");
  const pen = { at: [GRID / 2, GRID / 2], down: false, seen: false };
  let stroke = null;

  const redraw = () => {
    const [w, h] = [pad.width, pad.height];
    const context = pad.getContext("2d");
    const grey = (value) => {
      const level = Math.round((255 * (value - range[0])) / (range[1] - range[0]));
      return `rgb(${level}, ${level}, ${level})`;
    };
    context.fillStyle = grey(background);
    context.fillRect(0, 0, w, h);
    if (shown) {
      const small = document.createElement("canvas");
      paint(small, shown, widget.size, channels, range);
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, 0, w, h);
    }
    context.strokeStyle = grey(ink);
    const place = ([x, y]) => [(x / GRID) * w, (y / GRID) * h];
    trace(context, strokes, (widget.stroke ?? 0.07) * Math.min(w, h), place);
    if (pen.seen) {
      context.beginPath();
      context.arc(...place(pen.at), 14, 0, 2 * Math.PI);
      context.lineWidth = pen.down ? 8 : 4;
      context.strokeStyle = "#c2452d";
      context.stroke();
    }
  };

  const input = () => {
    if (shown) return shown;
    const covered = rasterise(strokes, widget);
    const values = new Float32Array(height * width * channels);
    for (let at = 0; at < values.length; at += 1) {
      values[at] = background + (ink - background) * covered[Math.floor(at / channels)];
    }
    return values;
  };

  const answer = latest(async () => {
    if (!shown && !strokes.length) {
      paint(seen, new Float32Array(height * width * channels).fill(background), widget.size, channels, range);
      answers.clear(EMPTY);
      live.say(EMPTY);
      live.keep("");
      return;
    }
    const values = input();
    paint(seen, values, widget.size, channels, range);
    const [output] = await live.run([values]);
    const rows = ranked(classes, probabilities(output, widget.answer), top);
    answers.show(rows);
    live.say(rows.slice(0, 3).map(([name, share]) => `${name}, ${percent(share)}`).join("; "));
    live.keep(shown ? `e${example}` : write(strokes));
  }, REST);

  const changed = async () => {
    redraw();
    if (live.failed) return;
    answers.element.setAttribute("aria-busy", "true");
    await answer();
    answers.element.setAttribute("aria-busy", "false");
  };
  const begin = (x, y) => {
    if (shown) [shown, example, strokes] = [null, null, []];
    stroke = [];
    strokes.push(stroke);
    extend(stroke, x, y);
    changed();
  };
  const clear = () => {
    [shown, example, strokes, stroke, pen.down] = [null, null, [], null, false];
    changed();
  };
  const undo = () => {
    if (shown) shown = example = null;
    else strokes.pop();
    [stroke, pen.down] = [null, false];
    changed();
  };

  const showExample = async (number) => {
    const before = strokes.length;
    const { inputs } = await live.example(number);
    if (strokes.length !== before) return; // somebody began to draw while it was fetched
    [strokes, stroke, pen.down] = [[], null, false];
    [example, shown] = [number, inputs[0].slice()];
    await changed();
  };

  byPointer(pad, { begin, end: () => { stroke = null; }, move: (x, y) => {
    if (stroke && extend(stroke, x, y)) changed();
  } });
  byKeys(pad, pen, { begin, redraw, clear, undo, say: live.say, end: () => { stroke = null; }, move: (x, y) => {
    if (stroke && extend(stroke, x, y)) changed();
  } });

  pad.width = Math.round(SIDE * Math.min(1, width / height));
  pad.height = Math.round(SIDE * Math.min(1, height / width));
  live.stage.append(
    make("div", { class: "folio-live__columns" },
      make("div", { class: "folio-live__left" }, pad,
        make("div", { class: "folio-live__row" }, button("Undo", undo), button("Clear", clear))),
      make("div", { class: "folio-live__right" },
        make("figure", { class: "folio-live__sight" }, seen,
          make("figcaption", {}, `What the network sees: ${width}\u00a0×\u00a0${height}\u00a0pixels`)),
        answers.element)),
    hint,
    exampleButtons(3, widget.examples, showExample),
  );
  redraw();
  if (example === null && strokes.length) {
    await changed();
    return;
  }
  try {
    await showExample(example ?? 0);
  } catch {
    await changed(); // golden.bin did not come: begin with an empty pad
  }
}

/** Strokes by mouse, finger or pen. */
function byPointer(pad, { begin, move, end }) {
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * GRID, ((event.clientY - box.top) / box.height) * GRID];
  };
  let pointer = null; // a second finger does not draw
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || pointer !== null) return;
    pointer = event.pointerId;
    pad.setPointerCapture(pointer);
    begin(...place(event));
  });
  pad.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) move(...place(each));
  });
  for (const over of ["pointerup", "pointercancel"]) {
    pad.addEventListener(over, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      end();
    });
  }
}

/** Strokes by keyboard, with a pen that can be seen while the pad has the focus. */
function byKeys(pad, pen, { begin, move, end, undo, clear, redraw, say }) {
  pad.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (arrow) {
      pen.seen = true;
      const way = event.shiftKey ? 4 * STEP : STEP;
      pen.at = pen.at.map((at, axis) => Math.max(0, Math.min(GRID, at + way * arrow[axis])));
      if (pen.down) move(...pen.at);
      redraw();
    } else if (event.key === " ") {
      pen.seen = true;
      pen.down = !pen.down;
      if (pen.down) begin(...pen.at);
      else end();
      say(pen.down ? "Pen down" : "Pen up");
      redraw();
    } else if (event.key === "Delete") clear();
    else if (event.key === "Backspace") undo();
    else return;
    event.preventDefault();
  });
  pad.addEventListener("blur", () => {
    [pen.seen, pen.down] = [false, false];
    end();
    redraw();
  });
}
