"""The place in a post where its network can be tried, and what stands there without JavaScript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blog import escape, tables
from blog.assets import inside

FILES = {"model": "model.json", "weights": "model.bin", "golden": "golden.bin"}
HEADINGS = {
    "draw": "Try it: draw",
    "form": "Try it: fill in",
    "text": "Try it: let it write",
    "sliders": "Try it: turn the numbers",
    "samples": "Try it: make new ones",
    "backprop": "Try it: change a weight",
}


def files(results_folder: Path, name: str, live: dict[str, Any]) -> dict[str, bytes]:
    """What goes beside the post, by path from its folder."""
    found = {
        f"{escape.file_name(name)}/{target}": inside(results_folder, live[part]).read_bytes()
        for part, target in FILES.items()
    }
    if "picture" in live:
        picture = inside(results_folder, live["picture"]["image"]).read_bytes()
        found[f"{escape.file_name(name)}/picture.webp"] = picture
    return found


def section(
    project: str, results_folder: Path, name: str, live: dict[str, Any], caption: str
) -> str:
    """The section as Markdown; its links lead to the files beside the post.

    The script reads the network's address off the link ``folio-live__model``: links are what every
    site engine rewrites when it moves a page.
    """
    folder = f"{project}/{escape.file_name(name)}"
    kind = escape.attribute(live["widget"])
    alt = escape.markdown(live["alt"])
    still = []
    if "picture" in live:
        width, height = int(live["picture"]["width"]), int(live["picture"]["height"])
        still.append(
            f"![{alt}]({folder}/picture.webp){{ loading=lazy width={width} height={height} }}"
        )
    still.append(tables.of_csv(inside(results_folder, live["data"]), ".3g"))
    static = "\n\n".join(still)
    return (
        f'<section class="folio-live" id="try" data-kind="{kind}" '
        f'data-bytes="{int(live["bytes"])}" aria-labelledby="try-it" markdown>\n\n'
        f"## {HEADINGS.get(live['widget'], 'Try it')} {{ #try-it }}\n\n"
        f'<p class="folio-live__caption" markdown="span">{caption}</p>\n\n'
        f'<div class="folio-live__stage" markdown>\n\n{static}\n\n</div>\n\n'
        f'<p class="folio-live__files" markdown="span">'
        f"[The network as JSON]({folder}/model.json){{ .folio-live__model }}, "
        f"[its weights]({folder}/model.bin){{ .folio-live__weights }}, "
        f"[its answers to compare with]({folder}/golden.bin){{ .folio-live__golden }}</p>"
        "\n\n</section>"
    )
