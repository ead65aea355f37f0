"""Keras' recurrent layers, with their states in and out, and read from both ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.live.activations import elementwise
from models.live.description import Description, Emit, Value, refuse

MERGES = {"sum": "add", "mul": "multiply", "ave": "average"}


def cell(op: str) -> Emit:
    """Return the function for GRU or LSTM."""

    def emit(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
        number = _run(op, layer, given, shape, to, flip=False)
        if not layer.return_state:
            return [number]
        states = range(len(layer.cell.state_size) if op == "lstm" else 1)
        ends = [
            to.layer("state", [number], shape=(layer.units,), work=0, number=state)
            for state in states
        ]
        return [number, *ends]

    return emit


def _run(
    op: str, layer: Any, given: list[Value], shape: tuple[int, ...], to: Description, flip: bool
) -> int:
    """Add one layer that reads a sequence; `flip` turns what it gives back to front."""
    if layer.stateful:
        refuse(
            layer,
            "stateful=True",
            "rnn.one_step, which has the states as inputs and outputs, would work.",
        )
    steps, units = given[0].shape[0], layer.units
    after = op == "gru" and layer.reset_after
    bias = layer.cell.bias if layer.use_bias else np.zeros(4 * units if op == "lstm" else 3 * units)
    if after and not layer.use_bias:
        bias = np.zeros((2, 3 * units))
    kernel, inner = layer.cell.kernel, layer.cell.recurrent_kernel
    weights = [to.weight(kernel, layer.name), to.weight(inner, layer.name)]
    weights.append(to.weight(bias, layer.name, exact=True))
    return to.layer(
        op,
        [value.number for value in given],
        weights,
        shape=shape,
        work=steps * (kernel.shape[0] + units) * kernel.shape[1],
        sequences=bool(layer.return_sequences),
        backwards=bool(layer.go_backwards),
        flip=flip,
        gate=elementwise(layer, layer.recurrent_activation),
        activation=elementwise(layer, layer.activation),
        **({"after": after} if op == "gru" else {}),
    )


def bidirectional(
    layer: Any, given: list[Value], shape: tuple[int, ...], to: Description
) -> list[int]:
    """Bidirectional around a GRU or LSTM, merged into one value."""
    ends = [layer.forward_layer, layer.backward_layer]
    names = [type(end).__name__ for end in ends]
    ours = all(type(end).__module__.partition(".")[0] in ("keras", "models") for end in ends)
    if not ours or set(names) > {"GRU", "LSTM"} or names[0] not in ("GRU", "LSTM"):
        refuse(layer, f"it wraps {' and '.join(names)}", "A GRU or LSTM layer would work.")
    if layer.return_state or len(given) > 1:
        refuse(layer, "it has its states in or out", "return_state=False would work.")
    if ends[0].go_backwards or not ends[1].go_backwards:
        refuse(layer, "its forward layer reads backwards", "go_backwards=False would work.")
    if layer.merge_mode not in ("concat", *MERGES):
        refuse(layer, f"merge_mode={layer.merge_mode!r}", "'concat' would work.")
    numbers = [
        _run(name.lower(), end, given, (*shape[:-1], end.units), to, flip=end.go_backwards)
        for name, end in zip(names, ends, strict=True)
    ]
    if layer.merge_mode == "concat":
        return [to.layer("concat", numbers, shape=shape, axis=len(shape) - 1)]
    return [to.layer("merge", numbers, shape=shape, kind=MERGES[layer.merge_mode])]


LAYERS: dict[str, Emit] = {
    "GRU": cell("gru"),
    "LSTM": cell("lstm"),
    "Bidirectional": bidirectional,
}
