// A form whose fields are the columns of a table, and what the network makes of the row.

import { answerTable, percent, probabilities, ranked } from "./answers.js";
import { button, dial, labelled, make, short } from "./elements.js";
import { exampleButtons, latest } from "./widget.js";

const MISSING = null; // in place of a value that is not known
const OTHER = Symbol("another name");

/** A row as the network takes it; values by field name, as `Columns.matrix` of the exporter. */
export function encode(fields, values, width) {
  const row = new Float32Array(width);
  for (const field of fields) {
    const value = values.get(field.name);
    const missing = value === MISSING;
    if (field.kind === "category") {
      const number = field.names.indexOf(value);
      if (number >= 0) row[field.at[number]] = 1;
      else if (!missing && field.other_at !== null) row[field.other_at] = 1;
    } else if (field.at !== null) {
      row[field.at] = missing ? field.typical : Number(value);
    }
    if (missing && field.missing_at !== null) row[field.missing_at] = 1;
  }
  return row;
}

/** Where every field begins: the typical number, the first name. */
function typical(field) {
  return field.kind === "category" ? field.names[0] ?? (field.other_at === null ? MISSING : OTHER) : field.typical;
}

/** A value that came from outside, as the field can hold it; undefined if it cannot. */
function valid(field, value) {
  if (value === null || value === undefined) return MISSING;
  if (field.kind === "category") {
    if (field.names.includes(String(value))) return String(value);
    return field.other_at === null ? undefined : OTHER;
  }
  const number = Number(value);
  if (field.kind === "yes or no") return number === 0 || number === 1 ? number : undefined;
  return Number.isFinite(number) ? number : undefined;
}

/** Put the form into the stage; resolves when the first answer is shown. */
export async function mount(live) {
  const { widget } = live;
  const { fields, width, examples: rows = [] } = widget;
  const values = new Map(fields.map((field) => [field.name, typical(field)]));
  for (const [name, value] of fromAddress(fields, live.state)) values.set(name, value);

  const result = resultOf(widget);
  const answer = latest(async () => {
    const [output] = await live.run([encode(fields, values, width)]);
    live.say(result.show(output));
    live.keep(toAddress(fields, values));
  });
  const controls = fields.map((field) => control(field, values.get(field.name), (value) => {
    values.set(field.name, value);
    if (!live.failed) answer();
  }));
  const fill = (row) => {
    fields.forEach((field, at) => {
      const value = row ? valid(field, row[field.name]) : typical(field);
      values.set(field.name, value === undefined ? typical(field) : value);
      controls[at].set(values.get(field.name));
    });
    return answer();
  };
  live.stage.append(
    make("div", { class: "folio-live__columns folio-live__columns--form" },
      make("div", { class: "folio-live__fields" }, ...controls.map((each) => each.element)),
      make("div", { class: "folio-live__right" }, result.element)),
    exampleButtons(rows.length, null, (number) => fill(rows[number])),
    make("div", { class: "folio-live__row" }, button("Reset", () => fill(null))),
  );
  await answer();
}

/** A field as an element, and how to set it from outside. */
function control(field, value, changed) {
  const label = `${field.label ?? field.name}${field.unit ? ` (${field.unit})` : ""}`;
  if (field.kind === "category" || field.kind === "yes or no") return choice(field, label, value, changed);
  if (field.at === null) return knownOrNot(field, label, value, changed);
  return amount(field, label, value, changed);
}

/** The options of a select: [text, value] pairs. */
function choices(field) {
  const named = field.kind === "category" ? field.names.map((name) => [name, name]) : [["yes", 1], ["no", 0]];
  if (field.kind === "category" && field.other_at !== null) named.push(["other", OTHER]);
  if (field.missing_at !== null) named.push(["not known", MISSING]);
  return named;
}

function choice(field, label, value, changed) {
  const pairs = choices(field);
  const select = make("select", {}, ...pairs.map(([text], at) => make("option", { value: at }, text)));
  const set = (to) => { select.selectedIndex = pairs.findIndex(([, each]) => each === to); };
  select.addEventListener("change", () => changed(pairs[select.selectedIndex][1]));
  set(value);
  return { element: labelled(label, select), set };
}

/** Where training saw one number or none, only whether there is one tells rows apart. */
function knownOrNot(field, label, value, changed) {
  const pairs = [[short(field.typical), field.typical], ["not known", MISSING]];
  const select = make("select", {}, ...pairs.map(([text], at) => make("option", { value: at }, text)));
  const set = (to) => { select.selectedIndex = to === MISSING ? 1 : 0; };
  select.addEventListener("change", () => changed(pairs[select.selectedIndex][1]));
  set(value);
  return { element: labelled(label, select), set };
}

function amount(field, label, value, changed) {
  const { low, high } = field;
  const whole = field.kind === "whole number";
  const hint = make("p", { class: "folio-live__hint" });
  const say = (now) => {
    const beyond = now !== MISSING && (now < low || now > high);
    hint.classList.toggle("folio-live__hint--beyond", beyond);
    if (now === MISSING) {
      hint.textContent = `Not known: ${short(field.typical)}, the median of training, stands in.`;
    } else {
      const range = `${short(low)} to ${short(high)}`;
      const empty = field.missing_at === null ? "" : "; empty if not known";
      hint.textContent = beyond ? `Beyond what training saw: ${range}` : `In training ${range}${empty}`;
    }
  };
  const told = (now) => {
    say(now);
    changed(now);
  };
  const step = field.step ?? (whole ? 1 : stepFor(low, high));
  const number = dial({ label, low, high, step, value, whole, hint, changed: told });
  const set = (to) => {
    number.set(to);
    say(to);
  };
  set(value);
  return { element: number.element, set };
}

/** A step of 1, 2 or 5 times a power of ten, of which about a hundred go into the range. */
function stepFor(low, high) {
  const rough = (high - low) / 100;
  const power = 10 ** Math.floor(Math.log10(rough));
  return Number((([1, 2, 5].find((times) => times * power >= rough) ?? 10) * power).toPrecision(1));
}

/** The place of the answer: one number, or a table of the classes' shares. */
function resultOf(widget) {
  const { classes, answer, asked, unit } = widget;
  if (answer === "number") {
    const value = make("p", { class: "folio-live__number" });
    const element = make("div", { class: "folio-live__result" },
      make("p", { class: "folio-live__title" }, asked ?? "What the network says"), value);
    return {
      element,
      show(output) {
        value.textContent = `${short(output[0], 4)}${unit ? ` ${unit}` : ""}`;
        return value.textContent;
      },
    };
  }
  const table = answerTable("What the network says");
  return {
    element: table.element,
    show(output) {
      const shares = probabilities(output, answer);
      let rows;
      if (shares.length === 1) {
        const of = asked ?? classes?.[1] ?? "yes";
        const other = classes?.length === 2 ? classes.find((name) => name !== of) : `not ${of}`;
        rows = [[of, shares[0]], [other, 1 - shares[0]]];
      } else rows = ranked(classes, shares, 8);
      table.show(rows);
      return rows.slice(0, 3).map(([name, share]) => `${name}, ${percent(share)}`).join("; ");
    },
  };
}

/** What differs from the typical row, as "0~34;3~m": numbers as they are, names by position. */
function toAddress(fields, values) {
  return fields.flatMap((field, at) => {
    const value = values.get(field.name);
    if (value === typical(field)) return [];
    if (value === MISSING) return [`${at}~m`];
    if (field.kind !== "category") return [`${at}~${value}`];
    return [`${at}~${value === OTHER ? "o" : field.names.indexOf(value)}`];
  }).join(";");
}

function fromAddress(fields, text) {
  return text.split(";").flatMap((part) => {
    const [, at, told] = /^(\d{1,3})~(m|o|-?[\d.]+(?:e-?\d+)?)$/.exec(part) ?? [];
    const field = fields[at];
    if (!field) return [];
    if (told === "m") {
      const possible = field.missing_at !== null || ["number", "whole number"].includes(field.kind);
      return possible ? [[field.name, MISSING]] : [];
    }
    if (field.kind !== "category") {
      const value = valid(field, told);
      return value === undefined ? [] : [[field.name, value]];
    }
    if (told === "o") return field.other_at === null ? [] : [[field.name, OTHER]];
    return field.names[told] === undefined ? [] : [[field.name, field.names[told]]];
  });
}
