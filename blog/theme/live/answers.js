// What a network says of classes, as a table whose bars are drawn by its numbers.

import { make } from "./elements.js";

/** Probabilities from logits: softmax over several, the logistic function for one. */
export function probabilities(output, answer) {
  if (answer !== "logits") return Array.from(output);
  if (output.length === 1) return [1 / (1 + Math.exp(-output[0]))];
  const highest = Math.max(...output);
  const powers = Array.from(output, (value) => Math.exp(value - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** A share as people write it. */
export function percent(share) {
  if (!Number.isFinite(share)) return "no number";
  if (share > 0 && share < 0.001) return "under 0.1 %";
  return `${(100 * share).toFixed(1)} %`;
}

/** The largest shares first: [[name, share], …], at most `top`. */
export function ranked(names, shares, top) {
  return shares.map((share, at) => [names[at] ?? String(at), share])
    .sort((a, b) => b[1] - a[1]).slice(0, top);
}

/** A table of named shares; `show(rows)` writes it anew, `clear(text)` says why it is empty. */
export function answerTable(title) {
  const body = make("tbody");
  const none = make("p", { class: "folio-live__hint" });
  const table = make("table", { class: "folio-live__answers" },
    make("caption", {}, title), body);
  const element = make("div", { class: "folio-live__result" }, table, none);
  return {
    element,
    show(rows) {
      none.textContent = "";
      table.hidden = false;
      body.replaceChildren(...rows.map(([name, share]) => {
        const bar = make("span", { class: "folio-live__bar", "aria-hidden": "true" });
        bar.style.width = `${Math.max(0, Math.min(1, share || 0)) * 100}%`;
        return make("tr", {},
          make("th", { scope: "row" }, name, bar), make("td", {}, percent(share)));
      }));
    },
    clear(text) {
      body.replaceChildren();
      table.hidden = true;
      none.textContent = text;
    },
  };
}
