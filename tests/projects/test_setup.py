"""Setting up: each test makes a real environment, from a lock file that lists one tiny package."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from projects import __main__ as setup
from projects.spine import machine as checks

ROOT = Path(__file__).parents[2]
PYTHON = getattr(sys, "_base_executable", sys.executable)  # the one a newcomer would type

COMMAND = """
import importlib.metadata, json, pathlib, sys
outcome = {"arguments": sys.argv[1:], "prefix": sys.prefix}
outcome["pebble"] = importlib.metadata.version("pebble")
print(json.dumps(outcome))
"""

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny-folio"
version = "1.0"
"""

# The build backend says that it has been reached and, where a file asks for it, waits.
BACKEND = """
import os, pathlib, time, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    pathlib.Path("reached").touch()
    while pathlib.Path("wait").exists():
        time.sleep(0.05)
    info = "tiny_folio-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, "tiny_folio-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("tiny_folio.pth", os.getcwd())
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: tiny-folio\\nVersion: 1.0\\n")
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", f"tiny_folio.pth,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
    return "tiny_folio-1.0-py3-none-any.whl"
"""  # noqa: E501


@dataclass
class Clone:
    """A repository with the real launcher, a tiny lock file and a command that reports itself."""

    root: Path
    wheels: Path
    variables: dict[str, str]

    def start(self, *arguments: str, python: str | Path = PYTHON, **variables: str):
        """The launcher as a process of its own group, as in a terminal."""
        return subprocess.Popen(
            [python, "-m", "projects", *arguments],
            cwd=self.root,
            env={**self.variables, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, python: str | Path = PYTHON, **variables: str):
        """What the launcher printed, and its exit code."""
        process = self.start(*arguments, python=python, **variables)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def pin(self, version: str, digest: str | None = None) -> None:
        """Write the lock file, and the wheel that it lists."""
        wheel = self.wheels / f"pebble-{version}-py3-none-any.whl"
        info = f"pebble-{version}.dist-info"
        files = {
            "pebble.py": "SIZE = 4\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: pebble\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
            record = "".join(f"{name},,\n" for name in files)
            archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        lock = f"pebble=={version} \\\n    --hash=sha256:{digest}\n    # via tiny-folio\n"
        (self.root / ".requirements.lock").write_text(lock)

    def wait_for(self, name: str) -> None:
        """Return once the file is there."""
        deadline = time.monotonic() + 60
        while not (self.root / name).exists():
            assert time.monotonic() < deadline, f"{name} never came"
            time.sleep(0.02)

    @property
    def environment(self) -> Path:
        """The environment that the launcher makes."""
        return self.root / ".venv"

    @property
    def log(self) -> str:
        """What the installers printed."""
        return (self.environment / "set-up.log").read_text()


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    """A clone that nobody has used yet, with an empty home and pip looking at one folder only."""
    for name in ("folio/projects/spine", "wheels", "home"):
        (tmp_path / name).mkdir(parents=True)
    root = tmp_path / "folio"
    for name in ("__init__.py", "__main__.py", "spine/machine.py"):
        shutil.copy(ROOT / "projects" / name, root / "projects" / name)
    (root / "projects/spine/__init__.py").touch()
    (root / "projects/spine/cli.py").write_text(COMMAND)
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "backend.py").write_text(BACKEND)
    variables = {
        "PATH": "/usr/bin:/bin" if os.name == "posix" else os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
    }
    variables.update({name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ})
    made = Clone(root, tmp_path / "wheels", variables)
    made.pin("1.0")
    yield made
    (root / "wait").unlink(missing_ok=True)


# Making it


def test_a_fresh_clone_gets_its_environment_and_the_command_its_arguments(clone: Clone):
    made = clone.run("run", "icons", "--set", "EPOCHS=3")
    assert made.returncode == 0, made.stderr
    outcome = json.loads(made.stdout)
    assert outcome["arguments"] == ["run", "icons", "--set", "EPOCHS=3"]
    assert outcome["prefix"] == str(clone.environment)
    assert outcome["pebble"] == "1.0"
    assert re.search(r"1 packages: about [\d.]+ GB to download, [\d.]+ GB on disk", made.stderr)
    assert "minutes" in made.stderr
    assert "The environment is ready" in made.stderr
    assert not (clone.environment / "tmp").exists()
    assert not list(clone.root.glob("*.egg-info"))


def test_later_calls_start_at_once_and_print_nothing_of_their_own(clone: Clone):
    assert clone.run().returncode == 0
    log = clone.environment / "set-up.log"
    log.unlink()
    again = clone.run("status", PIP_FIND_LINKS="/nowhere", PATH="")
    assert again.returncode == 0
    assert again.stderr == ""
    assert json.loads(again.stdout)["arguments"] == ["status"]
    # Inside the environment the command starts without a look at the stamp.
    (clone.environment / "stamp.json").unlink()
    inside = clone.run("check", python=setup.python_of(clone.environment))
    assert inside.returncode == 0
    assert inside.stderr == ""
    assert json.loads(inside.stdout)["arguments"] == ["check"]
    assert not log.exists()


def test_the_exit_code_is_that_of_the_command(clone: Clone):
    (clone.root / "projects/spine/cli.py").write_text("raise SystemExit(3)")
    assert clone.run("run").returncode == 3
    assert clone.run("run", python=setup.python_of(clone.environment)).returncode == 3


def test_unusual_pip_settings_and_a_missing_home_change_nothing(clone: Clone, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "pebble-1.0.dist-info").mkdir(parents=True)
    (elsewhere / "pebble-1.0.dist-info/METADATA").write_text("Name: pebble\nVersion: 1.0\n")
    del clone.variables["HOME"]
    made = clone.run(
        PYTHONPATH=str(elsewhere),
        PIP_USER="1",
        PIP_TARGET=str(tmp_path / "target"),
        PIP_REQUIRE_HASHES="1",
        PIP_QUIET="3",
        PIP_DRY_RUN="1",
    )
    assert made.returncode == 0, made.stderr
    assert list(clone.environment.rglob("pebble.py"))
    assert not (tmp_path / "target").exists()


@pytest.mark.skipif(os.name == "nt", reason="uv is a shell script here")
def test_uv_is_asked_first_and_pip_goes_on_where_it_fails(clone: Clone, tmp_path: Path):
    uv = tmp_path / "bin/uv"
    uv.parent.mkdir()
    uv.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nexit 2\n')
    uv.chmod(0o755)
    made = clone.run(PATH=f"{uv.parent}:/usr/bin:/bin")
    assert made.returncode == 0, made.stderr
    assert "uv could not finish; going on with pip." in made.stderr
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith(f"pip install --python {clone.environment}/bin/python ")
    assert "--require-hashes -r .requirements.lock" in asked
    assert not (clone.root / "uv.lock").exists()


# Repairing it


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_set_up_is_repaired_by_the_next_call(clone: Clone, kill: signal.Signals):
    (clone.root / "wait").touch()
    first = clone.start("run")
    clone.wait_for("reached")
    os.killpg(first.pid, kill)
    _, err = first.communicate(timeout=60)
    if kill == signal.SIGINT:
        assert first.returncode == 130
        assert "Stopped." in err
        assert "Traceback" not in err
    (clone.root / "wait").unlink()
    # What a kill in the middle of unpacking leaves: pip would call this package installed.
    for record in clone.environment.rglob("pebble-1.0.dist-info/RECORD"):
        record.unlink()
    repaired = clone.run("run")
    assert repaired.returncode == 0, repaired.stderr
    assert "again, since it was not finished" in repaired.stderr
    assert list(clone.environment.rglob("pebble-1.0.dist-info/RECORD"))


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_two_at_once_make_one_environment_and_the_second_names_the_first(clone: Clone):
    (clone.root / "wait").touch()
    first = clone.start("first")
    clone.wait_for("reached")
    second = clone.start("second")
    time.sleep(1)
    assert second.poll() is None
    (clone.root / "wait").unlink()
    for process, name in ((first, "first"), (second, "second")):
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert json.loads(out)["arguments"] == [name]
    assert err.strip() == f"Another set-up runs here (process {first.pid}). Waiting."


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_pip_that_outlives_its_killed_set_up_is_waited_for(clone: Clone):
    (clone.root / "wait").touch()
    first = clone.start("first")
    clone.wait_for("reached")
    first.kill()
    first.wait()
    second = clone.start("second")
    time.sleep(1)
    assert second.poll() is None
    (clone.root / "wait").unlink()
    out, err = second.communicate(timeout=60)
    first.communicate()
    assert second.returncode == 0, err
    assert "Another set-up runs here" in err
    assert json.loads(out)["arguments"] == ["second"]


def test_a_changed_lock_file_brings_the_environment_up_to_date(clone: Clone):
    assert clone.run().returncode == 0
    (own,) = clone.environment.rglob("pebble.py")
    own.with_name("my_own.py").write_text("KEPT = True\n")
    clone.pin("2.0")
    changed = clone.run()
    assert changed.returncode == 0, changed.stderr
    assert "The list of packages has changed." in changed.stderr
    assert json.loads(changed.stdout)["pebble"] == "2.0"
    assert own.with_name("my_own.py").exists()


def test_a_package_with_another_hash_is_refused_and_the_old_environment_stays(clone: Clone):
    assert clone.run().returncode == 0
    stamp = (clone.environment / "stamp.json").read_text()
    clone.pin("2.0", digest="0" * 64)
    refused = clone.run()
    assert refused.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in refused.stderr
    assert str(clone.environment / "set-up.log") in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (clone.environment / "stamp.json").read_text() == stamp
    clone.pin("1.0")
    assert clone.run().returncode == 0


def test_windows_line_ends_in_the_lock_file_are_no_change(clone: Clone):
    lock = clone.root / ".requirements.lock"
    before = setup.lock_hash(clone.root)
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    assert setup.lock_hash(clone.root) == before


def test_a_moved_folder_gets_a_new_environment(clone: Clone, tmp_path: Path):
    assert clone.run().returncode == 0
    moved = Clone(tmp_path / "moved", clone.wheels, clone.variables)
    clone.root.rename(moved.root)
    made = moved.run()
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["prefix"] == str(moved.environment)


def test_an_environment_whose_python_went_away_is_not_ready(clone: Clone):
    setup.python_of(clone.environment).parent.mkdir(parents=True)
    setup.python_of(clone.environment).touch()
    stamp = {"lock": setup.lock_hash(clone.root), "folder": str(clone.root), "base": PYTHON}
    setup.write_stamp(clone.root, stamp)
    assert setup.ready(clone.root)
    setup.write_stamp(clone.root, {**stamp, "base": "/gone/python3.11"})
    assert not setup.ready(clone.root)


def test_a_folder_that_is_no_environment_is_left_alone(clone: Clone):
    clone.environment.mkdir()
    (clone.environment / "thesis.txt").write_text("three years")
    refused = clone.run()
    assert refused.returncode == 1
    assert "Move it." in refused.stderr
    assert (clone.environment / "thesis.txt").read_text() == "three years"


# Refusing before anything is downloaded


@pytest.mark.parametrize("version", [(3, 8), (3, 10, 12), (3, 14, 0), (4, 0)])
def test_another_python_is_told_which_one_is_needed(version: tuple[int, ...]):
    with pytest.raises(setup.SetUpError, match=r"CPython 3\.11 to 3\.13 is needed.*-m projects"):
        checks.check_python(version, "CPython")


def test_supported_pythons_pass_and_other_implementations_do_not():
    for version in [(3, 11, 0), (3, 12), (3, 13, 9)]:
        checks.check_python(version, "CPython")
    with pytest.raises(setup.SetUpError, match=r"PyPy 3\.11"):
        checks.check_python((3, 11), "PyPy")
    with pytest.raises(setup.SetUpError, match="without the GIL"):
        checks.check_python((3, 13), "CPython", gil=False)


@pytest.mark.parametrize(
    ("system", "machine", "bits", "libc", "said"),
    [
        ("Darwin", "x86_64", 64, "", "Intel"),
        ("Linux", "x86_64", 32, "glibc", "64-bit"),
        ("Linux", "x86_64", 64, "", "musl"),
        ("Linux", "riscv64", 64, "glibc", "Linux on riscv64"),
        ("Windows", "ARM64", 64, "", "Windows on aarch64"),
        ("FreeBSD", "amd64", 64, "", "FreeBSD on x86_64"),
    ],
)
def test_platforms_without_a_tensorflow_package_are_refused(
    system: str, machine: str, bits: int, libc: str, said: str
):
    with pytest.raises(setup.SetUpError, match=said):
        checks.check_platform(system, machine, bits, libc)


def test_the_three_supported_platforms_pass_and_a_processor_without_avx_does_not():
    checks.check_platform("Linux", "x86_64", 64, "glibc")
    checks.check_platform("Linux", "aarch64", 64, "glibc")
    checks.check_platform("Windows", "AMD64", 64, "")
    checks.check_platform("Darwin", "arm64", 64, "")
    with pytest.raises(setup.SetUpError, match="AVX"):
        checks.check_platform("Linux", "x86_64", 64, "glibc", avx=False)


def test_too_little_disk_is_told_before_anything_is_made(clone: Clone, monkeypatch):
    small = shutil.disk_usage(clone.root)._replace(free=1_500_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: small)
    with pytest.raises(setup.SetUpError, match=r"6 GB of free disk .* there are 1\.5 GB"):
        setup.set_up(clone.root)
    assert not clone.environment.exists()


def test_a_python_without_pip_is_told_the_command_that_brings_it(monkeypatch, tmp_path: Path):
    import importlib.util

    find = importlib.util.find_spec
    missing = ("pip", "ensurepip")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in missing else find(name)
    )
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(setup.SetUpError, match="sudo apt install python3-pip"):
        setup.find_installers(tmp_path / "python")


@pytest.mark.parametrize(
    "name", ["__init__.py", "__main__.py", "spine/__init__.py", "spine/machine.py"]
)
def test_python_3_8_can_read_what_tells_it_that_it_is_too_old(name: str):
    ast.parse((ROOT / "projects" / name).read_text(encoding="utf-8"), feature_version=(3, 8))


# The lock file and what it is made from


def test_every_package_in_the_lock_file_has_a_hash_and_no_line_has_an_address():
    entries = setup.packages(ROOT)
    assert len(entries) > 50
    for name, entry in entries.items():
        assert "--hash=sha256:" in entry, name
    assert "://" not in "".join(entries.values())


def test_publishing_takes_no_tensorflow():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = " ".join(declared["dependencies"] + declared["optional-dependencies"]["site"])
    assert not re.search("tensorflow|keras|scikit-learn|pandas", needed)


def test_the_lock_file_covers_every_extra_but_bench_and_readers():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = declared["project"]
    wanted = project["dependencies"] + declared["build-system"]["requires"]
    for extra, requirements in project["optional-dependencies"].items():
        wanted += requirements if extra not in ("bench", "readers") else []
    locked = set(setup.packages(ROOT))
    for requirement in wanted:
        name = re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-")
        assert name in locked, f"{requirement} is not in .requirements.lock"
