"""Components aligned by canonical correlation: on animals whose units are mixtures of the same hidden variables."""

from __future__ import annotations

import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.evaluation.canonical import (
    aligned_components,
    canonical_alignment,
    matched_moments,
    principal_components,
)

HIDDEN = 4


def animal(seed, units=30, frames=600, noise=0.3):
    """Units of an animal, and its behaviour: two of four hidden variables that drive the units."""
    rng = np.random.default_rng(seed)
    hidden = np.stack(
        [np.convolve(rng.standard_normal(frames + 8), np.ones(9) / 3, "valid") for _ in range(HIDDEN)], axis=1
    )
    units_of = hidden @ rng.standard_normal((HIDDEN, units)) + noise * rng.standard_normal((frames, units))
    return units_of, hidden[:, :2]


def everything(*animals):
    return [np.ones(len(one), bool) for one in animals]


def test_a_turned_copy_is_turned_back():
    x = np.random.default_rng(0).standard_normal((300, 5))
    turn = np.random.default_rng(1).standard_normal((5, 5))
    back, correlation = canonical_alignment(x, x @ turn + 3)
    np.testing.assert_allclose((x @ turn) @ back, x, atol=1e-8)
    np.testing.assert_allclose(correlation, 1, atol=1e-10)


def test_unrelated_components_hardly_correlate():
    rng = np.random.default_rng(0)
    _, correlation = canonical_alignment(rng.standard_normal((2000, 5)), rng.standard_normal((2000, 5)))
    assert correlation.max() < 0.15


def test_components_are_principal():
    x = animal(0)[0]
    visible = np.arange(len(x)) < 400
    components = principal_components(x, visible, 4)
    covariance = np.cov(components[visible].T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-8 * covariance[0, 0]
    assert (np.diff(np.diag(covariance)) < 0).all()
    changed = x.copy()
    changed[~visible] += 5
    np.testing.assert_allclose(principal_components(changed, visible, 4)[visible], components[visible])


def test_moments_are_matched_both_ways():
    first, second = matched_moments(np.array([[0.0], [5.0], [9.0]]), np.array([[5.2], [0.1]]))
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == {(0, 1), (1, 0), (2, 0)}


def test_a_readout_of_one_animal_reads_another_after_alignment():
    made = [animal(seed, units) for seed, units in ((0, 30), (1, 50), (2, 12))]
    neural, behavior = ([one[part] for one in made] for part in (0, 1))
    visible = [np.arange(600) < 400] * 3
    aligned, correlations = aligned_components(neural, behavior, visible, HIDDEN)
    assert correlations.shape == (3, HIDDEN)
    assert (correlations[0] == 1).all()
    # Two hidden variables are behaviour, and matched; the others are not.
    assert (correlations[1:, :2] > 0.8).all()
    assert (correlations[1:, 2:] < 0.6).all()
    readout = np.linalg.lstsq(aligned[0][:400], behavior[0][:400], rcond=None)[0]
    unaligned = [principal_components(one, seen, HIDDEN) for one, seen in zip(neural, visible, strict=True)]
    for other in (1, 2):
        hidden = slice(400, 600)
        apart = np.corrcoef((aligned[other][hidden] @ readout)[:, 0], behavior[other][hidden][:, 0])[0, 1]
        assert apart > 0.9
        naive = np.corrcoef((unaligned[other][hidden] @ readout)[:, 0], behavior[other][hidden][:, 0])[0, 1]
        assert apart > naive + 0.1


def test_what_is_hidden_changes_nothing():
    (one, other), (moves, others) = zip(animal(0), animal(1), strict=True)
    visible = [np.arange(600) < 400] * 2
    before, _ = aligned_components([one, other], [moves, others], visible, HIDDEN)
    changed = others.copy()
    changed[400:] = np.nan
    after, _ = aligned_components([one, other], [moves, changed], visible, HIDDEN)
    np.testing.assert_array_equal(before[1], after[1])


def test_animals_keep_as_many_components_as_the_one_with_fewest():
    made = [animal(seed, units) for seed, units in ((0, 30), (1, 3), (2, 12))]
    neural, behavior = ([one[part] for one in made] for part in (0, 1))
    aligned, correlations = aligned_components(neural, behavior, everything(*neural), HIDDEN)
    assert [values.shape for values in aligned] == [(600, 3)] * 3
    assert correlations.shape == (3, 3)


def test_an_animal_whose_units_never_change():
    x, y = animal(0)
    units = np.ones((600, 9))
    with pytest.raises(InputError, match="animal 1: 9 units in 600 frames never change"):
        aligned_components([x, units], [y, y], everything(x, units), HIDDEN)


def test_too_few_moments():
    with pytest.raises(InputError, match="5 matched moments, expected more than 5 components"):
        canonical_alignment(np.ones((5, 5)), np.ones((5, 5)))
    x = np.random.default_rng(0).standard_normal((50, 3))
    with pytest.raises(InputError, match="linearly dependent"):
        canonical_alignment(x, np.column_stack([x[:, :2], x[:, 0]]))
