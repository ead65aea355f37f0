"""The interpreter: small, readable by a bundler, and never misled by a damaged file."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from models import live, scratch

LIVE = Path(__file__).parents[2] / "blog" / "theme" / "live"
FILES = [
    LIVE / f"{name}.js"
    for name in ("network", "layers", "convolutions", "recurrent", "activations")
]
NETWORK = scratch.build(4, 3, (5,), seed=1)
X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
EXPORTED = live.export(NETWORK, examples=X)
# A table of 4 rows for ids, to be looked up; NumPy only, as a page has it.
TABLE = np.arange(8, dtype="<f4").reshape(4, 2)
IDS = {
    "format": 1,
    "precision": "float32",
    "inputs": [{"name": "word", "shape": [1], "dtype": "string"}],
    "layers": [
        {"op": "lookup", "from": [0], "vocabulary": ["a", "b"], "first": 0, "unknown": None,
         "mask": None},
        {"op": "embedding", "from": [1], "weights": [0]},
        {"op": "reshape", "from": [2], "shape": [2]},
    ],
    "outputs": [3],
    "weights": [{"shape": [4, 2], "at": 0, "type": "float32"}],
    "golden": {"examples": 1, "tolerance": 1e-5, "inputs": [[["b"]]]},
    "bytes": {"model.bin": 32},
}  # fmt: skip


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def case(description=None, weights=None, golden=None, calls=None):
    """What the script is given for one network; the sound one where nothing is said."""
    return {
        "description": EXPORTED.description if description is None else description,
        "weights": text(EXPORTED.weights if weights is None else weights),
        "golden": text(EXPORTED.golden if golden is None else golden),
        "calls": [[[1, 2, 3, 4]]] if calls is None else calls,
    }


def changed(*path, to):
    """The sound description with one thing in it changed, such as ("layers", 0, "op")."""
    description = copy.deepcopy(EXPORTED.description)
    at = description
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = to
    return description


def in_steps(**scales):
    """The sound description with its first weight, of shape (4, 5), in whole steps."""
    first = {"shape": [4, 5], "at": 0, "type": "int8", "scales": scales}
    return changed("weights", 0, to=first)


def with_nan(content, number):
    weights = np.frombuffer(content, "<f4").copy()
    weights[number] = np.nan
    return weights.tobytes()


DAMAGED = {
    "weights_cut_short": (case(weights=EXPORTED.weights[:-4]), "bytes long, not"),
    "weights_empty": (case(weights=b""), "0 bytes long"),
    "weights_of_another": (case(weights=EXPORTED.weights + bytes(4)), "bytes long, not"),
    "size_not_told": (case(changed("bytes", to={})), "bytes long, not undefined"),
    "weights_are_nan": (case(weights=with_nan(EXPORTED.weights, 7)), "no numbers"),
    "format_of_tomorrow": (case(changed("format", to=2)), "its format is 2"),
    "no_description": (case(changed("layers", to=None)), "a list is missing"),
    "beyond_the_file": (case(changed("weights", 2, "at", to=10**6)), "weight 2 lies at"),
    "ends_beyond_the_file": (case(changed("weights", 3, "shape", to=[40])), "ends beyond"),
    "before_the_file": (case(changed("weights", 2, "at", to=-4)), "weight 2 lies at -4"),
    "between_two": (case(changed("weights", 2, "at", to=2)), "weight 2 lies at 2"),
    "type_unknown": (case(changed("weights", 0, "type", to="int4")), "of type int4"),
    "type_inherited": (case(changed("weights", 0, "type", to="constructor")), "of type constr"),
    "scales_not_told": (case(changed("weights", 0, "type", to="int8")), "weight 0's scale has"),
    "scales_of_nothing": (case(in_steps(at=0, count=0)), "weight 0's scale has the shape [0]"),
    "scales_beyond_the_file": (case(in_steps(at=10**6, count=5)), "weight 0 lies at 1000000"),
    "scales_end_beyond_the_file": (case(in_steps(at=0, count=10**4)), "ends beyond"),
    "scales_between_two": (case(in_steps(at=2, count=5)), "weight 0 lies at 2"),
    "scales_that_do_not_fit": (case(in_steps(at=0, count=3)), "weight 0 has 3 scales"),
    "scales_are_nan": (
        case(in_steps(at=0, count=5), weights=with_nan(EXPORTED.weights, 2)), "no numbers"
    ),
    "shape_negative": (case(changed("weights", 0, "shape", to=[-4, -5])), "has the shape"),
    "shape_broken": (case(changed("weights", 0, "shape", to=[0.5, 40])), "has the shape"),
    "shape_huge": (case(changed("inputs", 0, "shape", to=[2**24, 2**24])), "has the shape"),
    "shape_no_list": (case(changed("inputs", 0, "shape", to="4")), "has the shape"),
    "input_type": (case(changed("inputs", 0, "dtype", to="__proto__")), "an input is of type"),
    "op_unknown": (case(changed("layers", 0, "op", to="lambda")), "“lambda”, which this page"),
    "op_inherited": (case(changed("layers", 0, "op", to="constructor")), "does not know"),
    "op_proto": (case(changed("layers", 0, "op", to="__proto__")), "does not know"),
    "activation_unknown": (case(changed("layers", 0, "activation", to="magic")), "“magic”"),
    "activation_inherited": (case(changed("layers", 0, "activation", to="toString")), "toString"),
    "value_of_the_future": (case(changed("layers", 0, "from", to=[2])), "value 2 is not there"),
    "value_negative": (case(changed("layers", 1, "from", to=[-1])), "value -1 is not there"),
    "value_by_name": (case(changed("layers", 1, "from", to=["length"])), "value length is not"),
    "weight_missing": (case(changed("layers", 1, "weights", to=[9])), "weight 9 is not there"),
    "kernel_of_another_layer": (case(changed("layers", 1, "weights", to=[0, 1])), "does not fit"),
    "bias_of_another_layer": (case(changed("layers", 1, "weights", to=[2, 1])), "bias of another"),
    "no_weights": (case(changed("layers", 0, "weights", to=[])), ""),
    "no_inputs_of_a_layer": (case(changed("layers", 0, "from", to=[])), ""),
    "output_missing": (case(changed("outputs", to=[7])), "value 7 is not there"),
    "too_many_layers": (
        case(changed("layers", to=[{"op": "activation", "from": [0]}] * 1001)), "1001 layers"
    ),
    "too_many_values": (
        case(
            changed("layers", to=[
                {"op": "upsample", "from": [0], "factors": [4096, 4096], "bilinear": False}
            ]) | {"inputs": [{"name": "x", "shape": [4, 4, 1], "dtype": "float32"}]}
        ),
        "a value has the shape",
    ),
    "stride_of_nothing": (
        case(
            changed("layers", to=[
                {"op": "pool", "kind": "max", "from": [0], "window": [1, 1], "strides": [0, 1],
                 "before": [0, 0], "size": [4, 4]}
            ]) | {"inputs": [{"name": "x", "shape": [4, 4, 1], "dtype": "float32"}]}
        ),
        "does not move",
    ),
    "reshape_of_more": (
        case(changed("layers", to=[{"op": "reshape", "from": [0], "shape": [5]}])), "cannot make 5"
    ),
    "state_of_no_cell": (
        case(changed("layers", to=[{"op": "state", "from": [0], "number": 0}])), "no such state"
    ),
}  # fmt: skip
SOUND = {
    "sound": case(),
    "golden_cut_short": case(golden=EXPORTED.golden[:-4]),
    "golden_nan": case(golden=with_nan(EXPORTED.golden, 5)),
    "golden_of_another": case(golden=np.frombuffer(EXPORTED.golden, "<f4").astype("<f4") + 1),
    "wrong_inputs": case(calls=[[[1, 2, 3]], [[1, 2, 3, 4]] * 2, []]),
    "words": case(IDS, TABLE.tobytes(), TABLE[1].tobytes(), [[["a"]], [["b"]], [["c"]]]),
    "ids_too_large": case(
        IDS | {"layers": [IDS["layers"][0] | {"first": 3}, *IDS["layers"][1:]]},
        TABLE.tobytes(), TABLE[1].tobytes(), [[["a"]], [["b"]]],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the interpreter made of every case, from one process."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js found on PATH")
    folder = tmp_path_factory.mktemp("network")
    (folder / "package.json").write_text('{"type": "module"}')
    for file in FILES:
        shutil.copy(file, folder)
    cases = {name: each for name, (each, _) in DAMAGED.items()} | SOUND
    for each in cases.values():
        if not isinstance(each["golden"], str):
            each["golden"] = text(each["golden"])
    done = subprocess.run(
        [node, Path(__file__).parent / "try_networks.mjs", folder],
        input=json.dumps(list(cases.values())), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(zip(cases, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_gives_an_error_and_no_garbage(found, name):
    made = found[name]["made"]
    assert made.get("kind") in ("Error", "TypeError"), made
    assert DAMAGED[name][1] in made["error"]


def test_a_sound_network_answers_as_numpy_does(found):
    sound = found["sound"]
    expected = NETWORK.predict(np.array([[1.0, 2, 3, 4]]))
    np.testing.assert_allclose([sound["called"][0]["value"][0]], expected, atol=1e-6)
    assert float(sound["deviation"]["value"]) < 1e-6
    assert sound["made"]["value"] == [[3]]


def test_answers_stay_what_they_were_when_the_network_is_asked_again(found):
    assert found["sound"]["kept"] == {"value": True}


def test_golden_vectors_that_do_not_fit_show(found):
    assert "golden vectors are" in found["golden_cut_short"]["deviation"]["error"]
    assert found["golden_nan"]["deviation"]["value"] == "Infinity"
    assert float(found["golden_of_another"]["deviation"]["value"]) > 0.1


def test_inputs_of_another_length_are_refused(found):
    errors = [each["error"] for each in found["wrong_inputs"]["called"]]
    assert errors == [
        "Input 0 holds 3 values, and 4 are needed.", "1 inputs are needed.", "1 inputs are needed."
    ]  # fmt: skip


def test_words_and_ids_that_are_not_known_are_refused_in_a_sentence(found):
    known, second, strange = found["words"]["called"]
    assert (known["value"], second["value"]) == ([[0, 1]], [[2, 3]])
    assert strange["error"] == "c is not in the network's vocabulary."
    assert found["words"]["deviation"] == {"value": "0"}
    last, beyond = found["ids_too_large"]["called"]
    assert last["value"] == [[6, 7]]
    assert beyond["error"] == "4 is not one of the 4 ids that the network knows."


def without_comments(source: str) -> str:
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    source = re.sub(r"(?m)^\s*//.*$|\s+//\s.*$", "", source)
    return re.sub(r"\n\s*\n+", "\n", source)


def test_the_interpreter_is_at_most_8_kb_on_the_wire_without_comments():
    whole = "".join(without_comments(file.read_text("utf-8")) for file in FILES)
    assert "//" not in whole
    assert len(gzip.compress(whole.encode(), 9)) <= 8 * 1024


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_bundler_of_thirty_lines_can_read_it(file):
    source = file.read_text("utf-8")
    for line in re.findall(r"^import.*$", source, re.MULTILINE):
        assert re.fullmatch(r'import \{ [\w, ]+ \} from "\./\w+\.js";', line), line
    for line in re.findall(r"^.*\bexport\b.*$", without_comments(source), re.MULTILINE):
        assert re.match(r"export (function|class|const) \w+", line), line
    assert not re.search(r"\bimport\(|\beval\b|new Function|innerHTML", source)
