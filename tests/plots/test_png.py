import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.plots.png import data_uri, png_bytes
from tests.plots.drawn import decode


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from(["grey", "colour", "indexed"]),
    st.integers(0, 2**32 - 1),
)
def test_images_come_back(height, width, kind, seed):
    rng = np.random.default_rng(seed)
    shape = (height, width, 3) if kind == "colour" else (height, width)
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    palette = rng.integers(0, 256, (256, 3), dtype=np.uint8) if kind == "indexed" else None
    decoded, chunks = decode(png_bytes(image, palette))
    np.testing.assert_array_equal(decoded, image)
    if palette is not None:
        assert chunks[b"PLTE"] == palette.tobytes()


def test_images_come_back_from_pillow():
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    import io

    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    np.testing.assert_array_equal(np.asarray(pillow.open(io.BytesIO(png_bytes(image)))), image)


def test_transparency_belongs_to_one_colour():
    palette = np.zeros((3, 3), np.uint8)
    _, chunks = decode(png_bytes(np.array([[0, 2]], np.uint8), palette, transparent=2))
    assert chunks[b"tRNS"] == b"\xff\xff\x00"


@pytest.mark.parametrize(
    ("image", "palette"),
    [
        (np.zeros((0, 4), np.uint8), None),
        (np.zeros((2, 2)), None),
        (np.zeros((2, 2, 4), np.uint8), None),
        (np.full((2, 2), 3, np.uint8), np.zeros((3, 3), np.uint8)),
        (np.zeros((2, 2, 3), np.uint8), np.zeros((3, 3), np.uint8)),
    ],
)
def test_what_is_no_image_is_refused(image, palette):
    with pytest.raises(ValueError, match=r"image|palette"):
        png_bytes(image, palette)


def test_data_uri():
    assert data_uri(b"abc", "audio/mpeg") == "data:audio/mpeg;base64,YWJj"
