"""What pyproject.toml promises."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
HEAVY = {"tensorflow", "keras", "scikit-learn", "pandas"}


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[A-Za-z0-9-]+", r)[0] for r in requirements}  # ty: ignore


def test_publishing_needs_no_tensorflow():
    assert not names(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["site"]) & HEAVY


def test_the_lock_pins_everything_but_the_benchmarks_with_hashes_and_names_no_address():
    lock = (ROOT / ".requirements.lock").read_text("utf-8")
    pinned = set(re.findall(r"^([a-z0-9-]+)==", lock, re.M))
    extras = PROJECT["optional-dependencies"]
    wanted = names(PROJECT["dependencies"])
    wanted |= names([r for name, items in extras.items() if name != "bench" for r in items])
    assert wanted <= pinned
    assert "://" not in lock
    entries = re.split(r"^(?=[a-z0-9-]+==)", lock, flags=re.M)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
