"""CIDEr-D and ROUGE-L against hand-worked cases and a second, plain implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import UserError
from antiphon.language.benchmark.captions import cider_d, rouge_l


def test_cider_d_by_hand():
    # Every n-gram is in one of two items, so all weights are ln 2 and cancel. The first caption
    # is its reference: 1 for words and pairs, 0 for longer n-grams, which there are none of. The
    # second shares one of two words.
    found = cider_d(["a b", "c e"], [["a b"], ["c d"]])
    assert found == pytest.approx([10 * (1 + 1) / 4, 10 * 0.5 / 4])


def test_another_length_is_penalised():
    found = cider_d(["a", "c d"], [["a b"], ["c d"]])
    assert found[0] == pytest.approx(10 * math.exp(-1 / 72) / math.sqrt(2) / 4)


def test_a_perfect_caption_of_four_words_scores_ten_and_common_words_nothing():
    found = cider_d(["One two three four.", "x"], [["one TWO three four"], ["other words"]])
    assert found == pytest.approx([10.0, 0.0])
    assert cider_d(["the", "the"], [["the"], ["the"]]) == pytest.approx([0.0, 0.0])


def test_repeating_a_word_does_not_pay():
    once, often = (
        cider_d([text, "z"], [["frog calls"], ["bird sings"]])[0]
        for text in ("frog calls", "frog frog calls calls")
    )
    assert often < once


def test_one_item_has_no_rare_words():
    assert np.isnan(cider_d(["a b"], [["a b"]])).all()


def plain_cider_d(captions: list[str], references: list[list[str]]) -> list[float]:
    """The equations of the paper with dense vectors over the whole vocabulary."""

    def grams(text: str, n: int) -> list[str]:
        said = text.split()
        return [" ".join(said[i : i + n]) for i in range(len(said) - n + 1)]

    out = []
    for caption, mine in zip(captions, references, strict=True):
        total = 0.0
        for n in (1, 2, 3, 4):
            vocabulary = sorted(
                {g for t in [*captions, *(r for rs in references for r in rs)] for g in grams(t, n)}
            )
            if not vocabulary:
                continue
            holding = np.array(
                [sum(any(g in grams(r, n) for r in rs) for rs in references) for g in vocabulary]
            )
            rarity = np.log(len(references) / np.maximum(holding, 1))

            def vector(text: str, n=n, vocabulary=vocabulary, rarity=rarity) -> np.ndarray:
                return np.array([grams(text, n).count(g) for g in vocabulary]) * rarity

            own = vector(caption)
            for reference in mine:
                true = vector(reference)
                length = np.linalg.norm(own) * np.linalg.norm(true)
                apart = len(caption.split()) - len(reference.split())
                if length > 0:
                    shared = np.minimum(own, true) @ true / length
                    total += shared * math.exp(-(apart**2) / 72) / len(mine)
        out.append(10 * total / 4)
    return out


SENTENCE = st.lists(st.sampled_from("abcd"), min_size=1, max_size=6).map(" ".join)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(SENTENCE, st.lists(SENTENCE, min_size=1, max_size=2)), min_size=2, max_size=4
    )
)
def test_cider_d_is_that_of_a_plain_implementation(items):
    captions, references = [c for c, _ in items], [r for _, r in items]
    assert cider_d(captions, references) == pytest.approx(plain_cider_d(captions, references))


def test_rouge_l_by_hand():
    # The common subsequence has 3 words: precision 3/3, recall 3/6.
    found = rouge_l(["the cat sat"], [["the cat on the mat sat"]])
    assert found == pytest.approx([2.44 * 0.5 / (0.5 + 1.44)])
    # Precision from the second reference, recall from the first.
    assert rouge_l(["a b"], [["b", "a b c"]]) == pytest.approx([1.0])
    assert rouge_l(["", "x"], [["a"], ["a"]]) == pytest.approx([0.0, 0.0])


def test_captions_need_references():
    with pytest.raises(UserError, match="for 1"):
        cider_d(["a", "b"], [["a"]])
    with pytest.raises(UserError, match="at least one"):
        rouge_l(["a"], [[]])
