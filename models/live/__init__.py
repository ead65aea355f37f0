"""A trained network for a reader's browser: exported, checked, and given something to try it with.

    from models.live import draw

    def live(network):
        return draw(network[0].model, classes=NAMES, examples=pictures)

Six functions for six kinds of networks: `draw` for pictures, `form` for the rows of a table,
`prompt` for language models, `sliders` for autoencoders, `samples` for generators, `backprop` for
a network small enough to follow by hand. `export` is what they have in common.
"""

from models.live.description import PRECISIONS
from models.live.golden import Exported, export
from models.live.making import samples, sliders
from models.live.trying import Live, backprop, draw, form, prompt

__all__ = [
    "PRECISIONS",
    "Exported",
    "Live",
    "backprop",
    "draw",
    "export",
    "form",
    "prompt",
    "samples",
    "sliders",
]
