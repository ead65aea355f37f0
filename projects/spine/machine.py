"""What can be known of a machine before anything is downloaded: Python, platform, disk.

Standard library only, in the syntax of Python 3.8, since `python3 -m projects` asks here first.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

SUPPORTED = ((3, 11), (3, 13))  # first and last version that the pinned packages have wheels for


class SetUpError(Exception):
    """The environment cannot be made; the text says why and what to do."""


def check_python(version: tuple, implementation: str, gil: bool = True) -> None:
    """Refuse an interpreter for which the pinned packages have no wheels."""
    first, last = ("{}.{}".format(*limit) for limit in SUPPORTED)
    if implementation == "CPython" and SUPPORTED[0] <= tuple(version[:2]) <= SUPPORTED[1] and gil:
        return
    import shutil

    name = "{} {}.{}".format(implementation, *version[:2]) + ("" if gil else " without the GIL")
    names = [f"python3.{minor}" for minor in range(SUPPORTED[1][1], SUPPORTED[0][1] - 1, -1)]
    found = next((name for name in names if shutil.which(name)), None)
    if found:
        advice = f"One is here: {found} -m projects run"
    else:
        advice = f"Install Python {last} and start with it: python{last} -m projects run"
    raise SetUpError(f"this is {name}, and CPython {first} to {last} is needed. {advice}")


def check_platform(system: str, machine: str, bits: int, libc: str, avx: bool = True) -> None:
    """Refuse a system or a processor for which TensorFlow has no wheel."""
    supported = "Folio runs on Linux (x86_64, aarch64), Windows (x86_64) and Apple Silicon"
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine.lower(), machine.lower())
    if bits != 64:
        raise SetUpError(f"this Python is a {bits}-bit one. Install a 64-bit Python.")
    if system == "Darwin" and machine == "x86_64":
        raise SetUpError(
            "TensorFlow has no package for Macs with an Intel processor. "
            "On an Apple Silicon Mac, this Python is an Intel one: install one for arm64. "
            f"{supported}."
        )
    machines = {"Linux": ("x86_64", "aarch64"), "Windows": ("x86_64",), "Darwin": ("aarch64",)}
    if machine not in machines.get(system, ()):
        raise SetUpError(f"TensorFlow has no package for {system} on {machine}. {supported}.")
    if system == "Linux" and libc != "glibc":
        raise SetUpError(
            "TensorFlow has no package for a Linux without glibc, such as Alpine (musl). "
            "Use Debian, Ubuntu, Fedora or another Linux with glibc."
        )
    if not avx:
        raise SetUpError("TensorFlow needs a processor with AVX instructions (made since 2011).")


def check_disk(free: int, needed_gb: float, folder: Path) -> None:
    """Refuse a disk without the room for downloading and unpacking."""
    if free < needed_gb * 1e9:
        raise SetUpError(
            f"{needed_gb} GB of free disk are needed in {folder}, "
            f"and there are {free / 1e9:.1f} GB. Nothing was downloaded."
        )


def check_machine(root: Path, needed_gb: float) -> None:
    """Refuse whatever would fail after the download: Python, platform, disk."""
    import platform
    import shutil
    import sysconfig

    gil = not sysconfig.get_config_var("Py_GIL_DISABLED")
    check_python(sys.version_info, platform.python_implementation(), gil)
    system, machine = platform.system(), platform.machine()
    avx = True
    if system == "Linux" and machine == "x86_64":
        with contextlib.suppress(OSError):
            avx = " avx " in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    bits = 64 if sys.maxsize > 2**32 else 32
    check_platform(system, machine, bits, platform.libc_ver()[0], avx)
    check_disk(shutil.disk_usage(str(root)).free, needed_gb, root)
