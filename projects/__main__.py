"""`python3 -m projects …`: the `folio` command anywhere, with its environment made first.

Needs nothing but Python's standard library and either pip, ensurepip or uv. The environment is
`.venv` in this folder. It is built in place, since a renamed environment has broken scripts, and
a stamp is written last: without a stamp the build was interrupted and is done again.

The syntax is that of Python 3.8, so that an old Python can still say which one is needed.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

from projects.spine.machine import SetUpError, check_machine

ROOT = Path(__file__).resolve().parent.parent
DOWNLOAD_GB = 1.0
INSTALLED_GB = 3.4
NEEDED_GB = 6  # the environment, what is being unpacked, and pip's cache
UPDATE_GB = 3  # TensorFlow may be among what changed
MINUTES = "2 to 6 minutes"
OLDEST_PIP = (22, 3)  # the first with `pip --python`

# pip settings that send packages elsewhere, install none or refuse a folder. The others, such as
# index, certificates, proxy, cache and timeouts, are the user's and are left alone.
MISLEADING = "TARGET PREFIX ROOT USER PYTHON DRY_RUN QUIET REQUIREMENT EDITABLE REQUIRE_HASHES"


def main(arguments: list[str]) -> int:
    """The exit code of the command, after making sure that it has its environment."""
    environment = ROOT / ".venv"
    try:
        if Path(sys.prefix).resolve() != environment.resolve():
            if not ready(ROOT):
                set_up(ROOT)
            return hand_over(environment, arguments)
    except SetUpError as error:
        print(f"Folio: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command starts the set-up again.", file=sys.stderr)
        return 130
    import runpy

    sys.argv[1:] = arguments
    runpy.run_module("projects.spine.cli", run_name="__main__", alter_sys=True)
    return 0


def hand_over(environment: Path, arguments: list[str]) -> int:
    """The command's exit code on Windows; elsewhere this process becomes the command."""
    python = str(python_of(environment))
    command = [python, "-m", "projects.spine.cli", *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(python, command)
    import subprocess

    process = subprocess.Popen(command)
    while True:
        # Ctrl-C reaches the command too, and the command decides what it means.
        with contextlib.suppress(KeyboardInterrupt):
            return process.wait()


def python_of(environment: Path) -> Path:
    """Where the environment's interpreter is on this system."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


# What is there already


def ready(root: Path) -> bool:
    """Whether the environment was finished, from this lock file, in this folder."""
    stamp = read_stamp(root)
    return bool(stamp) and stamp["lock"] == lock_hash(root) and python_of(root / ".venv").exists()


def read_stamp(root: Path) -> dict[str, str]:
    """What the environment was made of; empty if it is unfinished or cannot work any more."""
    try:
        stamp = json.loads((root / ".venv" / "stamp.json").read_text(encoding="utf-8"))
        # A moved environment has scripts that point to the old folder, and one whose Python has
        # been upgraded or removed has its packages in a folder that nothing reads.
        usable = stamp["folder"] == str(root) and Path(stamp["base"]).exists()
        return stamp if usable and stamp["lock"] else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write_stamp(root: Path, stamp: dict[str, str]) -> None:
    """Mark the environment as finished."""
    aside = root / ".venv" / "stamp.json.new"
    aside.write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")
    aside.replace(root / ".venv" / "stamp.json")


def lock_hash(root: Path) -> str:
    """SHA-256 of the lock file, the same whatever line ends git wrote."""
    import hashlib

    try:
        text = (root / ".requirements.lock").read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise SetUpError(
            f"{root / '.requirements.lock'} cannot be read ({error.strerror}). "
            "It lists the packages and belongs to the repository: git checkout .requirements.lock"
        ) from None
    return hashlib.sha256(text).hexdigest()


# What can be known before anything is downloaded


def find_installers(python: Path) -> list[list[str]]:
    """The commands that can install into the environment of this interpreter, best first."""
    import importlib.util
    import shutil
    from importlib import metadata

    if importlib.util.find_spec("venv") is None:
        raise SetUpError("Python's venv module is missing: sudo apt install python3-venv")
    found = []
    uv = shutil.which("uv")
    if uv:
        found.append([uv, "pip", "install", "--python", str(python)])
    version = "0"
    if importlib.util.find_spec("pip") is not None:
        with contextlib.suppress(metadata.PackageNotFoundError):
            version = metadata.version("pip")
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) >= OLDEST_PIP:
        found.append([sys.executable, "-m", "pip", "--python", str(python), "install"])
    elif importlib.util.find_spec("ensurepip") is not None:
        found.append([str(python), "-m", "pip", "install"])
    if not found:
        raise SetUpError(
            "pip {}.{} or newer is missing: ".format(*OLDEST_PIP)
            + "sudo apt install python3-pip (where there is no apt, install pip for this Python)"
        )
    return found


# Making the environment


def set_up(root: Path) -> None:
    """Make or repair the environment; one process at a time, the others wait."""
    check_machine(root, UPDATE_GB if read_stamp(root) else NEEDED_GB)
    installers = find_installers(python_of(root / ".venv"))
    try:
        (root / ".venv").mkdir(exist_ok=True)
        with alone(root / ".venv") as lock:
            if not ready(root):  # else another process has just made it
                build(root, installers, lock)
    except OSError as error:
        raise SetUpError(
            f"the environment could not be made: {error}. The same command starts it again."
        ) from None


@contextlib.contextmanager
def alone(environment: Path):
    """The open lock file, once no other set-up holds it; the system frees it if we are killed."""
    import time

    with (environment / "set-up.lock").open("a+", encoding="ascii") as lock:
        told = False
        while not taken(lock):
            if not told:
                lock.seek(0)
                other = lock.read().strip() or "unknown"
                print(f"Another set-up runs here (process {other}). Waiting.", file=sys.stderr)
                told = True
            time.sleep(0.3)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock


def taken(lock) -> bool:
    """Whether the lock could be had; true as well where the file system has no locks."""
    try:
        if os.name == "nt":
            import msvcrt

            lock.seek(1 << 20)  # beyond the text, which others must be able to read
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def build(root: Path, installers: list[list[str]], lock) -> None:
    """Install what the lock file lists into `.venv`, and write the stamp last."""
    import shutil
    import time

    started = time.monotonic()
    environment, old = root / ".venv", read_stamp(root)
    print(describe(root, old), file=sys.stderr, flush=True)
    with contextlib.suppress(FileNotFoundError):
        (environment / "stamp.json").unlink()
    if not old:
        clear(environment)
        own_pip = [str(python_of(environment)), "-m", "pip", "install"] in installers
        make_empty(environment, with_pip=own_pip)
    (environment / "set-up.log").write_bytes(b"")
    (environment / "tmp").mkdir(exist_ok=True)
    try:
        install(root, installers, lock)
    except SetUpError:
        if old:  # pip put the old packages back, so the update can be tried again
            write_stamp(root, old)
        raise
    finally:
        shutil.rmtree(str(environment / "tmp"), ignore_errors=True)
    base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    new = {"python": "{}.{}".format(*sys.version_info[:2]), "base": base, "folder": str(root)}
    write_stamp(root, {**new, **old, "lock": lock_hash(root)})
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    print(f"The environment is ready, after {minutes} min {seconds} s.\n", file=sys.stderr)


def describe(root: Path, old: dict[str, str]) -> str:
    """What is about to happen, how large it is and how long it takes."""
    import shutil

    environment = root / ".venv"
    if old:
        return f"The list of packages has changed. Bringing {environment} up to date."
    free = shutil.disk_usage(str(root)).free / 1e9
    again = "again, since it was not finished" if (environment / "pyvenv.cfg").exists() else "once"
    return (
        f"Folio makes its own Python environment {again}: {environment}\n"
        f"  {len(packages(root))} packages: about {DOWNLOAD_GB} GB to download, "
        f"{INSTALLED_GB} GB on disk ({free:.0f} GB are free), {MINUTES}.\n"
        f"  Python {sys.version.split()[0]} ({sys.executable}); log: {environment / 'set-up.log'}"
    )


def packages(root: Path) -> dict[str, str]:
    """The lock file's entry of each package: the pinned version with its hashes."""
    text = (root / ".requirements.lock").read_text(encoding="utf-8")
    entries: dict[str, str] = {}
    for line in text.splitlines():
        if line and line[0] not in " #":
            name = line.partition("==")[0]
        if line.strip() and not line.lstrip().startswith("#"):
            entries[name] = entries.get(name, "") + line + "\n"
    return entries


def clear(environment: Path) -> None:
    """Remove what an unfinished set-up left; refuse to remove anything else."""
    import shutil

    found = [path for path in environment.iterdir() if not path.name.startswith("set-up.")]
    mark = environment / "pyvenv.cfg"
    if found and mark not in found:
        raise SetUpError(f"{environment} holds something else than a Python environment. Move it.")
    # The mark goes last, and comes first, so that every interruption leaves one.
    for path in sorted(found, key=lambda path: path == mark):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(str(path))
        else:
            path.unlink()
    mark.touch()


def make_empty(environment: Path, with_pip: bool) -> None:
    """An environment without packages. Debian's ensurepip may be missing, so pip is left out."""
    import subprocess
    import venv

    try:
        venv.EnvBuilder(symlinks=os.name != "nt", with_pip=with_pip).create(str(environment))
    except subprocess.CalledProcessError as error:
        raise SetUpError(f"pip could not be put into the environment: {error}") from None


def install(root: Path, installers: list[list[str]], lock) -> None:
    """Install the pinned packages, then the four packages of this folder without copying them."""
    pinned = packages(root)
    files = {".requirements.lock": len(pinned)}
    if "setuptools" in pinned:
        # The build backend comes first, by its hash: one package has no wheel, and an isolated
        # build would fetch a backend that nothing pins.
        backend = root / ".venv" / "tmp" / "backend.txt"
        backend.write_text(pinned["setuptools"], encoding="utf-8")
        files = {str(backend): 0, **files}
    for installer in installers:
        options = ["--no-deps", "--no-build-isolation"]
        if "-m" in installer:  # pip, not uv
            options += ["--no-input", "--no-warn-script-location", "--disable-pip-version-check"]
            options += ["--progress-bar", "off", "--no-compile", "--no-user", "--use-pep517"]
        try:
            for file, count in files.items():
                pins = ["--require-hashes", "-r", file]
                watch(root, [*installer, *options, *pins], lock, count)
            # By itself, because pip refuses a folder together with hashes.
            watch(root, [*installer, *options, "-e", "."], lock)
            break
        except SetUpError:
            if installer is installers[-1]:
                raise
            # uv has settings of its own for addresses and certificates.
            print("  uv could not finish; going on with pip.", file=sys.stderr)


def watch(root: Path, command: list[str], lock, count: int = 0) -> None:
    """Run one installing command; its output goes to the log.

    How far it is of `count` packages is shown meanwhile; 0 is for work of a few seconds.
    """
    import signal
    import subprocess
    import time

    environment, log = root / ".venv", root / ".venv" / "set-up.log"
    # Packages on PYTHONPATH would count as installed.
    misleading = {"PYTHONPATH", "PYTHONHOME", *("PIP_" + option for option in MISLEADING.split())}
    variables = {name: value for name, value in os.environ.items() if name not in misleading}
    # The system's folder for temporary files may be a small one in memory.
    variables.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(environment / "tmp")))
    started, told = time.time(), time.time()
    terminal, width = sys.stderr.isatty(), 0
    with log.open("a+b") as output:
        output.write(("$ " + " ".join(command) + "\n").encode())
        output.flush()
        process = subprocess.Popen(
            command,
            cwd=str(root),
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # The lock stays held while pip lives, even if this process is killed.
            pass_fds=() if os.name == "nt" else (lock.fileno(),),
        )
        try:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=0.5)
                if not count or (time.time() - told < 15 and not terminal):
                    continue
                line, told = "  " + progress(environment, count, started), time.time()
                if terminal:
                    print("\r" + line.ljust(width), end="", file=sys.stderr, flush=True)
                    width = len(line)
                else:
                    print(line, file=sys.stderr, flush=True)
        finally:
            if terminal and width:
                print(file=sys.stderr)
            if process.poll() is None:  # Ctrl-C, which has reached pip as well
                # Not SIGTERM: pip hands the work to a second process, which it stops on SIGINT.
                process.terminate() if os.name == "nt" else process.send_signal(signal.SIGINT)
                process.wait()
    if process.returncode:
        text = log.read_text(encoding="utf-8", errors="replace")
        last = "\n  ".join(text.rpartition("\n$ ")[2].splitlines()[-12:])
        raise SetUpError(
            f"the packages could not be installed. {log} ends with:\n  {last}\n"
            "The same command tries again."
        )


def progress(environment: Path, count: int, started: float) -> str:
    """How far the installation is, in one line: "42 of 118 packages, 310 MB"."""
    import time

    minutes, seconds = divmod(int(time.time() - started), 60)
    elapsed = f"{minutes}:{seconds:02d} min"
    with contextlib.suppress(OSError):  # files come and go meanwhile
        places = [*environment.glob("lib/python*/site-packages"), environment / "Lib/site-packages"]
        found = [path for place in places for path in place.glob("*.dist-info")]
        done = sum(path.stat().st_mtime >= started for path in found)
        if done:
            return f"unpacked {min(done, count)} of {count} packages, {elapsed}"
        text = (environment / "set-up.log").read_text(encoding="utf-8", errors="replace")
        text = text.rpartition("\n$ ")[2]
        asked = text.count("\nCollecting ") + text.count("\nRequirement already satisfied")
        scratch = environment / "tmp"
        size = sum(path.stat().st_size for path in scratch.rglob("*") if path.is_file()) / 1e6
        if asked:  # uv does not say, and downloads elsewhere
            return f"downloaded {min(asked, count)} of {count} packages, {size:,.0f} MB, {elapsed}"
    return f"downloading, {elapsed}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
