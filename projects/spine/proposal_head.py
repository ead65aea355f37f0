"""The front matter of a proposal.md: each value checked, each mistake with its line."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from projects.spine.errors import BadUsage
from projects.spine.hypothesis import COMPARISON, METRICS, Hypothesis, number_of
from projects.spine.project import did_you_mean

KEYS = ("title", "date", "question", "authors", "video", "pilots", "hypotheses")
# What YAML lets in by an escape such as "\e", and no page, terminal or file of UTF-8 takes.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
OF_A_HYPOTHESIS = (
    "name", "claim", "metric", "comparison", "threshold", "seeds", "over", "answers",
)  # fmt: skip
NEEDED = ("name", "claim", "metric", "comparison", "seeds")


class Head:
    """The front matter: its values, and the line on which each stands."""

    def __init__(self, head: str, label: str) -> None:
        import yaml

        self.head = head
        self.label = label
        self.lines: dict[tuple[Any, ...], int] = {}
        try:
            loader = yaml.SafeLoader(head)
            node = loader.get_single_node()
            self._locate(node, (), set(), loader.construct_object)
            self.values = loader.construct_document(node) if node else {}
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or "not readable as YAML"
            raise BadUsage(
                f"{label}:{mark.line + 2 if mark else 1}: {problem}. A text with a colon or one "
                "that begins with a sign needs quotes."
            ) from None
        except RecursionError:
            raise BadUsage(f"{label}:2: too many brackets stand within each other.") from None
        if not isinstance(self.values, dict):
            raise BadUsage(f"{label}:2: expected lines such as `question: …`.")
        self._known((), self.values, KEYS)

    def _locate(
        self, node: Any, path: tuple[Any, ...], seen: set[int], made: Callable[[Any], Any]
    ) -> None:
        """Note the line of every value; refuse what YAML would silently take in its own way."""
        import yaml

        if node is None:
            return
        self.lines[path] = node.start_mark.line + 2  # the --- is line 1
        if isinstance(node, yaml.ScalarNode):
            if _CONTROL.search(node.value):
                self.wrong_at(path, f"is {_short(node.value)}; it takes no control characters")
            try:
                made(node)
            except ValueError as error:  # YAML reads 2026-02-30 as a day, and there is none
                told = f"is {_short(node.value)}: {error}"
                self.wrong_at(path, f"{told}; expected a day such as 2026-11-25, or quotes")
            return
        if id(node) in seen:
            self.wrong_at(path, "refers to another value by *; write it out")
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for at, item in enumerate(node.value):
                self._locate(item, (*path, at), seen, made)
            return
        for key, value in node.value:
            here = (*path, key.value if isinstance(key, yaml.ScalarNode) else "")
            if here in self.lines:
                self.lines[here] = key.start_mark.line + 2
                self.wrong_at(here, "stands there twice; keep one")
            self._locate(value, here, seen, made)
            self.lines[here] = key.start_mark.line + 2

    def wrong(self, key: str, what: str) -> NoReturn:
        """Raise BadUsage about a key of the front matter."""
        self.wrong_at((key,), what)

    def wrong_at(self, path: tuple[Any, ...], what: str) -> NoReturn:
        """Raise BadUsage about the value at a path, naming its line."""
        line = next(
            (self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 1
        )
        told = path[-1] if path and isinstance(path[-1], str) else f"{path[0] if path else ''}"
        number = f" (hypothesis {path[1] + 1})" if path[:1] == ("hypotheses",) and path[1:] else ""
        raise BadUsage(f"{self.label}:{line}: `{told}`{number} {what}.")

    def _known(self, path: tuple[Any, ...], values: dict[Any, Any], keys: tuple[str, ...]) -> None:
        for key in values:
            if key not in keys:
                hint = did_you_mean(str(key), keys)
                self.wrong_at((*path, str(key)), f"is no key here.{hint} Keys: {', '.join(keys)}")

    def text(self, key: str) -> str:
        """Return a line of text, "" where the key is not there."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            self.wrong(key, f"is {_short(value)}; it takes text, in quotes if need be")
        return " ".join((value or "").split())

    def date(self) -> str:
        """Return the day of the proposal."""
        value = self.values.get("date")
        if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
            told = "is missing" if value is None else f"is {_short(value)}"
            self.wrong("date", f"{told}; expected a day such as 2026-11-25")
        return value.isoformat()

    def authors(self) -> list[Any]:
        """Return the authors as written, each checked as a post's are."""
        from blog import authors
        from blog.post import Post

        given = self.values.get("authors") or []
        post = Post(Path(self.label), {"authors": given}, self.head.rstrip("\n"), [])
        authors.of_post(post)
        return given

    def video(self) -> str:
        """Return the address of a recording, "" without one."""
        value = self.text("video")
        if value and not re.match(r"https?://[^/\s]+[^\s]*$", value):
            self.wrong("video", f"is {_short(value)}; it takes a web address, https://…")
        return value

    def pilots(self) -> list[str]:
        """Return what was tried before; a list that may be empty, but must be there."""
        value = self.values.get("pilots")
        if value is None:
            self.wrong(
                "pilots",
                "is missing: list every run made before with other seeds and another split, or "
                "write `pilots: []`",
            )
        if not isinstance(value, list) or not all(isinstance(p, str) and p.strip() for p in value):
            self.wrong(
                "pilots",
                f"is {_short(value)}; it takes a list of sentences, in quotes where one has a "
                "colon, or []",
            )
        return [" ".join(pilot.split()) for pilot in value]

    def hypotheses(self) -> list[Hypothesis]:
        """Return the hypotheses, in their order."""
        given = self.values.get("hypotheses")
        if given is not None and not isinstance(given, list):
            self.wrong("hypotheses", f"is {_short(given)}; it takes a list of `- name: …`")
        found: list[Hypothesis] = []
        for at, fields in enumerate(given or []):
            found.append(self._hypothesis(at, fields))
            if found[-1].name in [each.name for each in found[:-1]]:
                self.wrong_at(
                    ("hypotheses", at, "name"), f"{found[-1].name} is taken; choose another"
                )
        return found

    def _hypothesis(self, at: int, fields: Any) -> Hypothesis:
        path = ("hypotheses", at)
        if not isinstance(fields, dict):
            self.wrong_at(path, f"is {_short(fields)}; it takes {', '.join(NEEDED)}")
        self._known(path, fields, OF_A_HYPOTHESIS)

        def check(key: str, good: Callable[[Any], bool], takes: str, default: Any = None) -> Any:
            value = fields.get(key, default)
            if value is None or not good(value):
                told = f"is {_short(value)}" if key in fields else "is missing"
                self.wrong_at((*path, key), f"{told}; it takes {takes}")
            return value

        def line(value: Any) -> bool:
            return isinstance(value, str) and bool(value.strip())

        name = check(
            "name",
            lambda v: isinstance(v, str) and bool(re.fullmatch("[a-z0-9-]+", v)),
            "lower-case letters, digits and -, such as `beats-markov`",
        )
        claim = check("claim", line, "a sentence that can turn out wrong")
        metric = check("metric", line, "a metric of the step `scores`, such as accuracy").strip()
        comparison = self._comparison(path, check("comparison", line, "`cnn > logistic`, say"))
        over = check("over", ("seeds", "examples").__contains__, "seeds or examples", "seeds")
        threshold = check(
            "threshold",
            lambda v: (n := number_of(v)) is not None and n >= 0,
            "a number from 0 up: by more than this; a smaller figure is claimed with <",
            0.0,
        )
        least = 2 if over == "seeds" else 1
        seeds = check(
            "seeds",
            lambda v: type(v) is int and v >= least,
            f"how many seeds the verdict needs, {least} or more",
        )
        answers = fields.get("answers")
        if over == "examples":
            check("answers", line, "the step that gives `truth` and a column for each model")
            if metric not in METRICS:
                self.wrong_at(
                    (*path, "metric"),
                    f"is {metric}, which cannot be worked out over examples."
                    f"{did_you_mean(metric, METRICS)} It takes one of {', '.join(METRICS)}",
                )
        elif answers is not None:
            self.wrong_at((*path, "answers"), "goes with `over: examples`")
        return Hypothesis(
            name=name,
            claim=" ".join(claim.split()),
            metric=metric,
            comparison=comparison,
            seeds=seeds,
            threshold=number_of(threshold) or 0.0,
            over=over,
            answers=answers,
        )

    def _comparison(self, path: tuple[Any, ...], text: str) -> str:
        here = (*path, "comparison")
        match = COMPARISON.fullmatch(text.strip())
        if not match:
            self.wrong_at(
                here,
                f"is {_short(text)}; it takes MODEL < MODEL, MODEL > MODEL, or a number on the "
                "right, such as `cnn > 0.9`",
            )
        first, sign, other = match.groups()
        if number_of(first) is not None:
            turned = f"{other} {'<' if sign == '>' else '>'} {first}"
            self.wrong_at(here, f"begins with a number; the model comes first: `{turned}`")
        if first == other:
            self.wrong_at(here, f"compares {first} with itself")
        return f"{first} {sign} {other}"


def _short(value: Any) -> str:
    told = repr(value)
    return told if len(told) <= 60 else f"{told[:57]}…"
