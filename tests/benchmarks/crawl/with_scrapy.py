"""The catalogue with Scrapy: robots on, 16 requests at once, what is not needed off.

    python with_scrapy.py START ROWS [CACHE]

Nothing is kept but the rows, unless a folder for Scrapy's HTTP cache is named.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scrapy import Spider
from scrapy.crawler import CrawlerProcess


class Catalogue(Spider):
    """Lists, then objects."""

    name = "catalogue"

    def parse(self, response):
        """A list of objects, and the way to the next list."""
        yield from response.follow_all(css="a.item", callback=self.parse_object)
        yield from response.follow_all(css="a.next", callback=self.parse)

    def parse_object(self, response):
        """The object that a page shows."""
        value = response.css(".object__value::text").re_first(r"[\d,.]+")
        yield {
            "name": response.css("h1.object__title::text").get().strip(),
            "maker": response.css("a.maker::text").get().strip(),
            "year": int(response.css(".object__year::text").get()),
            "value": float(value.replace(",", "")),
            "inventory": response.css(".object__number::text").get().strip(),
            "image": response.css("img.object__image::attr(src)").get(),
        }


def main(start: str, rows: str, cache: str = "") -> None:
    """Crawl, extract, write."""
    process = CrawlerProcess(
        {
            "ROBOTSTXT_OBEY": True,
            "CONCURRENT_REQUESTS": 16,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
            "DOWNLOAD_DELAY": 0,
            "COOKIES_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "LOG_ENABLED": False,
            "FEEDS": {Path(rows): {"format": "jsonlines", "overwrite": True}},
            "HTTPCACHE_ENABLED": bool(cache),
            "HTTPCACHE_DIR": cache,
        }
    )
    process.crawl(Catalogue, start_urls=[start])
    process.start()


if __name__ == "__main__":
    main(*sys.argv[1:])
