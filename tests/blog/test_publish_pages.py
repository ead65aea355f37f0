"""The pages on publishing say what is so: commands run, files are those of the template."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOWTO = ROOT / "blog" / "docs" / "howto"
PAGES = {name: (HOWTO / f"{name}.md").read_text("utf-8") for name in (
    "publish", "github-pages", "netlify", "university",
)}  # fmt: skip
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text("utf-8"))


def blocks(page: str, kind: str = "") -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGES[page], re.M | re.S)


def steps() -> list[dict]:
    (job,) = WORKFLOW["jobs"].values()
    return job["steps"]


def commands() -> list[str]:
    return [step["run"] for step in steps() if "run" in step]


def test_the_workflow_publishes_what_is_committed_and_may_do_no_more_than_that():
    assert WORKFLOW["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    assert WORKFLOW["concurrency"] == {"group": "pages", "cancel-in-progress": False}
    used = [step["uses"] for step in steps() if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in used), used
    names = [action.partition("@")[0].partition("/")[2] for action in used]
    assert names == ["checkout", "setup-python", "upload-pages-artifact", "deploy-pages"]
    (folder,) = [step["with"]["path"] for step in steps() if "path" in step.get("with", {})]
    assert commands()[-1] == f"folio publish --to {folder}"


def test_the_commands_of_the_workflow_are_those_of_the_page_and_of_netlify():
    assert "\n".join(commands()) + "\n" == blocks("github-pages")[0]
    (text,) = blocks("netlify", "toml")
    netlify = tomllib.loads(text)
    assert netlify["build"]["command"].replace("'", '"') == " && ".join(commands())
    assert commands()[-1].endswith(netlify["build"]["publish"])


def test_what_the_workflow_installs_takes_no_tensorflow():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (extra,) = re.findall(r"\.\[(\w+)\]", commands()[0])
    needed = project["dependencies"] + project["optional-dependencies"][extra]
    names = {re.split(r"[>=<\[;]", line)[0] for line in needed}
    assert names >= {"mkdocs-material", "click", "latex2mathml"}
    assert not names & {"tensorflow", "keras", "numpy", "pandas", "matplotlib", "scikit-learn"}
    version = next(step["with"]["python-version"] for step in steps() if "python" in str(step))
    assert tuple(map(int, version.split("."))) >= (3, 11)


@pytest.mark.parametrize("page", PAGES)
def test_every_publish_command_on_a_page_is_understood(page):
    from click.testing import CliRunner

    from projects.spine.cli import folio

    named = re.findall(r"(?:^|`|&& )folio ([^`\n|\"]+)", PAGES[page], re.M)
    assert named
    for line in named:
        words = shlex.split(line)
        command = folio.commands[words[0]]
        context = command.make_context(words[0], words[1:])
        assert context.params is not None
        assert CliRunner().invoke(folio, [words[0], "--help"]).exit_code == 0


def test_the_video_host_on_the_page_is_one():
    from blog.site.finishing import frame_source

    (text,) = blocks("publish", "yaml")
    host = yaml.safe_load(text)["extra"]["video_host"]
    assert frame_source(host) == host


def test_exit_codes_and_waiting_are_those_of_the_program():
    from blog.site import NotASite, SiteInUse, building

    page = PAGES["publish"]
    assert f"after {building.PATIENCE:.0f} seconds" in page
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.M)}
    assert codes == {1, NotASite.exit_code, 3, SiteInUse.exit_code, 130}


@pytest.mark.parametrize("program", ["rsync", "scp"])
@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a Unix shell")
def test_the_copying_commands_bring_the_whole_site(program, built, tmp_path):
    (line,) = [text for text in blocks("university") if text.startswith(program)]
    if not shutil.which(program):
        pytest.skip(f"there is no {program} here")
    shutil.copytree(built, tmp_path / "site")
    (tmp_path / "public_html" / "folio").mkdir(parents=True)
    here = line.replace("me@login.example.edu:", "./")
    subprocess.run(shlex.split(here), cwd=tmp_path, check=True)
    there = tmp_path / "public_html" / "folio"
    original = {path.relative_to(built) for path in built.rglob("*")}
    assert {path.relative_to(there) for path in there.rglob("*")} == original


def test_pages_work_below_any_path(built):
    for page in built.rglob("*.html"):
        if page.name == "404.html":  # is shown at any address, so its links count from the root
            continue
        found = re.findall(r'(?:href|src)="(/[^"]*)"', page.read_text())
        assert found == [], page.name
