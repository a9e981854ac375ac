import numpy as np
import pytest

from antiphon.plots.colour import SERIES_ON_BLACK, SERIES_ON_WHITE, colour_map, hex_colour

# Polynomials of degree six fitted to the two maps by M. Zucker (2019, public domain), an
# independent form of the same colours; good to about 0.03 of full scale.
POLYNOMIALS = {
    "viridis": [
        (0.2777273272234177, 0.005407344544966578, 0.3340998053353061),
        (0.1050930431085774, 1.404613529898575, 1.384590162594685),
        (-0.3308618287255563, 0.214847559468213, 0.09509516302823659),
        (-4.634230498983486, -5.799100973351585, -19.33244095627987),
        (6.228269936347081, 14.17993336680509, 56.69055260068105),
        (4.776384997670288, -13.74514537774601, -65.35303263337234),
        (-5.435455855934631, 4.645852612178535, 26.3124352495832),
    ],
    "magma": [
        (-0.002136485053939582, -0.000749655052795221, -0.005386127855323933),
        (0.2516605407371642, 0.6775232436837668, 2.494026599312351),
        (8.353717279216625, -3.577719514958484, 0.3144679030132573),
        (-27.66873308576866, 14.26473078096533, -13.64921318813922),
        (52.17613981234068, -27.94360607168351, 12.94416944238394),
        (-50.76852536473588, 29.04658282127291, 4.23415299384598),
        (18.65570506591883, -11.48977351997711, -5.601961508734096),
    ],
}


@pytest.mark.parametrize("name", ["viridis", "magma"])
def test_maps_agree_with_an_independent_fit(name):
    t = np.linspace(0, 1, 256)[:, None]
    reference = sum(np.array(c) * t**k for k, c in enumerate(POLYNOMIALS[name]))
    assert np.abs(colour_map(name) / 255 - np.clip(reference, 0, 1)).max() < 0.035


@pytest.mark.parametrize("name", ["viridis", "magma"])
def test_maps_grow_brighter(name):
    table = colour_map(name, 64).astype(float) / 255
    linear = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()


def test_ends_and_clipping():
    assert hex_colour(0.0) == "#440154"
    assert hex_colour(1.0) == hex_colour(7.0) == "#fde725"
    assert hex_colour(-1.0, "magma") == "#000004"


@pytest.mark.parametrize("series", [SERIES_ON_WHITE, SERIES_ON_BLACK])
def test_series_are_seven_different_colours(series):
    assert len(set(series)) == len(series) == 7


@pytest.mark.parametrize("count", [1, 2, 48])
def test_any_number_of_colours(count):
    assert colour_map("viridis", count).shape == (count, 3)
