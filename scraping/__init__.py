"""Pages in, typed rows out: all that a project needs to scrape."""

from scraping.crawler import crawl
from scraping.extract import attr, date, html_table, image, number, pixels, text
from scraping.lent import local
from scraping.page import Page
from scraping.pages import Pages, Ref
from scraping.schema import Range

__all__ = [
    "Page",
    "Pages",
    "Range",
    "Ref",
    "attr",
    "crawl",
    "date",
    "html_table",
    "image",
    "local",
    "number",
    "pixels",
    "text",
]
