// Elements of a page, made from data: text is only ever text, never markup.

/** A new element; what is no attribute's value (false, null) is left out, strings become text. */
export function make(tag, attributes = {}, ...children) {
  return finish(document.createElement(tag), attributes, children);
}

/** The same in a drawing. */
export function makeSvg(tag, attributes = {}, ...children) {
  return finish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function finish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A button that says what it does. */
export function button(text, pressed, attributes = {}) {
  const made = make("button", { type: "button", class: "folio-live__button", ...attributes }, text);
  made.addEventListener("click", pressed);
  return made;
}

let labels = 0;

/** A name that no other element of the page has. */
export function fresh(name) {
  labels += 1;
  return `folio-live-${name}-${labels}`;
}

/** A field with its label above it, and a line below it that belongs to it. */
export function labelled(text, input, hint = null) {
  input.id = fresh("field");
  if (hint) {
    hint.id = fresh("hint");
    input.setAttribute("aria-describedby", hint.id);
  }
  const label = make("label", { for: input.id }, text);
  return make("div", { class: "folio-live__field" }, label, input, ...(hint ? [hint] : []));
}

/** A number to type or to move: one value in a field and on a rail, told to `changed`. */
export function dial({ label, low, high, step, value, whole = false, hint = null, changed }) {
  const number = make("input", { type: "number", step: whole ? 1 : "any", inputmode: "decimal" });
  const rail = make("input", { type: "range", min: low, max: high, step, "aria-label": label });
  const short = (to) => String(Number(to.toPrecision(5)));
  const set = (to) => {
    number.value = to === null ? "" : short(to);
    if (to !== null) rail.value = to;
  };
  number.addEventListener("input", () => {
    if (number.value !== "") rail.value = number.value;
    changed(number.value === "" || !Number.isFinite(number.valueAsNumber) ? null : number.valueAsNumber);
  });
  rail.addEventListener("input", () => {
    number.value = short(Number(rail.value));
    changed(Number(rail.value));
  });
  const element = labelled(label, number, hint);
  number.after(rail);
  set(value);
  return { element, set };
}

/** A number in few characters: 0.25, −1.5, 12,340, 3.2e-7. */
export function short(value, digits = 3) {
  if (!Number.isFinite(value)) return String(value);
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)) {
    return value.toExponential(1).replace("e+", "e").replace(/^-/, "−");
  }
  const text = Number(value.toPrecision(digits)).toLocaleString("en", {
    maximumFractionDigits: 6, useGrouping: Math.abs(value) >= 1e4,
  });
  return text.replace("-", "−");
}
