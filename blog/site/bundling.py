"""The live models' ES modules as one classic script, since a page opened as a file loads no module.

Not a bundler for any script, but for modules that keep to these rules: imports are whole lines
`import { a, b as c } from "./x.js";`, exports stand before a function, class or const at the top
level. Anything else is an error that names file and line.
"""

from __future__ import annotations

import base64
import graphlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from blog.errors import SiteError

START = "start"  # runs when the page is there; it finds the others in `window.folioLive`
WORKER = "worker"  # a page opened as a file starts no worker
IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w-]+)\.js";?[ \t]*$', re.MULTILINE)
EXPORT = re.compile(r"^export\s+((?:async\s+)?function\*?|class|const)\s+([\w$]+)", re.MULTILINE)
REST = re.compile(r"^\s*(?:import\b(?!\s*\()|export\b)|\bimport\.meta\b", re.MULTILINE)


def bundle(folder: Path) -> str:
    """Return the modules in ``folder`` as one script. Raises SiteError for what it cannot join."""
    sources = {path.stem: path.read_text("utf-8") for path in folder.glob("*.js")}
    sources.pop(WORKER, None)
    needs = {name: [found[2] for found in IMPORT.finditer(text)] for name, text in sources.items()}
    for name, needed in needs.items():
        for other in needed:
            if other not in sources:
                raise SiteError(f"{folder / name}.js imports ./{other}.js, which is not there.")
    try:
        order = list(graphlib.TopologicalSorter(needs).static_order())
    except graphlib.CycleError as error:
        circle = " → ".join(f"{name}.js" for name in reversed(error.args[1]))
        raise SiteError(f"{folder}: the modules import each other in a circle: {circle}") from error
    order.sort(key=lambda name: name == START)
    parts = [_module(folder / f"{name}.js", sources[name]) for name in order if name != START]
    loaded = "window.folioLive = { ...window.folioLive, modules };\n"
    last = _module(folder / f"{START}.js", sources[START]) if START in sources else ""
    return (
        f'(() => {{\n"use strict";\nconst modules = {{}};\n{"".join(parts)}{loaded}{last}}})();\n'
    )


def enclosed(files: Iterable[tuple[str, Path]]) -> str:
    """Return a script that carries files, each under its path: JSON as text, others as base64."""
    carried = {
        name: path.read_text("utf-8")
        if path.suffix == ".json"
        else base64.b64encode(path.read_bytes()).decode()
        for name, path in files
    }
    text = json.dumps(carried, indent=0, sort_keys=True)
    return (
        "window.folioLive = window.folioLive || {};\n"
        f"window.folioLive.files = Object.assign(window.folioLive.files || {{}}, {text});\n"
    )


def _module(file: Path, text: str) -> str:
    """Return one module as a function that is called once and gives what it exports."""
    exports = [found[2] for found in EXPORT.finditer(text)]
    text = IMPORT.sub(_taken, text)
    text = EXPORT.sub(r"\1 \2", text)
    if left := REST.search(text):
        line = text.count("\n", 0, left.end()) + 1
        raise SiteError(
            f"{file}:{line}: `{text.splitlines()[line - 1].strip()}` cannot be joined into one "
            'script. Write imports as `import { a } from "./x.js";` and exports in front of a '
            "function, class or const."
        )
    name = json.dumps(file.stem)
    return f"modules[{name}] = (() => {{\n{text}\nreturn {{ {', '.join(exports)} }};\n}})();\n"


def _taken(found: re.Match[str]) -> str:
    """Return an import as the same names taken from a module that came before."""
    names = ", ".join(
        re.sub(r"\s+as\s+", ": ", name.strip()) for name in found[1].split(",") if name.strip()
    )
    lines = "\n" * found[0].count("\n")  # so that errors keep telling the line
    return f'const {{ {names} }} = modules["{found[2]}"];{lines}'
