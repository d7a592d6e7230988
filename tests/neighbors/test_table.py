"""The swap table: who may be swapped with whom, and never with oneself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_action.config.settings import NeighborSettings
from neural_action.errors import InputError
from neural_action.neighbors.table import HIDDEN, SwapTable, build_swap_table

SMALL = NeighborSettings(neighbors=6, draws=5, recall_queries=20)


def poses_of(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 3)), min_size=1, max_size=40),
    domains=st.sampled_from(["all", "others"]),
    target_samples=st.sampled_from([None, 2, 5]),
    components=st.sampled_from([None, 1]),
)
def test_draws_point_only_at_candidates_of_the_right_animal(rows, domains, target_samples, components):
    animal, candidate, value = (np.array(column) for column in zip(*rows, strict=True))
    candidate = candidate.astype(bool)
    # Few distinct values: many poses are equal.
    poses = np.stack([value, value**2], axis=1).astype(np.float32)
    names = ("a", "b", "c", "d")
    changes = {"domains": domains, "target_samples": target_samples, "components": components}
    try:
        table = build_swap_table(poses, animal, candidate, SMALL.model_copy(update=changes), names)
    except InputError:
        counts = [(candidate & (animal == a)).sum() for a in range(4)]
        others = sum(count > 0 for count in counts) - 1
        assert others < 1
        assert domains == "others" or max(counts) < 2
        return
    assert table.targets.shape == (len(poses), 4, 5)
    for target in range(4):
        drawn = table.targets[:, target]
        assert target_samples is None or len(np.unique(drawn[drawn != HIDDEN])) <= target_samples
    for row in range(len(poses)):
        for target in range(4):
            drawn = table.targets[row, target]
            if not candidate[row] or not table.domains[animal[row], target]:
                assert np.all(drawn == HIDDEN)
                continue
            assert np.all(candidate[drawn])
            assert np.all(animal[drawn] == target)
            assert row not in drawn
        if candidate[row]:
            assert table.domains[animal[row]].any()
            assert domains == "all" or not table.domains[animal[row], animal[row]]


def test_draws_are_among_the_nearest():
    poses, animal = poses_of(300), np.repeat([0, 1, 2], 100)
    table = build_swap_table(poses, animal, np.ones(300, bool), SMALL)
    for row in (0, 150, 299):
        for target in range(3):
            apart = np.linalg.norm(poses - poses[row], axis=1)
            apart[(animal != target) | (np.arange(300) == row)] = np.inf
            assert set(table.targets[row, target]) <= set(np.argsort(apart)[:6])


def test_components_find_the_neighbours_of_poses_that_vary_in_few_directions():
    rng = np.random.default_rng(0)
    poses = (rng.normal(size=(400, 3)) @ rng.normal(size=(3, 20)) + 5).astype(np.float32)
    animal, every = np.repeat([0, 1], 200), np.ones(400, bool)
    whole = build_swap_table(poses, animal, every, SMALL)
    few = build_swap_table(poses, animal, every, SMALL.model_copy(update={"components": 3}))
    np.testing.assert_array_equal(few.targets, whole.targets)
    assert few.report["recall_min"] == 1
    fewer = build_swap_table(poses, animal, every, SMALL.model_copy(update={"components": 1}))
    assert fewer.report["recall_mean"] < 0.5


def test_thinned_targets_are_the_nearest_among_so_many():
    poses, animal = poses_of(300), np.repeat([0, 1, 2], 100)
    thin = SMALL.model_copy(update={"target_samples": 20})
    table = build_swap_table(poses, animal, np.ones(300, bool), thin)
    for target in range(3):
        indexed = np.unique(table.targets[:, target])
        assert len(indexed) == 20
        for row in (0, 150, 299):
            others = indexed[indexed != row]
            apart = np.linalg.norm(poses[others] - poses[row], axis=1)
            assert set(table.targets[row, target]) <= set(others[np.argsort(apart)[:6]])


def test_median_scale_is_the_median_neighbour_distance():
    poses, animal = poses_of(120), np.repeat([0, 1], 60)
    every = NeighborSettings(neighbors=6, draws=2, recall_queries=60)
    table = build_swap_table(poses, animal, np.ones(120, bool), every)
    near = []
    for row in range(120):
        for target in range(2):
            others = (animal == target) & (np.arange(120) != row)
            near.append(np.sort(np.linalg.norm(poses[others] - poses[row], axis=1))[:6])
    assert table.scale == pytest.approx(np.median(near), rel=1e-5)
    assert table.report["recall_mean"] == table.report["recall_min"] == 1
    assert table.method == ["exact"]


def test_configured_scale_and_seed():
    poses, animal, all_of_them = poses_of(60), np.repeat([0, 1], 30), np.ones(60, bool)
    fixed = SMALL.model_copy(update={"distance_scale": 2.5})
    first = build_swap_table(poses, animal, all_of_them, fixed)
    assert first.scale == 2.5
    np.testing.assert_array_equal(first.targets, build_swap_table(poses, animal, all_of_them, fixed).targets)
    other = build_swap_table(poses, animal, all_of_them, fixed.model_copy(update={"seed": 1}))
    assert not np.array_equal(first.targets, other.targets)


def test_a_held_out_animal_takes_no_part():
    animal = np.repeat([0, 1, 2], 20)
    table = build_swap_table(poses_of(60), animal, animal != 1, SMALL, ("x", "y", "z"))
    assert table.domains.tolist() == [[True, False, True], [False, False, False], [True, False, True]]
    assert np.all(table.targets[animal == 1] == HIDDEN)


def test_errors():
    poses, alone = poses_of(30), np.zeros(30, int)
    others = SMALL.model_copy(update={"domains": "others"})
    with pytest.raises(InputError, match="others"):
        build_swap_table(poses, alone, np.ones(30, bool), others)
    with pytest.raises(InputError, match="0 of 1 animals visible"):
        build_swap_table(poses, alone, np.zeros(30, bool), SMALL)
    poses[4, 1] = np.inf
    with pytest.raises(InputError, match="NaN or infinity"):
        build_swap_table(poses, alone, np.ones(30, bool), SMALL)
    # A pose that is hidden is never looked at.
    build_swap_table(poses, alone, np.arange(30) != 4, SMALL)


def test_save_and_load(tmp_path):
    table = build_swap_table(poses_of(40), np.repeat([0, 1], 20), np.ones(40, bool), SMALL, ("fly é", "b"))
    table.save(tmp_path / "a" / "swaps.npz")
    loaded = SwapTable.load(tmp_path / "a" / "swaps.npz")
    np.testing.assert_array_equal(loaded.targets, table.targets)
    np.testing.assert_array_equal(loaded.domains, table.domains)
    assert loaded.animals == ("fly é", "b")
    assert loaded.report.items() <= table.report.items()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["swaps.npz"]
    written = (tmp_path / "a" / "swaps.npz").read_bytes()
    table.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == written
    for content in (written[: len(written) // 2], b"", b"no table"):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(InputError, match=r"bad\.npz"):
            SwapTable.load(tmp_path / "bad.npz")
