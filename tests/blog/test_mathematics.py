"""Formulas in Markdown: where they begin and end, what becomes of them, and what never gets in."""

import contextlib
import logging
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree.ElementTree import tostring

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown import Markdown

from blog import escape, site
from blog.errors import SiteError
from blog.mathml import BadFormula, mathml
from models import backprop

# As in blog/site.yml, which a test below holds them to.
EXTENSIONS = [
    "abbr", "admonition", "attr_list", "footnotes", "md_in_html", "tables", "toc",
    "pymdownx.details", "pymdownx.highlight", "pymdownx.superfences", "blog.mathematics",
]  # fmt: skip
# MathML Core, https://www.w3.org/TR/mathml-core/#mathml-elements-and-attributes
CORE = {
    "math", "merror", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom",
    "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd",
    "mtext", "mtr", "munder", "munderover",
}  # fmt: skip


def page(text: str) -> str:
    return Markdown(extensions=EXTENSIONS).convert(text)


def shown(html: str) -> str:
    """What a reader sees of the page, without marks."""
    return re.sub(r"<[^>]+>", "", html)


def inner(latex: str, *, display: bool = False) -> str:
    """What stands within the formula's outermost row."""
    (row,) = mathml(latex, display=display)
    return "".join(tostring(part, encoding="unicode") for part in row)


# ---- Where a formula begins and ends ----


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $6.",
        "From US$5/US$6 to $7–$8.",
        r"An escaped \$x\$ stays.",
        "A lone $ sign, and $ x $ with room.",
        "Code: `$x$` and `` $y$ ``.",
        "```\n$x$\n$$\ny\n$$\n```",
        "    $x$ in an indented block",
        "Between two spans of code: $5, `x`, 6$.",
        "[a link](http://host/?a=$b&c=$d)",
        '<span title="$x$">words</span>',
        "&#36;x&#36;",
        "A token [[scores.cnn]] and a reference[^1].\n\n[^1]: A note.",
    ],
)
def test_what_is_no_formula_stays_as_it_is(text):
    assert "<math" not in page(text)


def test_a_formula_in_a_line_meets_no_other_syntax():
    html = page(r"Let $a_1*b*c_2$, **bold $x$**, $n$*-gram*, the $k$th, $\{y\}$ and `$z$`.")
    assert html.count("<math>") == 5
    assert "<em>-gram</em>" in html
    assert "</math><em>" in html  # nothing between, not even a line feed
    assert "<msub><mi>a</mi><mn>1</mn></msub>" in html
    assert '<mo stretchy="false">{</mo><mi>y</mi>' in html
    assert "<code>$z$</code>" in html


def test_a_formula_may_run_over_the_end_of_a_line():
    assert page("Let $a +\nb$ be.").count("<math>") == 1


def test_less_and_greater_than_are_no_tags():
    html = page("Where $a<b$ and $c>d$, also $x<p$.")
    assert html.count("<math>") == 3
    assert html.count("<mo>&lt;</mo>") == 2
    assert "<p$" not in html


@pytest.mark.parametrize(
    "text",
    [
        "$$\nx\n$$",
        "$$x$$",
        "words before\n$$\nx\n$$\nwords after",
        "- an item\n\n    $$\n    x\n    $$\n",
        "> $$\n> x\n> $$",
        '??? note "Title"\n\n    $$\n    x\n    $$\n',
        "$$\nx\n$$\n\n$$\ny\n$$",
    ],
)
def test_a_formula_on_lines_of_its_own_is_a_block_that_can_be_scrolled(text):
    html = page(text)
    assert re.search(r'<div class="folio-formula"><math display="block">', html)
    assert "$" not in html
    assert "<p></p>" not in html


def test_two_dollar_signs_within_a_line_make_a_line_of_its_own():
    html = page("It is $$x$$ where $$y$$ is.")
    assert html.count('<span class="folio-formula"><math display="block">') == 2


def test_lines_of_a_formula_are_no_list_no_quotation_and_no_heading():
    html = page("$$\n\\begin{aligned}\na &= b \\\\\n- c\n+ d\n> e\n= f\n\\end{aligned}\n$$")
    assert html.count("<math") == 1
    assert not re.search("<(ul|blockquote|h1|p)", html)


def test_formulas_stand_in_tables_headings_captions_links_and_descriptions():
    html = page(
        "## The $\\lambda$ term\n\n| a | b |\n| - | - |\n| $x_1$ | $\\|y\\|$ |\n\n"
        "[so $z$](#the-term)\n\n![a loss $L$](a.svg)\n\n"
        '<figure markdown>\n<figcaption markdown="span">$c$</figcaption>\n</figure>\n'
    )
    assert html.count("<math>") == 5
    assert html.count("<td>") == 2
    assert 'alt="a loss L"' in html
    assert '<h2 id="the-term">' in html


def test_an_abbreviation_does_not_reach_into_a_formula():
    html = page("The KL of $\\mathrm{KL}$.\n\n*[KL]: divergence\n")
    assert html.count("<abbr") == 1
    assert "<mi>KL</mi>" in html


# ---- What becomes of it ----


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"x_i^2", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
        (r"\mathrm{relu}", "<mrow><mi>relu</mi></mrow>"),
        (r"\mathrm{d}", '<mi mathvariant="normal">d</mi>'),
        (r"\mathbf{W}", "<mi>𝐖</mi>"),
        (r"\mathbb{ER}", "<mrow><mi>𝔼</mi><mi>ℝ</mi></mrow>"),
        (r"\mathcal{AL}", "<mrow><mi>𝒜</mi><mi>ℒ</mi></mrow>"),
        (r"\boldsymbol{\theta}", "<mrow><mi>𝜽</mi></mrow>"),
        (r"\infty", '<mi mathvariant="normal">∞</mi>'),
        (
            r"\partial C / 2",
            '<mi mathvariant="normal">∂</mi><mi>C</mi><mo lspace="0" rspace="0">/</mo><mn>2</mn>',
        ),
        (r"a \sim b", "<mi>a</mi><mo>∼</mo><mi>b</mi>"),
        (r"\langle x \rangle", '<mo stretchy="false">⟨</mo><mi>x</mi><mo stretchy="false">⟩</mo>'),
        (r"a - 1", "<mi>a</mi><mo>−</mo><mn>1</mn>"),
        (r"= -1", '<mo>=</mo><mo form="prefix">−</mo><mn>1</mn>'),
        (r"\text{if } x", "<mtext>if\xa0</mtext><mi>x</mi>"),
        (r"\log x", '<mi>log</mi><mspace width="0.167em" /><mi>x</mi>'),
        (
            r"y \log(x)",
            '<mi>y</mi><mspace width="0.167em" /><mi>log</mi><mo stretchy="false">(</mo>'
            '<mi>x</mi><mo stretchy="false">)</mo>',
        ),
        (r"a\!b", '<mi>a</mi><mspace width="-0.167em" /><mi>b</mi>'),
        (
            r"\sum_k x",
            '<munder><mo movablelimits="true">∑</mo><mi>k</mi></munder><mi>x</mi>',
        ),
    ],
)  # fmt: skip
def test_signs_and_letters_are_those_that_browsers_set_as_tex_does(latex, expected):
    assert inner(latex) == expected


@pytest.mark.parametrize("latex", [r"|a| + b", r"\lVert a \rVert^2 + b", r"\left|a\right| + b"])
def test_a_sign_after_a_bar_that_closes_stands_between_two(latex):
    assert "<mo>+</mo><mi>b</mi>" in inner(latex)


def test_a_sign_after_a_bar_that_opens_is_that_of_a_number():
    assert '<mo form="prefix">−</mo><mi>a</mi>' in inner(r"b + |-a|")


def test_limits_stand_below_even_between_parentheses_that_grow():
    assert "<munder>" in inner(r"\left( \sum_k x \right)", display=True)
    assert "<munder>" in inner(r"\max_\theta x", display=True)


def test_aligned_lines_are_a_table_of_two_columns():
    (row,) = mathml("\\begin{aligned} a &= b \\\\ &= c \\end{aligned}", display=True)
    (table,) = row
    assert table.tag == "mtable"
    assert [len(line) for line in table] == [2, 2]
    assert [cell.get("columnalign") for cell in table[0]] == ["right", "left"]


def test_parentheses_grow_with_their_own_matrix_only():
    (row,) = mathml(
        r"x = \begin{pmatrix} 1 \\ 2 \end{pmatrix}, \quad y = \begin{vmatrix} 3 \end{vmatrix}"
    )
    matrices = [part for part in row if part.tag == "mrow"]
    assert [[part.text for part in whole] for whole in matrices] == [
        ["(", None, ")"],
        ["|", None, "|"],
    ]
    assert all(side.get("stretchy") == "true" for whole in matrices for side in whole[::2])


FIELD = [
    r"p_\theta(x \mid z) = \frac{p(z \mid x)\, p(x)}{p(z)}",
    r"\mathcal{L} = \mathbb{E}_{q}\left[ \log p(x \mid z) \right] - D_{\mathrm{KL}}(q \,\|\, p)",
    r"\min_G \max_D \mathbb{E}_x[\log D(x)] + \mathbb{E}_z[\log(1 - D(G(z)))]",
    r"\left( \lVert \nabla_{\hat{x}} D(\hat{x}) \rVert_2 - 1 \right)^2",
    r"h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde{h}_t",
    r"\operatorname{softmax}(z)_j = \frac{e^{z_j / T}}{\sum_k e^{z_k / T}}",
    r"f(x) = \begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\theta^\ast = \argmin_\theta \frac{1}{n} \sum_{i=1}^{n} \ell(f_\theta(x_i), y_i)",
    r"\bar{d} \pm t_{0.975,\, n-1} \, \frac{s}{\sqrt{n}}, \quad \overline{ab}, \underline{ab}",
    r"\mathbb{R}^{h \times w \times c}, \; \lfloor x \rfloor, \; \sqrt[3]{x}, \; \binom{n}{k}",
]


@pytest.mark.parametrize("latex", FIELD)
def test_the_formulas_of_the_field_are_mathml_core(latex):
    formula = mathml(latex, display=True)
    assert {part.tag for part in formula.iter()} <= CORE
    for part in formula.iter():
        assert part.get("mathvariant") in (None, "normal")
        assert not re.search(r"\\|&#?\w+;", part.text or ""), part.text


NETWORKS = [
    {"sizes": (2, 2, 1), "seed": 1},
    {"sizes": (3, 4, 3), "cost": "cross_entropy", "seed": 2},
    {"sizes": (2, 1), "activation": "tanh", "seed": 3},
    {"sizes": (2, 3, 3, 2), "activation": "relu", "head": "linear", "seed": 4},
    {"sizes": (1, 1), "cost": "cross_entropy", "x": [1e-7], "seed": 5},
]


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_all_that_folio_backprop_writes_for_a_post_is_set(network, caplog):
    worked = backprop.worked(**network)
    for text in (worked.markdown("net"), worked.sheet("all").markdown):
        html = page(text)
        assert caplog.messages == []
        assert html.count("<math") == text.count("$$") // 2 + len(
            re.findall(r"\$[^$]+\$", re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL))
        )
        assert "$" not in shown(html)
        assert "\\" not in shown(html)


# ---- What cannot be set ----


@pytest.mark.parametrize(
    ("latex", "told"),
    [
        (r"\fracc{a}{b}", r"\\fracc is not known. Did you mean \\frac\?"),
        (r"\begin{alinged} a \end{alinged}", r"\\begin{alinged} is not known; known: aligned"),
        (r"\frac{a}", r"a part is missing"),
        (r"x_1_2", r"double subscripts"),
        (r"x^", r"missing super script"),
        (r"\left( x", r"missing right"),
        (r"{a", r"{ is never closed"),
        (r"a}", r"a } closes nothing"),
        (r"\begin{aligned} a", r"\\begin{aligned} is never closed"),
        (r"\begin{cases} {a \end{cases} }", r"\\end{cases} closes nothing"),
        (r"a & b", r"& belongs between"),
        (r"a \\ b", r"\\\\ belongs between"),
        (r"\begin{aligned} a \\[2pt] b \end{aligned}", r"takes no length"),
        (r"50% of", r"% by itself is not known; as a sign it is written \\%"),
        (r"\operatorname{arg\,max}", r"letters only; arg max is written \\argmax"),
        (r"\text{a {b} c}", r"words only"),
        (r"\text{50\% of}", r"words only"),
        (r"\color{red} x", r"\\color is not known"),
        (r"\newcommand{\a}{\a} \a", r"\\newcommand is not known"),
        (" ", "is empty"),
        ("{" * 3000 + "}" * 3000, "recursion"),
    ],
)  # fmt: skip
def test_a_broken_formula_is_told_with_what_would_work(latex, told):
    with pytest.raises(BadFormula, match=told):
        mathml(latex)


def test_a_formula_that_is_never_closed_is_no_text(caplog):
    html = page("$$\nx = 1\n\nwords")
    assert "no $$ closes it before the next blank line" in caplog.text
    assert "folio-bad-formula" in html


def test_a_broken_formula_fails_the_build_with_file_and_line_and_the_rest_is_told_too(root):
    docs = root / "blog" / "docs"
    (docs / "broken.md").write_text(
        "---\ntitle: Broken\n---\n\n# Broken\n\nFirst $\\fracc{1}{2}$.\n\n$$\nx_1_2\n$$\n", "utf-8"
    )
    with pytest.raises(SiteError) as raised:
        site.build(root)
    told = str(raised.value).replace("\\", "/")
    assert "blog/docs/broken.md:7: the formula `/fracc{1}{2}`: /fracc is not known" in told
    assert "blog/docs/broken.md:10: the formula `x_1_2`: it cannot be read" in told


def test_a_broken_formula_is_shown_as_it_was_written(caplog):
    html = page(r"So $\foo<b>{\text{&lt;}}$ is.")
    assert '<code class="folio-bad-formula" title="\\foo is not known.">' in html
    assert shown(html) == r"So \foo&lt;b&gt;{\text{&amp;lt;}} is."
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


# ---- What never gets in ----


class Tags(HTMLParser):
    """Collects elements and attributes as a browser would read them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{&lt;script&gt;}",
        r"\text{&#60;script&#62;}",
        r"\text{&#x3c;img src=x onerror=alert(1)&#x3e;}",
        r'\text{" onclick="alert(1)}',
        r"\mathrm{<img src=x onerror=alert(1)>}",
        r"<img src=x onerror=alert(1)>",
        r"x</math><script>alert(1)</script>",
        r"\href{javascript:alert(1)}{x}",
        r"\class{a}{x}",
        r"\style{background:url(//host)}{x}",
        r"\unicode{x3c}script\unicode{x3e}",
        r"\verb|<script>|",
        r"\hbox{<script>}",
        r"\mspace{1em\" onclick=\"alert(1)}",
        r"\begin{array}{l\" onclick=\"x} a \end{array}",
    ],
)
def test_no_html_comes_out_of_a_formula(latex):
    found = Tags(page(f"So ${latex}$ is.\n\n$$\n{latex}\n$$"))
    assert found.names <= CORE | {"p", "div", "span", "code"}
    assert found.attributes <= {
        "class", "title", "display", "stretchy", "lspace", "rspace", "form", "mathvariant",
        "columnalign", "displaystyle",
    }  # fmt: skip


PIECES = re.findall(
    r"\S+",
    r"""
    \frac \sqrt \left( \right) \text{ \mathbf{ \hat \sum \log \max \lVert | { } ^ _ & ' - ~ \\ \|
    \begin{aligned} \end{aligned} \begin{pmatrix} \end{pmatrix} \begin{array}{l} \! [ x 12 é < > "
    <i> </math> &lt; &#60; % # \operatorname{ \middle| \underbrace \overset \not \limits \binom
    """,
)


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12))
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_gives_mathml_or_a_complaint(pieces):
    latex = " ".join(pieces)
    found = Tags(page(f"So ${latex}$ is.\n\n$$\n{latex}\n$$"))
    assert found.names <= CORE | {"p", "div", "code"}
    with contextlib.suppress(BadFormula):
        assert {part.tag for part in mathml(latex, display=True).iter()} <= CORE


@pytest.mark.parametrize("text", ["$x$", "$$x$$", r"\$x$", "$5 <b> $6", "a$\nb$"])
def test_text_from_elsewhere_never_is_a_formula(text):
    html = page(f"Said: {escape.markdown(text)}, and ${{}}x$.")
    assert html.count("<math>") == 1
    assert "&#36;" in html


def test_what_a_site_is_built_with_needs_neither_numpy_nor_keras():
    code = "import blog.mathematics, sys; print({'numpy', 'pandas', 'keras'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_extensions_here_are_those_of_the_site():
    text = (Path(__file__).parents[2] / "blog" / "site.yml").read_text("utf-8")
    listed = yaml.safe_load(text)["markdown_extensions"]
    assert [name if isinstance(name, str) else next(iter(name)) for name in listed] == EXTENSIONS
