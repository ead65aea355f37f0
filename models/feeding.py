"""Arrays on their way into a network: checked against it, and cut into batches in a known order."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from models.errors import BadData, BadOption, unknown

if TYPE_CHECKING:
    import keras

EVALUATION_BATCH = 256


def examples(model: keras.Model, pair: Any, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return x in the dtype the network takes and y as an array, or say what does not fit.

    Args:
        model: its input shape is what x must have.
        pair: (x, y), arrays or lists of equal length.
        part: what to call the pair in an error: "train" or "validation".
    """
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise BadData(f"{part} must be a pair (x, y) of arrays, not {type(pair).__name__}.")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise BadData(f"Networks with one input and one output are trained here, not {model.name}.")
    x, y = (np.asarray(side) for side in pair)
    if not x.ndim or not len(x):
        raise BadData(f"{part} holds no examples: x has shape {x.shape}.")
    if not y.ndim or len(x) != len(y):
        raise BadData(f"{part} holds {len(x)} examples but labels of shape {y.shape}.")
    _check_shape(x, tuple(model.inputs[0].shape[1:]), part)
    if x.dtype.kind not in "fiub":
        raise BadData(f"{part}: x must be numbers; its dtype is {x.dtype}.")
    if not np.isfinite(x).all():
        row = int(np.argwhere(~np.isfinite(x))[0][0])
        count = int((~np.isfinite(x)).sum())
        raise BadData(f"{part}: {count} values of x are NaN or infinite, the first in row {row}.")
    _check_numbers(model, x, part)
    return np.ascontiguousarray(x, dtype=str(model.inputs[0].dtype)), y


def _check_numbers(model: keras.Model, x: np.ndarray, part: str) -> None:
    """Refuse numbers that an embedding has no row for: the compiler takes any row for them."""
    import keras

    for layer in model.layers:
        if not isinstance(layer, keras.layers.Embedding) or layer.input is not model.inputs[0]:
            continue
        wrong = (x < 0) | (x >= layer.input_dim)
        if wrong.any():
            raise BadData(
                f"{part}: {int(wrong.sum())} numbers are outside the network's vocabulary "
                f"0…{layer.input_dim - 1}, such as {x[wrong][0]}; build it with vocabulary="
                f"{int(x.max()) + 1}, or with the vocabulary that made them."
            )


def _check_shape(x: np.ndarray, wanted: tuple[int | None, ...], part: str) -> None:
    got = x.shape[1:]
    fits = len(got) == len(wanted) and all(
        b is None or a == b for a, b in zip(got, wanted, strict=True)
    )
    if fits:
        return
    hint = "build the network for that shape"
    if wanted == (*got, 1):
        hint = "add the channel: x[..., None]"
    elif math.prod(got) == math.prod(size or 0 for size in wanted):
        hint = f"x.reshape(len(x), {', '.join(map(str, wanted))}) would fit"
    raise BadData(f"{part}: the network takes examples of shape {wanted}, got {got}; {hint}.")


def class_labels(y: np.ndarray, classes: int, part: str) -> np.ndarray:
    """Return labels as int32 if they are whole numbers from 0 to classes - 1."""
    if y.dtype.kind not in "fiub":
        raise BadData(
            f"{part}: labels must be numbers from 0 to {classes - 1}, got {y.flat[0]!r} "
            f"(dtype {y.dtype}). names, y = np.unique(labels, return_inverse=True) makes them."
        )
    wrong = ~np.isin(y, np.arange(classes))
    if wrong.any():
        raise BadData(
            f"{part}: {int(wrong.sum())} labels are outside the network's {classes} classes "
            f"0…{classes - 1}, such as {y[wrong][0]}."
        )
    return y.astype(np.int32)


def objective(
    model: keras.Model, y: np.ndarray, loss: Any, part: str
) -> tuple[Any, str | None, np.ndarray]:
    """Return loss, metric and targets that belong together, from the last activation and y."""
    activation = getattr(getattr(model.layers[-1], "activation", None), "__name__", None)
    output = tuple(model.outputs[0].shape)
    if activation == "softmax":
        one_hot = y.ndim == len(output) and y.shape[-1] == output[-1] and y.dtype.kind in "fiub"
        if not one_hot:
            y = class_labels(y, output[-1], part)
        if loss is None:
            loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
        sparse = isinstance(loss, str) and loss.startswith("sparse_")
        if sparse and one_hot:
            y = y.argmax(axis=-1).astype(np.int32)
        elif isinstance(loss, str) and not sparse and not one_hot:
            y = np.eye(output[-1], dtype=np.float32)[y]
        return loss, "accuracy", y
    if y.ndim == len(output) - 1:
        y = y[..., None]
    if y.dtype.kind not in "fiub" or y.shape[1:] != output[1:]:
        raise BadData(
            f"{part}: the network gives {output[1:]} for each example; "
            f"y has shape {y.shape[1:]} and dtype {y.dtype}."
        )
    y = y.astype(np.float32, copy=False)
    if not np.isfinite(y).all():
        raise BadData(f"{part}: {int((~np.isfinite(y)).sum())} targets are NaN or infinite.")
    if activation == "sigmoid" and np.isin(y, (0, 1)).all():
        return loss or "binary_crossentropy", "accuracy", y
    return loss or "mean_squared_error", None, y


def row_weights(y: np.ndarray, class_weight: Mapping[int, float] | str) -> np.ndarray:
    """Return the weight of each row (n,) from the weights of the classes."""
    labels = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y))
    classes, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise unknown("class_weight", class_weight, ["balanced"])
        weights = len(labels) / (len(classes) * counts)
    else:
        weights = np.array([class_weight.get(int(name), 1.0) for name in classes])
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise BadOption(f"class_weight must be numbers from 0 up; got {dict(class_weight)}.")
    return weights[codes].astype(np.float32)


class Fed(NamedTuple):
    """What `model.fit` takes, and a function that sets the order of the next epoch's rows."""

    train: Any
    validation: Any
    reorder: Callable[[np.ndarray], object]


@contextlib.contextmanager
def fed(
    model: keras.Model,
    arrays: tuple[np.ndarray, ...],
    held_out: tuple[np.ndarray, ...] | None,
    batch_size: int,
) -> Generator[Fed]:
    """Feed a compiled model from memory, in an order that a resumed training can repeat.

    With TensorFlow, batches are numbers of rows, and the model's steps gather the rows themselves:
    `tf.data` spends more on a batch than a small network does on learning from it.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        train = _python_batches(arrays, batch_size)
        validation = held_out and _python_batches(held_out, EVALUATION_BATCH)
        yield Fed(train, validation, lambda order: setattr(train, "order", order))
        return
    import tensorflow as tf

    def rows_in_batches(order: tf.Variable, size: int) -> Any:
        rows = order.shape[0]
        whole = rows - rows % size

        def numbers(_: Any) -> Any:  # called at the start of each epoch
            now = order.read_value()
            batches = tf.data.Dataset.from_tensor_slices(tf.reshape(now[:whole], (-1, size)))
            if whole < rows:
                batches = batches.concatenate(tf.data.Dataset.from_tensors(now[whole:]))
            return batches

        return (
            tf.data.Dataset.from_tensors(0)
            .flat_map(numbers)
            .apply(tf.data.experimental.assert_cardinality(-(-rows // size)))
        )

    def gathering(step: Callable, sources: tuple[np.ndarray, ...]) -> Callable:
        # An autoencoder's input is its target: one copy serves as both.
        copies = {id(array): tf.constant(array) for array in sources}
        tensors = tuple(copies[id(array)] for array in sources)
        return lambda rows: step(tuple(tf.gather(tensor, rows) for tensor in tensors))

    order = tf.Variable(np.arange(len(arrays[0]), dtype=np.int32))
    train, validation = rows_in_batches(order, batch_size), None
    own = model.train_step, model.test_step
    model.train_step = gathering(model.train_step, arrays)
    if held_out:
        in_order = tf.Variable(np.arange(len(held_out[0]), dtype=np.int32))
        validation = rows_in_batches(in_order, EVALUATION_BATCH)
        model.test_step = gathering(model.test_step, held_out)
    try:
        yield Fed(train, validation, order.assign)
    finally:
        model.train_step, model.test_step = own
        model.train_function = model.test_function = None  # they hold the steps that gather


def _python_batches(arrays: tuple[np.ndarray, ...], batch_size: int) -> Any:
    """Return batches for backends other than TensorFlow: rows gathered by NumPy."""
    import keras

    class Batches(keras.utils.PyDataset):
        order = np.arange(len(arrays[0]))

        def __len__(self) -> int:
            return -(-len(self.order) // batch_size)

        def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
            chosen = self.order[index * batch_size : (index + 1) * batch_size]
            return tuple(array[chosen] for array in arrays)

    return Batches()
