"""Consistency of embeddings whose relation is known, and CEBRA's definition by a slow loop."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from neural_action.errors import InputError
from neural_action.evaluation.consistency import COLUMNS, between_animals, between_runs, bin_means, fitted_r2

TRIAL = np.repeat(np.arange(10), 60)


def table(frame, measure):
    picked = frame[frame["measure"] == measure]
    return {
        (one, other): value for one, other, value in picked[["one", "other", "value"]].itertuples(index=False)
    }


def test_a_rotation_is_consistent_and_noise_is_not():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((600, 4))
    rotation = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    runs = {
        "0": values,
        "rotated": 3 * values @ rotation + 5,
        "part": values[:, :2],
        "noise": rng.standard_normal((600, 4)),
    }
    frame = between_runs("swap_calcium", "seeds", runs, TRIAL)
    assert list(frame.columns) == COLUMNS
    assert (set(frame["row"]), set(frame["kind"])) == ({"swap_calcium"}, {"seeds"})
    for measure in ("held_out", "cebra"):
        found = table(frame, measure)
        assert len(found) == 12
        assert found["0", "rotated"] == found["rotated", "0"] == pytest.approx(1)
        # All predict a part of themselves; two of four independent dimensions predict half.
        assert found["0", "part"] == pytest.approx(1)
        assert found["part", "0"] == pytest.approx(0.5, abs=0.05)
        assert found["0", "noise"] == pytest.approx(0, abs=0.03)
    assert table(frame, "held_out")["0", "noise"] < 0.005


def test_held_out_trials_tell_noise_that_fitted_points_do_not():
    rng = np.random.default_rng(0)
    runs = {name: rng.standard_normal((600, 300)) for name in "ab"}
    frame = between_runs("swap_calcium", "seeds", runs, TRIAL)
    assert table(frame, "cebra")["a", "b"] == pytest.approx(300 / 599, abs=0.02)
    assert table(frame, "held_out")["a", "b"] < 0


def test_between_runs_is_cebras_definition():
    rng = np.random.default_rng(0)
    one = rng.standard_normal((200, 5))
    other = np.hstack([one[:, :2] + 0.5 * rng.standard_normal((200, 2)), rng.standard_normal((200, 1))])
    # CEBRA scores a linear regression with an intercept by scikit-learn's R2, the mean over dimensions.
    assert fitted_r2(one, other) == pytest.approx(LinearRegression().fit(one, other).score(one, other))
    assert np.isnan(fitted_r2(one, np.ones((200, 2))))


@pytest.mark.parametrize("count", [400, 60])
def test_bins_are_cebras(count):
    """As its documentation has it: label bins, their means, neighbours where a bin is empty, unit length."""
    rng = np.random.default_rng(0)
    values, label, bins = rng.standard_normal((count, 3)), np.sort(rng.random(count)), 30
    edges = np.linspace(0, 1, bins)
    number = [sum(edge <= at for edge in edges) for at in label]
    expected = []
    for at in range(1, bins):
        for reach in range(3):
            near = [row for row, own in zip(values, number, strict=True) if abs(own - at) <= reach]
            if near:
                mean = np.mean(near, axis=0)
                expected.append(mean / np.sqrt((mean**2).sum()))
                break
    np.testing.assert_allclose(bin_means(values, label, bins, (0.0, 1.0)), expected)


def test_a_collapsed_embedding_has_no_direction():
    np.testing.assert_array_equal(bin_means(np.zeros((50, 2)), np.linspace(0, 1, 50), 10, (0.0, 1.0)), 0)


def made_animals(count=3, dimension=4, noise=0.1):
    """Embeddings of the same behaviour, turned differently in each animal."""
    rng = np.random.default_rng(0)
    animal, trial = np.repeat(np.arange(count), 600), np.concatenate([10 * at + TRIAL for at in range(count)])
    behavior = rng.standard_normal((count * 600, 2)) * [2, 1]
    values = np.empty((len(animal), dimension))
    for at in range(count):
        turned = np.linalg.qr(rng.standard_normal((dimension, dimension)))[0][:2]
        values[animal == at] = behavior[animal == at] @ turned
    values += noise * rng.standard_normal(values.shape)
    return values, behavior, animal, trial


def test_animals_that_represent_behaviour_alike_are_consistent():
    values, behavior, animal, trial = made_animals()
    frame = between_animals("swap_calcium", values, behavior, animal, trial, "ABC")
    assert set(frame["kind"]) == {"animals"}
    held_out, cebra = (table(frame, measure) for measure in ("held_out", "cebra"))
    assert set(held_out) == {(a, b) for a in "ABC" for b in "ABC" if a != b}
    assert min(held_out.values()) > 0.9
    noise = np.random.default_rng(1).standard_normal(values.shape)
    other = between_animals("noise", noise, behavior, animal, trial, "ABC")
    assert max(table(other, "held_out").values()) < 0.02
    assert np.mean(list(cebra.values())) > np.mean(list(table(other, "cebra").values())) + 0.3


def test_between_animals_no_trial_fits_and_scores():
    """An embedding that only names its trial cannot be predicted in another trial."""
    _, behavior, animal, trial = made_animals(2)
    behavior = behavior + 100 * np.eye(10)[trial % 10][:, :2]
    values = np.random.default_rng(0).standard_normal((20, 4))[trial]
    frame = between_animals("swap_calcium", values, behavior, animal, trial, "AB")
    assert max(table(frame, "held_out").values()) < 0.2


def test_what_cannot_be_compared_is_a_line():
    values, behavior, animal, trial = made_animals(2)
    with pytest.raises(InputError, match="consistency of swap_calcium: 1 seeds, expected at least 2"):
        between_runs("swap_calcium", "seeds", {"0": values}, trial)
    with pytest.raises(InputError, match="1 has 5 windows, expected 1200"):
        between_runs("swap_calcium", "seeds", {"0": values, "1": values[:5]}, trial)
    with pytest.raises(InputError, match="2 animals and 0 behaviour variables"):
        between_animals("swap_calcium", values, behavior[:, :0], animal, trial, "AB")
    with pytest.raises(InputError, match="animal C has 0 windows"):
        between_animals("swap_calcium", values, behavior, animal, trial, "ABC")
    few = np.r_[0:5, 600:605]
    with pytest.raises(InputError, match=r"5 windows leave .* of 100 bins of behaviour empty"):
        between_animals("swap_calcium", values[few], behavior[few], animal[few], trial[few], "AB")
