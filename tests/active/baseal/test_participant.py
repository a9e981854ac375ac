from __future__ import annotations

import pickle
import random
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from antiphon.active.baseal.model_view import ArrayClassifier, Linear, classifier_of
from antiphon.active.baseal.participant import load_sampling
from antiphon.active.baseal.whole_set import Frame, data_frame
from antiphon.active.learner.config import LoopConfig
from antiphon.active.learner.loop import run_loop
from antiphon.active.learner.schedule import Schedule
from antiphon.errors import FileError, UserError
from tests.active.baseal.heads import FixedHead, example_pool, small_set

# The interface of BaseAL's file, written anew.
CLASS = """
import numpy as np

class SamplingStrategy:
    def __init__(self, method="random", n_samples=20, random_state=None):
        if method not in ("random", "margin", "custom"):
            raise ValueError(f"unknown method {method}")
        self.method, self.n_samples = method, n_samples
        self.rng = np.random.default_rng(random_state)
        self.calls = 0

    def select(self, unlabeled_indices, predictions=None, embeddings=None, model=None,
               metadata=None, labeled_indices=None, labels=None, mc_predictions=None):
        self.calls += 1
        self.seen = dict(locals())
        utility = np.asarray(getattr(self, "_" + self.method)(), dtype=np.float32)
        top = np.argsort(utility)[-min(self.n_samples, len(unlabeled_indices)):]
        return np.array(unlabeled_indices)[top].tolist(), utility

    def _random(self):
        return self.rng.random(len(self.seen["unlabeled_indices"]), dtype=np.float32)

    def _margin(self):
        p = self.seen["predictions"][self.seen["unlabeled_indices"]]
        return 1 - 2 * np.abs(p - 0.5).mean(axis=1)

    def _custom(self):
        return {body}
"""


def written(tmp_path: Path, body: str = "self._random()", before: str = "") -> Path:
    path = tmp_path / "sampling.py"
    path.write_text(textwrap.dedent(before) + CLASS.replace("{body}", body))
    return path


def test_a_baseal_margin_chooses_the_least_sure_first(tmp_path: Path) -> None:
    pool = example_pool(3)
    chosen = load_sampling(written(tmp_path), "margin")(pool, 5)
    doubt = 1 - 2 * np.abs(pool.probabilities[pool.candidates()] - 0.5).mean(axis=1)
    np.testing.assert_array_equal(chosen.rows, pool.candidates()[np.argsort(-doubt)[:5]])
    np.testing.assert_allclose(chosen.utility, np.sort(doubt)[::-1][:5], rtol=1e-6)


def test_random_follows_the_generator_of_the_run(tmp_path: Path) -> None:
    pool = example_pool(3)
    chosen = load_sampling(written(tmp_path), "random")(pool, 5)
    draw = example_pool(3).generator.random(60, dtype=np.float32)
    np.testing.assert_array_equal(chosen.rows, pool.candidates()[np.argsort(-draw)[:5]])


@pytest.mark.parametrize("multilabel", [True, False])
def test_what_a_participant_sees(tmp_path: Path, multilabel: bool) -> None:
    strategy = load_sampling(written(tmp_path))
    table = pa.table({"site": ["a", "b"] * 40})
    pool = replace(example_pool(3, multilabel=multilabel), metadata=table)
    shuffle = np.random.default_rng(4).permutation(20)
    shuffled = replace(pool, labelled=pool.labelled[shuffle], labels=pool.labels[shuffle])
    strategy(shuffled, 4)
    seen = pool.cache["participant"].seen
    assert seen["unlabeled_indices"] == pool.candidates().tolist()
    assert seen["labeled_indices"] == sorted(pool.labelled.tolist())
    labels = pool.labels
    np.testing.assert_array_equal(seen["labels"], labels if multilabel else labels.argmax(axis=1))
    np.testing.assert_array_equal(seen["predictions"], pool.probabilities)
    np.testing.assert_array_equal(seen["embeddings"], pool.embeddings)
    assert seen["mc_predictions"] is None
    seen["predictions"][:] = 0.0
    assert pool.probabilities.max() > 0.0
    assert list(seen["metadata"].columns) == ["site", "filename"]
    assert seen["metadata"]["filename"][79] == "row_000079"
    assert seen["self"].n_samples == 4
    assert seen["self"].rng is pool.generator


def test_all_rows_of_a_set_as_in_baseal(tmp_path: Path) -> None:
    """Indices are those of the set; a run is the same as with the pool's own rows."""
    data = replace(
        small_set(multilabel=True), metadata=pa.table({"site": [f"s{i % 3}" for i in range(140)]})
    )
    path = written(tmp_path)
    config = LoopConfig(budget=24, schedule=Schedule((8,)), epochs=1)
    plain, whole = load_sampling(path, "margin"), load_sampling(path, "margin").on(data)
    ours, theirs = run_loop(data, plain, config, 1), run_loop(data, whole, config, 1)
    assert [c.rows for c in ours.cycles] == [c.rows for c in theirs.cycles]

    pool_rows = data.pool()
    head = FixedHead(data.embeddings[pool_rows], 5)
    pool = replace(
        example_pool(3, n=len(pool_rows), dim=10, n_labels=5),
        embeddings=data.embeddings[pool_rows],
        head=head,
    )
    chosen = whole(pool, 6)
    assert set(chosen.rows.tolist()) <= set(pool.candidates().tolist())
    seen = pool.cache["participant"].seen
    assert seen["unlabeled_indices"] == pool_rows[pool.candidates()].tolist()
    assert seen["labeled_indices"] == pool_rows[pool.labelled].tolist()
    assert seen["embeddings"].shape == (140, 10)
    assert len(seen["metadata"]) == 140
    everywhere = FixedHead(data.embeddings, 5).probabilities()
    np.testing.assert_allclose(seen["predictions"], everywhere, atol=1e-6)
    judge = int(np.flatnonzero(data.validation)[0])
    path.write_text(
        "import numpy as np\nclass SamplingStrategy:\n    def __init__(self, **_): pass\n"
        f"    def select(self, unlabeled_indices, **_): return [{judge}], "
        "np.ones(len(unlabeled_indices))\n"
    )
    assert load_sampling(path).on(data)(replace(pool, cache={}), 1).rows.tolist() == [-1]
    again = pickle.loads(pickle.dumps(load_sampling(path).on(data)))
    assert again(replace(pool, cache={}), 1).rows.tolist() == [-1]


def test_at_the_start_there_are_no_labels(tmp_path: Path) -> None:
    strategy = load_sampling(written(tmp_path))
    pool = replace(example_pool(3, labelled=0), head=None)
    strategy(pool, 4)
    seen = pool.cache["participant"].seen
    assert seen["labels"] is None
    assert seen["labeled_indices"] == []
    np.testing.assert_array_equal(seen["predictions"], 0.5)


def test_passes_under_dropout_and_their_mean(tmp_path: Path) -> None:
    pool = example_pool(3)
    load_sampling(written(tmp_path), passes=7)(pool, 4)
    seen = pool.cache["participant"].seen
    assert seen["mc_predictions"].shape == (7, 80, 4)
    np.testing.assert_array_equal(seen["predictions"], seen["mc_predictions"].mean(axis=0))


def test_one_instance_for_each_run(tmp_path: Path) -> None:
    strategy = load_sampling(written(tmp_path))
    first, second = example_pool(3), example_pool(3)
    strategy(first, 4)
    strategy(first, 4)
    strategy(second, 4)
    assert first.cache["participant"].calls == 2
    assert second.cache["participant"].calls == 1


def test_global_generators_are_seeded_and_put_back(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    body = "np.random.rand(60) + random.random() + torch.rand(60).numpy()"
    strategy = load_sampling(written(tmp_path, body, "import random, torch\n"))

    def draws() -> list[float]:
        return [np.random.rand(), random.random(), float(torch.rand(1))]  # noqa: NPY002

    def seed() -> None:
        np.random.seed(5)  # noqa: NPY002
        random.seed(6)
        torch.manual_seed(7)

    seed()
    expected = draws()
    seed()
    first = strategy(example_pool(3), 5)
    assert draws() == expected
    np.testing.assert_array_equal(first.rows, strategy(example_pool(3), 5).rows)
    other = replace(example_pool(3), generator=np.random.default_rng(99))
    assert not np.array_equal(first.rows, strategy(other, 5).rows)


def test_a_utility_of_nan(tmp_path: Path) -> None:
    body = "np.where(np.arange(60) == 7, np.nan, np.linspace(0, 1, 60))"
    pool = example_pool(3)
    with pytest.raises(UserError, match=r"sampling\.py \(custom\): 1 of 60 utilities are NaN"):
        load_sampling(written(tmp_path, body))(pool, 5)
    chosen = load_sampling(written(tmp_path, body), compat=True)(example_pool(3), 5)
    assert chosen.rows[0] == pool.candidates()[7]
    assert np.isfinite(chosen.utility).all()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("None", "returned NoneType"),
        ("(unlabeled_indices[:3], np.ones(3))", "3 utilities for 60 candidates"),
        ("([0.5, 1.5], np.ones(60))", "rows of type float64"),
        ("(['a'], np.ones(60))", "expected whole numbers"),
    ],
)
def test_an_answer_that_is_none(tmp_path: Path, answer: str, message: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\nclass SamplingStrategy:\n"
        "    def __init__(self, method, n_samples): pass\n"
        f"    def select(self, unlabeled_indices, **rest): return {answer}\n"
    )
    with pytest.raises(UserError, match=rf"mine\.py.*{message}"):
        load_sampling(path)(example_pool(3), 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import faiss_that_is_not_here", "imports 'faiss_that_is_not_here', which is not inst"),
        ("1 / 0", "ZeroDivisionError"),
        ("def f(:", "SyntaxError"),
        ("x = 1", "no class SamplingStrategy"),
        (
            "class SamplingStrategy:\n    def __init__(self, **_): raise ValueError('only mine')",
            r"SamplingStrategy\(method='custom', n_samples=1\) fails: only mine",
        ),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "sampling.py"
    path.write_text(text)
    with pytest.raises(FileError, match=rf"sampling\.py: .*{message}"):
        load_sampling(path)
    with pytest.raises(FileError, match="no such file"):
        load_sampling(tmp_path / "other.py")


def test_faiss_is_named_as_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    path = written(tmp_path, before="import faiss\n")
    with pytest.raises(FileError, match=r"imports 'faiss'.*pip install faiss-cpu"):
        load_sampling(path)


def test_a_module_beside_the_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "my_helper_of_the_test.py").write_text("VALUE = 3\n")
    path = written(tmp_path, before="from my_helper_of_the_test import VALUE\n")
    assert load_sampling(path).name == "sampling"


def test_it_reaches_another_process(tmp_path: Path) -> None:
    strategy = load_sampling(written(tmp_path), "margin")
    again = pickle.loads(pickle.dumps(strategy))
    np.testing.assert_array_equal(again(example_pool(3), 5).rows, strategy(example_pool(3), 5).rows)


def test_the_model_of_a_participant_is_the_head() -> None:
    points = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    head = FixedHead(points, 3)
    w1, b1, w2, b2 = head.weights()
    plain = ArrayClassifier(Linear(w1, b1), Linear(w2, b2), 0.2)
    np.testing.assert_allclose(plain.get_embedding(points), head.hidden(), rtol=1e-6)
    logits, hidden = plain(points, return_embedding=True)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), head.probabilities(), rtol=1e-5)
    np.testing.assert_allclose(hidden, head.hidden(), rtol=1e-6)
    weight = plain.classifier.weight.detach().cpu().numpy()
    np.testing.assert_array_equal(weight, head.output_weight())
    assert (plain.input_dim, plain.hidden_dim, plain.num_classes) == (5, 10, 3)
    assert sum(p.size for p in plain.eval().parameters()) == 10 * 5 + 10 + 3 * 10 + 3
    assert classifier_of(object()) is None


def test_the_model_is_a_torch_module_where_torch_is() -> None:
    torch = pytest.importorskip("torch")
    points = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    head = FixedHead(points, 3)
    model = classifier_of(head, 0.25)
    assert isinstance(model, torch.nn.Module)
    with torch.no_grad():
        probability = torch.sigmoid(model(torch.from_numpy(points))).numpy()
    np.testing.assert_allclose(probability, head.probabilities(), atol=1e-6)
    np.testing.assert_allclose(
        model.get_embedding(torch.from_numpy(points)).numpy(), head.hidden(), atol=1e-6
    )
    assert model.dropout.p == 0.25
    # A copy: what a participant does to it leaves the head as it is.
    before = head.output_weight().copy()
    with torch.no_grad():
        model.classifier.weight.zero_()
    np.testing.assert_array_equal(head.output_weight(), before)


def test_metadata_without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    frame = data_frame(pa.table({"hour": [1, 2], "filename": ["a", "b"]}), 2)
    assert isinstance(frame, Frame)
    assert frame.columns == ["hour", "filename"]
    assert len(frame) == 2
    assert "hour" in frame
    assert frame["filename"].tolist() == ["a", "b"]
    assert data_frame(None, 2) is None
