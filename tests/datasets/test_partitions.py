"""Splits of an animal's trials: shares, strata, gaps, order."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from neural_action.config.settings import SplitSettings
from neural_action.datasets.protocols import split_table
from neural_action.datasets.split_table import ROLES
from neural_action.errors import InputError
from neural_action.recordings.recording import Recording

REPEATED = SplitSettings(protocol="repeated", repeats=6)
PUBLISHED = SplitSettings(protocol="published")


def partition(recordings, settings):
    """Rows of the split table."""
    return pd.DataFrame(split_table(recordings, settings).rows)


def recording(
    labels: np.ndarray, segment: np.ndarray | None = None, trial: str = "r", rate: float = 0.25
) -> Recording:
    """A bin a label, at ``rate`` bins a second."""
    count = len(labels)
    time = np.arange(count) / rate
    names = () if segment is None else tuple(f"{at:03d}" for at in range(segment[-1] + 1))
    return Recording(
        animal="A",
        trial=trial,
        neural=np.empty((0, 2), np.float32),
        neural_time=time,
        behavior=time[:, None],
        behavior_time=time,
        labels=labels.astype(np.int8),
        neural_index=np.arange(count, dtype=np.int32),
        class_names=("a", "b", "c"),
        behavior_names=("elapsed",),
        neural_rate=rate,
        behavior_rate=rate,
        segment=segment,
        segment_names=names,
    )


def reaches() -> Recording:
    """159 trials of 4 to 8 bins in three directions."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(4, 9, 159)
    return recording(np.repeat(rng.integers(3, size=159), lengths), np.repeat(np.arange(159), lengths))


def sleep() -> Recording:
    """Three hours of 4 s bins in states that last minutes; the last is rare."""
    rng = np.random.default_rng(1)
    states = np.repeat(rng.choice(3, 60, p=[0.4, 0.5, 0.1]), 45)
    return recording(states)


def parts_of(table, split: int, count: int) -> np.ndarray:
    """(frame,) part of every frame, -1 in gaps."""
    out = np.full(count, -1)
    for row in table[table["split"] == f"repeat-{split}"].itertuples():
        assert (out[row.start : row.stop] == -1).all()
        out[row.start : row.stop] = ROLES.index(row.role)
    return out


def test_published_split_of_reaches_is_the_releases():
    own = reaches()
    table = partition([own], PUBLISHED)
    assert table["split"].unique().tolist() == ["published"]
    table["number"] = [own.segment[start] for start in table["start"]]
    trials = table.groupby("role", sort=False)["number"].apply(list)
    assert [len(trials[role]) for role in ROLES] == [127, 16, 16]
    assert trials["train"][0] == 0
    assert trials["test"][-1] == 158
    for row in table.itertuples():
        assert set(own.segment[row.start : row.stop]) == {row.number}


def test_published_split_of_sleep_is_contiguous():
    settings = replace_settings(PUBLISHED, train=0.7, validation=0.1)
    table = partition([sleep()], settings)
    assert table[["start", "stop", "role"]].to_numpy().tolist() == [
        [0, 1889, "train"],
        [1889, 2160, "validation"],
        [2160, 2700, "test"],
    ]


def test_repeated_splits_of_reaches_keep_trials_whole_and_spread_classes():
    own = reaches()
    table = partition([own], REPEATED)
    drawn = []
    for split in range(6):
        parts = parts_of(table, split, len(own.labels))
        assert (parts >= 0).all()
        by_trial = [set(parts[own.segment == trial]) for trial in range(159)]
        assert all(len(found) == 1 for found in by_trial)
        by_trial = np.array([found.pop() for found in by_trial])
        assert np.bincount(by_trial).tolist() == [127, 16, 16]
        direction = np.array([own.labels[own.segment == trial][0] for trial in range(159)])
        shares = np.bincount(direction[by_trial == 2], minlength=3) / np.bincount(direction)
        assert (abs(shares - 0.1) < 0.06).all()
        drawn.append(tuple(by_trial))
    assert len(set(drawn)) == 6
    assert partition([own], REPEATED).equals(table)


def test_repeated_splits_of_sleep_leave_gaps_between_parts():
    own = sleep()
    settings = replace_settings(REPEATED, train=0.7, validation=0.1, block_seconds=600.0, gap_seconds=60.0)
    table = partition([own], settings)
    for split in range(6):
        parts = parts_of(table, split, len(own.labels))
        at = np.flatnonzero(parts >= 0)
        # Between two bins of different parts at least a minute passes.
        changes = np.flatnonzero(np.diff(parts[at]))
        assert (np.diff(own.neural_time[at])[changes] >= 60).all()
        assert set(parts[at]) == {0, 1, 2}
        # Tests are whole blocks, and the gap is taken from what is trained on.
        test = np.flatnonzero(parts == 2)
        assert len(test) % 150 == 0
        assert (parts == -1).mean() < 0.25


def test_too_few_trials_are_named():
    own = recording(np.array([0, 0, 1]), np.array([0, 1, 1]))
    with pytest.raises(InputError, match="animal A: 2 trials or blocks of time, none left for"):
        partition([own], REPEATED)
    with pytest.raises(InputError, match="none left for validation"):
        partition([own], PUBLISHED)


def test_several_recordings_of_an_animal_are_split_together():
    one, two = reaches(), replace(reaches(), trial="s")
    table = partition([two, one], PUBLISHED)
    assert set(table[table["trial"] == "r"]["role"]) == {"train"}
    assert set(table[table["trial"] == "s"]["role"]) == {"train", "validation", "test"}


@pytest.mark.parametrize(("settings", "seen"), [(PUBLISHED, {"train", "validation"}), (REPEATED, {"train"})])
def test_what_may_be_seen_of_a_split(settings, seen):
    table = partition([reaches()], settings)
    assert set(table[table["sees_input"]]["role"]) == seen
    assert set(table[~table["sees_input"]]["role"]) == set(ROLES) - seen
    assert set(table[table["sees_label"]]["role"]) == {"train"}


def pictures(part: str, count: int) -> Recording:
    """Trials of one bin in three classes, published as ``part``."""
    return replace(recording(np.arange(count) % 3, np.arange(count), part), part=part)


def test_published_parts_are_kept_and_validation_is_drawn_from_training_class_by_class():
    settings = replace_settings(PUBLISHED, validation=0.2)
    table = partition([pictures("train", 60), pictures("test", 30)], settings)
    assert set(table[table["trial"] == "test"]["role"]) == {"test"}
    train = table[table["trial"] == "train"]
    assert train["role"].value_counts().to_dict() == {"train": 48, "validation": 12}
    assert np.bincount(train[train["role"] == "validation"]["start"] % 3).tolist() == [4, 4, 4]
    # At random, and by the seed.
    assert not np.array_equal(train[train["role"] == "validation"]["start"], np.arange(48, 60))
    other = partition([pictures("train", 60), pictures("test", 30)], replace_settings(settings, seed=1))
    assert not other.equals(table)


def test_a_published_validation_part_is_taken_as_it_is():
    parts = [pictures("train", 20), pictures("validation", 7), pictures("test", 5)]
    table = partition(parts, PUBLISHED)
    assert (table["trial"] == table["role"]).all()


def test_parts_that_leave_a_role_empty_or_are_not_of_all_are_named():
    with pytest.raises(InputError, match="none left for test"):
        partition([pictures("train", 20)], PUBLISHED)
    with pytest.raises(InputError, match="recording r has no published part"):
        partition([pictures("test", 20), recording(np.arange(9) % 3, np.arange(9))], PUBLISHED)


def replace_settings(settings: SplitSettings, **changes) -> SplitSettings:
    return settings.model_copy(update=changes)
