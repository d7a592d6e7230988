"""Intervals hold their level: simulated with known truth, and compared with slow ways to the same numbers."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import stdtrit

from neural_action.evaluation.statistics import (
    between_protocols,
    crossed_variance,
    estimate,
    holm,
    over_animals,
    over_splits,
    over_units,
    paired,
)

ALMOST_95 = (0.93, 0.97)


def frame(values, animals=None, splits=None, unit="", n_test=10):
    """Scores of (animal, split, seed) as a frame."""
    values = np.asarray(values, float)
    names = [
        animals or [f"Fly{k}" for k in range(values.shape[0])],
        splits or [f"fold-{k}" for k in range(values.shape[1])],
        range(values.shape[2]),
    ]
    index = pd.MultiIndex.from_product(names, names=["animal", "split", "seed"])
    table = pd.DataFrame({"value": values.ravel()}, index=index).reset_index()
    return table.assign(unit=unit, n_test=n_test)


# Standard deviations, in points, of animals, of what all animals share of an encoder, and of the rest.
COMPONENTS = {"scores": (6, 1, 4), "differences": (2, 1, 2), "alike": (1, 1, 2)}


def simulated(animals, runs, components, count=6000):
    """(count, animal, run) scores around 0."""
    rng = np.random.default_rng(animals + runs)
    animal, run, rest = components
    return (
        animal * rng.standard_normal((count, animals, 1))
        + run * rng.standard_normal((count, 1, runs))
        + rest * rng.standard_normal((count, animals, runs))
    )


def coverage(values):
    means = values.mean(-1)
    variance, freedom = crossed_variance(values, means, np.full(values.shape[1], 1 / values.shape[1]))
    return np.mean(np.abs(means.mean(-1)) <= stdtrit(freedom, 0.975) * np.sqrt(variance))


@pytest.mark.parametrize("components", COMPONENTS.values(), ids=COMPONENTS)
@pytest.mark.parametrize("runs", [4, 12])
@pytest.mark.parametrize("animals", [4, 8, 10])
def test_an_interval_over_animals_holds_its_level(animals, runs, components):
    low, high = ALMOST_95
    assert low <= coverage(simulated(animals, runs, components)) <= high


def test_neither_a_bootstrap_nor_t_over_animals_alone_holds_it():
    values = simulated(8, 4, COMPONENTS["differences"], count=1000)
    means = values.mean(-1)
    half = stdtrit(7, 0.975) * means.std(1, ddof=1) / np.sqrt(8)
    assert np.mean(np.abs(means.mean(-1)) <= half) < 0.93
    rng = np.random.default_rng(0)
    animal = rng.integers(8, size=(400, 8))[:, :, None]
    run = rng.integers(4, size=(400, 8, 4))
    drawn = values[:, animal, run].mean((-2, -1))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
    assert np.mean((low <= 0) & (high >= 0)) < 0.92


def test_over_animals_is_the_variance_of_a_table_of_two_ways():
    values = simulated(5, 6, (1, 2, 1), count=1)[0]
    found = over_animals(frame(values.reshape(5, 3, 2)))
    mean = values.mean()
    of_animals = 6 * ((values.mean(1) - mean) ** 2).sum() / 4
    of_runs = 5 * ((values.mean(0) - mean) ** 2).sum() / 5
    rest = values - values.mean(1, keepdims=True) - values.mean(0) + mean
    of_rest = (rest**2).sum() / 20
    total = of_animals + of_runs - of_rest
    freedom = total**2 / (of_animals**2 / 4 + of_runs**2 / 5 + of_rest**2 / 20)
    assert of_runs > of_rest
    assert found.mean == pytest.approx(mean)
    assert found.high - mean == pytest.approx(stats.t.ppf(0.975, freedom) * np.sqrt(total / 30))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(mean) / np.sqrt(total / 30), freedom))
    assert found.n == 30


def test_animals_with_encoders_of_their_own_have_a_plain_t_interval():
    own = pd.concat(
        [frame([[[value]]], [f"Fly{k}"], [f"without-Fly{k}"]) for k, value in enumerate((0.4, 0.5, 0.8))]
    )
    found = over_animals(own)
    expected = stats.ttest_1samp([0.4, 0.5, 0.8], 0)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert found.p == pytest.approx(expected.pvalue)


def test_the_mean_is_over_animals_of_splits_of_seeds():
    table = frame(np.arange(12).reshape(2, 2, 3))
    table = table[~((table["split"] == "fold-1") & (table["seed"] > 0) & (table["animal"] == "Fly0"))]
    assert over_animals(table).mean == pytest.approx(((1 + 3) / 2 + (7 + 10) / 2) / 2)


def repeated(count, splits=20, trials=160, test=16, share=0.7):
    """(count, split) accuracy on random tests of the same trials, each right with chance ``share``."""
    rng = np.random.default_rng(splits)
    right = rng.random((count, trials)) < share
    tested = rng.random((count, splits, trials)).argpartition(test, axis=-1)[..., :test]
    return np.take_along_axis(right[:, None, :], tested, axis=-1).mean(-1)


@pytest.mark.parametrize("splits", [10, 20, 60])
def test_an_interval_over_repeated_splits_holds_its_level(splits):
    values = repeated(600, splits)
    found = [over_splits(frame(own[None, :, None]), 16 / 128) for own in values]
    covered = np.mean([one.low <= 0.7 <= one.high for one in found])
    assert 0.93 <= covered <= 0.98
    # Splits taken for independent, as a bootstrap takes them.
    error = values.std(1, ddof=1) / np.sqrt(splits)
    assert np.mean(np.abs(values.mean(1) - 0.7) <= 1.96 * error) < 0.83


def test_more_splits_of_the_same_trials_say_little_more():
    few, many = (over_splits(frame(repeated(1, n)[0][None, :, None]), 16 / 128) for n in (20, 200))
    assert (few.high - few.low) < 1.5 * (many.high - many.low)


def test_the_splits_formula_is_the_one_published():
    values = np.array([0.5, 0.6, 0.8, 0.7])
    found = over_splits(frame(values[None, :, None]), 1 / 3)
    half = stats.t.ppf(0.975, 3) * np.sqrt((1 / 4 + 1 / 3) * values.var(ddof=1))
    assert (found.mean, found.low, found.high) == pytest.approx((0.65, 0.65 - half, 0.65 + half))


def of_trials(hits, windows):
    """Scores of test trials of one split; hits (trial, seed)."""
    table = frame(hits[None], ["A"], list(range(len(hits))))
    return table.assign(
        unit=table["split"].astype(str), n_test=np.repeat(windows, hits.shape[1]), split="published"
    )


def test_trials_count_by_their_windows_and_hold_their_level():
    rng = np.random.default_rng(1)
    found = over_units(of_trials(np.array([[1, 1], [0, 0.5], [0.5, 0.5]]), [9, 1, 5]))
    assert found.mean == pytest.approx((9 * 1 + 1 * 0.25 + 5 * 0.5) / 15)
    covered = []
    for _ in range(400):
        windows = rng.integers(3, 12, 18)
        hits = rng.binomial(windows, np.clip(rng.normal(0.7, 0.15, 18), 0, 1)) / windows
        one = over_units(of_trials(hits[:, None], windows))
        covered.append(one.low <= 0.7 <= one.high)
    assert 0.91 <= np.mean(covered) <= 0.98


def test_the_interval_follows_from_the_scores():
    whole = frame(np.random.default_rng(0).random((1, 1, 2)), ["A"], ["published"])
    assert np.isnan([estimate(whole, 0.1).low, estimate(whole, 0.1).p]).all()
    units = of_trials(np.random.default_rng(0).random((6, 2)), [4] * 6)
    assert estimate(pd.concat([whole, units]), 0.1) == over_units(units)
    splits = frame(np.random.default_rng(0).random((1, 5, 2)), ["A"])
    assert estimate(splits, 0.1) == over_splits(splits, 0.1)
    animals = frame(np.random.default_rng(0).random((3, 5, 2)))
    assert estimate(animals, 0.1) == over_animals(animals)


def test_a_difference_is_paired_and_ignores_what_is_common():
    common = np.random.default_rng(0).random((3, 2, 2))
    one = frame(common + 0.1)
    found = over_animals(paired(one, frame(common)))
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert found.p == 0
    assert over_animals(paired(one, one)).p == 1
    assert len(paired(one, frame(common)[:5])) == 5
    with pytest.raises(ValueError, match="two of the same"):
        paired(pd.concat([one, one]), one)


def test_holm_is_stepwise_and_leaves_out_what_has_no_p():
    found = holm([0.01, 0.04, np.nan, 0.03, 0.6])
    np.testing.assert_allclose(found, [0.04, 0.09, np.nan, 0.09, 0.6])
    assert len(holm([])) == 0
    # Of eight true nulls, a family has an error in 5 %.
    null = np.random.default_rng(0).random((4000, 8))
    assert 0.03 < np.mean([holm(own).min() < 0.05 for own in null]) < 0.06


def test_protocols_are_compared_animal_by_animal():
    rng = np.random.default_rng(0)
    seen = rng.random((4, 3, 1))
    loss = np.array([0.2, 0.4, 0.3, 0.3]).reshape(4, 1, 1)
    found = between_protocols(frame(seen - loss), frame(seen))
    expected = stats.ttest_1samp(-loss.ravel(), 0).confidence_interval()
    assert (found.mean, found.low, found.high) == pytest.approx((-0.3, expected.low, expected.high))
    # An animal that one of them has not is left out, and one animal has no interval.
    fewer = frame(seen - loss).query("animal != 'Fly0'")
    assert between_protocols(fewer, frame(seen)).n == 3
    assert np.isnan(between_protocols(frame(seen[:1]), frame(seen)).low)
