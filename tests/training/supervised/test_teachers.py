# ruff: noqa: E402
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from pathlib import Path

import numpy as np

from antiphon.encoders.base import Encoded, EncoderSpec
from antiphon.errors import FormatError, ModelError
from antiphon.training.supervised.config import EncoderTeacher, ModelTeacher
from antiphon.training.supervised.create import create_teacher
from antiphon.training.supervised.teacher_cache import TeacherCache, content_key
from antiphon.training.supervised.teachers import FromEncoder, FromModel
from tests.training.supervised.tiny import calls, tiny_model


class Levels:
    """Mean and power of each window's audio; counts the windows it was given."""

    def __init__(self, sample_rate: int = 8000, window_s: float = 0.2) -> None:
        self.spec = EncoderSpec("levels", sample_rate, window_s, window_s, 2)
        self.windows = 0

    def prepare(self, audio: np.ndarray, valid: np.ndarray) -> np.ndarray:
        self.windows += len(audio)
        rows = [(a[:n].mean(), (a[:n] ** 2).mean()) for a, n in zip(audio, valid, strict=True)]
        return np.array(rows, np.float32)

    def encode(self, features: np.ndarray) -> Encoded:
        return Encoded(features)


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 3)).astype(np.float32)


def keys(count: int) -> list[bytes]:
    return [content_key(np.full(4, n, np.float32), 8000) for n in range(count)]


def test_key_is_of_content_and_rate() -> None:
    a = np.array([0.1, 0.2], np.float32)
    assert content_key(a, 8000) == content_key(a.copy(), 8000)
    assert len({content_key(a, 8000), content_key(a, 16000), content_key(a[:1], 8000)}) == 3


def test_what_is_put_comes_back(tmp_path: Path) -> None:
    cache = TeacherCache(tmp_path / "sub" / "t.bin", "model-1", 3)
    k, r = keys(5), rows(5)
    assert cache.get(k) == [None] * 5
    cache.put(k[:3], r[:3])
    cache.put(k[2:], r[2:] + 1)
    for again in (cache, TeacherCache(tmp_path / "sub" / "t.bin", "model-1", 3)):
        found = again.get(k)
        np.testing.assert_array_equal(np.stack(found[:3]), r[:3])
        np.testing.assert_array_equal(np.stack(found[3:]), r[3:] + 1)
        assert len(again) == 5


def test_two_processes_see_each_other(tmp_path: Path) -> None:
    one, two = (TeacherCache(tmp_path / "t.bin", "m", 3) for _ in range(2))
    k, r = keys(2), rows(2)
    one.put(k[:1], r[:1])
    two.put(k, r + 5)
    np.testing.assert_array_equal(np.stack(one.get(k)), np.stack([r[0], r[1] + 5]))
    assert len(one) == len(two) == 2


def test_a_cut_record_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "t.bin"
    k, r = keys(3), rows(3)
    TeacherCache(path, "m", 3).put(k[:2], r[:2])
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    cache = TeacherCache(path, "m", 3)
    assert len(cache) == 1
    cache.put(k[1:], r[1:])
    np.testing.assert_array_equal(np.stack(TeacherCache(path, "m", 3).get(k)), r)


@pytest.mark.parametrize("fault", ["zeros", "flip"])
def test_damage_is_an_error(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "t.bin"
    TeacherCache(path, "m", 3).put(keys(2), rows(2))
    content = bytearray(path.read_bytes())
    if fault == "zeros":
        content[-48:] = bytes(48)
    else:
        content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match="damaged in record 1"):
        TeacherCache(path, "m", 3)


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.bin"
    TeacherCache(path, "m", 3)
    with pytest.raises(FormatError, match="another encoder"):
        TeacherCache(path, "n", 3)
    with pytest.raises(FormatError, match="another dim"):
        TeacherCache(path, "m", 4)
    (tmp_path / "x.bin").write_bytes(b"x" * 300)
    with pytest.raises(FormatError, match="no cache"):
        TeacherCache(tmp_path / "x.bin", "m", 3)


def test_values_that_are_not_finite_are_never_kept(tmp_path: Path) -> None:
    cache = TeacherCache(tmp_path / "t.bin", "m", 3)
    with pytest.raises(ValueError, match="finite"):
        cache.put(keys(1), np.full((1, 3), np.nan, np.float32))
    assert len(cache) == 0


def test_windows_are_averaged_by_their_audio() -> None:
    rng = np.random.default_rng(0)
    audio = rng.standard_normal((2, 4000)).astype(np.float32)
    valid = np.array([4000, 2000])
    found = FromEncoder(Levels(), 8000).embed(audio, valid)
    # By its audio each sample counts once, whichever window it lies in.
    for row, clip, count in zip(found, audio, valid, strict=True):
        expected = [clip[:count].mean(), (clip[:count] ** 2).mean()]
        np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-6)


def test_audio_is_resampled_for_the_encoder() -> None:
    t = np.arange(8000) / 8000
    tone = np.sin(2 * np.pi * 440 * t).astype(np.float32)[None]
    teacher = FromEncoder(Levels(sample_rate=16000, window_s=0.25), 8000)
    found = teacher.embed(tone, np.array([8000]))
    assert teacher.encoder.windows == 4
    assert found[0, 1] == pytest.approx(0.5, abs=0.01)


def test_what_is_cached_is_not_computed_again(tmp_path: Path) -> None:
    data = calls(3, 2, seed=0)
    encoder = Levels()
    teacher = FromEncoder(encoder, 8000, TeacherCache(tmp_path / "t.bin", "levels", 2))
    first = teacher(data)
    done = encoder.windows
    assert done == 6 * 3
    reordered = {name: value.flip(0) for name, value in data.items()}
    again = teacher(reordered)
    assert encoder.windows == done
    assert torch.equal(again, first.flip(0))
    assert torch.equal(first, FromEncoder(Levels(), 8000)(data))
    # The same clip with more zeros after it is the same audio.
    padded = data | {"waveform": torch.nn.functional.pad(data["waveform"], (0, 100))}
    assert torch.equal(teacher(padded), first)
    assert encoder.windows == done


def test_a_model_teaches_in_evaluation_mode() -> None:
    data = calls(2, 2, seed=0)
    model = tiny_model(seed=4)
    expected = model.embed(data["waveform"], data["valid"])
    found = FromModel(model.train())(data)
    assert torch.equal(found, expected)
    assert not found.requires_grad


def test_any_encoder_by_name(tmp_path: Path) -> None:
    data = calls(2, 2, seed=0)
    settings = {"sample_rate": 8000, "window_s": 0.5, "n_mels": 32, "dim": 8}
    config = EncoderTeacher(
        kind="encoder", name="spectral", parameters=settings, cache=tmp_path / "t.bin"
    )
    teacher = create_teacher(config, 8000)
    found = teacher(data)
    assert found.shape == (4, teacher.dim) == (4, 8)
    assert torch.equal(create_teacher(config, 8000)(data), found)
    other = config.model_copy(update={"parameters": settings | {"n_mels": 40}})
    with pytest.raises(FormatError, match="another encoder"):
        create_teacher(other, 8000)


def test_a_saved_model_teaches(tmp_path: Path) -> None:
    from antiphon.training.checkpoints.models import save_model

    data = calls(2, 2, seed=0)
    model = tiny_model(("a", "b"), seed=4)
    save_model(model, tmp_path / "teacher")
    config = ModelTeacher(kind="model", path=tmp_path / "teacher")
    teacher = create_teacher(config, 8000)
    assert teacher.dim == model.dim
    torch.testing.assert_close(teacher(data), model.embed(data["waveform"], data["valid"]))
    with pytest.raises(ModelError, match="is for 8000 Hz, but the audio has 16000 Hz"):
        create_teacher(config, 16_000)
