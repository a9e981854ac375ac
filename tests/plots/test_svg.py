from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from antiphon.plots.svg import drawing, element, empty, number, path, shorten, text

HOSTILE = "<script>alert('1')</script> & \"quoted\""


@pytest.mark.parametrize(
    ("value", "written"),
    [(1.0, "1"), (1.25, "1.25"), (0.1 + 0.2, "0.3"), (-0.001, "0"), (100.0, "100"), (-2.5, "-2.5")],
)
def test_numbers_are_short(value, written):
    assert number(value) == written


def test_number_refuses_what_cannot_be_drawn():
    with pytest.raises(ValueError, match="nan"):
        number(float("nan"))


def test_element_names_attributes_and_nests():
    made = element("g", element("rect", x=1, class_="bar", stroke_width=2.0, rx=None), "a < b")
    assert made == '<g><rect x="1" class="bar" stroke-width="2"/>a &lt; b</g>'


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Z"])))
def test_any_text_and_attribute_survives_a_parser(content):
    tree = ElementTree.fromstring(element("text", content, aria_label=content))
    assert (tree.text or "") == content
    assert tree.get("aria-label") == content


def test_hostile_text_makes_no_element():
    drawn = ElementTree.fromstring(drawing(10, 10, HOSTILE, text(HOSTILE, 1, 2)))
    assert [child.tag.split("}")[1] for child in drawn] == ["title", "text"]
    assert drawn.get("aria-label") == HOSTILE


def test_markup_is_kept():
    assert element("p", Markup("<b>x</b>")) == "<p><b>x</b></p>"


def test_path_closes():
    assert path([(0, 0), (1, 2.04)], closed=True) == "M0,0 1,2Z"
    assert path([]) == ""


def test_shorten_keeps_the_length():
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"


def test_empty_says_why():
    assert "no labels" in empty("Quality", "no labels")
