// New pictures from a generator: a sheet for each seed, and the way from one picture to another.

import { newSeed, normal, readSeed, uniform } from "./chance.js";
import { button, labelled, make } from "./elements.js";
import { paint } from "./pictures.js";
import { latest } from "./widget.js";

const MOST = 24; // pictures

/** The noise of each picture of a seed; the first are the same however many there are. */
export function noises(seed, count, length) {
  const draw = normal(uniform(seed));
  return Array.from({ length: count }, () => Float32Array.from({ length }, draw));
}

/** A point on the way from one noise to another, as long as its like: along the arc between them. */
export function between(from, to, part) {
  const length = (noise) => Math.hypot(...noise);
  const product = from.reduce((sum, value, at) => sum + value * to[at], 0);
  const angle = Math.acos(Math.max(-1, Math.min(1, product / (length(from) * length(to)))));
  if (!(Math.sin(angle) > 1e-6)) return from.map((value, at) => value + part * (to[at] - value));
  const [a, b] = [Math.sin((1 - part) * angle), Math.sin(part * angle)].map((sine) => sine / Math.sin(angle));
  return from.map((value, at) => a * value + b * to[at]);
}

/** Put the sheet into the stage; resolves when its pictures are shown. */
export async function mount(live) {
  const { widget } = live;
  const { noise: length, classes, channels = 1 } = widget;
  const range = widget.range ?? [-1, 1];
  const count = Math.min(MOST, widget.count ?? 12);
  const chosen = { seed: 1, class: 0, first: 0, second: null, ...fromAddress(live.state, count, classes) };
  const way = make("input", { type: "range", min: 0, max: 1, step: 0.02, value: 0 });

  const generate = async (noise, canvas) => {
    const inputs = [noise];
    if (classes) {
      const { dtype } = live.description.inputs[1];
      inputs.push(dtype === "int32" ? Int32Array.of(chosen.class) : Float32Array.of(chosen.class));
    }
    const [output] = await live.run(inputs);
    paint(canvas, output, widget.size, channels, range);
  };

  const cells = Array.from({ length: count }, (_, at) => {
    const canvas = make("canvas");
    const element = make("button", { type: "button", class: "folio-live__cell", "aria-pressed": "false", "aria-label": `Picture ${at + 1}` }, canvas);
    element.addEventListener("click", () => choose(at));
    return { canvas, element };
  });
  const large = make("canvas", { class: "folio-live__picture", role: "img" });
  const caption = make("p", { class: "folio-live__hint" });
  const wayField = labelled("From the one to the other", way);

  const showLarge = latest(async () => {
    const all = noises(chosen.seed, count, length);
    const noise = chosen.second === null ? all[chosen.first]
      : between(all[chosen.first], all[chosen.second], Number(way.value));
    await generate(noise, large);
  });
  const showSheet = latest(async () => {
    const { seed } = chosen;
    const of = chosen.class;
    for (const [at, noise] of noises(seed, count, length).entries()) {
      await generate(noise, cells[at].canvas);
      if (seed !== chosen.seed || of !== chosen.class) return;
    }
    live.say(`${count} pictures of seed ${seed}${classes ? `, ${classes[of]}` : ""}`);
  });
  const label = () => {
    const { first, second } = chosen;
    cells.forEach(({ element }, at) => element.setAttribute("aria-pressed", String(at === first || at === second)));
    wayField.hidden = second === null;
    caption.textContent = second === null
      ? `Picture ${first + 1}. Choose a second one to walk from this to that.`
      : `From picture ${first + 1} to picture ${second + 1}.`;
    large.setAttribute("aria-label", caption.textContent);
    live.keep([chosen.seed, chosen.class, first, second ?? ""].join(";"));
  };
  const choose = (at) => {
    if (chosen.second === null && at !== chosen.first) chosen.second = at;
    else [chosen.first, chosen.second] = [at, null];
    way.value = chosen.second === null ? 0 : 0.5;
    label();
    showLarge();
  };
  const renew = () => {
    if (live.failed) return;
    label();
    showLarge();
    showSheet();
  };

  const seed = make("input", { type: "number", min: 0, step: 1, value: chosen.seed });
  seed.addEventListener("input", () => {
    chosen.seed = readSeed(seed.value);
    renew();
  });
  const controls = [labelled("Seed", seed, make("p", { class: "folio-live__hint" }, "The same seed gives the same pictures."))];
  if (classes) {
    const select = make("select", {}, ...classes.map((name, at) => make("option", { value: at }, name)));
    select.selectedIndex = chosen.class;
    select.addEventListener("change", () => {
      chosen.class = select.selectedIndex;
      renew();
    });
    controls.push(labelled("Class", select));
  }
  const another = button("New seed", () => {
    chosen.seed = newSeed();
    seed.value = chosen.seed;
    renew();
  });
  way.addEventListener("input", showLarge);
  live.stage.append(
    make("div", { class: "folio-live__fields folio-live__fields--wide" }, ...controls),
    make("div", { class: "folio-live__row" }, another),
    make("div", { class: "folio-live__columns" },
      make("div", { class: "folio-live__left folio-live__sheet", role: "group", "aria-label": "New pictures" },
        ...cells.map((each) => each.element)),
      make("div", { class: "folio-live__right" }, large, caption, wayField)),
  );
  if (chosen.second !== null) way.value = 0.5;
  label();
  await Promise.all([showSheet(), showLarge()]);
}

function fromAddress(text, count, classes) {
  const [, seed, of, first, second] = /^(\d{1,10});(\d{1,3});(\d{1,2});(\d{0,2})$/.exec(text) ?? [];
  if (seed === undefined || Number(of) >= (classes?.length ?? 1) || Number(first) >= count) return {};
  const other = second === "" || Number(second) >= count || second === first ? null : Number(second);
  return { seed: readSeed(seed), class: Number(of), first: Number(first), second: other };
}
