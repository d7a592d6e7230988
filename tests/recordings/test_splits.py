"""Folds and holdouts: properties that keep test trials out of training."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_action.config.settings import SplitSettings
from neural_action.errors import InputError
from neural_action.recordings.splits import Holdout, assign_folds, holdouts, read_folds, write_folds

cohorts = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.integers(4, 11), min_size=1, max_size=4
).map(lambda sizes: [(animal, f"t{k}") for animal, count in sizes.items() for k in range(count)])


@given(cohorts, st.integers(2, 4), st.integers(0, 99))
def test_every_trial_is_tested_once_and_folds_are_even(trials, folds, seed):
    assigned = assign_folds(trials, SplitSettings(folds=folds, seed=seed))
    assert set(assigned) == set(trials)
    for animal in {name for name, _ in trials}:
        counts = [
            sum(1 for (a, _), f in assigned.items() if a == animal and f == fold) for fold in range(folds)
        ]
        assert min(counts) >= 1
        assert max(counts) - min(counts) <= 1


@given(cohorts, st.integers(0, 99))
def test_order_of_the_sheet_does_not_matter(trials, seed):
    settings = SplitSettings(seed=seed)
    assert assign_folds(trials, settings) == assign_folds(trials[::-1], settings)


def test_too_few_trials_is_one_clear_line():
    with pytest.raises(InputError, match=r"animal A has 3 trials, expected at least split\.folds = 4"):
        assign_folds([("A", str(k)) for k in range(3)], SplitSettings())


def test_folds_survive_a_file(tmp_path):
    folds = assign_folds([(a, f"{k:03d}") for a in ("A", "NA") for k in range(4)], SplitSettings())
    write_folds(folds, tmp_path / "folds.csv")
    assert read_folds(tmp_path / "folds.csv") == folds


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        ("transductive", ["none"]),
        ("new_trials", ["fold-0", "fold-1", "fold-2", "fold-3"]),
        ("new_animal", ["animal-A", "animal-B"]),
    ],
)
def test_protocols_name_their_holdouts(protocol, expected):
    names = holdouts(SplitSettings(protocol=protocol), ["B", "A"])
    assert names == expected
    # Whatever the protocol, every animal's trial of every fold is scored by exactly one run.
    for animal in "AB":
        for fold in range(4):
            assert sum(Holdout.parse(name).tests(animal, fold) for name in names) == 1


@pytest.mark.parametrize("protocol", ["new_trials", "new_animal"])
def test_what_is_scored_was_hidden(protocol):
    for name in holdouts(SplitSettings(protocol=protocol), ["A", "B"]):
        holdout = Holdout.parse(name)
        assert all(holdout.hides(a, f) for a in "AB" for f in range(4) if holdout.tests(a, f))


@pytest.mark.parametrize(
    "name", ["fold", "fold-x", "adapted-A", "adapted-fold-1", "animal-", "trial-1", "none-1", ""]
)
def test_unknown_holdouts_are_refused(name):
    with pytest.raises(
        InputError,
        match="expected none, fold-<number>, animal-<name>, adapted-<name>-fold-<number> or split-",
    ):
        Holdout.parse(name)


@pytest.mark.parametrize(
    "name", ["none", "fold-2", "animal-Fly-3", "adapted-Fly-fold-3-fold-2", "split-0-19-chewie-1"]
)
def test_a_holdout_has_the_name_that_it_is_parsed_from(name):
    assert Holdout.parse(name).name == name


def test_an_adapted_holdout_hides_one_animals_trials_of_one_fold():
    holdout = Holdout.parse("adapted-Fly-fold-3-fold-2")
    assert (holdout.value, holdout.fold, holdout.protocol) == ("Fly-fold-3", 2, "adapted")
    hidden = [(a, f) for a in ("Fly-fold-3", "B") for f in range(4) if holdout.hides(a, f)]
    tested = [(a, f) for a in ("Fly-fold-3", "B") for f in range(4) if holdout.tests(a, f)]
    assert hidden == tested == [("Fly-fold-3", 2)]
