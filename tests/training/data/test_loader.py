from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.errors import FileError, UserError  # noqa: E402
from antiphon.training.data.loader import (  # noqa: E402
    open_sides,
    training_loader,
    validation_loader,
)
from tests.training.data.making import (  # noqa: E402
    EVERY_STEP,
    NOTHING,
    RATE,
    config,
    folder_of_tones,
    table_of,
    tone,
    write,
)


@pytest.fixture
def two_folders(tmp_path: Path) -> tuple[dict[str, object], dict[str, object]]:
    folder_of_tones(tmp_path / "bio", [f"{c}/{c}{n}" for c in "ab" for n in range(3)])
    folder_of_tones(tmp_path / "general", [f"g{n}" for n in range(4)], seconds=0.6, suffix=".flac")
    return (
        {"kind": "folder", "path": tmp_path / "bio", "label_folders": True},
        {"kind": "folder", "path": tmp_path / "general", "domain": "general"},
    )


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(torch.nan_to_num(one[k], 99.0), torch.nan_to_num(other[k], 99.0)) for k in one
    )


def test_batches_follow_from_seed_and_step_alone(two_folders):
    alone = config(*two_folders)
    whole = list(training_loader(alone, EVERY_STEP, seed=3, steps=5))
    assert [b["index"].tolist() for b in whole] == [list(range(4 * k, 4 * k + 4)) for k in range(5)]

    for workers in (1, 2):
        several = config(*two_folders, workers=workers)
        batches = list(training_loader(several, EVERY_STEP, seed=3, steps=5))
        assert all(same(a, b) for a, b in zip(whole, batches, strict=True))

    resumed = list(training_loader(alone, EVERY_STEP, seed=3, first_step=3, steps=2))
    assert all(same(a, b) for a, b in zip(whole[3:], resumed, strict=True))

    ranks = [
        list(training_loader(alone, EVERY_STEP, seed=3, steps=5, rank=r, world=2)) for r in range(2)
    ]
    joined = [{key: torch.cat([a[key], b[key]]) for key in a} for a, b in zip(*ranks, strict=True)]
    assert all(same(a, b) for a, b in zip(whole, joined, strict=True))

    other = next(iter(training_loader(alone, EVERY_STEP, seed=4, steps=1)))
    assert not torch.equal(other["waveform"], whole[0]["waveform"])


@pytest.mark.slow
def test_spawned_workers_give_the_same(two_folders):
    first = next(iter(training_loader(config(*two_folders), EVERY_STEP, seed=3, steps=1)))
    data = config(*two_folders, workers=1, start="spawn")
    loader = training_loader(data, EVERY_STEP, seed=3, steps=1)
    assert same(first, next(iter(loader)))


def test_batch_has_what_the_loop_is_promised(two_folders):
    batch = next(iter(training_loader(config(*two_folders), NOTHING, seed=0, steps=1)))
    assert batch["waveform"].shape == (4, RATE)
    assert batch["waveform"].dtype == torch.float32
    assert batch["valid"].dtype == batch["index"].dtype == torch.int64
    assert batch["labels"].shape == batch["known"].shape == (4, 2)
    for row in range(4):
        valid = int(batch["valid"][row])
        assert valid == (1200 if batch["folder"][row] == 1 else RATE)
        assert not batch["waveform"][row, valid:].any()
        # The general folder has no labels: nothing is known of its clips.
        assert batch["known"][row].tolist() == ([0, 0] if batch["folder"][row] == 1 else [1, 1])


def test_without_labels_there_are_none(two_folders):
    batch = next(iter(training_loader(config(two_folders[1]), NOTHING, seed=0, steps=1)))
    assert "labels" not in batch
    assert "known" not in batch


def test_the_global_generator_is_left_alone(two_folders):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    list(training_loader(config(*two_folders, workers=1), NOTHING, seed=0, steps=2))
    assert torch.equal(before, torch.get_rng_state())


def test_batch_must_divide(two_folders):
    with pytest.raises(UserError, match=r"data\.batch is 4, which 3 processes"):
        training_loader(config(*two_folders), NOTHING, seed=0, steps=1, world=3)


def test_validation_keeps_order_and_tail(two_folders):
    data = config(*two_folders, workers=1)
    loader = validation_loader(data, table=table_of(data))
    batches = list(loader)
    assert [len(b["index"]) for b in batches] == [4, 4, 2]
    assert len(loader) == 3
    assert torch.cat([b["clip"] for b in batches]).tolist() == list(range(10))
    # From the middle: of 3 s, the second of the three.
    expected = tone(100, 3.0)[RATE : 2 * RATE]
    np.testing.assert_allclose(batches[0]["waveform"][0].numpy(), expected, atol=1e-6)
    again = list(loader)
    assert all(same(a, b) for a, b in zip(batches, again, strict=True))


def test_validation_of_whole_clips(tmp_path):
    write(tmp_path / "a" / "x.wav", np.arange(2.5 * RATE, dtype=np.float32) / 10_000)
    data = config({"kind": "folder", "path": tmp_path}, holdout={"windows": "all"})
    (batch,) = validation_loader(data, table=table_of(data))
    assert batch["clip"].tolist() == [0, 0, 0]
    assert batch["valid"].tolist() == [RATE, RATE, RATE // 2]
    heard = np.concatenate(
        [w[:v] for w, v in zip(batch["waveform"].numpy(), batch["valid"].tolist(), strict=True)]
    )
    np.testing.assert_allclose(heard, np.arange(2.5 * RATE) / 10_000, atol=1e-6)


def test_validation_ranks_share_the_batches(two_folders):
    data = config(*two_folders)
    table = table_of(data)
    parts = [validation_loader(data, table=table, rank=r, world=2) for r in range(2)]
    seen = [i for part in parts for batch in part for i in batch["index"].tolist()]
    assert sorted(seen) == list(range(10))


@pytest.mark.parametrize("workers", [0, 2])
def test_unreadable_files_are_told_once_and_replaced(tmp_path, workers):
    folder_of_tones(tmp_path, [f"r{n}" for n in range(10)])
    (tmp_path / "r3.wav").write_bytes(b"RIFF nonsense")
    data = config({"kind": "folder", "path": tmp_path}, workers=workers, max_fault_share=0.1)
    told: list[str] = []
    loader = training_loader(data, NOTHING, seed=1, steps=15, note=told.append)
    batches = list(loader)
    assert all(len(b["index"]) == 4 for b in batches)
    assert all((b["valid"] == RATE).all() for b in batches)
    assert len(told) == 1
    assert "r3.wav" in told[0]
    assert list(loader.faults) == [str(tmp_path / "r3.wav")]
    plain = config({"kind": "folder", "path": tmp_path}, max_fault_share=0.1)
    again = list(training_loader(plain, NOTHING, seed=1, steps=15, note=lambda _: None))
    assert all(same(a, b) for a, b in zip(batches, again, strict=True))


@pytest.mark.parametrize("workers", [0, 1])
def test_many_unreadable_files_are_an_error(tmp_path, workers):
    folder_of_tones(tmp_path, [f"r{n}" for n in range(10)])
    for n in (3, 4):
        (tmp_path / f"r{n}.wav").write_bytes(b"RIFF nonsense")
    data = config({"kind": "folder", "path": tmp_path}, workers=workers, max_fault_share=0.1)
    loader = training_loader(data, NOTHING, seed=1, steps=15, note=lambda _: None)
    with pytest.raises(UserError, match=r"2 of 10 recordings could not be read.*0\.1"):
        list(loader)


def test_all_unreadable_is_an_error_at_once(tmp_path):
    for n in range(5):
        (tmp_path / f"r{n}.wav").write_bytes(b"RIFF nonsense")
    data = config({"kind": "folder", "path": tmp_path}, workers=1, max_fault_share=1.0)
    with pytest.raises(FileError, match="19 other draws in a row"):
        list(training_loader(data, NOTHING, seed=1, steps=1, note=lambda _: None))


def test_validation_tells_what_it_leaves_out(tmp_path):
    folder_of_tones(tmp_path, [f"r{n}" for n in range(6)])
    (tmp_path / "r5.wav").write_bytes(b"RIFF nonsense")
    data = config({"kind": "folder", "path": tmp_path}, max_fault_share=0.5)
    told: list[str] = []
    batches = list(validation_loader(data, table=table_of(data), note=told.append))
    assert torch.cat([b["clip"] for b in batches]).tolist() == [0, 1, 2, 3, 4]
    assert len(told) == 1


def test_workers_end_when_the_caller_stops_early(two_folders):
    batches = iter(training_loader(config(*two_folders, workers=2), NOTHING, seed=0, steps=50))
    next(batches)
    assert multiprocessing.active_children()
    batches.close()
    deadline = time.monotonic() + 20
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not multiprocessing.active_children()


SCRIPT = """
import sys
from tests.training.data.making import NOTHING, config
from antiphon.training.data.loader import training_loader
if __name__ == "__main__":
    data = config({"kind": "folder", "path": sys.argv[1]}, workers=2)
    for _ in training_loader(data, NOTHING, seed=0, steps=10**7):
        print("batch", flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal to a group of processes")
def test_ctrl_c_ends_everything_with_one_traceback(tmp_path):
    folder_of_tones(tmp_path / "audio", ["a", "b"])
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "audio")],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "batch\n"
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")


def test_sides_share_no_group(tmp_path):
    folder_of_tones(tmp_path, [f"site{s}/r{n}" for s in range(12) for n in range(3)], seconds=1.0)
    source = {"kind": "folder", "path": tmp_path, "group": "folder"}
    sides = open_sides(config(source, holdout={"share": 0.3}))
    groups = [
        set(np.unique(t.recordings.group[t.recording])) for t in (sides.training, sides.validation)
    ]
    assert not groups[0] & groups[1]
    assert len(groups[0] | groups[1]) == 12
    assert len(sides.training) + len(sides.validation) == 36
    assert 0 < len(sides.validation) < 36


def test_some_validation_clips_are_from_all_over(tmp_path):
    names = [f"{group}/{number}" for group in "abcdefgh" for number in range(8)]
    folder = folder_of_tones(tmp_path / "f", names, 0.2)
    data = config({"kind": "folder", "path": folder, "label_folders": True})
    table = table_of(data)

    def classes(most):
        batches = list(validation_loader(data, table=table, most=most))
        return torch.cat([batch["labels"] for batch in batches])

    assert len(classes(None)) == 64
    some = classes(24)
    assert len(some) == 24
    assert int(some.any(0).sum()) >= 7
    assert torch.equal(some, classes(24))
