"""The package's front: its names, its cost, its errors, and files added by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import scraping
from scraping import errors, local
from scraping.lent import Lent, current


def test_all_is_what_a_project_may_use():
    public = {
        name
        for name, value in vars(scraping).items()
        if not name.startswith("_") and not isinstance(value, type(scraping))
    }
    assert public == set(scraping.__all__)


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, scraping\n"
        "heavy = {'pandas', 'numpy', 'pyarrow', 'bs4', 'keras', 'tensorflow', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_error_is_drawn_in_the_tree_with_its_exit_code():
    tree = errors.__doc__ or ""
    found = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Exception)
    }
    drawn = {
        words[0]: int(words[1])
        for line in tree.splitlines()
        if len(words := line.strip("│├└─ ").split()) > 1 and words[1].isdecimal()
    }
    assert drawn == {name: kind.exit_code for name, kind in found.items()}


def test_messages_keep_their_lines_and_escape_the_rest():
    error = errors.ScrapingError("one\ntwo \x1b[31m \u202e \x00")
    assert str(error) == "one\ntwo \\x1b[31m \\u202e \\x00"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text("a,b")
    lent = Lent(archive=tmp_path / ".folio", project=tmp_path)
    token = current.set(lent)
    yield lent
    current.reset(token)


def test_a_local_file_is_found_in_the_project_and_noted(project):
    assert local("data/x.csv").read_text() == "a,b"
    assert project.files == {"data/x.csv": project.project / "data" / "x.csv"}


@pytest.mark.parametrize("path", ["../outside.csv", "/etc/passwd", "data/../../x", "link"])
def test_a_local_file_cannot_lie_outside_the_project(project, path):
    (project.project / "link").symlink_to("/etc/passwd")
    with pytest.raises(errors.Misuse, match="leaves the project's folder"):
        local(path)
    assert project.files == {}


def test_a_missing_local_file_is_named_with_what_is_there(project):
    with pytest.raises(errors.Misuse, match=r"Names there: x\.csv"):
        local("data/y.csv")


def test_outside_a_run_a_local_file_is_found_beside_the_file_that_asks():
    assert local("conftest.py") == Path(__file__).parent / "conftest.py"
