# ruff: noqa: E402
"""Checkpoints: whole or not there, read without executing anything."""

from __future__ import annotations

import pickle

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.errors import FileError, ModelError
from antiphon.training.loop.checkpoint import CheckpointFolder, read_checkpoint


def state(step: int, value: float = 1.0):
    return {
        "step": step,
        "task": {"w": torch.full((3,), value)},
        "optimiser": {"state": {0: {"step": torch.tensor(2.0)}}, "param_groups": [{"lr": 0.1}]},
        "precision": {},
        "progress": {"pending": [[3, {"loss": 0.5}]], "seconds": 1.5},
    }


def test_the_newest_is_read_and_the_oldest_go(tmp_path):
    folder = CheckpointFolder(tmp_path / "c", keep=2)
    assert folder.newest() is None
    for step in (9, 10, 100):
        folder.save(state(step, float(step)))
    assert [f.name for f in folder.files()] == ["step-00000100.pt", "step-00000010.pt"]
    found = folder.newest()
    assert found is not None
    assert found["step"] == 100
    assert torch.equal(found["task"]["w"], torch.full((3,), 100.0))
    assert found["progress"] == {"pending": [[3, {"loss": 0.5}]], "seconds": 1.5}


def test_what_a_killed_writer_left_is_no_checkpoint_and_is_removed(tmp_path):
    folder = CheckpointFolder(tmp_path)
    folder.save(state(1))
    left = tmp_path / ".step-00000002.pt.77.part"
    left.write_bytes(b"half")
    (tmp_path / "step-x.pt").write_bytes(b"")
    assert [f.name for f in folder.files()] == ["step-00000001.pt"]
    folder.save(state(3))
    assert not left.exists()


def test_an_object_in_a_checkpoint_is_not_made(tmp_path):
    made = []

    class Bad:
        def __reduce__(self):
            return (made.append, (1,))

    path = tmp_path / "step-00000001.pt"
    torch.save({**state(1), "format": 1, "task": Bad()}, path)
    with pytest.raises(ModelError, match="cannot be read"):
        read_checkpoint(path)
    path.write_bytes(pickle.dumps(Bad()))
    with pytest.raises(ModelError, match="cannot be read"):
        read_checkpoint(path)
    assert made == []


def test_damage_and_other_formats_are_told(tmp_path):
    path = CheckpointFolder(tmp_path).save(state(1))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="Remove it, so that the run goes on"):
        read_checkpoint(path)
    torch.save({"format": 1}, path)
    with pytest.raises(ModelError, match="no checkpoint of a training run"):
        read_checkpoint(path)
    torch.save({**state(1), "format": 7}, path)
    with pytest.raises(ModelError, match="has format 7, but this version reads 1"):
        read_checkpoint(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "c").write_text("a file where the folder should be")
    with pytest.raises(FileError, match="the checkpoint cannot be written"):
        CheckpointFolder(tmp_path / "c").save(state(1))
