"""Writes the site that the crawl benchmark asks for: a museum's catalogue, the same every time.

    python tests/benchmarks/crawl/site.py FOLDER PAGES

One page in thirty lists 29 objects and leads on to the next list; the others show one object each:
about 29 KB of navigation, specification, prose, related objects and footer, as such pages are.
Only the compressed files are written (`gzip_static always` sends them as they are), so that the
server takes as little of the machine as it can from whoever is measured.
"""

from __future__ import annotations

import gzip
import random
import sys
from pathlib import Path

GROUP = 30  # pages: a list and its objects
# The lists of words are texts: quotes around each would not read better.
# ruff: noqa: SIM905
SECTIONS = (
    "Clocks Ceramics Coins Costumes Furniture Glass Globes Instruments Jewellery Lace Maps Medals "
    "Models Paintings Photographs Porcelain Posters Prints Sculpture Silver Tapestries Toys Tools "
    "Typewriters Watches Weapons"
).split()
ABOUT = (
    "accessibility contact copyright credits donate imprint jobs press privacy research shop terms "
    "visit"
).split()
FACTS = (
    "Provenance Material Technique Height Width Depth Weight Marks Inscription Condition Acquired "
    "Credit Location Exhibitions"
).split()
KINDS = ["Bracket clock", "Celestial globe", "Pocket watch", "Sextant", "Teapot", "Viola da gamba"]
MAKERS = ["A. Breguet", "Dörte Krüger", "Elias & Söhne", "J. Harrison", "Tūranga Works"]
WORDS = (
    "about above account acquired after against alloy along although among anchor ancient appears "
    "arch attributed balance base because before bell beneath bequeathed between body border "
    "bought brass bronze carved case catalogue century chain circular collection commissioned "
    "complete condition copper corner cover craft curator curved damaged dated decorated delicate "
    "design dial donated drawer during early edge eighteenth enamel engraved estate evidence "
    "examined example exhibited face family fashion figure filigree finest fitted floral foot "
    "formerly found frame from garden gift gilt glass glaze gold guild hammered hand handle heavy "
    "hinge hollow household hundred inscription inside iron ivory journal kept known large later "
    "leather letter lion little london lower made mahogany mark marked master material mechanism "
    "merchant metal middle mirror mounted moved museum narrow never nineteenth notable oak object "
    "often ornament ownership painted pair panel paper paris pattern piece pierced plain plate "
    "polished portrait presented probably purchase quality quarter queen rare recorded records "
    "remains repaired restored rim royal sale scene school seal second setting shape signed silver "
    "similar since small source spring stamped stand steel still stone studio style surface survey "
    "technique thought three through together town trade tradition turned typical under upper used "
    "valley varnish vessel village walnut water wheel which whole width winding with within wood "
    "workshop worn year"
).split()


def prose(chance: random.Random, characters: int) -> str:
    """Sentences of about so many characters in all."""
    said, length = [], 0
    while length < characters:
        words = chance.choices(WORDS, k=chance.randint(7, 19))
        if chance.random() < 0.3:
            place = chance.randrange(len(words))
            words[place] = f"<em>{words[place]}</em>"
        if chance.random() < 0.2:
            words.append(f"({chance.randint(1600, 1930)}, no.&nbsp;{chance.randint(10, 9999)})")
        sentence = " ".join(words).capitalize() + "."
        said.append(sentence)
        length += len(sentence) + 1
    return " ".join(said)


def around(title: str, within: str) -> str:
    """A page: its head, navigation and footer around what it shows."""
    menu = "\n".join(
        f'        <li class="nav__item nav__item--{name.lower()}"><a class="nav__link" '
        f'href="/sections/{name.lower()}.html" title="All {name.lower()} in the collection">'
        f'<span class="nav__icon" aria-hidden="true"></span>{name}</a></li>'
        for name in SECTIONS
    )
    legal = "\n".join(
        f'      <a class="footer__link" href="/about/{name}.html">{name.capitalize()}</a>'
        for name in ABOUT
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>{title} – The Museum of Made Things</title>
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="description" content="{title}: from the catalogue of the Museum of Made Things.">
  <meta property="og:title" content="{title}">
  <meta property="og:type" content="website">
  <link rel="stylesheet" href="/assets/site.8d1f.css">
  <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
  <script>window.dataLayer = window.dataLayer || []; window.museum = {{"locale": "en"}};</script>
  <script src="/assets/site.51b0.js" defer></script>
</head>
<body class="page">
  <a class="skip" href="#content">Skip to content</a>
  <header class="header" role="banner">
    <a class="header__logo" href="/"><img src="/assets/logo.svg" alt="The Museum"></a>
    <form class="search" action="/search" role="search"><label for="q">Search</label>
      <input id="q" name="q" type="search" placeholder="Search the collection"></form>
    <nav class="nav" aria-label="Sections">
      <ul class="nav__list">
{menu}
      </ul>
    </nav>
  </header>
  <main id="content" class="content">
{within}
  </main>
  <footer class="footer">
    <p class="footer__note">Open Tuesday to Sunday, 10 a.m. to 6 p.m. Entry is free.</p>
    <nav class="footer__nav" aria-label="About">
{legal}
    </nav>
  </footer>
</body>
</html>
"""


def card(number: int, kind: str, link: str) -> str:
    """An object as a list or another object's page shows it."""
    return (
        f'      <li class="card" data-object="{number}"><article class="card__body">\n'
        f'        <a class="{link}" href="/objects/{number}.html">\n'
        f'          <img class="card__image" src="/images/{number}-240.webp" loading="lazy" '
        f'width="240" height="240" alt="">\n'
        f'          <h3 class="card__title">{kind} no. {number}</h3></a>\n'
        f'        <p class="card__meta"><span class="card__room">Room {number % 61}</span> '
        f'<span class="card__state">on display</span></p></article></li>'
    )


def object_page(number: int, objects: int) -> str:
    """One object: six fields among much else."""
    chance = random.Random(number)
    kind, maker = chance.choice(KINDS), chance.choice(MAKERS)
    price, year = chance.randint(9_000, 4_000_000) / 100, chance.randint(1590, 1930)
    rows = "\n".join(
        f'        <tr class="facts__row"><th scope="row">{name}</th>'
        f"<td>{prose(chance, 30)}</td></tr>"
        for name in FACTS
    )
    story = "\n".join(
        f"      <h2>{prose(chance, 20)}</h2>\n      <p>{prose(chance, 900)}</p>\n"
        f"      <p>{prose(chance, 600)}</p>"
        for _ in range(chance.randint(4, 8))
    )
    related = "\n".join(
        card(chance.randint(1, objects), chance.choice(KINDS), "card__link") for _ in range(16)
    )
    return around(
        f"{kind} no. {number}",
        f"""    <ol class="crumbs"><li><a href="/">Home</a></li><li>{kind}</li></ol>
    <article class="object" itemscope itemtype="https://schema.org/VisualArtwork">
      <h1 class="object__title" itemprop="name">{kind} no. {number}</h1>
      <p class="object__maker">Made by <a class="maker" href="/makers/{chance.randint(1, 99)}.html"
        itemprop="creator">{maker.replace("&", "&amp;")}</a></p>
      <figure class="object__figure">
        <img class="object__image" itemprop="image" src="/images/{number}-1200.webp" alt="{kind}">
        <figcaption>{prose(chance, 80)}</figcaption></figure>
      <dl class="object__data">
        <dt>Made in</dt><dd class="object__year" itemprop="dateCreated">{year}</dd>
        <dt>Insured for</dt><dd class="object__value">£{price:,.2f}</dd>
        <dt>Inventory number</dt><dd class="object__number"> MM.{year}-{number:06d} </dd>
      </dl>
      <table class="facts"><tbody>
{rows}
      </tbody></table>
{story}
    </article>
    <section class="related"><h2>Related objects</h2>
      <ul class="related__list">
{related}
      </ul></section>""",
    )


def list_page(number: int, lists: int, objects: int) -> str:
    """A list of objects, and the way to the next list."""
    chance = random.Random(-number)
    first = (number - 1) * (GROUP - 1) + 1
    cards = "\n".join(
        card(one, chance.choice(KINDS), "item")
        for one in range(first, min(first + GROUP - 1, objects + 1))
    )
    following = f'    <a class="next" href="/list/{number + 1}.html">Next</a>'
    onward = following if number < lists else ""
    return around(
        f"Objects, page {number} of {lists}",
        f'    <h1>The catalogue</h1>\n    <ul class="list">\n{cards}\n    </ul>\n{onward}',
    )


def write(folder: Path, pages: int) -> None:
    """The whole site: robots.txt, lists, objects."""
    lists = max(1, pages // GROUP)
    objects = pages - lists
    for name in ("list", "objects"):
        (folder / name).mkdir(parents=True)

    def put(path: str, page: str) -> None:
        (folder / f"{path}.gz").write_bytes(gzip.compress(page.encode(), 6, mtime=0))

    put("robots.txt", "User-agent: *\nDisallow: /search\nDisallow: /basket\nDisallow: /*?sort=\n")
    for number in range(1, lists + 1):
        put(f"list/{number}.html", list_page(number, lists, objects))
    for number in range(1, objects + 1):
        put(f"objects/{number}.html", object_page(number, objects))


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
