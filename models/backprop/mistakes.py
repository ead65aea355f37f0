"""The typical mistakes at each step of backpropagation, each as the formula that it amounts to."""

from __future__ import annotations

import math
from collections.abc import Iterator

from models.backprop.derivation import ETA, Plan, a, b, delta, nabla, to, w, y, z
from models.backprop.example import Step, Worked
from models.backprop.formula import HALF, ONE, TWO, Call, Formula, Number, Square, Sum, total

SIGN = "the sign is the other way round"


def typical(worked: Worked, step: Step) -> Iterator[tuple[str, Formula]]:
    """Yield what may have gone wrong at a step, and the formula that would then have been used.

    The commonest first: where two of them give the same number, that one is named.
    """
    plan = Plan(worked.sizes, worked.activation, worked.head, worked.cost)
    yield from {
        "z": _weighted_input,
        "a": _activation,
        "cost": _cost,
        "slope": _slope,
        "delta": _error,
        "nabla_b": _bias_gradient,
        "nabla_w": _weight_gradient,
        "new": _update,
    }[step.kind](plan, step)
    yield SIGN, -step.formula
    for other in worked.steps:
        if other.kind == step.kind and other.name != step.name:
            symbol = Number(other.value, "", "")
            yield f"this is the value of {other.name}", symbol
    for power in (1, 2):
        yield "the decimal point is in the wrong place", Number(10**power, "", "") * step.formula
        yield "the decimal point is in the wrong place", Number(10**-power, "", "") * step.formula


def _weighted_input(plan: Plan, step: Step) -> Iterator[tuple[str, Formula]]:
    layer, j = step.place
    size, before = plan.sizes[layer], plan.sizes[layer - 1]
    inputs = to(before)
    weighted = total([w(layer, j, k) * a(layer - 1, k) for k in inputs])
    yield "the bias b is missing", weighted
    yield "the bias b is added, not subtracted", weighted - b(layer, j)
    if layer > 1:
        used_z = total([w(layer, j, k) * z(layer - 1, k) for k in inputs])
        yield "z of the layer before was used in place of its a", used_z + b(layer, j)
    if before <= size and j <= before:
        across = total([w(layer, k, j) * a(layer - 1, k) for k in inputs])
        yield (
            "the weights are transposed: w_jk leads from neuron k to neuron j",
            across + b(layer, j),
        )
    bare = total([w(layer, j, k) for k in inputs])
    yield "the inputs that the weights are multiplied by are missing", bare + b(layer, j)
    name = plan.activation_of(layer)
    if name in ("sigmoid", "tanh", "relu"):
        function = {"sigmoid": "sigma"}.get(name, name)
        yield "this is a: z comes before the activation function", Call(function, step.formula)
    if before > 1:
        for k in inputs:
            others = [w(layer, j, m) * a(layer - 1, m) for m in inputs if m != k]
            yield f"the term with w{layer}_{j}{k} is missing", total([*others, b(layer, j)])


def _activation(plan: Plan, step: Step) -> Iterator[tuple[str, Formula]]:
    layer, j = step.place
    name = plan.activation_of(layer)
    if name == "linear":
        return
    yield "this is z: the activation function is still to be applied", z(layer, j)
    if name == "sigmoid":
        yield "the sign in the exponent: σ(z) = 1/(1 + e^(-z))", Call("sigma", -z(layer, j))
        derivative = Call("sigma", z(layer, j)) * Call("sigma", -z(layer, j))
        yield "this is σ'(z), not σ(z)", derivative
    if name == "softmax":
        yield "e^z is still to be divided by the sum over all outputs", Call("exp", z(layer, j))
        yield "this is σ(z): softmax compares all outputs", Call("sigma", z(layer, j))
    if name == "relu":
        yield "relu leaves a positive z as it is and makes a negative one 0", -z(layer, j)


def _cost(plan: Plan, step: Step) -> Iterator[tuple[str, Formula]]:
    outputs = [(y(j), a(plan.last, j)) for j in to(plan.sizes[-1])]
    yield "the sign: this cost is never negative", -step.formula
    if plan.cost == "quadratic":
        yield "the factor ½ is missing", TWO * step.formula
        differences = total([aim - output for aim, output in outputs])
        yield "the difference is to be squared", HALF * differences
        yield "the difference is to be squared, and the factor ½ is missing", differences
        yield (
            "y and a are to be subtracted before squaring",
            HALF * total([Square(aim) - Square(output) for aim, output in outputs]),
        )
        return
    common = Number(1 / math.log(10), "", "")
    yield "the logarithm is the natural one, ln, not that to base 10", common * step.formula
    if plan.head == "sigmoid":
        half = Sum(tuple((-1, aim * Call("ln", output)) for aim, output in outputs))
        yield "the part with 1 - y is missing", half
    else:
        bare = Sum(tuple((-1, Call("ln", output)) for _, output in outputs))
        yield "each logarithm is to be multiplied by its y", bare


def _slope(plan: Plan, step: Step) -> Iterator[tuple[str, Formula]]:
    layer, j = step.place
    output, weighted = a(layer, j), z(layer, j)
    name = plan.activation_of(layer)
    if name == "relu":
        yield "this is a; the derivative of relu is 1 where z > 0, else 0", output
        yield "this is z; the derivative of relu is 1 where z > 0, else 0", weighted
        yield "the derivative of relu is 1 where z > 0, else 0", ONE - Call("step", weighted)
        return
    yield "this is a itself, not its derivative", output
    yield "this is z, not the derivative there", weighted
    if name == "sigmoid":
        yield "z was used in place of a: σ'(z) = a·(1 - a)", weighted * (ONE - weighted)
        yield "the factor a is missing: σ'(z) = a·(1 - a)", ONE - output
        again = Call("sigma", output)
        yield "σ' was taken at a in place of z", again * (ONE - again)
    else:
        yield "z was used in place of a: tanh'(z) = 1 - a²", ONE - Square(weighted)
        yield "a is to be squared: tanh'(z) = 1 - a²", ONE - output
        yield "tanh' was taken at a in place of z", ONE - Square(Call("tanh", output))


def _error(plan: Plan, step: Step) -> Iterator[tuple[str, Formula]]:
    layer, j = step.place
    output, weighted = a(layer, j), z(layer, j)
    sloped = plan.has_slope(layer)
    slope = plan.slope(layer, j) if sloped else ONE
    prime = slope.plain
    if layer == plan.last:
        difference = output - y(j)
        yield "the sign: it is a - y, not y - a", (y(j) - output) * slope
        if sloped:
            yield f"the factor {prime} is missing", difference
            yield f"a was used in place of {prime}", difference * output
            yield "the difference a - y is missing", slope
            yield "z was used in place of a", (weighted - y(j)) * slope
            yield "y was left out: it is a - y", output * slope
            yield "the factor 2 of the square cancels the ½", TWO * step.formula
        else:
            derivative = output * (ONE - output)
            yield "with this cost σ' cancels out: it is just a - y", difference * derivative
            yield "z was used in place of a", weighted - y(j)
        return
    after = to(plan.sizes[layer + 1])
    back = total([w(layer + 1, k, j) * delta(layer + 1, k) for k in after])
    if sloped:
        yield f"the factor {prime} is missing", back
    yield SIGN, -(back * slope)
    if len(after) <= plan.sizes[layer] and j <= len(after):
        across = total([w(layer + 1, j, k) * delta(layer + 1, k) for k in after])
        message = "the weights are not transposed: going back, w_kj leads from neuron j to neuron k"
        yield message, across * slope
    yield "the weights are missing", total([delta(layer + 1, k) for k in after]) * slope
    yield "the δ of the layer after are missing", total([w(layer + 1, k, j) for k in after]) * slope
    if sloped:
        yield f"a was used in place of {prime}", back * output
        yield f"z was used in place of {prime}", back * weighted
    if len(after) > 1:
        for k in after:
            others = [w(layer + 1, m, j) * delta(layer + 1, m) for m in after if m != k]
            yield f"the term with w{layer + 1}_{k}{j} is missing", total(others) * slope


def _bias_gradient(plan: Plan, step: Step) -> Iterator[tuple[str, Formula]]:
    layer, j = step.place
    yield "it is δ alone: the input of a bias is 1, not b", b(layer, j) * delta(layer, j)
    yield "it is δ alone, not multiplied by a", a(layer, j) * delta(layer, j)
    if plan.has_slope(layer):
        slope = plan.slope(layer, j)
        yield f"{slope.plain} is in δ already", delta(layer, j) * slope


def _weight_gradient(plan: Plan, step: Step) -> Iterator[tuple[str, Formula]]:
    layer, j, k = step.place
    source, error = a(layer - 1, k), delta(layer, j)
    yield f"the input factor {source.plain} is missing", error
    if layer > 1:
        yield "z of the layer before was used in place of its a", z(layer - 1, k) * error
    if j != k and j <= plan.sizes[layer - 1] and k <= plan.sizes[layer]:
        message = "the indices are swapped: w_jk takes the input from neuron k and δ of neuron j"
        yield message, a(layer - 1, j) * delta(layer, k)
    yield "a of this layer was used in place of that of the layer before", a(layer, j) * error
    yield "the weight was used in place of the input", w(layer, j, k) * error
    yield "the factor δ is missing", source
    if plan.has_slope(layer):
        slope = plan.slope(layer, j)
        yield f"{slope.plain} is in δ already", source * error * slope


def _update(plan: Plan, step: Step) -> Iterator[tuple[str, Formula]]:
    parameter = w(*step.place) if len(step.place) == 3 else b(*step.place)
    gradient = nabla(parameter)
    yield "the sign: the gradient is subtracted, downhill", parameter + ETA * gradient
    yield "the learning rate η is missing", parameter - gradient
    yield "the sign is wrong, and the learning rate η is missing", parameter + gradient
    yield "this is only the change: the old value is to be added", -(ETA * gradient)
    yield "this is only the change: the old value is to be added", ETA * gradient
    yield "this is the gradient: the step is still to be made", gradient
    yield "this is the old value", parameter
    yield "the old value is not multiplied by η", ETA * parameter - ETA * gradient
