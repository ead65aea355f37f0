"""Pages in, typed rows out: all that a project needs to scrape."""

from scraping.crawler import crawl
from scraping.dataset import dataset
from scraping.download import download
from scraping.extract import attr, date, html_table, image, jsonld, number, pixels, text
from scraping.imports import archived
from scraping.lent import local
from scraping.page import Page
from scraping.pages import Pages, Ref
from scraping.personal import drop, mask
from scraping.schema import ATTRIBUTION, LICENCE, SOURCE, Range
from scraping.summary import duplicated, summary

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
