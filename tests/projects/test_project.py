"""Reading project.py: what is a step, and how a mistake is told."""

from __future__ import annotations

import pytest

from projects.spine.errors import BadUsage
from projects.spine.project import Project, check_name

HEAD = "from scraping import crawl\n\nSTART = 'http://sandbox/'\nSEEDS = 2\n\n"
PAGES = "def pages():\n    return crawl(START, follow='a')\n\n"


def read(checkout, source: str) -> Project:
    checkout.write("mine", source)
    return Project(checkout.root, "mine")


def complaint(checkout, source: str) -> str:
    with pytest.raises(BadUsage) as caught:
        read(checkout, source)
    return str(caught.value)


def test_public_functions_are_steps_and_their_parameters_inputs(checkout):
    project = read(
        checkout,
        HEAD + PAGES + "def rows(page):\n    'One row.'\n\ndef table(rows):\n    pass\n\n"
        "def split(table, seed, share=0.2):\n    pass\n\ndef _helper(x):\n    pass\n",
    )
    assert list(project.steps) == ["pages", "rows", "table", "split"]
    rows, split = project.steps["rows"], project.steps["split"]
    assert project.steps["pages"].crawls
    assert (rows.per_page, rows.pages_from, rows.doc) == (True, "pages", "One row.")
    assert (split.inputs, split.per_seed) == (("table",), True)
    assert project.seeds(project.settings) == [0, 1]


def test_a_misspelt_parameter_is_told_with_the_nearest_step(checkout):
    said = complaint(checkout, "def table():\n    pass\n\ndef split(tabel):\n    pass\n")
    assert "step `split` asks for `tabel`. Did you mean `table`?" in said
    assert "projects/mine/project.py:4" in said
    assert "`page`" in said
    assert "keyed by seed" in said


def test_a_step_may_not_ask_for_a_later_one(checkout):
    said = complaint(checkout, "def split(table):\n    pass\n\ndef table():\n    pass\n")
    assert "asks for `table`, which comes after it" in said


def test_a_step_may_not_ask_for_itself(checkout):
    assert "asks for itself" in complaint(checkout, "def table(table):\n    pass\n")


def test_page_needs_a_step_that_crawls(checkout):
    assert "no earlier step calls crawl()" in complaint(checkout, "def rows(page):\n    pass\n")


def test_page_needs_only_one_step_that_crawls(checkout):
    second = PAGES.replace("pages", "others")
    said = complaint(checkout, HEAD + PAGES + second + "def rows(page):\n    pass\n")
    assert "`pages` and `others` both crawl" in said


def test_page_and_seed_do_not_go_together(checkout):
    said = complaint(checkout, HEAD + PAGES + "def rows(page, seed):\n    pass\n")
    assert "asks for `page` and `seed`" in said


def test_seed_needs_the_setting_seeds(checkout):
    assert "`SEEDS = 3`" in complaint(checkout, "def draw(seed):\n    pass\n")


@pytest.mark.parametrize("value", ["0", "True", "'5'", "[1, 1]", "[]", "[-1]", "2.0"])
def test_seeds_that_are_none_are_told_with_what_works(checkout, value):
    project = read(checkout, f"SEEDS = {value}\n\ndef draw(seed):\n    pass\n")
    with pytest.raises(BadUsage, match="it takes how many seeds"):
        project.seeds(project.settings)


def test_variable_arguments_are_refused(checkout):
    assert "takes *args" in complaint(checkout, "def table(*args):\n    pass\n")


def test_two_steps_of_one_name_are_refused(checkout):
    said = complaint(checkout, "def table():\n    pass\n\ndef table():\n    pass\n")
    assert "two steps named `table`" in said


def test_a_syntax_error_names_its_line(checkout):
    assert "projects/mine/project.py:2" in complaint(checkout, "X = 1\ndef table(:\n")


def test_a_step_that_calls_another_step_is_told_to_ask_for_it(checkout):
    project = read(checkout, "def table():\n    pass\n\ndef split():\n    return table()\n")
    with pytest.raises(BadUsage, match=r"def split\(table, …\)"):
        project.parts_here("split", {})


def test_a_parameter_or_local_named_like_a_setting_or_step_is_its_own(checkout):
    project = read(
        checkout,
        "SIZE = 1\n\ndef table():\n    pass\n\ndef scores():\n    pass\n\n"
        "def last(table):\n    scores = [SIZE for table in range(3)]\n    return scores\n",
    )
    assert set(project.parts_here("last", {})) == {"code", "setting SIZE"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("My-Project", "lower-case"),
        ("../escape", "lower-case"),
        ("2fast", "begins with a letter"),
        ("class", "word of Python"),
        ("match", "word of Python"),
        ("random", "standard library"),
        ("spine", "keeps for itself"),
        ("blank", "keeps for itself"),
        ("aux", "folder on Windows"),
        ("com1", "folder on Windows"),
        ("", "lower-case"),
        ("x" * 41, "40 characters"),
    ],
)
def test_names_that_cannot_be_a_project_are_refused_with_the_reason(name, why):
    with pytest.raises(BadUsage, match=why):
        check_name(name)


def test_an_unknown_project_is_told_with_the_nearest_one(checkout):
    checkout.write("birds", "def table():\n    pass\n")
    with pytest.raises(BadUsage, match="Did you mean `birds`"):
        Project(checkout.root, "brids")


def test_an_overridden_setting_reaches_what_is_computed_from_it(checkout):
    project = read(checkout, "SIZE = 2\nAREA = SIZE * SIZE\n")
    assert project.load({"SIZE": 5}).AREA == 25
    assert project.load().AREA == 4


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("SIEZ=3", "Did you mean `SIZE`"),
        ("SIZE=big", "takes a whole number, not text"),
        ("SIZE", "write it as NAME=VALUE"),
    ],
)
def test_a_setting_that_cannot_be_tried_is_refused(checkout, pair, said):
    checkout.write("mine", "SIZE = 2\n\ndef table():\n    return SIZE\n")
    outcome = checkout.command("run", "mine", "--set", pair)
    assert outcome.code == 2
    assert said in outcome.err


def names_reached(checkout, body: str) -> set[str]:
    source = f"LIMIT = 3\nDATA = [1]\n\n\ndef _clean(x):\n    return x\n\n\n{body}"
    project = read(checkout, source)
    return set(project.parts_here(list(project.steps)[-1], {})) - {"code"}


@pytest.mark.parametrize(
    ("body", "reached"),
    [
        ("def a():\n    return sorted(DATA, key=lambda LIMIT: LIMIT)[:LIMIT]\n", {"LIMIT", "DATA"}),
        ("def a():\n    n = [w for _clean in DATA for w in ()]\n    return _clean(n)\n",
         {"DATA", "_clean"}),
        ("def a():\n    def inner(LIMIT):\n        return LIMIT\n    return inner(1)\n", set()),
        ("def a():\n    def inner():\n        return LIMIT\n    return inner()\n", {"LIMIT"}),
        ("def a(size=LIMIT):\n    return size\n", {"LIMIT"}),
        ("def a():\n    return [DATA for DATA in range(LIMIT)]\n", {"LIMIT"}),
        ("def a():\n    return {x: LIMIT for x in (y for y in DATA)}\n", {"LIMIT", "DATA"}),
    ],
)  # fmt: skip
def test_names_are_told_apart_by_scope(checkout, body, reached):
    assert {part.split()[-1] for part in names_reached(checkout, body)} == reached


def test_a_setting_is_a_name_that_is_set_once_to_a_value_json_can_hold(checkout):
    project = read(
        checkout,
        "SIZE: int = 2\nCONFIG = {'a': 1}\nCONFIG['b'] = 2\nA = B = 3\nC, D = 1, 2\n"
        "KEEP = {'x', 'y'}\nEMPTY: int\n\n\ndef table():\n    return [CONFIG, KEEP, A, C, SIZE]\n",
    )
    assert project.settings == {"SIZE": 2}
    parts = project.parts_here("table", {})
    assert set(parts) == {
        "code", "helper A", "helper C", "helper CONFIG", "helper KEEP", "setting SIZE",
    }  # fmt: skip


def test_a_crawl_in_a_helper_counts_as_the_steps_own(checkout):
    source = HEAD + "def _go():\n    return crawl(START, follow='a')\n\n\n"
    project = read(
        checkout, source + "def pages():\n    return _go()\n\n\ndef rows(page):\n    pass\n"
    )
    assert project.steps["pages"].crawls
    assert project.steps["rows"].pages_from == "pages"


def test_a_computed_seeds_is_told_to_be_written_out(checkout):
    project = read(checkout, "SEEDS = range(3)\n\n\ndef draw(seed):\n    return seed\n")
    with pytest.raises(BadUsage, match="written out"):
        project.seeds(project.settings)


@pytest.mark.parametrize("name", ["page", "seed"])
def test_a_step_cannot_take_a_name_that_fans_out(checkout, name):
    assert f"cannot be named `{name}`" in complaint(checkout, f"def {name}():\n    pass\n")


def test_pages_from_the_archive_count_as_a_crawl(checkout):
    source = "import scraping\n\n\ndef pages():\n    return scraping.archived()\n\n\n"
    project = read(checkout, source + "def rows(page):\n    pass\n")
    assert project.steps["pages"].crawls
    assert project.steps["pages"].fetches
    assert project.steps["rows"].pages_from == "pages"


def test_archived_and_crawl_are_two_that_give_pages(checkout):
    source = "from scraping import archived, crawl\n\n\ndef saved():\n    return archived()\n\n\n"
    source += "def pages():\n    return crawl('http://sandbox/', follow=None)\n\n\n"
    assert "both crawl" in complaint(checkout, source + "def rows(page):\n    pass\n")


def test_a_download_may_ask_the_network_and_gives_no_pages(checkout):
    source = (
        "from scraping import download as get\n\n\ndef _file():\n    return get('http://x/')\n\n\n"
    )
    project = read(checkout, source + "def table():\n    return _file()\n")
    assert project.steps["table"].fetches
    assert not project.steps["table"].crawls
    message = complaint(
        checkout, source + "def table():\n    return _file()\n\n\ndef rows(page):\n    pass\n"
    )
    assert "no earlier step calls crawl() or archived()" in message


def test_a_function_of_ones_own_of_that_name_is_none_of_scrapings(checkout):
    source = "from statistics import mean as download\n\n\ndef _crawl():\n    pass\n\n\n"
    project = read(checkout, source + "def table():\n    return _crawl(), download([1])\n")
    assert not project.steps["table"].fetches


def test_fresh_asks_for_a_download_again(checkout, monkeypatch):
    from scraping.sources import files

    asked = []
    before = files._had

    def had(*arguments):
        asked.append(arguments[0])
        return before(*arguments)

    monkeypatch.setattr(files, "_had", had)
    checkout.write(
        "mine",
        "from scraping import download\n\n\ndef table():\n"
        "    return download('http://sandbox/robots.txt').read_text()\n",
    )
    for options, times in (((), 1), (("--again",), 1), (("--fresh",), 2)):
        outcome = checkout.command("scrape", "mine", "--debug", *options)
        assert outcome.code == 0, outcome.err
        assert len(asked) == times, options
