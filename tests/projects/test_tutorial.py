"""The tutorial, followed to the letter in a fresh copy: its commands, its edits, what it shows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from projects.spine.cli import folio

HOWTO = Path(__file__).parents[2] / "blog" / "docs" / "howto"
PAGE = (HOWTO / "tutorial.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w*)(?: title=\"(.*?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"[-−]?\d+\.\d+")


class Block(NamedTuple):
    kind: str
    title: str
    text: str


BLOCKS = [Block(*found) for found in FENCE.findall(PAGE)]


def agrees(shown: str, told: str) -> bool:
    """Whether a line of the page is a line of the output.

    Seconds do not count, and another processor may compute the last digits of a score differently.
    """
    shown, told = (re.sub(r"  \[[^\[\]]*\]$", "", line) for line in (shown, told))
    if " ".join(NUMBER.sub("#", shown).split()) != " ".join(NUMBER.sub("#", told).split()):
        return False
    one, other = (
        [float(number.replace("−", "-")) for number in NUMBER.findall(line)]
        for line in (shown, told)
    )
    return one == pytest.approx(other, abs=0.1)


class Newcomer:
    """Who does what the page says, in a copy of the repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {**os.environ, "FOLIO_ROOT": str(root), "PYTHONPATH": str(root)}
        self.said = ""

    def run(self, command: str) -> None:
        words = [sys.executable, "-m", "projects.spine.cli", *command.split()[1:]]
        if command.split()[1] == "serve":
            self.said = self.until_it_serves(words)
            return
        done = subprocess.run(
            words, cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=1200
        )
        self.said = done.stdout + done.stderr
        assert done.returncode == 0, f"{command}\n{self.said}"

    def until_it_serves(self, words: list[str]) -> str:
        """What a server said until it named its address; then Ctrl-C is pressed."""
        with subprocess.Popen(
            words, cwd=self.root, env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        ) as server:  # fmt: skip
            assert server.stdout
            lines = []
            for line in server.stdout:
                lines.append(line)
                if "http://" in line:
                    break
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=60)
        return "".join(lines)

    def edit(self, title: str, diff: str) -> None:
        """Replace the lines of a diff that begin with - by those with +, which stand there once."""
        path = self.root / title
        old, new = (
            "".join(line[1:] for line in diff.splitlines(keepends=True) if line[0] in f" {sign}")
            for sign in "-+"
        )
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{title} has {text.count(old)} times\n{old}"
        path.write_text(text.replace(old, new), "utf-8")

    def do(self, block: Block) -> None:
        match block:
            case Block("", "", text):
                for command in text.splitlines():
                    self.run(command)
            case Block("text", "", text):
                for line in text.splitlines():
                    told = self.said.splitlines()
                    assert any(agrees(line, each) for each in told), f"{line}\n\n{self.said}"
            case Block("diff", title, text):
                self.edit(title, text)
            case Block("yaml" | "markdown", title, text) if title:
                (self.root / title).write_text(text, "utf-8")


@pytest.fixture(scope="module")
def followed(fresh_copy) -> Path:
    """A copy in which the page was followed from top to bottom."""
    newcomer = Newcomer(fresh_copy())
    for block in BLOCKS:
        newcomer.do(block)
    return newcomer.root


def test_every_command_on_the_page_is_one():
    named = re.findall(r"^folio (\w+)|`folio (\w+)", PAGE, re.MULTILINE)
    assert {first or second for first, second in named} <= set(folio.commands)


def test_the_page_has_the_whole_way():
    typed = [block.text.split()[1] for block in BLOCKS if not block.kind]
    way = "look new run run run propose run test serve check publish publish"
    assert typed == way.split()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is a signal here")
def test_who_follows_the_page_ends_with_a_post_of_sealed_hypotheses(followed):
    folder = followed / "projects" / "wet"
    results = json.loads((folder / "results" / "results.json").read_text("utf-8"))
    assert results["seeds"] == [11, 12, 13, 14, 15]
    assert not results["draft"]
    assert [verdict["name"] for verdict in results["verdicts"]] == [
        "beats-majority",
        "beats-logistic",
    ]
    assert all(verdict["sealed"] for verdict in results["verdicts"])
    assert results["deviations"] == []
    post = (followed / "site" / "posts" / "wet" / "index.html").read_text("utf-8")
    assert "Ada Lovelace" in post
    for model in ("majority", "logistic", "network"):
        assert f"{results['scores'][model]['accuracy']['mean']:.1%}" in post
    with zipfile.ZipFile(followed / "ada.zip") as handed_in:
        assert "ada/posts/wet.html" in handed_in.namelist()
