"""The site on a branch: nothing but that branch changes, and nothing is pushed."""

import subprocess

import pytest

from blog.errors import SiteError
from blog.site import branch


@pytest.fixture
def git(tmp_path, monkeypatch):
    """Runs git in a repository with one commit, one staged and one edited file."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")

    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    run("init", "-q", "-b", "main")
    (folder / ".gitignore").write_text("*.map\n")
    (folder / "story.md").write_text("once\n")
    run("add", "-A")
    run("commit", "-qm", "begin")
    (folder / "story.md").write_text("once upon\n")
    (folder / "staged.md").write_text("staged\n")
    run("add", "staged.md")
    run.folder = folder
    return run


@pytest.fixture
def built(tmp_path):
    folder = tmp_path / "site"
    (folder / "posts").mkdir(parents=True)
    (folder / "index.html").write_bytes(b"<p>one</p>\r\n")
    (folder / "posts" / "main.map").write_text("kept, though git would ignore it")
    return folder


def test_the_branch_holds_the_site_byte_by_byte_and_nothing_else_changes(git, built):
    before = git("status", "--porcelain"), git("rev-parse", "main"), git("branch", "--show-current")
    done = branch.commit(git.folder, built, "The site")
    assert done.new
    assert done.push == "git push origin gh-pages"
    assert git("rev-parse", "gh-pages") == done.commit
    listed = git("ls-tree", "-r", "--name-only", "gh-pages").splitlines()
    assert listed == [".nojekyll", "index.html", "posts/main.map"]
    assert git("cat-file", "-s", "gh-pages:index.html") == "12"
    after = git("status", "--porcelain"), git("rev-parse", "main"), git("branch", "--show-current")
    assert after == before


def test_the_same_site_is_committed_once(git, built):
    first = branch.commit(git.folder, built, "The site")
    again = branch.commit(git.folder, built, "The site")
    assert not again.new
    assert again.commit == first.commit
    (built / "index.html").write_text("<p>two</p>")
    third = branch.commit(git.folder, built, "The site")
    assert third.new
    assert git("rev-parse", "gh-pages^") == first.commit


def test_the_domain_that_the_host_wrote_to_the_branch_stays(git, built):
    (built / "CNAME").write_text("me.example.org\n")
    branch.commit(git.folder, built, "The site")
    (built / "CNAME").unlink()
    (built / "index.html").write_text("new")
    branch.commit(git.folder, built, "The site")
    assert git("show", "gh-pages:CNAME") == "me.example.org"


def test_what_was_fetched_of_the_branch_is_gone_on_from(git, built):
    first = branch.commit(git.folder, built, "The site").commit
    git("remote", "add", "hub", str(git.folder))
    git("update-ref", "refs/remotes/hub/gh-pages", first)
    git("update-ref", "-d", "refs/heads/gh-pages")
    (built / "index.html").write_text("new")
    done = branch.commit(git.folder, built, "The site")
    assert git("rev-parse", "gh-pages^") == first
    assert done.push == "git push hub gh-pages"


def test_what_the_host_wrote_since_the_last_publish_is_gone_on_from(git, built, tmp_path):
    first = branch.commit(git.folder, built, "one").commit
    git("init", "-q", "--bare", str(tmp_path / "host"))
    git("remote", "add", "origin", str(tmp_path / "host"))
    git("push", "-q", "origin", "gh-pages")
    name = git("rev-parse", f"{first}:index.html")  # any content will do
    tree = subprocess.run(
        ["git", "mktree"], cwd=git.folder, input=f"100644 blob {name}\tCNAME\n",
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    theirs = git("commit-tree", tree, "-p", first, "-m", "Create CNAME")
    git("push", "-q", "origin", f"{theirs}:gh-pages")
    git("fetch", "-q")
    (built / "index.html").write_text("two")
    second = branch.commit(git.folder, built, "two")
    assert git("rev-parse", f"{second.commit}^") == theirs
    assert "CNAME" in git("ls-tree", "--name-only", "gh-pages").splitlines()
    git(*second.push.split()[1:])  # goes through
    (built / "index.html").write_text("three")
    assert git("rev-parse", f"{branch.commit(git.folder, built, 'three').commit}^") == second.commit


def test_a_branch_that_is_checked_out_is_not_moved(git, built):
    branch.commit(git.folder, built, "The site")
    git("stash", "-q")
    git("switch", "-q", "gh-pages")
    with pytest.raises(SiteError, match=r"checked out.*git switch main") as raised:
        branch.commit(git.folder, built, "The site")
    assert raised.value.exit_code == 2


def test_outside_a_repository_there_is_advice(tmp_path, built):
    with pytest.raises(SiteError, match=r"no git repository.*Next: git init") as raised:
        branch.commit(tmp_path, built, "The site")
    assert raised.value.exit_code == 2


def test_without_a_name_git_says_itself_what_it_needs(git, built, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    git("config", "user.useConfigOnly", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    with pytest.raises(SiteError, match=r"(?s)git commit-tree.*The branch is as it was"):
        branch.commit(git.folder, built, "The site")
