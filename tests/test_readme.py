"""The README says what is there: its tree matches the disk, its table the commands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tree() -> list[str]:
    """Every path in the README's captioned tree, such as `scraping/reading/page.py`."""
    (block,) = (text for text in re.findall(r"```\n(.*?)```", README, re.S) if "scraping/ " in text)
    paths: list[str] = []
    parents: list[str] = []
    for line in block.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        # Names run up to the caption, which one blank at least sets off; a comma joins two names.
        found = re.match(r"[^\s,]+(?:, [^\s,]+)*", line.strip())
        assert found, f"no name in the tree's line {line!r}"
        for name in found[0].split(", "):
            parents[depth:] = [name.rstrip("/")]
            paths.append("/".join(parents))
    return paths


def test_every_path_in_the_tree_exists():
    for path in tree():
        if "<" not in path:  # a placeholder, such as projects/<name>
            assert (ROOT / path).exists(), f"README.md lists {path}, which is not there"


def test_every_top_level_entry_that_git_tracks_is_in_the_tree():
    try:
        tracked = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this copy is not a git repository")
    top = {path.partition("/")[0] for path in tracked.split("\0") if path}
    missing = sorted(top - set(tree()))
    assert not missing, f"README.md's tree lacks {missing}"


def test_every_module_of_a_package_shown_in_the_tree_is_in_it():
    shown = set(tree())
    for folder in sorted({path.rpartition("/")[0] for path in shown if "/" in path}):
        for path in sorted((ROOT / folder).iterdir()):
            module = path.suffix == ".py" and path.name != "__init__.py"
            # Projects come and go; <name>/ stands for them all.
            package = (path / "__init__.py").exists() and not (path / "project.py").exists()
            if module or package:
                name = f"{folder}/{path.name}"
                assert name in shown, f"README.md's tree lacks {name}"


def test_every_command_is_in_the_table_and_every_command_in_the_table_works():
    from projects.spine.cli import folio

    listed = re.findall(r"^\| `folio (\w+)", README, re.M)
    assert sorted(listed) == sorted(folio.commands)


def test_the_two_commands_come_first():
    first = re.search(r"```\n(.*?)```", README, re.S)
    assert first
    assert re.findall(r"^python3 -m projects (\w+)", first[1], re.M) == ["run", "test"]


def test_sizes_and_versions_are_those_that_the_set_up_announces():
    from projects import __main__ as setup

    assert f"{setup.DOWNLOAD_GB:.0f} GB to download, {setup.MINUTES}" in README
    assert f"{setup.NEEDED_GB} GB of free disk, of which {setup.INSTALLED_GB} GB" in README
    from projects.spine.machine import SUPPORTED

    (_, first), (_, last) = SUPPORTED
    for minor in range(first, last + 1):
        assert f"3.{minor}" in README
