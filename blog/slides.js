// Slides that turn by keys, buttons, taps and swipes; notes, a timer, a second window that follows.
"use strict";
{
  const slides = [...document.querySelectorAll("main > .slide")];
  const part = (id) => document.getElementById(id);
  const root = document.documentElement;
  let at = 1;

  // What is on a slide gets smaller until it fits; what is too much even then is scrolled.
  const SIZES = ["", "small", "smaller"];
  const fit = () => {
    const sheet = slides[at - 1].querySelector(".sheet");
    for (const size of SIZES) {
      sheet.className = `sheet ${size}`.trim();
      if (sheet.scrollHeight <= sheet.clientHeight + 1) break;
    }
    const reachable = (box, tooLong) => {
      if (tooLong) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    };
    reachable(sheet, sheet.scrollHeight > sheet.clientHeight + 1);
    for (const box of sheet.querySelectorAll("pre, .wide-part, .folio-formula")) {
      reachable(box, box.scrollWidth > box.clientWidth);
    }
  };

  // ---- The second window: it and this one send each other the slide's number ----
  let second = null;
  const others = () => [second, opener].filter((other) => other && !other.closed);
  const speaker = () => {
    second = open(`${location.pathname}?notes#${at}`, "", "popup,width=1000,height=760");
  };
  addEventListener("message", (event) => {
    if (others().includes(event.source) && Number.isInteger(event.data?.slide)) show(event.data.slide);
  });

  const show = (number) => {
    at = Math.min(Math.max(number || 1, 1), slides.length);
    slides.forEach((slide, index) => { slide.hidden = index + 1 !== at; });
    part("place").textContent = `${at} / ${slides.length}`;
    history.replaceState(null, "", `#${at}`);
    fit();
  };

  const go = (number) => {
    const before = at;
    show(number);
    if (at === before) return;
    part("said").textContent = `Slide ${slides[at - 1].ariaLabel}`;
    // Whoever works with the buttons stays there.
    if (!document.activeElement?.closest(".bar")) slides[at - 1].focus({ preventScroll: true });
    for (const other of others()) other.postMessage({ slide: at }, "*");
  };

  // ---- Timer ----
  let spoken = 0, since = null, ticking = 0;
  const seconds = () => Math.floor((spoken + (since === null ? 0 : performance.now() - since)) / 1000);
  const tick = () => {
    const [hours, minutes, rest] = [Math.floor(seconds() / 3600), Math.floor(seconds() / 60) % 60, seconds() % 60];
    const two = (number) => String(number).padStart(2, "0");
    part("elapsed").textContent = hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  };
  const timer = () => {
    if (since === null) {
      since = performance.now();
      ticking = setInterval(tick, 200);
    } else {
      spoken += performance.now() - since;
      since = null;
      clearInterval(ticking);
    }
    part("timer").textContent = since === null ? "Start" : "Stop";
    tick();
  };
  const reset = () => {
    spoken = 0;
    if (since !== null) since = performance.now();
    tick();
  };

  // ---- Notes, full screen, help ----
  const notes = () => {
    const shown = root.classList.toggle("noted");
    part("notes").setAttribute("aria-pressed", String(shown));
    fit();
  };
  const screen = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else root.requestFullscreen?.();
  };
  const help = () => {
    if (part("help").open) part("help").close();
    else part("help").showModal();
  };

  const actions = {
    next: () => go(at + 1), back: () => go(at - 1), first: () => go(1), last: () => go(slides.length),
    notes, timer, reset, screen, speaker, help,
  };
  const KEYS = {
    ArrowRight: "next", PageDown: "next", ArrowLeft: "back", PageUp: "back", Home: "first", End: "last",
    n: "notes", t: "timer", T: "reset", f: "screen", w: "speaker", "?": "help",
  };

  // Up and down move a slide that is longer than the screen, and at its end turn it.
  const vertical = (down) => {
    const sheet = slides[at - 1].querySelector(".sheet");
    const left = down ? sheet.scrollHeight - sheet.clientHeight - sheet.scrollTop : sheet.scrollTop;
    if (left > 1) sheet.scrollBy(0, down ? 80 : -80);
    else go(down ? at + 1 : at - 1);
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const on = event.target instanceof Element ? event.target : document.body;
    const key = event.key;
    if (part("help").open && key !== "?") return;
    // What is scrolled by arrows keeps them while it has the focus.
    if (key.startsWith("Arrow") && on.closest("pre[tabindex], .wide-part[tabindex], .folio-formula[tabindex]")) return;
    if (key === "ArrowDown" || key === "ArrowUp") {
      if (on.closest(".notes")) return;
      vertical(key === "ArrowDown");
    } else if (key === " ") {
      if (on.closest("button, a")) return;
      go(event.shiftKey ? at - 1 : at + 1);
    } else if (Object.hasOwn(KEYS, key)) {
      actions[KEYS[key]]();
    } else {
      return;
    }
    event.preventDefault();
  });

  for (const button of document.querySelectorAll("[data-do]")) {
    button.addEventListener("click", (event) => {
      actions[button.dataset.do]();
      // After a click the keys belong to the slide again; after Enter they stay with the button.
      if (event.detail && !part("help").open) slides[at - 1].focus({ preventScroll: true });
    });
  }

  // ---- Taps on an edge, and swipes ----
  const main = document.querySelector("main");
  main.addEventListener("click", (event) => {
    if (event.target.closest("a, .notes") || !getSelection().isCollapsed) return;
    const place = event.clientX / innerWidth;
    if (place < 0.15) actions.back();
    if (place > 0.85) actions.next();
  });
  let touch = null;
  main.addEventListener("touchstart", (event) => {
    touch = event.touches.length === 1 ? event.touches[0] : null;
  }, { passive: true });
  main.addEventListener("touchend", (event) => {
    const [end] = event.changedTouches;
    const inside = event.target.closest("pre, .wide-part, .folio-formula");
    if (!touch || (inside && inside.scrollWidth > inside.clientWidth)) return;
    const [across, down] = [end.clientX - touch.clientX, end.clientY - touch.clientY];
    if (Math.abs(across) > 50 && Math.abs(across) > 2 * Math.abs(down)) go(at + (across < 0 ? 1 : -1));
  });

  root.classList.add("live");
  document.querySelector(".bar").hidden = false;
  part("screen").hidden = !document.fullscreenEnabled;
  addEventListener("resize", fit);
  addEventListener("hashchange", () => show(Number.parseInt(location.hash.slice(1), 10)));
  show(Number.parseInt(location.hash.slice(1), 10));
  if (new URLSearchParams(location.search).has("notes")) notes();
}
