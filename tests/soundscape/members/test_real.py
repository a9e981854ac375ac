"""A network that nobody here made, on recordings that nobody here made."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from antiphon.audio.reader import read_span
from antiphon.encoders.manifest import SHIPPED
from antiphon.encoders.registry import create_encoder
from antiphon.soundscape.members.contexts import cut_contexts
from antiphon.soundscape.members.network_member import NetworkMember, open_network_member
from antiphon.soundscape.members.scoring import score_recording
from tests.real import real_data, real_model

pytestmark = pytest.mark.real


@pytest.fixture
def birdnet(monkeypatch: pytest.MonkeyPatch) -> NetworkMember:
    monkeypatch.setenv("ANTIPHON_MODELS", str(real_model("birdnet_stm32n6_100.tflite").parent))
    return open_network_member("birdnet", SHIPPED / "birdnet-stm32.yaml")


def recording(member: NetworkMember) -> np.ndarray:
    path = real_data("warbler_survey") / "survey.flac"
    return read_span(path, 0, 21.3, sample_rate=member.sample_rate)[0]


def test_windows_as_long_as_a_context_score_what_the_encoder_says(birdnet: NetworkMember) -> None:
    audio, encoder = recording(birdnet), create_encoder("birdnet-stm32")
    starts = np.arange(0, 21, birdnet.context_s)
    found = score_recording(birdnet, audio, starts, birdnet.context_s)
    samples = round(birdnet.context_s * birdnet.sample_rate)
    windows, valid = cut_contexts(audio, np.rint(starts * birdnet.sample_rate).astype(int), samples)
    expected = encoder.encode(encoder.prepare(windows, valid)).scores
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.shape == (len(starts), len(encoder.spec.labels))


def test_five_second_windows_are_means_of_three_second_contexts(birdnet: NetworkMember) -> None:
    audio = recording(birdnet)
    threes = score_recording(birdnet, audio, [0.0, 3.0, 6.0], 3.0)
    with ThreadPoolExecutor(3) as pool:
        found = list(
            pool.map(lambda _: score_recording(birdnet, audio, [0.0], 5.0, batch=1), range(3))
        )
    for scores in found:
        np.testing.assert_allclose(scores[0], 0.6 * threes[0] + 0.4 * threes[1], atol=1e-6)
