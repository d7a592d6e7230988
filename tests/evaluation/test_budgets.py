"""Which labels a probe is given."""

from dataclasses import replace

import numpy as np

from neural_action.config.evaluation_settings import EvaluationSettings
from neural_action.evaluation.budgets import half_of_blocks, label_budgets, labelled_trials
from neural_action.evaluation.tasks import problems

FEW = EvaluationSettings(label_budgets=["all", 1, 2, 4])


def budgets(task, windows, animals, settings, split="repeat-03", seed=0):
    problem = next(problems(task, windows, animals, settings, split, seed))
    return problem, {budget.name: budget for budget in label_budgets(windows, problem, settings, split, seed)}


def test_few_labels_are_whole_trials_and_among_more(windows):
    _, sets = budgets("decoding", windows, ("m",), FEW)
    assert list(sets) == ["all", "1", "2", "4"]
    assert (len(sets["all"].train), len(sets["all"].validation)) == (64 * 5, 8 * 5)
    before: set[int] = set()
    for name, labels in sets.items():
        for rows, role in ((labels.train, "train"), (labels.validation, "validation")):
            assert set(windows.role[rows]) == {role}
        if name == "all":
            continue
        trials = np.unique(windows.trial[labels.train])
        assert len(labels.train) == 5 * len(trials)
        assert np.bincount(windows.label[labels.train]).tolist() == [5 * int(name)] * 8
        assert np.bincount(windows.label[labels.validation], minlength=8).max() <= 5 * int(name)
        assert before <= set(trials)
        before = set(trials)
    _, other = budgets("decoding", windows, ("m",), FEW, split="repeat-04")
    assert set(other["1"].train) != set(sets["1"].train)


def test_across_animals_few_trials_are_of_each_animal(make_windows):
    windows = make_windows(3, "t" * 24 + "e" * 8, 5, 4)
    problem, sets = budgets("across", windows, "ABC", FEW)
    assert problem.animal == "A"
    for animal in (1, 2):
        rows = sets["2"].train[windows.animal[sets["2"].train] == animal]
        assert np.bincount(windows.label[rows]).tolist() == [10] * 4


def test_a_recording_without_trials_is_labelled_a_bout_at_a_time(windows):
    made = replace(
        windows, label=np.repeat([0, 1, 0], [40, 10, 50]), time=4.0 * np.arange(100), trial=np.zeros(100, int)
    )
    units = labelled_trials(made, 60.0)
    for unit in np.unique(units):
        own = np.flatnonzero(units == unit)
        assert len(set(made.label[own])) == 1
        assert np.ptp(own) == len(own) - 1
        assert np.ptp(made.time[own]) < 60
    assert len(np.unique(units)) == 3 + 1 + 4


def test_half_of_the_labels_is_half_of_each_animals_blocks(flies):
    settings = EvaluationSettings(label_block_seconds=1.0)
    keep = half_of_blocks(flies, 1.0, 0)
    block = flies.trial * 1000 + flies.time.astype(int)
    for number in np.unique(block):
        assert len(set(keep[block == number])) == 1
    for animal in range(3):
        assert 0.45 < keep[flies.animal == animal].mean() < 0.55
    _, sets = budgets("across", flies, "ABC", settings)
    assert set(sets["half"].train) == set(sets["all"].train[keep[sets["all"].train]])


def test_identity_has_no_trials_of_each_class_and_behaviour_all_labels(flies):
    settings = EvaluationSettings(label_budgets=["half", 2, "all"], identity_samples=120)
    problem, sets = budgets("identity", flies, "ABC", settings)
    assert list(sets) == ["half", "all"]
    assert np.bincount(flies.animal[sets["half"].train]).tolist() == [15, 15, 15]
    problem, sets = budgets("continuous_within", flies, "ABC", settings)
    assert list(sets) == ["all"]
    assert (sets["all"].train == problem.train).all()


def test_a_budget_with_one_class_is_left_out(flies):
    # Only the first block of each trial is labelled, and that of one trial in another class.
    label = np.where(flies.time < 0.6, (flies.trial == 0).astype(int), -1)
    changed = replace(flies, label=label)
    settings = EvaluationSettings(label_block_seconds=0.6, label_budgets=["all", "half"])
    found = set()
    for seed in range(20):
        problem, sets = budgets("within", changed, "ABC", settings, seed=seed)
        two = len(np.unique(label[problem.train[half_of_blocks(changed, 0.6, seed)[problem.train]]])) > 1
        assert list(sets) == (["all", "half"] if two else ["all"])
        found.add(two)
    assert found == {True, False}
