"""The folded box of a post that says how to get its numbers again."""

from __future__ import annotations

from typing import Any

from blog import escape
from blog.tables import folded
from blog.values import show

# Rows of the reproduce box that `show` has made harmless already.
_SHOWN = {"Settings", "Data", "Examples", "Parameters", "Software"}


def box(name: str, results: dict[str, Any]) -> str:
    """The folded box with all that a second run needs, and what the first one had."""

    def pairs(value: dict[str, Any]) -> str:
        return ", ".join(f"{escape.markdown(key)} {_told(part)}" for key, part in value.items())

    data = results.get("data", {})
    software = {
        "Python": results.get("python"),
        **dict(sorted(results.get("libraries", {}).items())),
    }
    backend = f"; Keras on {escape.markdown(results['backend'])}" if results.get("backend") else ""
    rows = {
        "Run": results.get("run"),
        "Settings": pairs(results.get("settings", {})),
        "Seeds": ", ".join(map(str, results.get("seeds", []))),
        "Data": pairs({k: v for k, v in data.items() if k in ("pages", "rows", "rejected")}),
        "Data, fingerprint": data.get("hash"),
        "Archive, fingerprint": data.get("archive"),
        "Examples": pairs(results.get("splits", {})),
        "Parameters": pairs(results.get("parameters", {})),
        "Took": _took(results),
        "Software": pairs(software) + backend,
    }
    lines = [
        f"| {label} | {value if label in _SHOWN else escape.markdown(str(value))} |"
        for label, value in rows.items()
        if value
    ]
    table = "\n".join(["| what | value |", "| --- | --- |", *lines])
    return folded("Reproduce", f"```\npython3 -m projects run {name} --again\n```\n\n{table}")


def _told(value: Any) -> str:
    """A value as text; a setting that holds others, as project.py writes it."""
    parts = value if isinstance(value, list) else [value]
    if any(isinstance(part, dict) and "mean" not in part for part in parts):
        return escape.markdown(repr(value))
    return show(value)


def _took(results: dict[str, Any]) -> str:
    minutes = results.get("minutes", {}).get("total")
    hardware = results.get("hardware", {})
    if minutes is None:
        return ""
    cores = f"{hardware['cores']} cores" if hardware.get("cores") else ""
    machine = ", ".join(
        str(p) for p in (hardware.get("processor"), cores, hardware.get("system")) if p
    )
    return f"{minutes:.1f} minutes of computing" + (f" on {machine}" if machine else "")
