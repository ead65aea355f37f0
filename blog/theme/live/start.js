// A button for each network of a page, and what is fetched when a reader presses it.

// Modules by what needs them, all named here so that they come at once and not one after another.
const INTERPRETER = ["network", "layers", "convolutions", "recurrent", "activations"];
const WIDGET = ["widget", "elements", "engine"];
const OF_KIND = {
  backprop: ["diagram", "flow"],
  draw: ["answers", "pictures", "strokes"],
  form: ["answers"],
  samples: ["chance", "pictures"],
  sliders: ["pictures"],
  text: ["answers", "chance"],
};

/** One of our modules; a page opened as a file has them in `window.folioLive`. */
function load(name) {
  return window.folioLive?.modules?.[name] ?? import("./" + name + ".js");
}

/** A file beside this one; null where the modules came along with the page. */
function address(file) {
  const script = document.querySelector('script[src*="live/start.js"]');
  return script ? new URL(file, script.src).href : null;
}

/** A file that came along with the page, as text or base64. */
function enclosed(url) {
  const files = window.folioLive?.files ?? {};
  const name = Object.keys(files).find((each) => decodeURI(url).endsWith("/" + each));
  if (!name || name.endsWith(".json")) return files[name];
  return Uint8Array.from(atob(files[name]), (character) => character.charCodeAt(0));
}

/** The bytes of a file, told to `arrived` as they come in. */
async function bytes(url, arrived, options) {
  const there = enclosed(url);
  if (there) return new Blob([there]).arrayBuffer();
  const name = url.split("/").pop();
  let response;
  const parts = [];
  try {
    response = await fetch(url, options);
    const reader = response.body.getReader();
    for (let part; !(part = await reader.read()).done; arrived(part.value.length)) {
      parts.push(part.value);
    }
  } catch {
    throw new Error(`${name}: the connection failed`);
  }
  if (!response.ok) throw new Error(`${name}: the server answered ${response.status}`);
  return new Blob(parts).arrayBuffer();
}

function program(kind) {
  const names = [kind, ...WIDGET, ...(OF_KIND[kind] ?? []), ...INTERPRETER];
  return Promise.all(names.map(load)).catch(() => {
    throw new Error("the program did not load");
  });
}

/** Fetch the interpreter when a reader comes near, unless the browser is to save data. */
function fetchAhead(section) {
  if (navigator.connection?.saveData) return;
  const near = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    near.disconnect();
    Promise.all(INTERPRETER.map(load)).catch(() => {}); // asked for again, and told, on a press
  }, { rootMargin: "50%" });
  near.observe(section);
}

async function fetchNetwork(link, kind, arrived) {
  // A site engine may move files apart that lay beside one another: each has a link of its own.
  const beside = (file) => {
    const own = link.parentElement.querySelector(`a[href$="${file}"]`);
    return own?.href ?? new URL(file, link.href).href;
  };
  // The longest first, as a browser fetches only a few files of one server at a time.
  const weighty = bytes(beside("model.bin"), arrived);
  const told = bytes(link.href, arrived);
  const golden = bytes(beside("golden.bin"), () => {}, { priority: "low" });
  golden.catch(() => {});
  const [weights, text, [module, widget]] = await Promise.all([weighty, told, program(kind)]);
  let description;
  try {
    description = JSON.parse(new TextDecoder().decode(text));
  } catch {
    throw new Error("model.json: not readable as JSON");
  }
  return { description, weights, golden, widget, module };
}

function element(tag, name, text = "", role = "") {
  const made = document.createElement(tag);
  made.className = `folio-live__${name}`;
  made.textContent = text;
  if (role) made.setAttribute("role", role);
  return made;
}

function prepare(section) {
  const { kind, bytes: size } = section.dataset;
  const link = section.querySelector("a.folio-live__model");
  const stage = section.querySelector(".folio-live__stage");
  if (!/^[a-z]+$/.test(kind) || !link || !stage) return;
  const row = element("div", "start");
  const button = element("button", "button", `Load the network, ${Math.ceil(size / 1024)} KB`);
  const said = element("p", "progress", "", "status");
  row.append(button, said);
  stage.before(row);
  section.classList.add("folio-live--ready");
  const prefix = `#${section.id}:${kind}=`;
  if (location.hash.startsWith(prefix)) {
    said.textContent = "This address holds a shared input, shown once the network is loaded.";
    section.scrollIntoView();
  }

  fetchAhead(section);
  // Who points at it is about to press it.
  button.onpointerenter = button.onfocus = () => program(kind).catch(() => {});
  button.onclick = async () => {
    button.disabled = true;
    row.querySelector("[role=alert]")?.remove();
    said.textContent = "Loading …";
    const bar = element("progress", "loaded");
    bar.max = size;
    bar.ariaLabel = "Loading the network";
    row.append(bar);
    try {
      const network = await fetchNetwork(link, kind, (more) => (bar.value += more));
      await network.widget.open({ ...network, section, stage, prefix, worker: address("worker.js") });
      row.remove();
    } catch (error) {
      bar.remove();
      said.textContent = "";
      row.append(element("p", "error", `The network did not load (${error.message}).`, "alert"));
      button.textContent = "Try again";
      button.disabled = false;
      button.focus();
    }
  };
}

function prepareAll() {
  document.querySelectorAll("section.folio-live:not(.folio-live--ready)").forEach(prepare);
}

prepareAll();
// Material puts another page into this one where it navigates by itself.
window.document$?.subscribe(prepareAll);
