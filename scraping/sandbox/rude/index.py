"""The rude corner's own, harmless pages: a list of the traps, and a page about each."""

from __future__ import annotations

from html import escape

from scraping.outcomes import NEXT, Kind
from scraping.sandbox.layout import Response, page
from scraping.sandbox.rude.trap import KEPT, Section, Trap

TITLE = "Rude corner"
PATH = "/rude/"
SUMMARY = (
    "Everything a server can do to a crawler: bombs, loops, silence, lies. Only for those who "
    "want to see how it ends."
)


def overview(sections: tuple[Section, ...]) -> Response:
    """Every trap with what a crawler should do about it, and none that a click would spring."""
    parts = "\n".join(
        f"      <h2>{escape(section.title)}</h2>\n      <p>{section.words}</p>\n"
        f'      <dl class="traps">\n{"".join(map(_entry, section.traps))}      </dl>'
        for section in sections
    )
    main = f"""      <h1>{TITLE}</h1>
      <p class="lead">One address for each thing that a server can do to a crawler, by accident or
        on purpose. Nothing on this page does any harm, and neither do the pages about the traps
        that it links to; a trap itself may keep a browser busy.</p>
{parts}
      <h2>What no page can show</h2>
      <p>A name that means one address when it is checked and another when it is used (DNS
        rebinding) needs a name server of its own. A crawler should look a name up once, check
        every address that it has, and connect to the very address that was checked.</p>"""
    return _unfollowed(page(TITLE, main, path=PATH))


def _entry(trap: Trap) -> str:
    """A trap's line in the list."""
    return (
        f'        <dt><a href="about/{trap.key}" rel="nofollow">{trap.key}</a></dt>\n'
        f"        <dd>{escape(trap.does)}<br>A crawler should: "
        f"{escape(trap.wanted[0].lower() + trap.wanted[1:])}</dd>\n"
    )


def about(trap: Trap, section: Section, host: str) -> Response:
    """The page about one trap, from which a crawl can walk into it."""
    shown = f'\n        <dt>Read right, it says</dt>\n        <dd class="right">{trap.shows}</dd>'
    address = trap.address(host)
    full = trap.address("sandbox")
    full = full if trap.host else f"http://sandbox{full}"
    beyond = ', include="sandbox"' if trap.host else ""
    code = (
        f'crawl("http://sandbox{PATH}about/{trap.key}", follow=None, keep="a.trap"{beyond}, '
        'archive="rude/", max_failed=1).balance'
    )
    main = f"""      <nav class="crumbs" aria-label="You are here"><a href="../">{TITLE}</a> ›
        {escape(section.title)}</nav>
      <h1>{trap.key}</h1>
      <p class="lead">{escape(trap.does)}</p>
      <dl>
        <dt>A crawler should</dt>
        <dd>{escape(trap.wanted)}</dd>
        <dt>It ends as</dt>
        <dd>{" or ".join(map(_end, trap.ends))}</dd>{shown if trap.shows else ""}
        <dt>The trap</dt>
        <dd><a class="trap" href="{escape(address)}">{escape(full)}</a></dd>
        <dt>To see it end</dt>
        <dd><code>{escape(code, quote=False)}</code></dd>
      </dl>"""
    return page(trap.key, main, path=f"{PATH}about/{trap.key}")


def _end(end: Kind | str) -> str:
    """How an address with a trap ends, in words, with the next step if there is one."""
    words = "<strong>a page that is kept</strong>" if end == KEPT else f"<strong>{end}</strong>"
    step = NEXT.get(end) if isinstance(end, Kind) else None
    return f"{words} (next: {escape(step)})" if step else words


def _unfollowed(response: Response) -> Response:
    """The page with a word to robots not to follow its links: who comes here comes on purpose."""
    body = response.body.replace(
        b"<title>", b'<meta name="robots" content="nofollow">\n  <title>', 1
    )
    return Response(body, changed=response.changed)
