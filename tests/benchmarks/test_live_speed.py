"""How long the interpreter takes for one answer, under Node, which has the engine of Chromium.

    python -m pytest tests/benchmarks/test_live_speed.py -s

The network of the icons project, one step of a GRU of 128 units with 80 symbols, the generator of
28×28 digits. The medians of 200 calls after five that only warm up.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from models import cnn, gan, rnn
from models.live import export

LIMITS = {"icons": 20.0, "gru_step": 2.0, "generator": 100.0}  # milliseconds
spec = importlib.util.spec_from_file_location(
    "networks", Path(__file__).parents[1] / "models" / "networks.py"
)
networks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(networks)


def test_an_answer_is_there_before_the_reader_notices(tmp_path):
    random = np.random.default_rng(0)
    step = rnn.one_step(rnn.build("language", vocabulary=80, units=(128,)))
    latents = random.normal(size=(3, 64)).astype("float32")
    exported = {
        "icons": export(cnn.build((32, 32, 1), 17), examples=random.random((3, 32, 32, 1))),
        "gru_step": export(
            step,
            examples=[np.array([[1], [2], [3]]), random.normal(size=(3, 128)).astype("float32")],
        ),
        "generator": export(gan.build((28, 28, 1)).average, examples=latents),
    }
    found = networks.write_and_run(tmp_path / "speed", exported, calls=200)
    for name, limit in LIMITS.items():
        description = exported[name].description
        print(
            f"{name:<10} {found[name]['milliseconds']:7.2f} ms  {description['parameters']:>9,} "
            f"parameters  {description['work']:>11,} multiply-adds  "
            f"off by {float(found[name]['deviation']):.1e}"
        )
        assert float(found[name]["deviation"]) < 1e-5
        assert found[name]["milliseconds"] < limit
