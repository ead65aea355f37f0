"""The built site as a commit on a branch of its own, from which a web host serves it.

Only git's plumbing is used, with an index of our own: neither the working tree nor what is staged
nor the branch that is checked out is touched, and nothing is pushed.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from blog.errors import SiteError

BRANCH = "gh-pages"


class NoRepository(SiteError):
    """There is no git repository, or the branch cannot be written as things stand."""

    exit_code = 2


@dataclass(frozen=True)
class Committed:
    """What became of the branch: its commit, whether that is a new one, and how to push it."""

    commit: str
    new: bool
    push: str


def check(root: Path) -> None:
    """Raise NoRepository where ``root`` is in no repository, or the branch is checked out."""
    try:
        _git(root, "rev-parse", "--git-dir")
    except OSError as error:
        raise NoRepository(
            f"git could not be started ({error}), and the branch {BRANCH} is git's. "
            "Next: install git; or publish to a folder: folio publish --to public"
        ) from error
    except SiteError as error:
        raise NoRepository(
            f"{root} is no git repository, so there is no branch {BRANCH} to publish to. "
            "Next: git init; or publish to a folder: folio publish --to public"
        ) from error
    trees = _git(root, "worktree", "list", "--porcelain").splitlines()
    if f"branch refs/heads/{BRANCH}" in trees:
        raise NoRepository(
            f"The branch {BRANCH} is checked out, and a commit would pull it away from under its "
            "files. Nothing changed. Next: git switch main"
        )


def commit(root: Path, folder: Path, message: str) -> Committed:
    """Commit the site in ``folder`` to the branch; the same tree twice is committed once.

    Adds `.nojekyll`, and keeps the branch's CNAME where the site brings none. Raises NoRepository
    (exit code 2) as `check` does, and SiteError with git's own words where git refuses.
    """
    check(root)
    parent = _parent(root)
    (folder / ".nojekyll").touch()
    if parent and not (folder / "CNAME").exists():
        name = _git(root, "ls-tree", "--name-only", parent, "CNAME")
        if name:
            (folder / "CNAME").write_text(_git(root, "show", f"{parent}:CNAME") + "\n", "utf-8")
    tree = _tree(root, folder)
    remote = next(iter(_git(root, "remote").splitlines()), "origin")
    push = f"git push {remote} {BRANCH}"
    if parent and _git(root, "rev-parse", f"{parent}^{{tree}}") == tree:
        _point(root, parent)
        return Committed(parent, False, push)
    parents = ["-p", parent] if parent else []
    made = _git(root, "commit-tree", tree, *parents, "-m", message)
    _point(root, made)
    return Committed(made, True, push)


def _parent(root: Path) -> str | None:
    """Return the commit to go on from: the branch's, or what was fetched of it since.

    A web host may have written its file CNAME on top of what was pushed. Where both have gone on,
    it is the branch's own, and the push will say so.
    """
    listed = _git(
        root, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/remotes"
    )
    found = {name: sha for sha, _, name in (line.partition(" ") for line in listed.splitlines())}
    fetched = [sha for name, sha in found.items() if name.split("/", 3)[3:] == [BRANCH]]
    own = found.get(f"refs/heads/{BRANCH}")
    for sha in fetched:
        if own is None or _git(root, "rev-list", "--count", f"{sha}..{own}") == "0":
            return sha
    return own


def _tree(root: Path, folder: Path) -> str:
    """Store every file of ``folder`` as it is, byte by byte; the tree."""
    with tempfile.TemporaryDirectory(prefix="folio-index-") as place:
        own = {"GIT_INDEX_FILE": str(Path(place, "index")), "GIT_WORK_TREE": str(folder)}
        git_dir = _git(root, "rev-parse", "--absolute-git-dir")
        as_they_are = ["-c", "core.autocrlf=false", "-c", "core.safecrlf=false"]
        _git(folder, f"--git-dir={git_dir}", *as_they_are, "add", "--all", "--force", ".", own=own)
        return _git(folder, f"--git-dir={git_dir}", "write-tree", own=own)


def _point(root: Path, commit: str) -> None:
    _git(root, "update-ref", "-m", "folio publish", f"refs/heads/{BRANCH}", commit)


def _git(folder: Path, *arguments: str, own: Mapping[str, str] | None = None) -> str:
    """Run git and return what it printed; SiteError with its complaint when it fails."""
    # Within a hook git's variables name another index and another folder.
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    named = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG", "GIT_SSH")
    kept |= {key: value for key, value in os.environ.items() if key.startswith(named)}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=kept | dict(own or {}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise SiteError(
            f"git {' '.join(arguments[:2])} failed:\n  {done.stderr.strip()}\n"
            "The branch is as it was."
        )
    return done.stdout.strip()
