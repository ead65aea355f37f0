"""Pages in, typed rows out: all that a project needs to scrape."""

from scraping.crawling.crawler import crawl
from scraping.lent import local
from scraping.pages import Pages, Ref
from scraping.reading.extract import attr, date, html_table, image, jsonld, number, pixels, text
from scraping.reading.page import Page
from scraping.sources.catalogue import dataset
from scraping.sources.files import download
from scraping.sources.imports import archived
from scraping.tables.overview import duplicated, summary
from scraping.tables.personal import drop, mask
from scraping.tables.schema import ATTRIBUTION, LICENCE, SOURCE, Range

__all__ = [
    "ATTRIBUTION",
    "LICENCE",
    "SOURCE",
    "Page",
    "Pages",
    "Range",
    "Ref",
    "archived",
    "attr",
    "crawl",
    "dataset",
    "date",
    "download",
    "drop",
    "duplicated",
    "html_table",
    "image",
    "jsonld",
    "local",
    "mask",
    "number",
    "pixels",
    "summary",
    "text",
]
