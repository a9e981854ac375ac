import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from jinja2 import DictLoader
from jinja2.exceptions import UndefinedError

from antiphon.plots.page import (
    Cell,
    Column,
    Section,
    environment,
    facts,
    figure,
    folded,
    render_page,
    switch,
    table,
)
from antiphon.plots.svg import drawing, element

HOSTILE = "</title><script>alert(1)</script>"
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Reader(HTMLParser):
    """Checks that elements nest, and gathers them with their attributes."""

    def __init__(self):
        super().__init__()
        self.open, self.elements = [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader.elements


def page(body="", title="Title"):
    return render_page(title, [Section("one", "First", body), Section("two", HOSTILE, "")])


def test_page_nests_and_navigates():
    elements = read(page(element("p", "x")))
    anchors = [a["href"] for tag, a in elements if tag == "a"]
    assert anchors == ["#content", "#one", "#two"]
    assert [a["id"] for tag, a in elements if tag == "section"] == ["one", "two"]
    assert [tag for tag, _ in elements].count("h1") == 1
    assert ("html", {"lang": "en"}) in elements


def test_page_asks_for_nothing_outside():
    html = page(drawing(10, 10, "d"))
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", html)
    assert "@import" not in html
    assert "url(" not in html
    policy = next(a["content"] for t, a in read(html) if "http-equiv" in a)
    assert policy.startswith("default-src 'none'")


def test_policy_allows_the_pages_own_script_only():
    html = page(title=HOSTILE)
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = next(a["content"] for t, a in read(html) if "http-equiv" in a)
    assert f"script-src 'sha256-{digest}'" in policy


def test_light_dark_and_print_are_styled():
    html = page()
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    # Series colours are filled in for both.
    assert html.count("--s7:#") == 3


def test_table_has_headings_and_sort_keys():
    made = table(
        [Column("Class"), Column("n", numeric=True, hint="windows")],
        [["wren", Cell("1,200", 1200)], [HOSTILE, Cell("?", float("nan"))]],
        caption="Counts",
    )
    elements = read(made)
    assert [a.get("scope") for t, a in elements if t == "th"] == ["col", "col", "row", "row"]
    keys = [a.get("data-sort") for t, a in elements if t == "td"]
    assert keys == ["1200", None]
    assert "<script>" not in made


@pytest.mark.parametrize(("rows", "kinds"), [(3, (0, 0)), (20, (1, 0)), (50, (1, 1))])
def test_long_tables_can_be_filtered_and_scroll(rows, kinds):
    made = table([Column("a")], [[str(k)] for k in range(rows)], caption="c")
    assert (made.count("filterable"), made.count("wide tall")) == kinds


def test_rows_must_fit_the_columns():
    with pytest.raises(ValueError, match="zip"):
        table([Column("a")], [["1", "2"]], caption="c")


def test_switch_of_one_has_nothing_to_choose():
    assert switch("Site", [("a", element("p"))]) == "<div><h3>a</h3><p/></div>"
    both = read(switch("Site", [("a", element("p", "")), (HOSTILE, element("p", ""))]))
    assert [a["data-title"] for t, a in both if a.get("class") == "panel"] == ["a", HOSTILE]


def test_figure_folds_its_numbers():
    made = figure(drawing(10, 10, "d"), "Caption", data=element("p", "numbers"))
    tags = [tag for tag, _ in read(made)]
    assert tags.index("svg") < tags.index("figcaption") < tags.index("details")
    assert read(folded("More", element("p", "x")))


def test_facts():
    assert "<dt>seed</dt><dd>&lt;0&gt;</dd>" in facts([("seed", "<0>")])


def test_templates_escape_and_refuse_unknown_names():
    templates = environment(DictLoader({"a.txt": "{{ name }}", "b": "{{ typo }}"}))
    assert templates.get_template("a.txt").render(name="<b>") == "&lt;b&gt;"
    with pytest.raises(UndefinedError):
        templates.get_template("b").render()
