"""Who did what on a project: names and roles of the CRediT taxonomy.

    authors:
      - name: Ada Lovelace
        roles: [conceptualization, software, writing – original draft]
        link: https://orcid.org/0000-0001-2345-6789

Source: ANSI/NISO Z39.104-2022, CRediT, Contributor Roles Taxonomy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blog import escape
from blog.errors import PostError, suggestion
from blog.post import Post
from blog.tables import folded

ROLES = (
    "Conceptualization",
    "Data curation",
    "Formal analysis",
    "Funding acquisition",
    "Investigation",
    "Methodology",
    "Project administration",
    "Resources",
    "Software",
    "Supervision",
    "Validation",
    "Visualization",
    "Writing – original draft",
    "Writing – review & editing",
)


@dataclass(frozen=True)
class Author:
    """One person behind a post."""

    name: str
    roles: tuple[str, ...] = ()
    link: str = ""


def of_post(post: Post) -> list[Author]:
    """The authors that the front matter names; [] where it names none.

    Raises PostError for an author without a name, an unknown role, or a link that is none.
    """
    given = post.meta.get("authors") or []
    line = post.line_of("authors")
    if not isinstance(given, list):
        raise PostError(
            post.file, line,
            f"front matter: authors {given!r}; expected a list, each a name or name, roles, link.",
        )  # fmt: skip
    return [_author(each, post, line) for each in given]


def names(authors: list[Author]) -> str:
    """The names as one text: "A, B and C"."""
    return _listed([author.name for author in authors])


def box(authors: list[Author]) -> str:
    """The folded box that says who did what; "" where nobody's roles are told."""
    told = [author for author in authors if author.roles]
    if not told:
        return ""
    lines = [f"- {_name(author)}: {_roles(author)}" for author in told]
    lines.append("\nRoles after the [CRediT taxonomy](https://credit.niso.org/).")
    return folded("Contributions", "\n".join(lines))


def _author(given: Any, post: Post, line: int) -> Author:
    fields = {"name": given} if isinstance(given, str) else given
    if not isinstance(fields, dict) or not str(fields.get("name") or "").strip():
        raise PostError(
            post.file, line, f"front matter: the author {given!r} has no name: `- name: …`."
        )
    if unknown := sorted(set(map(str, fields)) - {"name", "roles", "link"}):
        raise PostError(
            post.file, line,
            f"front matter: an author has no `{unknown[0]}`."
            f"{suggestion(unknown[0], ('name', 'roles', 'link'))}",
        )  # fmt: skip
    roles = fields.get("roles") or []
    roles = [roles] if isinstance(roles, str) else roles
    link = str(fields.get("link") or "")
    if link and escape.address(link) is None:
        raise PostError(
            post.file, line, f"front matter: the link {link!r} of an author is no web address."
        )
    known = {_plain(role): role for role in ROLES}
    for role in roles:
        if _plain(str(role)) not in known:
            raise PostError(
                post.file, line,
                f"front matter: {role!r} is no CRediT role.{suggestion(str(role), ROLES)}",
            )  # fmt: skip
    return Author(
        str(fields["name"]).strip(), tuple(known[_plain(str(role))] for role in roles), link
    )


def _plain(role: str) -> str:
    return "".join(letter for letter in role.lower() if letter.isalpha())


def _name(author: Author) -> str:
    name = escape.markdown(author.name)
    return f"[{name}]({escape.address(author.link)})" if author.link else name


def _roles(author: Author) -> str:
    """ "Software, validation and writing – original draft"."""
    first, *rest = author.roles
    return escape.markdown(_listed([first, *(role[0].lower() + role[1:] for role in rest)]))


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
