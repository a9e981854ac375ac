from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from antiphon.active.base import PoolView
from antiphon.active.baseal.export import export_sampling, sampling_source
from antiphon.active.baseal.linker import gather
from antiphon.active.baseal.participant import load_sampling
from antiphon.active.baseal.source import Thing
from antiphon.active.learner.config import LoopConfig
from antiphon.active.learner.loop import run_loop
from antiphon.active.learner.schedule import Schedule
from antiphon.active.registry import get_strategy, list_strategies, select
from antiphon.errors import UserError
from tests.active.baseal.heads import FixedHead, example_pool, small_set

NAMES = [card.name for card in list_strategies()]
ALLOWED = sys.stdlib_module_names | {"numpy", "scipy", "sklearn", "threadpoolctl", "joblib"}


def exported(name: str, tmp_path: Path, **options: object) -> Path:
    path = tmp_path / "sampling.py"
    path.write_text(sampling_source(name, **options), encoding="utf-8")  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("name", NAMES)
def test_an_exported_strategy_stands_alone(name: str) -> None:
    for node in ast.walk(ast.parse(sampling_source(name))):
        modules = [n.name for n in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for module in modules:
            assert module.split(".")[0] in ALLOWED, f"{name} imports {module}"


@pytest.mark.parametrize("multilabel", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_an_exported_strategy_picks_the_same(name: str, multilabel: bool, tmp_path: Path) -> None:
    """Three cycles: what was chosen is labelled, and memory between cycles is kept."""
    card = get_strategy(name)
    loaded = load_sampling(exported(name, tmp_path), passes=_passes(name))
    ours, theirs = example_pool(5, multilabel=multilabel), example_pool(5, multilabel=multilabel)
    if _passes(name) > 1:
        theirs = ours = replace(ours, generator=np.random.default_rng(0))
        theirs = replace(ours, generator=np.random.default_rng(0), cache={})
    for cycle in range(3):
        expected = card.strategy(ours, 6)
        found = loaded(theirs, 6)
        np.testing.assert_array_equal(found.rows, expected.rows, err_msg=f"cycle {cycle}")
        assert (np.diff(found.utility) < 0).all()
        ours, theirs = _label(ours, expected.rows, cycle), _label(theirs, expected.rows, cycle)


def _passes(name: str) -> int:
    """BALD sees BaseAL's own passes under dropout; all others the plain predictions."""
    return 10 if name == "bald" else 1


def _label(pool: PoolView, rows: np.ndarray, cycle: int) -> PoolView:
    rng = np.random.default_rng(cycle)
    n_labels = pool.labels.shape[1]
    if pool.multilabel:
        new = rng.integers(0, 2, (len(rows), n_labels)).astype(np.float32)
    else:
        new = np.eye(n_labels, dtype=np.float32)[rng.integers(0, n_labels, len(rows))]
    return replace(
        pool,
        labelled=np.concatenate([pool.labelled, rows]),
        labels=np.concatenate([pool.labels, new]),
        head=FixedHead(pool.embeddings, n_labels, 100 + cycle, pool.multilabel),
        cycle=pool.cycle + 1,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_run_with_an_exported_strategy_is_the_same_run(name: str, tmp_path: Path) -> None:
    data = small_set(multilabel=True)
    config = LoopConfig(budget=30, schedule=Schedule((8, 6)), epochs=2)
    loaded = load_sampling(exported(name, tmp_path, budget=30))
    ours, theirs = run_loop(data, name, config, 3), run_loop(data, loaded, config, 3)
    assert [c.rows for c in theirs.cycles] == [c.rows for c in ours.cycles]
    assert [c.mAP for c in theirs.cycles] == [c.mAP for c in ours.cycles]


@pytest.mark.parametrize("title", ["filename", "recording"])
@pytest.mark.parametrize("name", ["capped-rarity", "antiphon"])
def test_recordings_are_known_by_a_column(name: str, title: str, tmp_path: Path) -> None:
    data = small_set(multilabel=True)
    names = [f"site{i // 7}_{i % 7 * 5:03d}_{i % 7 * 5 + 5:03d}.wav" for i in range(140)]
    cells = names if title == "filename" else [f"site{i // 7}" for i in range(140)]
    table = pa.table({title: cells})
    data = replace(data, recording=np.arange(140) // 7, filenames=tuple(names), metadata=table)
    config = LoopConfig(budget=30, schedule=Schedule((8, 6)), epochs=1)
    loaded = load_sampling(exported(name, tmp_path, budget=30))
    ours, theirs = run_loop(data, name, config, 3), run_loop(data, loaded, config, 3)
    assert [c.rows for c in theirs.cycles] == [c.rows for c in ours.cycles]


@pytest.mark.parametrize("name", ["random", "coreset", "antiphon"])
def test_the_first_batch_without_any_label(name: str, tmp_path: Path) -> None:
    loaded = load_sampling(exported(name, tmp_path))
    pools = [example_pool(2, labelled=0) for _ in range(2)]
    np.testing.assert_array_equal(loaded(pools[0], 7).rows, select(name, pools[1], 7).rows)


def test_warm_up_and_schedule_are_exported(tmp_path: Path) -> None:
    path = exported(
        "random", tmp_path, warm_up="coreset", schedule=Schedule((25, 25, 50)), budget=100
    )
    loaded = load_sampling(path)
    start = [example_pool(2, labelled=0) for _ in range(2)]
    np.testing.assert_array_equal(loaded(start[0], 5).rows, select("coreset", start[1], 5).rows)
    later = [example_pool(2) for _ in range(2)]
    np.testing.assert_array_equal(loaded(later[0], 5).rows, select("random", later[1], 5).rows)
    spaces: dict[str, object] = {}
    exec(path.read_text(encoding="utf-8"), spaces)
    size = spaces["batch_size"]
    assert callable(size)
    assert [size(n) for n in (0, 25, 40, 50, 99, 100)] == [25, 25, 10, 50, 1, 0]
    with pytest.raises(UserError, match="budget is 0"):
        sampling_source("random", budget=0)
    assert "SCHEDULE = (25, 25, 25, 25, 50, 50, 50, 50, 50, 75, 75)" in sampling_source("antiphon")


def test_it_runs_in_a_process_that_lacks_this_package(tmp_path: Path) -> None:
    exported("antiphon", tmp_path)
    code = """
import sys
sys.modules["antiphon"] = None
import numpy as np
from sampling import SamplingStrategy, densityEstimation
x = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
p = np.random.default_rng(1).random((40, 3)).astype(np.float32)
s = SamplingStrategy(method="custom", n_samples=5, random_state=3)
free = list(range(30))          # the last ten rows judge
chosen, utility = s.select(unlabeled_indices=free, predictions=p, embeddings=x, model=None,
                           metadata=None, labeled_indices=[], labels=None, mc_predictions=None)
assert len(set(chosen)) == 5 and max(chosen) < 30 and all(type(i) is int for i in chosen)
assert utility.shape == (30,) and utility.dtype == np.float32
assert sorted(np.argsort(utility)[-5:].tolist()) == sorted(chosen)
free = [i for i in free if i not in chosen]
labels = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]
more, _ = s.select(unlabeled_indices=free, predictions=p, embeddings=x,
                   labeled_indices=sorted(chosen), labels=labels)
assert not set(more) & set(chosen) and set(more) <= set(free)
assert s.select([], p, x)[0] == []
far = densityEstimation(np.concatenate([x[:30] * 0.01, x[30:31] * 100]), k=5)
assert far.argmin() == 30 and far.max() == 1.0
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_the_folder_of_an_export(tmp_path: Path) -> None:
    files = export_sampling("antiphon", tmp_path / "out")
    assert [f.name for f in files] == [
        "sampling.py",
        "requirements.txt",
        "method_description.ipynb",
    ]
    book = json.loads(files[2].read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    for cell in book["cells"]:
        expected = {"cell_type", "metadata", "source", "id"}
        if cell["cell_type"] == "code":
            expected |= {"outputs", "execution_count"}
            ast.parse("".join(cell["source"]))
        assert set(cell) == expected
    with pytest.raises(UserError, match="not known"):
        export_sampling("corset", tmp_path)


def test_the_notebook_runs_against_the_interface_it_is_written_for(tmp_path: Path) -> None:
    """BaseAL itself needs packages that are not here, so a class with its interface stands in."""
    sampling, _, notebook = export_sampling("random", tmp_path, schedule=Schedule((3, 4)), budget=7)
    (tmp_path / "core/utils").mkdir(parents=True)
    (tmp_path / "core/__init__.py").touch()
    (tmp_path / "core/utils/__init__.py").touch()
    sampling.rename(tmp_path / "core/utils/sampling.py")
    (tmp_path / "core/active_learner.py").write_text(
        """
import numpy as np
from .utils.sampling import SamplingStrategy
class ActiveLearner:
    def __init__(self, embeddings_dir, annotations_path, model_name, dataset_name,
                 sampling_strategy, verbose):
        self.sampling_strategy = SamplingStrategy(method=sampling_strategy, n_samples=5)
        self.labeled_indices, self.unlabeled_indices = set(), set(range(20))
        self.training_history = []
    def sample(self, n_samples):
        self.sampling_strategy.n_samples = n_samples
        return self.sampling_strategy.select(
            unlabeled_indices=sorted(self.unlabeled_indices), predictions=np.full((20, 2), 0.5),
            embeddings=np.zeros((20, 3), np.float32), model=None, metadata=None,
            labeled_indices=sorted(self.labeled_indices),
            labels=np.zeros((len(self.labeled_indices), 2)), mc_predictions=None)[0]
    def add_samples(self, rows):
        self.unlabeled_indices -= set(rows); self.labeled_indices |= set(rows)
    def train_step(self, epochs, batch_size):
        self.training_history.append({"aulc_mAP": len(self.labeled_indices) / 10})
    def export(self, path, author_lastname, max_budget):
        print(path, max_budget, len(self.labeled_indices))
"""
    )
    book = json.loads(notebook.read_text(encoding="utf-8"))
    code = "\n".join("".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code")
    (tmp_path / "core/docs").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "core/docs",
        check=True,
        capture_output=True,
        text=True,
    )
    assert "AULC 0.7000, SD 0.0000, 5 repeats" in done.stdout
    assert "random_ESC10_lastname.yaml 7 7" in done.stdout


def test_two_definitions_of_one_name_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The linker on a small package of its own: equal names, aliases, modules, shadowing."""
    package = tmp_path / "antiphon_linked"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text(
        "import math\n\n\n# Why two.\nSTEP = 2\n\n\n"
        "def _unit(x):\n    return x / math.sqrt(STEP)\n\n\n"
        "def first(x):\n    return _unit(x)\n"
    )
    (package / "two.py").write_text(
        "from antiphon_linked import one\n"
        "from antiphon_linked.one import first as begin, STEP\n\n\n"
        "def _unit(x, by=STEP):\n    return x * by\n\n\n"
        "class Box:\n    size = STEP\n\n"
        "    def grow(self, STEP):\n        return STEP + self.size\n\n\n"
        "def second(x):\n    parts = [_unit(STEP) for STEP in range(3)]\n"
        "    é = 'é'; y = begin(x) + _unit(x)\n"
        "    return y + one.first(x) + sum(parts) + Box().grow(1), é\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("antiphon.active.baseal.source.PACKAGE", "antiphon_linked")
    monkeypatch.setattr("antiphon.active.baseal.linker.PACKAGE", "antiphon_linked")
    text = gather([Thing("antiphon_linked.two", "second")])
    assert "antiphon_linked" not in text
    assert "# Why two." in text
    space: dict[str, object] = {}
    exec(text, space)
    function = space["second"]
    assert callable(function)
    from antiphon_linked.two import second  # type: ignore[import-not-found]

    assert function(3.0) == second(3.0)


def test_what_cannot_be_exported_is_named() -> None:
    with pytest.raises(UserError, match="pyarrow"):
        gather([Thing("antiphon.active.baseal.metadata", "read_metadata")])
