"""The preview: an edit is on the screen soon, a mistake leaves the last good page."""

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from blog import render, site
from blog.errors import PortTaken, SiteError
from blog.site.incremental import load
from blog.site.preview import _Preview, _watch
from blog.site.reloading import Shown

SOON = 10  # seconds; a second on a machine that has nothing else to do, as the benchmark tells
SERVE = """
import sys
from pathlib import Path
from blog import render, site
root, port = Path(sys.argv[1]), int(sys.argv[2])
def rebuild(changed):
    figures = {}
    for path in changed:
        if path.name == "post.md":
            render.write(path.parent, root / "blog" / "docs")
        else:
            figures["mine/models.light.svg"] = path
    return figures
def watched():
    return [*root.glob("projects/*/post.md"), root / "step.svg"]
site.serve(root, port=port, rebuild=rebuild, watched=watched,
           report=lambda line: print(line, flush=True))
"""


def read(address: str) -> str:
    try:
        return urllib.request.urlopen(address, timeout=5).read().decode()
    except OSError:
        return ""


def waited(condition, seconds: float = 60) -> float:
    """Wait until something holds; the seconds it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "waited in vain"
        time.sleep(0.02)
    return time.monotonic() - begun


class Preview:
    """A running preview: its address and the lines that it has said."""

    def __init__(self, root: Path, process: subprocess.Popen[str], address: str) -> None:
        self.root, self.process, self.address = root, process, address
        self.story = root / "projects" / "mine" / "post.md"
        self.said: list[str] = []
        threading.Thread(target=lambda: self.said.extend(process.stdout), daemon=True).start()

    def edit(self, old: str, new: str) -> None:
        text = self.story.read_text()
        assert old in text
        self.story.write_text(text.replace(old, new))

    def post(self) -> str:
        return read(self.address + "posts/mine/")


@pytest.fixture(scope="module")
def preview(tmp_path_factory, new_site, finished):
    root = new_site(tmp_path_factory.mktemp("preview"))
    render.write(shutil.copytree(finished, root / "projects" / "mine"), root / "blog" / "docs")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(root), str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    running = Preview(root, process, f"http://127.0.0.1:{port}/")
    try:
        waited(lambda: "What it learns" in running.post())
        yield running
    finally:
        process.terminate()
        process.wait(20)


def test_an_edited_post_is_on_the_screen_at_once(preview):
    preview.edit("What it learns", "What it cannot learn")
    assert waited(lambda: "What it cannot learn" in preview.post()) < SOON
    page = preview.post()
    assert "Content-Security-Policy" in page
    assert "folio-finding" in page
    assert 'src="/folio-reload.js"' in page
    preview.edit("What it cannot learn", "What it learns")
    waited(lambda: "What it learns" in preview.post())


def test_an_edited_style_is_on_the_screen_at_once(preview):
    style = preview.root / "blog" / "docs" / "style.css"
    style.write_text(style.read_text() + "\n.mine { color: teal }\n")
    assert waited(lambda: ".mine" in read(preview.address + "style.css")) < SOON


def test_a_waiting_page_is_told_and_loads_itself_anew(preview):
    (epoch,) = re.findall(r'data-epoch="(\d+)"', preview.post())
    told: list[str] = []
    waiting = threading.Thread(
        target=lambda: told.append(read(f"{preview.address}folio-reload?after={epoch}"))
    )
    waiting.start()
    style = preview.root / "blog" / "docs" / "style.css"
    style.write_text(style.read_text() + "\n.again { color: teal }\n")
    waiting.join(20)
    assert told
    assert int(told[0]) > int(epoch)


def test_a_mistake_is_told_and_the_last_good_page_stays(preview):
    good = preview.story.read_text()
    preview.edit("[[data.rows|,]]", "[[data.row|,]]")
    waited(lambda: any("Did you mean `rows`?" in line for line in preview.said))
    assert "What it learns" in preview.post()
    preview.story.write_text(good.replace("What it learns", "What it learns at last"))
    assert waited(lambda: "What it learns at last" in preview.post()) < SOON
    preview.story.write_text(good)
    waited(lambda: "at last" not in preview.post())


def test_a_title_reaches_the_home_page_too(preview):
    preview.edit("title: Icons from design sets never seen", "title: Another title")
    assert waited(lambda: "Another title" in preview.post()) < SOON
    waited(lambda: "Another title" in read(preview.address))


def test_a_new_page_appears_and_a_missing_one_is_told(preview):
    (preview.root / "blog" / "docs" / "fresh.md").write_text("# Quite fresh\n")
    waited(lambda: "Quite fresh" in read(preview.address + "fresh/"))
    with pytest.raises(urllib.error.HTTPError) as missing:
        urllib.request.urlopen(preview.address + "nowhere/", timeout=5)
    assert missing.value.code == 404
    assert "This leaf is missing" in missing.value.read().decode()


def test_a_figure_shows_when_its_step_has_ended(preview):
    (preview.root / "step.svg").write_text("<svg>new</svg>")
    waited(lambda: read(preview.address + "mine/models.light.svg") == "<svg>new</svg>")
    committed = preview.root / "blog/docs/posts/mine/models.light.svg"
    assert committed.read_text() != "<svg>new</svg>"


def test_a_configuration_that_cannot_be_read_is_told_and_the_pages_stay(preview):
    config = preview.root / "mkdocs.yml"
    good = config.read_text()
    config.write_text(good + "\nnonsense: [\n")
    waited(lambda: any("could not be built" in line for line in preview.said))
    assert "folio-finding" in preview.post()
    config.write_text(good)


def test_a_port_in_use_is_told_with_the_next_command(root):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} .* in use") as raised:
            site.serve(root, port=port, rebuild=lambda changed: None)
    assert raised.value.exit_code == 75


def test_a_question_for_the_head_of_a_page_is_answered_from_the_site_alone(preview):
    def head(path: str):
        return urllib.request.urlopen(
            urllib.request.Request(preview.address + path, method="HEAD"), timeout=5
        )

    for path in ("posts/mine/", "style.css"):
        with head(path) as answer:
            assert (answer.status, answer.read()) == (200, b"")
            assert int(answer.headers["Content-Length"]) > 0
    with pytest.raises(urllib.error.HTTPError, match="404"):
        head("pyproject.toml")  # where the tests are run from


def test_a_page_that_breaks_its_policy_leaves_the_one_before_whole(root, tmp_path):
    loaded = load(root, tmp_path / "shown")
    about, shown = root / "blog" / "docs" / "about.md", tmp_path / "shown" / "about" / "index.html"
    loaded.show(about)
    before = shown.read_bytes()
    assert b"Content-Security-Policy" in before
    about.write_text("# About\n\n<script>go()</script>\n")
    with pytest.raises(SiteError, match="inline script"):
        loaded.show(about)
    assert shown.read_bytes() == before
    assert [path.name for path in shown.parent.iterdir()] == ["index.html"]
    about.write_text("# About\n\nCorrected.\n")
    loaded.show(about)
    assert b"Corrected." in shown.read_bytes()


def test_a_folder_that_goes_while_it_is_looked_through_does_not_end_the_preview(
    tmp_path, monkeypatch
):
    looks = iter([[tmp_path], FileNotFoundError("values/curves"), [tmp_path]])
    said: list[str] = []

    def end():
        raise KeyboardInterrupt  # reached by the third look alone

    def watched():
        look = next(looks)
        if isinstance(look, OSError):
            raise look
        return look

    preview = _Preview(tmp_path, tmp_path, Shown(None), said.append)
    monkeypatch.setattr(preview, "build", lambda: None)
    monkeypatch.setattr(preview, "look", end)
    with pytest.raises(KeyboardInterrupt):
        _watch(preview, watched, lambda changed: None)
    assert said == ["values/curves"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_ends_the_preview_and_leaves_nothing_behind(preview):
    import signal

    preview.process.send_signal(signal.SIGINT)
    assert preview.process.wait(20) == 0
    with contextlib.suppress(IndexError):
        assert preview.said[-1] == "The preview has ended.\n"
