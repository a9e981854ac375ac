from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.audio.names import NameFacts, parse_name
from antiphon.audio.recording import find_recordings
from tests.real import real_data

MOMENT = datetime(2019, 5, 22, 0, 45, 0)

EXAMPLES = [
    # AudioMoth
    ("20190522_004500.WAV", MOMENT, None, None, "audiomoth"),
    ("20190522_004500T.WAV", MOMENT, None, None, "audiomoth"),
    ("20190522_004500_000.WAV", MOMENT, None, None, "audiomoth"),
    ("card/DCIM/20190522_004500.flac", MOMENT, None, None, "audiomoth"),
    (
        "24A04F085FDF2793_20190522_004500.WAV",
        MOMENT,
        None,
        "24A04F085FDF2793",
        "audiomoth",
    ),
    ("pond_20190522_004500T.WAV", MOMENT, None, "pond", "audiomoth"),
    ("5B2A1F3C.WAV", datetime(2018, 6, 20, 9, 32, 44), 0, None, "audiomoth-hex"),
    ("5CE49A2C.WAV", datetime(2019, 5, 22, 0, 39, 8), 0, None, "audiomoth-hex"),
    # Wildlife Acoustics
    ("S4A03895_20190522_004500.wav", MOMENT, None, "S4A03895", "wildlife-acoustics"),
    ("S4U09834_20190522_004500.wav", MOMENT, None, "S4U09834", "wildlife-acoustics"),
    ("S4A03895_20190522_004500_000.wav", MOMENT, None, "S4A03895", "wildlife-acoustics"),
    ("SMA00512_20190522_004500.wav", MOMENT, None, "SMA00512", "wildlife-acoustics"),
    ("SMU01712_20190522_004500.wav", MOMENT, None, "SMU01712", "wildlife-acoustics"),
    ("2MM01234_20190522_004500.wav", MOMENT, None, "2MM01234", "wildlife-acoustics"),
    ("SM304471_0+1_20190522_004500.wav", MOMENT, None, "SM304471", "wildlife-acoustics"),
    ("SM304471_0_20190522_004500.wav", MOMENT, None, "SM304471", "wildlife-acoustics"),
    ("MARSH_0+1_20190522$004500.wac", MOMENT, None, "MARSH", "wildlife-acoustics"),
    ("ARIZONA-1_20190522$004500.wav", MOMENT, None, "ARIZONA-1", "wildlife-acoustics"),
    # A recorder that was given a name of its own
    ("WALDEN_20190522_004500.wav", MOMENT, None, "WALDEN", "date-time"),
    ("site_1_20190522_004500.wav", MOMENT, None, "site_1", "date-time"),
    ("SITE.A-20190522-004500.wav", MOMENT, None, "SITE.A", "date-time"),
    ("0011AABB_20190522_004500_123456.wav", MOMENT, None, "0011AABB", "date-time"),
    # Swift and SwiftOne
    ("S1031_20190522_004500Z.wav", MOMENT, 0, "S1031", "swift"),
    ("S1031_20190522_004500-0400.wav", MOMENT, -14_400, "S1031", "swift"),
    ("S1031_20190522_004500Z-0400.wav", MOMENT, -14_400, "S1031", "swift"),
    ("Peru_S01_20190522_004500Z+0530.flac", MOMENT, 19_800, "Peru_S01", "swift"),
    ("20190522_004500+10.wav", MOMENT, 36_000, None, "swift"),
    ("prefix_20190522T004500+10:30.wav", MOMENT, 37_800, "prefix", "swift"),
    # BirdCLEF
    (
        "BC2026_Test_0001_S05_20250227_010002.ogg",
        datetime(2025, 2, 27, 1, 0, 2),
        None,
        "S05",
        "birdclef",
    ),
    (
        "BC2026_Train_0123_S19_20241231_235959",
        datetime(2024, 12, 31, 23, 59, 59),
        None,
        "S19",
        "birdclef",
    ),
]


@pytest.mark.parametrize(("name", "moment", "offset", "recorder", "scheme"), EXAMPLES)
def test_examples(
    name: str, moment: datetime, offset: int | None, recorder: str | None, scheme: str
) -> None:
    assert parse_name(name) == NameFacts(moment, offset, recorder, scheme)


@pytest.mark.parametrize(
    "name",
    [
        "1-100032-A-0.wav",
        "XC123456.mp3",
        "Eurasian_Blackbird.wav",
        "20190522.wav",
        "00000000.WAV",
        "FFFFFFFF.WAV",
        "10160435.wav",
        "rain.wav",
        ".wav",
        "",
    ],
)
def test_names_that_tell_nothing(name: str) -> None:
    assert parse_name(name) == NameFacts()


@pytest.mark.parametrize(
    "name",
    [
        "20190230_004500.WAV",
        "20191322_004500.WAV",
        "20190522_244500.WAV",
        "S4A03895_20190522_006000.wav",
        "S4A03895_00000000_000000.wav",
        "19700101_000000.WAV",
        "19800101_000003.WAV",
        "S1031_99999999_999999Z.wav",
    ],
)
def test_dates_that_cannot_be(name: str) -> None:
    facts = parse_name(name)
    assert facts.start_time is None
    assert facts.scheme is not None


def test_offset_that_cannot_be() -> None:
    assert parse_name("S1031_20190522_004500-9900.wav").utc_offset_s is None


@given(st.text(alphabet="0123456789ABCDEFSTZ_$+-:. é٣", max_size=40))
def test_any_name_is_no_error(name: str) -> None:
    parse_name(name)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)), st.integers(-12, 14))
def test_every_moment(moment: datetime, hours: int) -> None:
    moment = moment.replace(microsecond=0)
    text = moment.strftime("%Y%m%d_%H%M%S")
    assert parse_name(f"{text}.wav").start_time == moment
    facts = parse_name(f"X_{text}Z{hours:+03d}00.wav")
    assert (facts.start_time, facts.utc_offset_s) == (moment, hours * 3600)


@pytest.mark.real
def test_real_names() -> None:
    found = find_recordings(real_data("tropical_day"))
    times = [parse_name(path).start_time for path in found]
    assert {parse_name(path).recorder for path in found} == {"S4A03895"}
    assert times == sorted(times, key=str)
    assert times[0] == datetime(2019, 5, 22)
    assert len(set(times)) == 24
