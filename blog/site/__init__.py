"""The site from its Markdown: built and swapped in whole, shown while you write, handed in.

building.py     one build at a time, aside, then swapped in
generator.py    mkdocs itself, in this process
finishing.py    what every built page gets: its security policy, links to this very commit
preview.py      the site while you write, by incremental.py and reloading.py, its server
branch.py       the site as a branch for a web host
handin.py       the site as a zip that opens by double-click; bundling.py joins its scripts
printing.py     a post as PDF, through an installed browser
"""

from blog.site.building import NotASite, SiteInUse, build, sources, turn
from blog.site.preview import serve

__all__ = ["NotASite", "SiteInUse", "build", "serve", "sources", "turn"]
