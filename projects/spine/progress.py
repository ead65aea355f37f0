"""Progress on long work: live bars on a terminal, one plain line a finished step elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol


class Progress(Protocol):
    """What the runner tells while it works."""

    def moved(self, name: str, label: str, done: int, total: int | None) -> None:
        """A run began (`label` empty), or got further."""

    def finished(self, name: str, figure: str, seconds: float) -> None:
        """A run is done and its value is stored."""

    def close(self) -> None:
        """Nothing more will come."""


def duration(seconds: float) -> str:
    """Return "0.4 s", "12 s" or "3 min 20 s"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"


def beside(figure: str, committed: str | None) -> str:
    """Return a step's figure, with the committed one beside it where there is one."""
    if committed is None:
        return figure
    return (
        f"{figure} (as committed)" if committed == figure else f"{figure} (committed: {committed})"
    )


class Plain:
    """Lines without colour or motion, for logs and pipes: no line says what one before said."""

    EVERY = 10.0  # seconds between signs of life of a long step

    def __init__(self, committed: Mapping[str, str], write: Any = None) -> None:
        self.committed = committed
        self.write = write or sys.stdout.write
        self._said: dict[str, float] = {}

    def _line(self, text: str) -> None:
        self.write(text + "\n")
        sys.stdout.flush()

    def moved(self, name: str, label: str, done: int, total: int | None) -> None:
        """Say every ten seconds how far a run is."""
        now = time.monotonic()
        if now - self._said.setdefault(name, now) >= self.EVERY and label:
            self._said[name] = now
            of = f" of {total:,}" if total else ""
            self._line(f"  … {name}: {label}, {done:,}{of}")

    def finished(self, name: str, figure: str, seconds: float) -> None:
        """Say what a run gave."""
        told = beside(figure, self.committed.get(name))
        self._line(f"  ✓ {name}: {told}  [{duration(seconds)}]")

    def close(self) -> None:
        """Nothing is left open."""


class Live:
    """Bars that move, one for each run under way, above them a line for each finished one."""

    def __init__(self, committed: Mapping[str, str]) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import Progress as Bars

        self.committed = committed
        self.console = Console(highlight=False)
        self.bars = Bars(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self.tasks: dict[str, Any] = {}
        self.bars.start()

    def moved(self, name: str, label: str, done: int, total: int | None) -> None:
        """Move a run's bar; the first call draws it."""
        if name not in self.tasks:
            self.tasks[name] = self.bars.add_task(name, total=None)
        text = f"{name}  {label}" if label else name
        self.bars.update(self.tasks[name], description=text, completed=done, total=total)

    def finished(self, name: str, figure: str, seconds: float) -> None:
        """Turn a run's bar into a line."""
        from rich.text import Text

        if (task := self.tasks.pop(name, None)) is not None:
            self.bars.remove_task(task)
        line = Text.assemble(
            ("  ✓ ", "green"),
            (name, "bold"),
            f"  {beside(figure, self.committed.get(name))}  ",
            (duration(seconds), "dim"),
        )
        self.console.print(line)

    def close(self) -> None:
        """Take the bars away; the lines stay."""
        self.bars.stop()


def on_this_terminal(committed: Mapping[str, str]) -> Progress:
    """Return live bars on a terminal, plain lines elsewhere."""
    return Live(committed) if sys.stdout.isatty() else Plain(committed)
