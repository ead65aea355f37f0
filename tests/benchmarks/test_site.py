"""What building the site costs beside plain Material, and how soon an edit is on the screen.

    python -m pytest tests/benchmarks/test_site.py -s

The same Markdown, synthetic posts with a figure each, goes through `folio publish` (all of it: this
command's start, the posts' check, build, policy, swap) and through `mkdocs build` with Material as
it comes: its theme, its plugins, the same Markdown extensions. Both alternate in fresh processes;
processor time (each keeps one core busy) and peak memory, the least of several rounds.
POSTS=1,100,1000 chooses how many posts.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COUNTS = [int(count) for count in os.environ.get("POSTS", "1,100,1000").split(",")]
ROUNDS = {1: 7, 100: 3, 1000: 1}
FIGURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="504pt" height="288pt" viewBox="0 0 504 288">'
    + "".join(f'<circle cx="{x}" cy="{x * 37 % 280}" r="3"/>' for x in range(4, 500, 8))
    + "</svg>"
)
POST = """\
---
title: Post {number}
date: 2026-01-{day:02}
tags: [images, number{tag}]
question: What does post {number} ask?
finding: It found {number} things.
description: It found {number} things.
picture: [{name}/figure.light.svg, {name}/figure.dark.svg]
---

# Post {number}

<p class="folio-finding">It found {number} things.</p>

<figure class="folio-figure" markdown>
![A figure]({name}/figure.light.svg#only-light){{ width=672 height=384 }}
![A figure]({name}/figure.dark.svg#only-dark){{ width=672 height=384 }}
<figcaption markdown="span"><b>Figure 1</b> What was found.</figcaption>
</figure>

{story}

## The numbers

| model | accuracy | low | high |
| --- | ---: | ---: | ---: |
{rows}

??? note "The code"

    ```python
    def split(table, seed):
        chosen = table.sample(frac=0.2, random_state=seed)
        return table.drop(chosen.index), chosen
    ```
"""
STORY = (
    "A **network** of {number} weights reads pages, and *learns* from them what `label` each has. "
    "How it does that is told in [another post]({other}.md), and in the notes below it.\n\n"
)


def portfolio(folder: Path, count: int) -> Path:
    """The template's site with `count` posts, and a plain configuration for the same pages."""
    ignored = shutil.ignore_patterns("*.py", "__pycache__", "posts")
    shutil.copytree(ROOT / "blog", folder / "blog", ignore=ignored)
    shutil.copy(ROOT / "mkdocs.yml", folder / "mkdocs.yml")
    (folder / "projects").mkdir()
    for page in (folder / "blog" / "docs").rglob("*.md"):
        if re.search(r"^template:", page.read_text(), re.MULTILINE):
            page.unlink()  # a page that only our theme can show
    posts = folder / "blog" / "docs" / "posts"
    posts.mkdir(parents=True)
    for number in range(count):
        name = f"post{number:04}"
        rows = "\n".join(f"| m{n} | 0.{n + number} | 0.{n} | 0.9{n} |" for n in range(8))
        story = STORY.format(number=number, other=f"post{(number * 7 + 1) % count:04}") * 8
        text = POST.format(
            number=number, day=number % 28 + 1, tag=number % 5, name=name, story=story, rows=rows
        )
        (posts / f"{name}.md").write_text(text)
        (posts / name).mkdir()
        for mode in ("light", "dark"):
            (posts / name / f"figure.{mode}.svg").write_text(FIGURE)
    own = yaml.safe_load((folder / "blog" / "site.yml").read_text())
    extensions = [each for each in own["markdown_extensions"] if "blog." not in str(each)]
    plain = {
        "site_name": "Plain", "site_url": "https://example.org/", "docs_dir": "blog/docs",
        "theme": {"name": "material", "font": False, "palette": own["theme"]["palette"]},
        "plugins": own["plugins"], "markdown_extensions": extensions,
    }  # fmt: skip
    (folder / "plain.yml").write_text(yaml.safe_dump(plain))
    return folder


MEASURED = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as ended:
    code = ended.code or 0
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print("\\nMEASURED", sum(each.ru_utime + each.ru_stime for each in used),
      max(each.ru_maxrss for each in used) / 1024)
sys.exit(code)
"""


def measured(root: Path, *command: str) -> tuple[float, float]:
    """Processor time and peak megabytes of a module in a fresh process."""
    compiled = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=root,
        env={**compiled, "PYTHONPYCACHEPREFIX": f"{root.parent}/pyc", "NO_MKDOCS_2_WARNING": "1",
             "FOLIO_ROOT": str(root), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, seconds, megabytes = done.stdout.splitlines()[-1].split()
    return float(seconds), float(megabytes)


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is asked of Unix")
def test_publishing_costs_no_more_than_plain_material(tmp_path):
    lines = ["\n\n| posts | plain s | ours s | ratio | plain MB | ours MB | ratio | unchanged |",
             "|--:|--:|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    worst = {"time": 0.0, "memory": 0.0, "unchanged": 0.0}
    for count in COUNTS:
        root = portfolio(tmp_path / f"posts{count}", count)
        plain, ours, again = [], [], []
        for _ in range(ROUNDS.get(count, 1) + (count == COUNTS[0])):  # the first compiles
            # Without --quiet mkdocs says which pages are in no navigation, a line each.
            plain.append(measured(root, "mkdocs", "build", "-q", "-f", "plain.yml", "-d", "plain"))
            (root / ".folio" / "site.json").unlink(missing_ok=True)
            ours.append(measured(root, "projects.spine.cli", "publish"))
            again.append(measured(root, "projects.spine.cli", "publish"))
        (p, pm), (o, om), (a, _) = (tuple(map(min, zip(*all, strict=True))) for all in
                                    (plain, ours, again))  # fmt: skip
        lines.append(
            f"| {count:,} | {p:.2f} | {o:.2f} | {o / p:.2f} | {pm:.0f} | {om:.0f} | {om / pm:.2f} "
            f"| {a:.2f} s, {a / o:.3f} |"
        )
        worst["time"] = max(worst["time"], o / p)
        worst["memory"] = max(worst["memory"], om / pm)
        worst["unchanged"] = max(worst["unchanged"], a / o)
    print("\n".join(lines))
    assert worst["time"] <= 1.1
    assert worst["memory"] <= 1.1
    assert worst["unchanged"] <= 0.2


SERVE = """
import sys
from pathlib import Path
from blog import site
site.serve(Path(sys.argv[1]), port=int(sys.argv[2]), rebuild=lambda changed: None,
           report=lambda line: print(line, flush=True))
"""


def test_an_edit_is_on_the_screen_within_a_second_at_100_posts(tmp_path):
    root = portfolio(tmp_path, 100)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(root), str(port)], stdout=subprocess.PIPE, text=True
    )
    said: list[str] = []
    threading.Thread(target=lambda: said.extend(process.stdout), daemon=True).start()

    def shown(path: str, text: str) -> float:
        begun = time.monotonic()
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as page:
                    if text in page.read().decode():
                        return time.monotonic() - begun
            except OSError:
                pass
            assert time.monotonic() - begun < 120
            time.sleep(0.01)

    seconds: dict[str, list[float]] = {"post": [], "style": [], "while all is built": []}
    try:
        first = shown("posts/post0050/", "It found 50")
        post = root / "blog" / "docs" / "posts" / "post0050.md"
        style = root / "blog" / "docs" / "style.css"
        for number in range(5):
            post.write_text(post.read_text() + f"\nEdited {number} times.\n")
            seconds["post"].append(shown("posts/post0050/", f"Edited {number} times."))
            style.write_text(style.read_text() + f"\n.edited{number} {{ color: teal }}\n")
            seconds["style"].append(shown("style.css", f".edited{number}"))
        for number in range(5):
            time.sleep(2.5)  # by then the whole site is being built behind the scenes
            post.write_text(post.read_text() + f"\nOnce more {number}.\n")
            seconds["while all is built"].append(shown("posts/post0050/", f"Once more {number}."))
    finally:
        process.terminate()
        process.wait(20)
    print(f"\n\nfirst build {first:.1f} s; an edit of")
    for what, found in seconds.items():
        print(f"  {what}: median {sorted(found)[2]:.2f} s, longest {max(found):.2f} s")
    assert max(seconds["post"] + seconds["style"]) < 1
    assert max(seconds["while all is built"]) < 1
