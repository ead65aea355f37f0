"""Keras' GRU and LSTM with the same weights, results and options, and a faster way to train.

The layers loop over the steps as Keras' own do, save for two things. The inputs of all steps meet
their weights in one multiplication before the loop. And the gradient is written out: what a step's
gates contribute does not depend on the gradient that arrives, so it is worked out for all steps at
once, the loop back in time is one multiplication a step, and the weights' gradient is one large
multiplication after it, where automatic differentiation has a small one at each step.

Imported only where a network is built or loaded: a saved one loads once this module is there.

Source: Appleyard, Kočiský and Blunsom, Optimizing performance of recurrent neural networks on
GPUs (2016).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

registered = keras.saving.register_keras_serializable("folio")


@registered
class GRU(keras.layers.GRU):
    """Keras' gated recurrent unit, faster to train.

        z = σ(x W_z + h U_z + b_z)    how much of the state stays
        r = σ(x W_r + h U_r + b_r)    how much of it the candidate sees
        g = tanh(x W_g + b_g + r ⊙ (h U_g + c_g))
        h' = z ⊙ h + (1 − z) ⊙ g

    Source: Cho et al., Learning phrase representations using RNN encoder-decoder (2014), with
    the reset gate after the multiplication, as in cuDNN.
    """

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Return the last output, all outputs (batch, steps, units) and the new states."""
        if not self.reset_after or not _standard(self, mask):
            return super().inner_loop(sequences, initial_state, mask, training)
        (h,) = keras.tree.flatten(initial_state)
        kernel, recurrent, bias = _weights(self)
        gates = 2 * self.units
        # Of the second bias only the candidate's part stays in the loop, where r scales it.
        shift = bias[0] + ops.pad(bias[1, :gates], [[0, self.units]])
        x = ops.matmul(_time_first(self, sequences), kernel) + shift
        hidden = gru_recurrence(x, h, recurrent, bias[1, gates:])
        return hidden[-1], ops.transpose(hidden, (1, 0, 2)), [hidden[-1]]


@registered
class LSTM(keras.layers.LSTM):
    """Keras' long short-term memory, faster to train.

        i, f, o = σ(x W + h U + b)    each with its own weights
        g = tanh(x W_g + h U_g + b_g)
        c' = f ⊙ c + i ⊙ g
        h' = o ⊙ tanh(c')

    Source: Hochreiter and Schmidhuber, Long short-term memory (1997); the forget gate f: Gers,
    Schmidhuber and Cummins, Learning to forget (2000).
    """

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Return the last output, all outputs (batch, steps, units) and the new states."""
        if not _standard(self, mask):
            return super().inner_loop(sequences, initial_state, mask, training)
        h, c = keras.tree.flatten(initial_state)
        kernel, recurrent, bias = _weights(self)
        x = ops.matmul(_time_first(self, sequences), kernel) + bias
        hidden, c = lstm_recurrence(x, h, c, recurrent)
        return hidden[-1], ops.transpose(hidden, (1, 0, 2)), [hidden[-1], c]


def _standard(layer: Any, mask: Any) -> bool:
    """Return whether the loop here does what was asked for; what it does not, Keras' own does."""
    return (
        keras.backend.backend() in ("tensorflow", "jax")
        and mask is None
        and layer.supports_jit  # false where cuDNN is at hand, which is faster yet
        and not layer.unroll
        and layer.use_bias
        and not layer.dropout
        and not layer.recurrent_dropout
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
    )


def _weights(layer: Any) -> list[Any]:
    # Copied, since TensorFlow's custom gradients take tensors and no variables.
    cell = layer.cell
    return [ops.copy(weight) for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)]


def _time_first(layer: Any, sequences: Any) -> Any:
    x = ops.transpose(sequences, (1, 0, 2))
    return ops.flip(x, axis=0) if layer.go_backwards else x


@ops.custom_gradient
def gru_recurrence(x: Any, start: Any, recurrent: Any, bias: Any) -> Any:
    """Return the states (steps, batch, units) that a GRU runs through.

    Args:
        x: what the inputs contribute to z, r and g, (steps, batch, 3 × units), biases included.
        start: the state before the first step, (batch, units).
        recurrent: U, (units, 3 × units).
        bias: c_g, (units,).
    """
    units = recurrent.shape[0]

    def step(h: Any, x: Any) -> tuple[Any, tuple[Any, ...]]:
        inner = ops.matmul(h, recurrent)
        z = ops.sigmoid(x[:, :units] + inner[:, :units])
        r = ops.sigmoid(x[:, units : 2 * units] + inner[:, units : 2 * units])
        memory = inner[:, 2 * units :] + bias
        g = ops.tanh(x[:, 2 * units :] + r * memory)
        h = g + z * (h - g)
        return h, (h, z, r, memory, g)

    hidden, z, r, memory, g = _scan(step, start, x)

    def gradient(*upstream: Any) -> tuple[Any, ...]:
        before = ops.concatenate([start[None], hidden[:-1]], axis=0)
        # What ∂L/∂h' is multiplied by to give ∂L of what enters each nonlinearity, and of h U_g.
        to_g = (1 - z) * (1 - g * g)
        to_z = (before - g) * z * (1 - z)
        to_r = to_g * memory * r * (1 - r)
        to_inner = ops.concatenate([to_z, to_r, to_g * r], axis=-1)
        back = ops.transpose(recurrent)

        def step_back(d_h: Any, at: tuple[Any, ...]) -> tuple[Any, tuple[Any, Any]]:
            arriving, to_inner, z = at
            d_h = d_h + arriving
            d_inner = to_inner * ops.tile(d_h, (1, 3))
            return d_h * z + ops.matmul(d_inner, back), (d_h, d_inner)

        at = (upstream[0], to_inner, z)
        d_hidden, d_inner = _scan(step_back, ops.zeros_like(start), at, reverse=True)
        d_x = ops.concatenate([d_inner[..., : 2 * units], d_hidden * to_g], axis=-1)
        d_start = d_hidden[0] * z[0] + ops.matmul(d_inner[0], back)
        d_bias = ops.sum(d_inner[..., 2 * units :], axis=(0, 1))
        return d_x, d_start, _weight_gradient(before, d_inner), d_bias

    return hidden, gradient


@ops.custom_gradient
def lstm_recurrence(x: Any, start: Any, start_cell: Any, recurrent: Any) -> Any:
    """Return the states (steps, batch, units) that an LSTM runs through, and the last cell.

    Args:
        x: what the inputs contribute to i, f, g and o, (steps, batch, 4 × units), with the bias.
        start: h before the first step, (batch, units).
        start_cell: c before the first step, (batch, units).
        recurrent: U, (units, 4 × units).
    """
    units = recurrent.shape[0]

    def quarters(gates: Any) -> list[Any]:
        return [gates[..., k * units : (k + 1) * units] for k in range(4)]

    def step(states: tuple[Any, Any], x: Any) -> tuple[tuple[Any, Any], tuple[Any, ...]]:
        h, c = states
        i, f, g, o = quarters(x + ops.matmul(h, recurrent))
        i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
        c = f * c + i * g
        h = o * ops.tanh(c)
        return (h, c), (h, c, ops.concatenate([i, f, g, o], axis=-1))

    hidden, cell, gates = _scan(step, (start, start_cell), x)

    def gradient(*upstream: Any) -> tuple[Any, ...]:
        # TensorFlow passes the two gradients, JAX a pair of them.
        d_hidden, d_last = upstream if len(upstream) == 2 else upstream[0]
        i, f, g, o = quarters(gates)
        before = ops.concatenate([start[None], hidden[:-1]], axis=0)
        cell_before = ops.concatenate([start_cell[None], cell[:-1]], axis=0)
        squashed = ops.tanh(cell)
        # What ∂L/∂c' (for o: ∂L/∂h') is multiplied by to give ∂L of what enters each gate.
        to_c = o * (1 - squashed * squashed)
        to_i, to_f = g * i * (1 - i), cell_before * f * (1 - f)
        to_g, to_o = i * (1 - g * g), squashed * o * (1 - o)
        to_inner = ops.concatenate([to_i, to_f, to_g, to_o], axis=-1)
        back = ops.transpose(recurrent)

        def step_back(d: tuple[Any, Any], at: tuple[Any, ...]) -> tuple[Any, tuple[Any, Any]]:
            arriving, to_c, to_inner, f = at
            d_h = d[0] + arriving
            d_c = d[1] + d_h * to_c
            d_inner = to_inner * ops.concatenate([d_c, d_c, d_c, d_h], axis=-1)
            return (ops.matmul(d_inner, back), d_c * f), (d_c, d_inner)

        at = (d_hidden, to_c, to_inner, f)
        d_cell, d_inner = _scan(step_back, (ops.zeros_like(start), d_last), at, reverse=True)
        d_start, d_start_cell = ops.matmul(d_inner[0], back), d_cell[0] * f[0]
        return d_inner, d_start, d_start_cell, _weight_gradient(before, d_inner)

    return (hidden, cell[-1]), gradient


def _weight_gradient(before: Any, d_inner: Any) -> Any:
    """Return ∂L/∂U, summed over steps and batch by one multiplication."""
    rows = ops.reshape(before, (-1, before.shape[-1]))
    return ops.matmul(ops.transpose(rows), ops.reshape(d_inner, (-1, d_inner.shape[-1])))


def _scan(step: Callable, carried: Any, inputs: Any, *, reverse: bool = False) -> Any:
    """Return what `step(carried, input) -> (carried, outputs)` puts out, stacked over the steps."""
    if keras.backend.backend() != "tensorflow":
        return ops.scan(step, carried, inputs, reverse=reverse)[1]
    # On TensorFlow keras.ops.scan (3.15) takes no outputs of other shapes than what is carried.
    import tensorflow as tf

    steps = tf.shape(keras.tree.flatten(inputs)[0])[0]

    def at(time: Any) -> Any:
        return keras.tree.map_structure(lambda tensor: tensor[time], inputs)

    # Only the shapes of these are used, so that the graph does not hold the step twice.
    outputs = step(carried, at(0))[1]
    arrays = [tf.TensorArray(o.dtype, size=steps, element_shape=o.shape) for o in outputs]

    def body(count: Any, carried: Any, arrays: Any) -> tuple[Any, Any, Any]:
        time = steps - 1 - count if reverse else count
        carried, outputs = step(carried, at(time))
        arrays = [array.write(time, out) for array, out in zip(arrays, outputs, strict=True)]
        return count + 1, carried, arrays

    start = (tf.constant(0), carried, arrays)
    arrays = tf.while_loop(lambda count, *_: count < steps, body, start, parallel_iterations=1)[2]
    return tuple(array.stack() for array in arrays)
