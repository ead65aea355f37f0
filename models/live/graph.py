"""From a network to its description: Keras' graph node by node, or the layers from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import BadData, BadOption
from models.live import layers
from models.live.description import Description, Value, refuse
from models.scratch import Network

if TYPE_CHECKING:
    import keras

WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16")


def describe(network: keras.Model | Network, examples: Sequence[np.ndarray]) -> Description:
    """Return the description of a network.

    Args:
        network: built of Keras layers, or from scratch.
        examples: for each input an array (n, …); the shapes of one example are taken from it.

    Raises:
        BadOption: a layer or an option that a page cannot run.
        BadData: weights that are NaN or infinite.
    """
    if isinstance(network, Network):
        return _scratch(network)
    check(network)
    to = Description()
    values = []
    for tensor, array in zip(network.inputs, examples, strict=True):
        number = to.input(tensor.name, array.shape[1:], input_dtype(tensor))
        values.append(Value(number, tensors([array[:1]], [tensor])[0]))
    to.outputs = [value.number for value in _walk(network, values, to)]
    return to


def check(network: Any) -> None:
    """Raise for what is no network of Keras layers one can walk through."""
    import keras

    if not isinstance(network, keras.Model):
        raise BadOption(
            f"One network is needed, of Keras or of models.scratch, not {type(network).__name__}. "
            "A training has it as .model; a step that trains by seed gives one training each, such "
            "as network[0].model."
        )
    if _functional(network) is None:
        raise BadOption(
            f"{network.name!r} is a {type(network).__name__} with a way of computing of its own, "
            "which a page cannot know. Functional and Sequential models would work; of a GAN the "
            "attribute average."
        )


def input_dtype(tensor: Any) -> str:
    """Return what a page is to give: "float32", "int32" or "string"."""
    if tensor.dtype in WHOLE:
        return "int32"
    if tensor.dtype not in ("float32", "string"):
        raise BadOption(
            f"Input {tensor.name!r} takes {tensor.dtype}; a page gives float32, whole numbers "
            "or strings."
        )
    return tensor.dtype


def tensors(arrays: Sequence[np.ndarray], inputs: Sequence[Any]) -> list[Any]:
    """Return arrays as the tensors that a model's inputs take."""
    import keras

    found = []
    for array, wanted in zip(arrays, inputs, strict=True):
        if wanted.dtype == "string":
            import tensorflow as tf  # the one backend that has strings

            found.append(tf.constant(array.astype(object), dtype=tf.string))
        else:
            found.append(keras.ops.convert_to_tensor(array, dtype=wanted.dtype))
    return found


def _functional(network: Any) -> Any:
    """Return the graph of a Functional or Sequential model; None if it computes otherwise."""
    inside = getattr(network, "_functional", None) or network
    plain = all(type(each).call.__module__.startswith("keras.") for each in (network, inside))
    return inside if plain and hasattr(inside, "_nodes_by_depth") else None


def _walk(network: Any, inputs: Sequence[Value], to: Description) -> list[Value]:
    """Add a model's layers in the order they are computed; return the values it gives."""
    import keras

    graph = _functional(network)
    if graph is None:
        refuse(network, "it computes in a way of its own", "Functional or Sequential would work.")
    known = {id(tensor): value for tensor, value in zip(graph.inputs, inputs, strict=True)}
    for _, nodes in sorted(graph._nodes_by_depth.items(), reverse=True):
        for node in nodes:
            if node.is_input:
                continue
            given = [known[id(tensor)] for tensor in node.input_tensors]
            for tensor, value in zip(node.output_tensors, _node(node, given, to), strict=True):
                known[id(tensor)] = value
    return [known[id(tensor)] for tensor in keras.tree.flatten(graph.outputs)]


def _node(node: Any, given: list[Value], to: Description) -> list[Value]:
    """Add what one call of a layer or of a model within the model computes."""
    import keras

    operation = node.operation
    if not isinstance(operation, keras.Layer):
        refuse(
            operation,
            "it is an operation between layers",
            "Add, Multiply or Rescaling layers would work.",
        )
    _check_call(node)
    if isinstance(operation, keras.Model):
        return _walk(operation, given, to)
    emit = layers.of(operation)
    if emit is None:
        return given[:1]  # it does something while training only
    tensor_of = {id(t): value.tensor for t, value in zip(node.input_tensors, given, strict=True)}
    args, kwargs = keras.tree.map_structure(
        lambda part: tensor_of.get(id(part), part), (node.arguments.args, node.arguments.kwargs)
    )
    if "training" in kwargs:
        kwargs["training"] = False
    results = keras.tree.flatten(operation(*args, **kwargs))
    values = [Value(-1, result) for result in results]
    numbers = emit(operation, given, values[0].shape, to)
    return [Value(n, value.tensor) for n, value in zip(numbers, values, strict=True)]


def _check_call(node: Any) -> None:
    """Raise for arguments in a call that change what the layer computes."""
    for name, argument in node.arguments.kwargs.items():
        # Keras itself overrides `training` when a model is asked for its answers.
        if argument is None or name in ("initial_state", "training"):
            continue
        refuse(node.operation, f"it is called with {name}={argument!r}", f"No {name} would work.")


def _scratch(network: Network) -> Description:
    to = Description()
    number = to.input("vector", (network.sizes[0],), "float32")
    last = len(network.w) - 1
    for layer, (name, (_, units)) in enumerate(
        zip(network.layer_names, pairwise(network.sizes), strict=True)
    ):
        w, b = network.w[layer], network.b[layer]
        number = to.layer(
            "dense",
            [number],
            [to.weight(w, name), to.weight(b, name)],
            shape=(units,),
            work=w.size,
            activation=network.head if layer == last else network.activation,
        )
    to.outputs = [number]
    return to


def check_examples(network: keras.Model | Network, examples: Any) -> list[np.ndarray]:
    """Return for each input an array (n, …) of the dtype a page gives.

    Raises:
        BadData: another number of inputs, of unequal length, or of another shape.
    """
    arrays = [np.asarray(x) for x in (examples if isinstance(examples, list) else [examples])]
    if isinstance(network, Network):
        wanted = [("vector", (network.sizes[0],), "float32")]
    else:
        check(network)
        wanted = [(i.name, tuple(i.shape[1:]), input_dtype(i)) for i in network.inputs]
    if len(arrays) != len(wanted):
        raise BadData(
            f"The network has {len(wanted)} inputs; give a list of as many arrays, not "
            f"{len(arrays)}."
        )
    if len({len(array) for array in arrays}) > 1:
        raise BadData(f"The inputs hold {[len(array) for array in arrays]} examples each.")
    found = []
    for array, (name, shape, dtype) in zip(arrays, wanted, strict=True):
        fits = len(shape) == array.ndim - 1 and all(
            a in (b, None) for a, b in zip(shape, array.shape[1:], strict=True)
        )
        if not fits:
            raise BadData(f"Input {name!r} takes examples of shape {shape}, got {array.shape[1:]}.")
        if dtype != "string" and array.dtype.kind not in "fiub":
            raise BadData(f"Input {name!r} takes numbers, not {array.dtype}.")
        array = array.astype(object if dtype == "string" else dtype)
        if dtype == "float32" and not np.isfinite(array).all():
            raise BadData(f"Input {name!r} holds values that are NaN or infinite.")
        found.append(array)
    return found
