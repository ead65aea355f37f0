"""Importing any module of models is cheap."""

import os
import subprocess
import sys
from pathlib import Path

import models

FOLDER = Path(models.__file__).parent
# Where classes of Keras' are derived from; imported within the functions that need them.
OF_KERAS = {"models.autoencoder.layers", "models.gan.adversarial", "models.rnn_layers"}


def test_no_module_of_models_imports_keras_tensorflow_or_sklearn():
    paths = [path.relative_to(FOLDER.parent).with_suffix("") for path in FOLDER.rglob("[a-z]*.py")]
    names = {".".join(path.parts) for path in paths}
    assert names > OF_KERAS
    code = f"""
import sys
for name in {sorted(names - OF_KERAS)}:
    __import__(name)
heavy = {{"tensorflow", "keras", "sklearn", "jax", "torch", "scipy", "matplotlib"}}
print(sorted(heavy & set(sys.modules)))
"""
    environment = os.environ | {"PYTHONPATH": str(Path(models.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
