"""Which windows train, choose and test."""

from dataclasses import replace

import numpy as np
import pytest

from neural_action.config.evaluation_settings import EvaluationSettings
from neural_action.errors import InputError
from neural_action.evaluation.tasks import problems, split_number

ANIMALS = ("A", "B", "C")
SETTINGS = EvaluationSettings(identity_samples=120)


def made(task, windows, split="fold-3", animals=ANIMALS, seed=0):
    return list(problems(task, windows, animals, SETTINGS, split, seed))


@pytest.mark.parametrize("task", ["within", "across", "decoding", "continuous_within", "continuous_across"])
def test_no_trial_trains_and_tests(flies, task):
    found = made(task, flies)
    assert [problem.animal for problem in found] == list(ANIMALS)
    for number, problem in enumerate(found):
        assert set(flies.role[problem.train]) == {"train"}
        assert set(flies.role[problem.test]) == {"test"}
        assert set(flies.animal[problem.test]) == {number}
        others = task in ("across", "continuous_across")
        assert set(flies.animal[problem.train]) == ({0, 1, 2} - {number} if others else {number})
        labelled = not task.startswith("continuous")
        assert (flies.label[problem.train] >= 0).all() == labelled
        assert (flies.label[problem.test] >= 0).all() == labelled
        assert len(problem.fitted) >= len(problem.train)


def test_labels_that_may_not_be_seen_do_not_train(flies):
    hidden = replace(flies, sees_label=flies.sees_label & (flies.animal != 0))
    within, across = made("within", hidden), made("across", hidden)
    assert [problem.animal for problem in within] == ["B", "C"]
    assert set(flies.animal[across[1].train]) == {2}
    # Decoding is scaled by windows whose labels are hidden: their rates are known.
    some = replace(flies, sees_label=flies.sees_label & (flies.trial % 4 != 0))
    problem = made("decoding", some)[0]
    assert set(flies.trial[problem.train]) == {1, 2}
    assert set(flies.trial[problem.fitted]) == {0, 1, 2}


def test_validation_chooses_for_the_animals_that_train(make_windows):
    windows = make_windows(2, "ttve", 20, 2, bout=3)
    for task, animal in (("within", 0), ("across", 1)):
        problem = made(task, windows, animals=ANIMALS[:2])[0]
        assert set(windows.animal[problem.validation]) == {animal}
        assert set(windows.role[problem.validation]) == {"validation"}


def test_identity_samples_are_even_and_drawn_anew_in_each_split(flies):
    (problem,) = made("identity", flies)
    assert np.bincount(flies.animal[problem.train]).tolist() == [30, 30, 30]
    assert np.bincount(flies.animal[problem.test]).tolist() == [10, 10, 10]
    assert not set(flies.trial[problem.train]) & set(flies.trial[problem.test])
    (other,) = made("identity", flies, split="fold-2")
    assert set(other.train) != set(problem.train)
    assert (flies.label[problem.train] < 0).any()


def test_identity_needs_every_animal(flies):
    whole = flies.animal == 1
    one = replace(flies, role=np.where(whole, "train", flies.role), sees_label=flies.sees_label | whole)
    assert made("identity", one) == []


def test_identity_is_tested_on_trials_of_the_others_that_no_probe_trains_on(flies):
    """Where an animal is left out, only its trials have the role of test."""
    left_out = replace(flies, role=np.where(flies.animal == 1, flies.role, "train"))
    (problem,) = made("identity", left_out)
    assert np.bincount(flies.animal[problem.test]).tolist() == [10, 10, 10]
    assert not left_out.sees_label[problem.test].any()


def test_a_trial_that_trains_and_tests_is_a_line(flies):
    joined = replace(flies, trial=flies.trial // 4)
    with pytest.raises(
        InputError, match=r"within, split fold-3, animal A: 1 trials are in both training .* and test"
    ):
        made("within", joined)


def test_a_label_of_the_test_that_may_be_seen_is_a_line(flies):
    seen = replace(flies, sees_label=np.ones(len(flies.label), bool))
    with pytest.raises(InputError, match=r"across, split fold-3, animal A: labels of \d+ test windows"):
        made("across", seen)


def test_one_class_trains_nothing(flies):
    assert made("within", replace(flies, label=np.minimum(flies.label, 0))) == []


@pytest.mark.parametrize(
    ("split", "number"), [("fold-3", 3), ("without-Fly1-fold-0", 0), ("repeat-07", 7), ("published", 0)]
)
def test_a_split_is_numbered_by_its_name(split, number):
    assert split_number(split) == number


SESSIONS = ("a-1", "a-2", "b-1")
OWNERS = ("a", "a", "b")


@pytest.mark.parametrize(
    "task", ["across", "continuous_across", "across_sessions", "continuous_across_sessions"]
)
def test_sessions_of_the_tested_animal_train_only_across_sessions(flies, task):
    found = list(problems(task, flies, SESSIONS, SETTINGS, "fold-3", 0, OWNERS))
    assert [problem.animal for problem in found] == list(SESSIONS)
    for number, problem in enumerate(found):
        others = {0, 1, 2} - {number}
        if not task.endswith("sessions"):
            others = {0: {2}, 1: {2}, 2: {0, 1}}[number]
        assert set(flies.animal[problem.train]) == others
        assert set(flies.animal[problem.test]) == {number}


def test_nothing_is_across_animals_where_all_sessions_are_of_one(flies):
    def made_of(task):
        return list(problems(task, flies, SESSIONS, SETTINGS, "fold-3", 0, ("a",) * 3))

    assert made_of("across") == made_of("continuous_across") == []
    assert [problem.animal for problem in made_of("across_sessions")] == list(SESSIONS)
