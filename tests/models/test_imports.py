"""Importing any module of models is cheap."""

import os
import subprocess
import sys
from pathlib import Path

import models


def test_no_module_of_models_imports_keras_tensorflow_or_sklearn():
    names = sorted(path.stem for path in Path(models.__file__).parent.glob("[a-z]*.py"))
    code = f"""
import sys
for name in {names}:
    __import__(f"models.{{name}}")
heavy = {{"tensorflow", "keras", "sklearn", "jax", "torch", "scipy", "matplotlib"}}
print(sorted(heavy & set(sys.modules)))
"""
    environment = os.environ | {"PYTHONPATH": str(Path(models.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
