"""A weight is changed, and every number follows."""

from __future__ import annotations

import json

import numpy as np
import pytest


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def worked(w1, b1, w2, b2, x=(0.05, 0.1), y=0.01):
    """One step by hand: C, the slopes of w and b by layer."""
    x = np.array(x)
    a1 = sigmoid(x @ w1 + b1)
    a2 = sigmoid(a1 @ w2 + b2)
    delta2 = (a2 - y) * a2 * (1 - a2)
    delta1 = (w2 @ delta2) * a1 * (1 - a1)
    return {
        "C": float(((y - a2) ** 2).sum() / 2), "a": float(a2[0]), "delta1": delta1,
        "delta2": delta2, "w1": np.outer(x, delta1), "w2": np.outer(a1, delta2),
    }  # fmt: skip


BEGUN = {
    "w1": np.array([[0.15, 0.25], [0.2, 0.3]]), "b1": np.array([0.35, 0.35]),
    "w2": np.array([[0.4], [-0.45]]), "b2": np.array([0.6]),
}  # fmt: skip


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def cost(section) -> float:
    return number(section.locator(".folio-live__number").inner_text().split()[2].rstrip(","))


def weights(section) -> dict[str, list[float]]:
    """The table: value, slope, value after a step."""
    rows = section.locator("table.folio-live__values").nth(1).locator("tbody tr")
    told = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(c => c.textContent))")
    return {name: [number(each) for each in numbers] for name, *numbers in told}


def test_every_value_is_that_of_the_step_by_hand(reader, posts):
    section = reader.open(posts["backprop"])
    expected = worked(**BEGUN)
    assert cost(section) == pytest.approx(expected["C"], rel=1e-3)
    table = weights(section)
    assert list(table) == ["w¹₁₁", "w¹₁₂", "w¹₂₁", "w¹₂₂", "b¹₁", "b¹₂", "w²₁₁", "w²₁₂", "b²₁"]
    assert table["w¹₂₁"][0] == 0.25  # from neuron 1 to neuron 2
    assert table["w¹₂₁"][1] == pytest.approx(expected["w1"][0, 1], rel=1e-3)
    assert table["w²₁₂"][1] == pytest.approx(expected["w2"][1, 0], rel=1e-3)
    assert table["b¹₁"][1] == pytest.approx(expected["delta1"][0], rel=1e-3)
    value, slope, new = table["b²₁"]
    assert new == pytest.approx(value - 0.5 * slope, rel=1e-3)


@pytest.mark.parametrize(
    ("activation", "output", "cost"),
    [
        ("sigmoid", "sigmoid", "quadratic"),
        ("tanh", "linear", "quadratic"),
        ("relu", "tanh", "quadratic"),
        ("tanh", "sigmoid", "cross_entropy"),
        ("sigmoid", "softmax", "cross_entropy"),
    ],
)
def test_slopes_are_those_that_small_changes_find(reader, posts, activation, output, cost):
    reader.page.goto(posts["backprop"])
    analytic, numeric = reader.page.evaluate(
        """async (how) => {
            const { flow } = await import("../../live/flow.js");
            const layers = [
                { w: [[0.3, -0.2], [0.5, 0.7], [-0.6, 0.1]], b: [0.1, -0.3, 0.2] },
                { w: [[0.4, -0.5, 0.3], [0.2, 0.6, -0.1]], b: [0.05, -0.2] },
            ];
            const given = { ...how, x: [0.8, -0.4], y: [0.25, 0.75] };
            const { nabla, delta } = flow(layers, given);
            const [analytic, numeric] = [[], []];
            const slope = (list, at) => {
                const value = list[at];
                const C = (to) => { list[at] = to; return flow(layers, given).C; };
                numeric.push((C(value + 1e-5) - C(value - 1e-5)) / 2e-5);
                list[at] = value;
            };
            layers.forEach(({ w, b }, layer) => {
                w.forEach((row, j) => row.forEach((_, k) => {
                    analytic.push(nabla[layer + 1][j][k]);
                    slope(row, k);
                }));
                b.forEach((_, j) => { analytic.push(delta[layer + 1][j]); slope(b, j); });
            });
            return [analytic, numeric];
        }""",
        {"activation": activation, "output": output, "cost": cost},
    )
    assert len(analytic) == 17
    assert analytic == pytest.approx(numeric, abs=1e-8)
    assert max(map(abs, analytic)) > 1e-3


def test_a_changed_weight_changes_all_that_follows(reader, posts):
    section = reader.open(posts["backprop"])
    section.locator("[data-weight='2_11']").click()
    section.get_by_label("Its value").first.fill("-1.5")
    expected = worked(**BEGUN | {"w2": np.array([[-1.5], [-0.45]])})
    assert cost(section) == pytest.approx(expected["C"], rel=1e-3)
    assert weights(section)["w¹₁₁"][1] == pytest.approx(expected["w1"][0, 0], rel=1e-3)
    drawing = section.locator("svg")
    assert "−1.5" in drawing.text_content()
    assert f"{expected['a']:.3g}" in drawing.text_content()


def test_one_step_goes_down_along_the_slopes(reader, posts):
    section = reader.open(posts["backprop"])
    before = cost(section)
    expected = {name: new for name, (_, _, new) in weights(section).items()}
    section.get_by_role("button", name="One step").click()
    assert cost(section) < before
    after = {name: value for name, (value, _, _) in weights(section).items()}
    assert after == pytest.approx(expected, rel=1e-3)
    assert f"was {before:.4g}" in section.locator(".folio-live__number").inner_text()
    section.get_by_role("button", name="Reset").click()
    assert cost(section) == before


def test_the_learning_rate_scales_the_step(reader, posts):
    section = reader.open(posts["backprop"])
    section.get_by_label("Learning rate η").fill("2")
    value, slope, new = weights(section)["b²₁"]
    assert new == pytest.approx(value - 2 * slope, rel=1e-3)


def test_changed_weights_survive_a_reload(reader, posts):
    section = reader.open(posts["backprop"])
    before = reader.page.evaluate("location.hash")
    section.get_by_role("button", name="One step").click()
    after = weights(section)
    # The address follows a little later, and may hold the weights before the step until then.
    reader.wait(f"location.hash.length > 40 && location.hash !== {json.dumps(before)}")
    reader.page.reload()
    section = reader.load()
    for name, values in weights(section).items():
        assert values == pytest.approx(after[name], rel=1e-3)


def test_the_keyboard_goes_from_weight_to_weight(reader, posts):
    section = reader.open(posts["backprop"])
    reader.page.keyboard.press("Tab")
    label = "document.activeElement.getAttribute('aria-label')"
    assert reader.page.evaluate(label) == "w¹₁₁, layer 1, from neuron 1 to 1: 0.15"
    for _ in range(4):
        reader.page.keyboard.press("ArrowRight")
    assert reader.page.evaluate(label) == "b¹₁, layer 1, neuron 1: 0.35"
    reader.page.keyboard.press("Tab")
    assert section.get_by_label("Weight or bias").evaluate("s => s.selectedIndex") == 4
    section.get_by_role("slider", name="Its value").focus()
    reader.page.keyboard.press("ArrowUp")
    assert weights(section)["b¹₁"][0] == 0.36
    reader.wait("document.querySelector('[aria-live]').textContent.startsWith('Cost 0.')")


def test_a_finger_chooses_a_neuron_and_moves_its_bias(phone, posts):
    section = phone.open(posts["backprop"])
    section.locator("g[aria-label^='b²₁'] circle").tap()
    rail = section.get_by_role("slider", name="Its value")
    box = rail.bounding_box()
    phone.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert abs(weights(section)["b²₁"][0]) < 0.1
    expected = worked(**BEGUN | {"b2": np.array([weights(section)["b²₁"][0]])})
    assert cost(section) == pytest.approx(expected["C"], rel=1e-3)
