"""A site of small networks, one a widget, served under a sub-path; its answers known by NumPy.

The networks are written here as `model.json`, `model.bin` and `golden.bin`, without Keras: what is
tested is the page.
"""

from __future__ import annotations

import functools
import html
import http.server
import json
import shutil
import threading
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
THEME = ROOT / "blog" / "theme"
AXE = ROOT / ".cache" / "node" / "node_modules" / "axe-core" / "axe.min.js"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'self'"
)
FIELDS = [
    {"name": "height", "label": "Height", "unit": "m", "kind": "number", "low": 0.0, "high": 80.0,
     "typical": 12.5, "at": 0, "missing_at": 1},
    {"name": "engines", "kind": "whole number", "low": 1, "high": 4, "typical": 2, "at": 2,
     "missing_at": None},
    {"name": "night", "kind": "yes or no", "low": 0, "high": 1, "typical": 0, "at": 3,
     "missing_at": 4},
    {"name": "bird", "kind": "category", "names": ["<b>gull</b>", "kite", "owl"], "at": [5, 6, 7],
     "other_at": 8, "missing_at": 9},
    {"name": "warned", "kind": "number", "low": 1, "high": 1, "typical": 1, "at": None,
     "missing_at": 10},
]  # fmt: skip
CLASSES = ["arrow", "bell <b>", "cup & saucer", "door"]
SYMBOLS = ["a", "b", "c", " ", "\n"]


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max())
    return powers / powers.sum()


@dataclass
class Made:
    """A network as its files, and `answer`, which computes in NumPy what it should say."""

    description: dict[str, Any]
    weights: bytes
    golden: bytes
    answer: Callable[..., list[np.ndarray]]

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps(self.description), encoding="utf-8")
        (folder / "model.bin").write_bytes(self.weights)
        (folder / "golden.bin").write_bytes(self.golden)


def made(
    inputs: list[dict],
    outputs: list[int],
    layers: list[dict],
    weights: list[np.ndarray],
    answer: Callable[..., list[np.ndarray]],
    golden: list[list[np.ndarray]],
    widget: dict,
    **more: Any,
) -> Made:
    """Return a network whose golden outputs are those of `answer`."""
    told, at = [], 0
    for weight in weights:
        told.append({"shape": list(weight.shape), "at": at, "type": "float32"})
        at += 4 * weight.size
    numbers: list[np.ndarray] = []
    others = []
    for example in golden:
        floats = [x for x, each in zip(example, inputs, strict=True) if each["dtype"] == "float32"]
        numbers += [np.ravel(x) for x in [*floats, *answer(*example)]]
        others.append(
            [
                None if each["dtype"] == "float32" else np.asarray(x).tolist()
                for x, each in zip(example, inputs, strict=True)
            ]
        )
    binary = b"".join(weight.astype("<f4").tobytes() for weight in weights)
    description = {
        "format": 1, "precision": "float32", "parameters": at // 4, "work": at // 4,
        "bytes": {"model.bin": len(binary)}, "inputs": inputs, "outputs": outputs,
        "layers": layers, "weights": told,
        "golden": {"examples": len(golden), "inputs": others, "tolerance": 1e-5},
        "widget": widget, **more,
    }  # fmt: skip
    return Made(description, binary, np.concatenate(numbers).astype("<f4").tobytes(), answer)


def one(name: str, *shape: int, dtype: str = "float32") -> dict:
    return {"name": name, "shape": list(shape), "dtype": dtype}


def dense(before: int, weights: int, activation: str = "linear") -> dict:
    return {
        "op": "dense", "from": [before], "weights": [weights, weights + 1],
        "activation": activation,
    }  # fmt: skip


def draw(**more: Any) -> Made:
    """Four classes of a picture of 12 × 12."""
    rng = np.random.default_rng(1)
    kernel, bias = rng.normal(0, 1, (144, 4)), rng.normal(0, 1, 4)
    pictures = [np.ones((12, 12, 1)) for _ in range(3)]
    for number, picture in enumerate(pictures):
        picture[3 + number, 2:10] = picture[2:10, 5 + number] = 0
    return made(
        [one("picture", 12, 12, 1)], [2],
        [{"op": "reshape", "from": [0], "shape": [144]}, dense(1, 0)], [kernel, bias],
        lambda x: [np.ravel(x) @ kernel + bias], [[picture] for picture in pictures],
        {"kind": "draw", "size": [12, 12], "channels": 1, "background": 1.0, "ink": 0.0,
         "centre": "mass", "margin": 0.1, "stroke": 0.1, "classes": CLASSES, "answer": "logits",
         "top": 3, "examples": ["arrow", "door", "cup & saucer"]},
        **more,
    )  # fmt: skip


def form(**widget: Any) -> Made:
    """The chance of damage, from a row of eleven numbers."""
    rng = np.random.default_rng(2)
    kernel, bias = rng.normal(0, 0.5, (11, 1)) * np.eye(11)[:, :1].clip(0.1), np.array([0.1])
    rows = [rng.random(11).astype("float32") for _ in range(3)]
    return made(
        [one("row", 11)], [1], [dense(0, 0, "sigmoid")], [kernel, bias],
        lambda x: [sigmoid(x @ kernel + bias)], [[row] for row in rows],
        {"kind": "form", "fields": FIELDS, "width": 11, "classes": ["no damage", "damage"],
         "answer": "probability", "asked": "damage", "examples": [
             {"height": 3.5, "engines": 1, "night": 1, "bird": "owl", "warned": None},
             {"height": None, "engines": 4, "night": None, "bird": "dodo", "warned": 1},
             {"height": 100, "engines": 2, "night": 0, "bird": None, "warned": 1}], **widget},
    )  # fmt: skip


def text(**widget: Any) -> Made:
    """One step of a language model of five symbols and four units."""
    rng = np.random.default_rng(3)
    table = rng.normal(0, 1, (6, 4))
    inner, inner_bias = rng.normal(0, 0.8, (8, 4)), rng.normal(0, 0.5, 4)
    outer, outer_bias = rng.normal(0, 1, (4, 6)), rng.normal(0, 0.5, 6)

    def answer(ids: np.ndarray, state: np.ndarray) -> list[np.ndarray]:
        state = np.tanh(np.concatenate([table[int(ids[0])], state]) @ inner + inner_bias)
        return [softmax(state @ outer + outer_bias), state]

    return made(
        [one("ids", 1, dtype="int32"), one("state", 4)], [6, 5],
        [{"op": "embedding", "from": [0], "weights": [0]},
         {"op": "reshape", "from": [2], "shape": [4]},
         {"op": "concat", "from": [3, 1], "axis": 0},
         dense(4, 1, "tanh"), dense(5, 3, "softmax")],
        [table, inner, inner_bias, outer, outer_bias], answer,
        [[np.array([number]), rng.normal(0, 1, 4).astype("float32")] for number in range(3)],
        {"kind": "text", "symbols": SYMBOLS, "unit": "character", "prompt": "abc",
         "length": 60, "temperature": 0.8, "stop": None, "answer": "probabilities", **widget},
    )  # fmt: skip


def sliders() -> Made:
    """A picture of 8 × 8 from three codes."""
    rng = np.random.default_rng(4)
    kernel, bias = rng.normal(0, 1, (3, 64)), rng.normal(0, 0.3, 64)
    codes = [{"low": -3.0, "high": 3.0, "typical": 0.0}, {"low": 0.0, "high": 2.0, "typical": 0.5},
             {"low": -1.0, "high": 1.0, "typical": 0.25}]  # fmt: skip
    examples = rng.uniform(-1, 1, (3, 3)).clip(0).round(3)
    return made(
        [one("codes", 3)], [2],
        [dense(0, 0, "sigmoid"), {"op": "reshape", "from": [1], "shape": [8, 8, 1]}],
        [kernel, bias], lambda x: [sigmoid(x @ kernel + bias)],
        [[row.astype("float32")] for row in examples],
        {"kind": "sliders", "size": [8, 8], "channels": 1, "codes": codes, "order": [2, 0, 1],
         "examples": examples.tolist(), "range": [0, 1]},
    )  # fmt: skip


def samples() -> Made:
    """A picture of 8 × 8 in colour from four numbers of noise and one of three classes."""
    rng = np.random.default_rng(5)
    table = rng.normal(0, 1, (3, 4))
    kernel, bias = rng.normal(0, 0.7, (8, 192)), rng.normal(0, 0.1, 192)

    def answer(noise: np.ndarray, label: np.ndarray) -> list[np.ndarray]:
        return [np.tanh(np.concatenate([noise, table[int(label[0])]]) @ kernel + bias)]

    return made(
        [one("noise", 4), one("class", 1, dtype="int32")], [5],
        [{"op": "embedding", "from": [1], "weights": [0]},
         {"op": "reshape", "from": [2], "shape": [4]},
         {"op": "concat", "from": [0, 3], "axis": 0}, dense(4, 1, "tanh")],
        [table, kernel, bias], answer,
        [[rng.normal(0, 1, 4).astype("float32"), np.array([number])] for number in range(3)],
        {"kind": "samples", "size": [8, 8], "channels": 3, "noise": 4, "distribution": "normal",
         "classes": ["boot", "coat", "dress"], "range": [-1, 1], "count": 12},
    )  # fmt: skip


def backprop() -> Made:
    """Two inputs, two neurons, one output."""
    w1, b1 = np.array([[0.15, 0.25], [0.2, 0.3]]), np.array([0.35, 0.35])  # (from, to)
    w2, b2 = np.array([[0.4], [-0.45]]), np.array([0.6])
    x = np.array([0.05, 0.1])
    return made(
        [one("x", 2)], [2], [dense(0, 0, "sigmoid"), dense(1, 2, "sigmoid")], [w1, b1, w2, b2],
        lambda x: [sigmoid(sigmoid(x @ w1 + b1) @ w2 + b2)],
        [[x], [x + 1], [x - 1]],
        {"kind": "backprop", "sizes": [2, 2, 1], "activation": "sigmoid", "output": "sigmoid",
         "cost": "quadratic", "x": x.tolist(), "y": [0.01], "eta": 0.5},
    )  # fmt: skip


def section(name: str, kind: str, size: int, number: int = 1) -> str:
    """The place of a network as a post has it, with what stands there without JavaScript."""
    own = "try" if number == 1 else f"try-{number}"
    return f"""
<section class="folio-live" id="{own}" data-kind="{kind}" data-bytes="{size}">
<h2 id="{own}-it">Try it</h2>
<p class="folio-live__caption">A small network, for trying.</p>
<div class="folio-live__stage"><table><thead><tr><th>Input</th><th>Answer</th></tr></thead>
<tbody><tr><td>one</td><td>0.5</td></tr></tbody></table></div>
<p class="folio-live__files"><a class="folio-live__model" href="../../posts/{name}/live/model.json"
>The network as JSON</a></p>
</section>"""


def page(sections: str, scheme: str = "default") -> str:
    """A page with the styles that a post has, and no other script than ours."""
    styles = "\n".join(
        f'<link rel="stylesheet" href="../../assets/{html.escape(name)}">'
        for name in ("main.css", "palette.css", "folio.css", "live.css")
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A post</title>
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">
{styles}
<script type="module" src="../../live/start.js"></script></head>
<body data-md-color-scheme="{scheme}" data-md-color-primary="indigo" data-md-color-accent="indigo">
<main class="md-main"><div class="md-main__inner md-grid"><div class="md-content">
<article class="md-content__inner md-typeset folio-post"><h1>A post</h1>
<p>What the story says.</p>{sections}<p id="after">What comes after.</p>
</article></div></div></main></body></html>"""


class Site:
    """A folder that is served under /people/me/, and where its pages are."""

    def __init__(self, root: Path, port: int):
        self.root = root / "people" / "me"
        self.base = f"http://127.0.0.1:{port}/people/me"

    def add(self, name: str, *networks: Made, scheme: str = "default") -> str:
        """Write a post with these networks; its address. The same name is written anew."""
        folder = self.root / "posts" / name
        shutil.rmtree(folder, ignore_errors=True)
        sections = []
        for number, network in enumerate(networks, start=1):
            own = name if number == 1 else f"{name}-{number}"
            shutil.rmtree(self.root / "posts" / own / "live", ignore_errors=True)
            network.write(self.root / "posts" / own / "live")
            kind = network.description["widget"]["kind"]
            size = len(network.weights) + len(json.dumps(network.description))
            sections.append(section(own, kind, size, number))
        (folder / "index.html").write_text(page("".join(sections), scheme), encoding="utf-8")
        return f"{self.base}/posts/{name}/"


BUILDERS = {
    "draw": draw, "form": form, "text": text, "sliders": sliders, "samples": samples,
    "backprop": backprop,
}  # fmt: skip


@pytest.fixture(scope="session")
def networks() -> types.SimpleNamespace:
    """The functions above, each of which makes a network for one widget."""
    return types.SimpleNamespace(**BUILDERS)


@pytest.fixture(scope="session")
def posts(live_site: Site) -> dict[str, str]:
    """The address of a post for each kind of widget; "draw-dark" and so on in dark colours."""
    return {
        f"{kind}{suffix}": live_site.add(f"{kind}{suffix}", build(), scheme=scheme)
        for kind, build in BUILDERS.items()
        for suffix, scheme in (("", "default"), ("-dark", "slate"))
    }


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass

    def end_headers(self) -> None:
        fixed = self.path.startswith(("/people/me/live/", "/people/me/assets/"))
        self.send_header("Cache-Control", "max-age=600" if fixed else "no-store")
        super().end_headers()


@pytest.fixture(scope="session")
def live_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A served site without posts."""
    material = pytest.importorskip("material")
    root = tmp_path_factory.mktemp("live")
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(root))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = Site(root, server.server_address[1])
    shutil.copytree(THEME / "live", site.root / "live")
    assets = site.root / "assets"
    assets.mkdir()
    styles = Path(material.__file__).parent / "templates" / "assets" / "stylesheets"
    for name in ("main", "palette"):
        shutil.copy(next(styles.glob(f"{name}.*.min.css")), assets / f"{name}.css")
    for name in ("folio.css", "live.css"):
        shutil.copy(THEME / "assets" / name, assets / name)
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def axe() -> Path:
    """The accessibility checker axe-core as one script."""
    if not AXE.is_file():
        pytest.skip(f"axe-core is not in {AXE.relative_to(ROOT)} (npm install axe-core)")
    return AXE


class Reader:
    """A page that somebody reads: opens posts and notes what the console complains of."""

    def __init__(self, page: Any, site: Site):
        self.page, self.site = page, site
        self.complaints: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))
        page.set_default_timeout(8000)

    def _note(self, message: Any) -> None:
        # The tests themselves read pictures back, of which Chromium has an opinion.
        if message.type in ("error", "warning") and "getImageData" not in message.text:
            self.complaints.append(message.text)

    def open(self, address: str) -> Any:
        """Load a page and, in it, the network; the section."""
        self.page.goto(address)
        return self.load()

    def load(self, own: str = "try") -> Any:
        section = self.page.locator(f"#{own}")
        section.get_by_role("button", name="Load the network").click()
        section.locator(".folio-live__check, [role=alert]").wait_for()
        return section

    def answers(self, section: Any) -> dict[str, float]:
        """The table of answers, as shares from 0 to 1."""
        rows = section.locator(".folio-live__answers tbody tr").evaluate_all(
            "rows => rows.map(row => [row.cells[0].textContent, row.cells[1].textContent])"
        )
        return {name: float(share.replace("under ", "").rstrip(" %")) / 100 for name, share in rows}

    def pixels(self, canvas: Any) -> np.ndarray:
        """A canvas as (height, width, 3) from 0 to 1."""
        data, height, width = canvas.evaluate(
            "c => [[...c.getContext('2d').getImageData(0, 0, c.width, c.height).data], c.height,"
            " c.width]"
        )
        return np.array(data).reshape(height, width, 4)[..., :3] / 255

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript expression holds; asked from outside, as the policy demands."""
        for _ in range(400):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"{condition} does not hold after 8 s")


@pytest.fixture(scope="session")
def desk(browser: Any) -> Iterator[Any]:
    """A browser with a mouse and a wide window."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture(scope="session")
def pocket(browser: Any) -> Iterator[Any]:
    """A browser with a finger and a narrow window."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    yield context
    context.close()


@pytest.fixture
def reader(desk: Any, live_site: Site) -> Iterator[Reader]:
    """A reader at a desk; what the console complains of fails the test."""
    reader = Reader(desk.new_page(), live_site)
    yield reader
    reader.page.close()
    assert reader.complaints == []


@pytest.fixture
def phone(pocket: Any, live_site: Site) -> Iterator[Reader]:
    """A reader with a phone; what the console complains of fails the test."""
    reader = Reader(pocket.new_page(), live_site)
    yield reader
    reader.page.close()
    assert reader.complaints == []
