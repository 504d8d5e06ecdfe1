"""Several times of a lattice in a byte: back to the same lattices, whatever fits."""

import numpy as np
import pytest

from dbd.lattice.packing import BLOCK, blocks, pack, times_per_byte, unpack


@pytest.mark.parametrize(("states", "digits"), [(2, 8), (3, 5), (4, 4), (6, 3), (7, 2), (16, 2), (17, 1), (27, 1)])
@pytest.mark.parametrize("times", [1, 2, 8, 11])
def test_round_trip(states, digits, times):
    occupancy = np.random.default_rng(times).integers(0, states, (2, 3, times, 7)).astype(np.uint8)
    occupancy[0] = states - 1
    packed = pack(occupancy, states)
    assert times_per_byte(states) == digits
    assert packed.dtype == np.uint8 and packed.shape == (2, 3, -(-times // digits), 7)
    before = packed.copy()
    found = unpack(packed, states, times)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, occupancy)
    np.testing.assert_array_equal(packed, before)


def test_digits_by_hand():
    """Four states: 1 + 4 * 2 + 16 * 3 + 64 * 0 and, in the second byte, 2 alone."""
    assert pack(np.array([[1], [2], [3], [0], [2]], np.uint8), 4).tolist() == [[57], [2]]


def test_blocks_cover_all_runs():
    for runs, size, least in [(7, BLOCK // 3, 1), (3, 2 * BLOCK, 2), (5, 1, 2), (0, 10, 1)]:
        cut = list(blocks(runs, size, least))
        assert [run for block in cut for run in range(runs)[block]] == list(range(runs))
        assert all((block.stop - block.start) * size <= max(least * size, BLOCK) for block in cut)
