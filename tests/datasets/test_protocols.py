"""Protocols: properties of the split tables they generate, and the runs that each needs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_action.config.settings import SplitSettings
from neural_action.datasets.protocols import (
    animals_of,
    assign_folds,
    joint_runs,
    protocol_of,
    runs,
    seen_trials,
    split_table,
    unseen_runs,
)
from neural_action.datasets.split_table import SplitTable, overlaps
from neural_action.errors import InputError
from neural_action.recordings.recording import Recording

animals = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.integers(4, 11), min_size=1, max_size=4
).map(lambda sizes: [(animal, f"t{k}") for animal, count in sizes.items() for k in range(count)])
FOLDED = ("transductive", "new_trials", "new_animal")


def recording(animal: str, trial: str, segments: int = 0) -> Recording:
    """Sixty frames, in as many trials as ``segments``, or one."""
    count = 60
    segment = None if not segments else np.arange(count, dtype=np.int32) * segments // count
    time = np.arange(count) / 10.0
    return Recording(
        animal=animal,
        trial=trial,
        neural=np.empty((0, 2), np.float32),
        neural_time=time,
        behavior=time[:, None],
        behavior_time=time,
        labels=(np.arange(count) % 3).astype(np.int8),
        neural_index=np.arange(count, dtype=np.int32),
        class_names=("a", "b", "c"),
        behavior_names=("elapsed",),
        neural_rate=10.0,
        behavior_rate=10.0,
        segment=segment,
        segment_names=tuple(f"s{at}" for at in range(segments)),
    )


def table_of(trials, **settings) -> SplitTable:
    return split_table([recording(animal, trial) for animal, trial in trials], SplitSettings(**settings))


@given(animals, st.integers(2, 4), st.integers(0, 99))
def test_every_trial_is_tested_once_and_folds_are_even(trials, folds, seed):
    assigned = assign_folds(trials, SplitSettings(folds=folds, seed=seed))
    assert set(assigned) == set(trials)
    for animal in {name for name, _ in trials}:
        counts = [
            sum(1 for (a, _), f in assigned.items() if a == animal and f == fold) for fold in range(folds)
        ]
        assert min(counts) >= 1
        assert max(counts) - min(counts) <= 1


@given(animals, st.integers(0, 99))
def test_order_of_the_sheet_does_not_matter(trials, seed):
    settings = SplitSettings(seed=seed)
    assert assign_folds(trials, settings) == assign_folds(trials[::-1], settings)


def test_too_few_trials_is_one_clear_line():
    with pytest.raises(InputError, match=r"animal A has 3 trials, expected at least split\.folds = 4"):
        assign_folds([("A", str(k)) for k in range(3)], SplitSettings())


@settings(deadline=None, max_examples=40)
@given(animals, st.sampled_from(FOLDED), st.integers(0, 99))
def test_no_protocol_leaks(trials, protocol, seed):
    table = table_of(trials, protocol=protocol, seed=seed)
    assert all(row.role == "train" for row in table.rows if row.sees_label)
    assert not overlaps(table.rows)
    frame = pd.DataFrame(table.rows)
    for split, own in frame.groupby("split"):
        tested = own[own["role"] == "test"]
        assert not tested["sees_label"].any()
        kind = protocol_of(split)
        assert tested["sees_input"].all() if kind == "transductive" else not tested["sees_input"].any()
        if kind == "new_animal":
            assert not own[own["animal"].isin(tested["animal"])]["sees_input"].any()
        if kind == "adapted":
            # All but what is tested: the animal's other trials are what the model adapts to.
            assert own[own["role"] == "train"]["sees_input"].all()


@pytest.mark.parametrize("protocol", FOLDED)
def test_every_trial_is_tested_by_exactly_one_split_of_the_protocol(protocol):
    trials = [(animal, f"t{k}") for animal in "AB" for k in range(5)]
    table = table_of(trials, protocol=protocol)
    frame = pd.DataFrame(table.rows)
    own = frame["split"].map(protocol_of) == protocol
    tested = frame[own & (frame["role"] == "test")]
    assert sorted(zip(tested["animal"], tested["trial"], strict=True)) == sorted(trials)
    # The runs of the protocol do all of its splits, each once.
    made = [split for run in runs(SplitSettings(protocol=protocol), "AB").values() for split in run.splits]
    assert sorted(made) == sorted(split for split in table.splits if protocol_of(split) == protocol)


def test_probes_have_the_same_labels_under_every_protocol():
    trials = [(animal, f"t{k}") for animal in "AB" for k in range(4)]
    labels = {}
    for protocol in FOLDED:
        table = table_of(trials, protocol=protocol)
        for split in table.splits:
            if protocol_of(split) != protocol:
                continue
            for (animal, trial), (piece,) in table.pieces(split).items():
                if piece.role == "test":
                    given_labels = {name for name, (own,) in table.pieces(split).items() if own.sees_label}
                    labels.setdefault((animal, trial), []).append(given_labels)
    for found in labels.values():
        assert len(found) == 3
        assert found[0] == found[1] == found[2]


def test_one_model_serves_splits_that_see_the_same():
    trials = [(animal, f"t{k}") for animal in "AB" for k in range(4)]
    table = table_of(trials, protocol="transductive")
    every = table.splits
    assert table.models(every) == [every]
    # An objective that uses labels needs a model a fold.
    assert table.models(every, labels=True) == [[name] for name in every]
    table = table_of(trials, protocol="new_animal")
    run = runs(SplitSettings(protocol="new_animal"), "AB")["without-A"]
    assert table.models(run.splits) == [list(run.splits)]
    assert table.inputs(run.splits)["A", "t0"][0].sees_input is False
    with pytest.raises(InputError, match="see different inputs"):
        table.inputs(["without-A-fold-0", "without-B-fold-0"])


def test_trials_within_a_recording_have_its_role():
    recordings = [recording("A", f"t{k}", segments=3) for k in range(4)]
    pieces = split_table(recordings, SplitSettings()).pieces("fold-0")
    assert [(piece.start, piece.stop) for piece in pieces["A", "t1"]] == [(0, 20), (20, 40), (40, 60)]
    assert len({piece.role for piece in pieces["A", "t1"]}) == 1


def test_runs_of_repeats_are_jobs_of_an_animal_or_of_all():
    settings = SplitSettings(protocol="repeated", repeats=20, repeats_per_job=8)
    found = runs(settings, ["mihi-1", "chewie"])
    assert list(found) == [
        *(f"repeats-{jobs}-chewie" for jobs in ("0-7", "8-15", "16-19")),
        *(f"repeats-{jobs}-mihi-1" for jobs in ("0-7", "8-15", "16-19")),
    ]
    run = found["repeats-8-15-chewie"]
    assert (run.animal, run.splits) == ("chewie", tuple(f"repeat-{k}" for k in range(8, 16)))
    assert run.options == [*(f"--split=repeat-{k}" for k in range(8, 16)), "--animal=chewie"]
    assert list(joint_runs(settings)) == ["repeats-0-7", "repeats-8-15", "repeats-16-19"]
    assert list(runs(SplitSettings(protocol="published"), ["A"])) == ["published-A"]


def test_fewer_tested_folds_leave_the_table_as_it_is():
    trials = [(animal, f"t{k}") for animal in "AB" for k in range(4)]
    assert table_of(trials, test_folds=[1]).rows == table_of(trials).rows
    # Animals left out and adapted to are in it, whether rows ask for them or not.
    made = {split for run in unseen_runs(SplitSettings(), "AB").values() for split in run.splits}
    assert made < set(table_of(trials).splits)


def test_unseen_runs_leave_out_every_animal_and_adapt_to_it():
    found = unseen_runs(SplitSettings(test_folds=[0, 1]), "BA")
    assert list(found) == [
        *("without-A", "without-B"),
        *(f"adapted-{animal}-fold-{fold}" for animal in "AB" for fold in (0, 1)),
    ]
    assert found["adapted-B-fold-1"].starts_from == "without-B"


@pytest.mark.parametrize("protocol", FOLDED)
def test_seen_trials_are_those_of_the_table(protocol):
    trials = [(animal, f"t{k}") for animal in "AB" for k in range(4)]
    table = table_of(trials, protocol=protocol)
    expected = [
        [trial for trial, (piece,) in table.pieces(split).items() if piece.sees_input]
        for split in table.splits
        if protocol_of(split) == protocol
    ]
    found = seen_trials(trials, SplitSettings(protocol=protocol))
    assert [sorted(one) for one in found] == [sorted(one) for one in expected]


def test_unknown_splits_are_refused():
    with pytest.raises(InputError, match="split 'animal-A': expected a name that begins with"):
        protocol_of("animal-A")


SESSIONS = [(session, f"t{k}") for session in ("a-1", "a-2", "b-1") for k in range(4)]


def test_an_animal_is_left_out_with_all_its_sessions():
    table = table_of(SESSIONS, protocol="new_animal", animal_of_session="^[^-]+")
    for split in table.splits:
        own = [row for row in table.rows if row.split == split]
        tested = split.split("-fold-")[0].removeprefix("without-")
        hidden = {"a-1": {"a-1", "a-2"}, "a-2": {"a-1", "a-2"}, "b-1": {"b-1"}}[tested]
        assert {row.animal for row in own if not row.sees_input} == hidden
        assert {row.animal for row in own if row.role == "test"} == {tested}


def test_without_the_setting_each_session_is_an_animal():
    table = table_of(SESSIONS, protocol="new_trials")
    told = table_of(SESSIONS, protocol="new_trials", animal_of_session="^[^-]+")
    for split in ("fold-0", "without-a-1-fold-0"):
        same = told.pieces(split) == table.pieces(split)
        assert same == (split == "fold-0")


def test_a_name_without_an_animal_is_a_line():
    told = SplitSettings(animal_of_session="^[a-z]+")
    assert animals_of(["ab-1", "c2"], told) == {"ab-1": "ab", "c2": "c"}
    assert animals_of(["ab-1"], SplitSettings()) == {"ab-1": "ab-1"}
    with pytest.raises(InputError, match="finds no animal in the name of session 1-a"):
        animals_of(["ab-1", "1-a"], told)
    with pytest.raises(ValueError, match="a regular expression"):
        SplitSettings(animal_of_session="[")
