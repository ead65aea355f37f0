"""Which page is where: the wings, the start page, robots.txt and the sitemap.

To add a wing: write its module, name its `layout.Wing` in `WINGS`, and give it its line in
`layout.SITE`. A wing opens its pack when it is first asked for, so those that nobody visits cost
nothing.
"""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path

from scraping.sandbox import digits, museum, rude, speeches, strikes, weather
from scraping.sandbox.layout import Response, Wing, page, redirect

WINGS = (museum.WING, weather.WING, strikes.WING, speeches.WING, digits.WING)


def respond(path: str, query: dict[str, list[str]], *, host: str) -> Response:
    """What the site answers for an unquoted path; ``host`` is how the visitor calls the site."""
    match path:
        case "/":
            return start()
        case "/robots.txt":
            return robots(host)
        case "/style.css":
            return Response(stylesheet(), kind="text/css; charset=utf-8")
        case "/favicon.png" | "/favicon.ico":
            return Response(museum.museum().pictures["media/bi/star-fill.png"], kind="image/png")
        case "/sitemap.xml":
            return sitemap_index(host)
    for wing in WINGS:
        if path == sitemap_of(wing):
            return sitemap(wing, host)
        if path == wing.path.rstrip("/"):
            return redirect(wing.path)
        if path.startswith(wing.path):
            return wing.respond(path, query) or not_found(path)
    return rude.respond(path, host) or not_found(path)


def start() -> Response:
    """The start page: one card per wing, and one for the corner that is no wing."""
    cards = "\n".join(
        f'        <li><a href="{wing.path[1:]}">{escape(wing.title)}</a>\n'
        f"          <p>{escape(wing.summary())}</p></li>"
        for wing in WINGS
    )
    main = f"""      <h1>Practice site</h1>
      <p class="lead">A small web to learn scraping on. It runs on your own computer and needs no
        internet, so nobody minds how often you come back. In a project its address is
        <code>http://sandbox/</code>.</p>
      <ul class="wings">
{cards}
        <li><a href="{rude.PATH[1:]}" rel="nofollow">{rude.TITLE}</a>
          <p>{rude.SUMMARY}</p></li>
      </ul>"""
    return page("Start", main, path="/")


def not_found(path: str) -> Response:
    """The 404 page."""
    main = f"""      <h1>Not found</h1>
      <p class="lead">There is nothing at <code>{escape(path)}</code>.
        Try the <a href="/">start page</a>.</p>"""
    response = page("Not found", main, path="")
    return Response(response.body, status=404)


def robots(host: str) -> Response:
    """The rules for robots."""
    closed = "\n".join(f"Disallow: {path}" for wing in WINGS for path in wing.closed)
    text = f"User-agent: *\nAllow: /\n{closed}\n\nSitemap: http://{host}/sitemap.xml\n"
    return Response(text.encode(), kind="text/plain; charset=utf-8")


def sitemap_of(wing: Wing) -> str:
    """Where the sitemap of a wing is: ``/sitemap-museum.xml``."""
    return f"/sitemap-{wing.path.strip('/')}.xml"


def sitemap_index(host: str) -> Response:
    """The list of the wings' sitemaps."""
    entries = [f"<sitemap><loc>http://{host}{sitemap_of(wing)}</loc></sitemap>" for wing in WINGS]
    return xml("sitemapindex", entries)


def sitemap(wing: Wing, host: str) -> Response:
    """Every page of a wing that robots may read."""
    entries = [
        f"<url><loc>http://{host}{escape(address)}</loc><lastmod>{changed}</lastmod></url>"
        for address, changed in wing.addresses()
    ]
    return xml("urlset", entries)


def xml(root: str, entries: list[str]) -> Response:
    """A document in the sitemap format (sitemaps.org, protocol 0.9)."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
        *entries,
        f"</{root}>\n",
    ]
    return Response("\n".join(lines).encode(), kind="application/xml")


@cache
def stylesheet() -> bytes:
    """The site's stylesheet."""
    return (Path(__file__).parent / "style.css").read_bytes()
