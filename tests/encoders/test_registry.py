from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.encoders import registry
from antiphon.encoders.registry import create_encoder, list_encoders
from antiphon.errors import FileError, FormatError, MissingExtraError, ModelError, UserError
from tests.encoders.make import manifest_file, onnx_file


@pytest.fixture(autouse=True)
def _nothing_else_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTIPHON_MODELS", raising=False)
    monkeypatch.setattr(registry, "_installed", lambda package: False)


def test_cards_say_what_is_there_and_what_is_missing() -> None:
    cards = {card.name: card for card in list_encoders()}
    assert next(iter(cards)) == "spectral"
    assert {"yamnet", "birdnet-stm32", "perch_v2", "birdnet", "avex:MODEL"} <= set(cards)
    assert {"spectral-ultrasound", "spectral-lowfreq"} <= set(cards)
    for card in cards.values():
        assert card.description
        assert card.available == (not card.why_not)
    assert cards["spectral"].available
    assert "yamnet_int8.tflite" in cards["yamnet"].why_not
    assert "antiphon[birdnet]" in cards["birdnet"].why_not


def test_card_of_a_network_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "yamnet_int8.tflite").write_bytes(b"x")
    (tmp_path / "birdnet_stm32n6_100.tflite").write_bytes(b"x")
    monkeypatch.setenv("ANTIPHON_MODELS", str(tmp_path))
    cards = {card.name: card for card in list_encoders()}
    assert cards["yamnet"].available
    assert "birdnet_stm32n6_100_labels.txt" in cards["birdnet-stm32"].why_not


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("yamnt", "Did you mean 'yamnet'"),
        ("spectral-ultra", "'spectral-ultrasound'"),
        ("zzz", "There are: spectral, "),
        ("avex:", "There is no encoder 'avex:'"),
    ],
)
def test_unknown_name(name: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        create_encoder(name)
    assert words in str(caught.value)
    assert "There are: spectral, " in str(caught.value)


def test_manifest_by_path(tmp_path: Path) -> None:
    onnx_file(tmp_path / "tiny.onnx")
    assert create_encoder(str(manifest_file(tmp_path)), threads=1).spec.name == "tiny"
    with pytest.raises(FileError, match="no such manifest"):
        create_encoder(str(tmp_path / "nothing.yaml"))
    with pytest.raises(FormatError, match="'nmae'"):
        create_encoder(str(manifest_file(tmp_path, nmae="x")))


def test_network_that_is_not_there() -> None:
    with pytest.raises(ModelError, match=r"yamnet_int8\.tflite.*ANTIPHON_MODELS.*SHA-256 is 0a26"):
        create_encoder("yamnet")


def test_unknown_parameters() -> None:
    with pytest.raises(UserError, match=r"'n_mel'.*'n_mels'.*Its parameters: dim, fmax"):
        create_encoder("spectral", n_mel=64)
    with pytest.raises(UserError, match=r"bands from 50.0 to 9000.0 Hz do not fit"):
        create_encoder("spectral", sample_rate=16000, fmax=9000)


@pytest.mark.parametrize("name", ["birdnet", "avex:esp_aves2_sl_beats_all"])
def test_packages_that_are_not_installed(name: str) -> None:
    with pytest.raises(MissingExtraError, match="pip install 'antiphon"):
        create_encoder(name)
