from xml.etree import ElementTree

import pytest

from blog import feed, render
from blog.portfolio import Portfolio

ATOM = "{http://www.w3.org/2005/Atom}"
OWNER = Portfolio("Marks & more", "Ada", "https://ada.example/")


@pytest.fixture
def docs(tmp_path):
    (tmp_path / "posts").mkdir()
    return tmp_path


def post(docs, name, day, title="A title", **more) -> None:
    lines = [f"title: {title}", f"date: {day}", *(f"{k}: {v}" for k, v in more.items())]
    (docs / "posts" / f"{name}.md").write_text("---\n" + "\n".join(lines) + "\n---\nText.")


def entries(docs, portfolio=OWNER):
    tree = ElementTree.fromstring(feed.feed(docs, portfolio))
    return tree, tree.findall(f"{ATOM}entry")


def test_entries_come_newest_first_with_their_addresses(docs):
    post(docs, "old", "2026-01-02")
    post(docs, "new", "2026-03-04", description="What was found", tags="[images, cnn]")
    tree, (first, second) = entries(docs)
    assert first.find(f"{ATOM}id").text == "https://ada.example/posts/new/"
    assert second.find(f"{ATOM}id").text == "https://ada.example/posts/old/"
    assert first.find(f"{ATOM}summary").text == "What was found"
    assert [c.get("term") for c in first.findall(f"{ATOM}category")] == ["images", "cnn"]
    assert tree.find(f"{ATOM}updated").text == "2026-03-04T00:00:00Z"
    assert tree.find(f"{ATOM}title").text == "Marks & more"


def test_text_that_is_escaped_in_the_front_matter_is_text_in_the_feed(docs):
    post(docs, "hostile", "2026-01-02", title="'&lt;script&gt; &amp; &#x1; ]]&gt; é'")
    _, (entry,) = entries(docs)
    assert entry.find(f"{ATOM}title").text.replace(" ", "") == "<script>&]]>é"


def test_examples_leave_the_feed_once_there_is_an_own_post(docs):
    post(docs, "sample", "2026-05-05", example="true")
    assert len(entries(docs)[1]) == 1
    post(docs, "mine", "2026-01-01")
    _, (entry,) = entries(docs)
    assert entry.find(f"{ATOM}id").text.endswith("/posts/mine/")


def test_without_posts_or_an_address_it_is_still_a_feed(docs):
    tree, found = entries(docs, Portfolio())
    assert found == []
    assert tree.find(f"{ATOM}id").text == "https://example.org/"


def test_pages_without_a_date_or_with_broken_front_matter_are_passed_over(docs):
    post(docs, "undated", "soon")
    (docs / "posts" / "broken.md").write_text("---\n{: \n---\n")
    (docs / "posts" / "plain.md").write_text("Only text.")
    assert entries(docs)[1] == []


def test_an_address_without_a_slash_at_its_end_gets_one(docs):
    post(docs, "one", "2026-01-02")
    tree, (entry,) = entries(docs, Portfolio("Marks", "Ada", "https://ada.example/marks"))
    assert entry.find(f"{ATOM}id").text == "https://ada.example/marks/posts/one/"
    assert [link.get("href") for link in tree.findall(f"{ATOM}link")] == [
        "https://ada.example/marks/",
        "https://ada.example/marks/feed.xml",
    ]


def test_posts_written_by_hand_may_tell_a_time_or_be_drafts(docs):
    post(docs, "day", "2026-01-02")
    post(docs, "time", "2026-01-03 10:00:00")
    post(docs, "created", "{created: 2026-01-01, updated: 2026-02-01}")
    post(docs, "draft", "2026-01-04", draft="true")
    _, found = entries(docs)
    names = [entry.find(f"{ATOM}id").text.split("/")[-2] for entry in found]
    assert names == ["time", "day", "created"]


def test_it_is_written_once_and_then_only_when_it_changes(docs):
    post(docs, "one", "2026-01-02")
    assert render.write_feed(docs, OWNER) == [docs / "feed.xml"]
    assert render.write_feed(docs, OWNER) == []
