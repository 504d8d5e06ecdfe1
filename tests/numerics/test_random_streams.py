"""Streams are found by name, differ from one another, and never change."""

import itertools

import numpy as np
import pytest

from dbd.numerics.random_streams import BIT_GENERATOR, stream


def test_same_name_same_stream():
    assert (stream(1, "simulate", "a", 3).random(5) == stream(1, "simulate", "a", 3).random(5)).all()


def test_other_name_other_stream():
    keys = [(), ("a",), ("b",), ("a", 0), ("a", 1), ("a", 0, 0), ("a", "0"), (0, "a"), ("0",), (0,), (1,), (0, 1)]
    first = [stream(master, *key).integers(2**63) for master, key in itertools.product((0, 1), keys)]
    assert len(set(first)) == len(first)


def test_stream_is_independent_of_those_before():
    alone = stream(1, "simulate", "a", 1).random()
    stream(1, "simulate", "a", 0).random(100)
    assert stream(1, "simulate", "a", 1).random() == alone


def test_streams_never_change():
    """Numbers of published results hang on these: a change here is a change of every result."""
    assert type(stream(1).bit_generator).__name__ == BIT_GENERATOR
    draws = stream(20190624, "simulate", "annihilation", "train", 0, 7).integers(2**32, size=3)
    assert draws.tolist() == [1144890567, 1907143405, 633523954]


@pytest.mark.parametrize("index", [-1, 2**32])
def test_index_out_of_range(index):
    with pytest.raises(ValueError, match=r"expected 0 \.\. 2\^32 - 1"):
        stream(1, index)


def test_numpy_integers_are_indices():
    assert stream(1, np.int64(3)).random() == stream(1, 3).random()


def test_draws_are_uniform():
    """First draws of neighbouring streams look independent: mean within 6 standard errors, false alarm 2e-9."""
    draws = np.array([stream(5, "simulate", index).random() for index in range(2000)])
    assert uniform(draws)
    assert not uniform(np.sqrt(draws)), "the check must catch a wrong distribution"
    assert not uniform(np.repeat(draws[:20], 100) * 0.8)


def uniform(draws):
    """Whether the mean of draws is that of a uniform distribution."""
    return abs(draws.mean() - 0.5) < 6 / np.sqrt(12 * len(draws))
