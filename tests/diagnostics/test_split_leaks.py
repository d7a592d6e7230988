"""Leaks in the splits of what is decoded, planted; and what a dataset of spikes is told."""

from dataclasses import replace

import numpy as np
import pytest

from neural_action.config.settings import ClipSettings
from neural_action.datasets.dataset import normalise_pose
from neural_action.datasets.partitions import Piece
from neural_action.datasets.windows import window_table
from neural_action.diagnostics.balance import check_balance
from neural_action.diagnostics.duplicates import check_overlap
from neural_action.diagnostics.finding import worst
from neural_action.diagnostics.lags import too_short
from neural_action.diagnostics.leaks import check_gaps, check_leak, check_normalisation

CLIPS = ClipSettings(frames=1, poses=1, behavior_stride=1)
SPLIT, PARTS = "split-0-0-A", ("test", "validation", "train", "train")


@pytest.fixture
def animal(coupled):
    """Animal A alone, its four trials in the parts of a split; trained on: one of validation is not."""
    spans = [
        replace(span, trial=f"{span.trial}/reach", fold=0, part=part, visible=part == "train")
        for span, part in zip(coupled.trials, PARTS, strict=False)
    ]
    frames, samples = spans[-1].frames.stop, spans[-1].samples.stop
    return replace(
        coupled,
        animals=("A",),
        trials=tuple(spans),
        neural=coupled.neural[:frames],
        neural_time=coupled.neural_time[:frames],
        pose=normalise_pose(coupled.pose_raw[:samples], spans),
        pose_raw=coupled.pose_raw[:samples],
        pose_time=coupled.pose_time[:samples],
        labels=coupled.labels[:samples],
    )


@pytest.fixture
def pieces():
    """The same split as its file has it."""
    return {("A", f"t{at}"): [Piece("reach", 0, 600, part, part == "train")] for at, part in enumerate(PARTS)}


def test_a_sound_split_leaks_nothing(animal, pieces):
    clips = window_table(animal, CLIPS, stride=1)
    assert worst(check_leak(animal, clips, pieces, SPLIT, "repeated")) == "ok"
    assert worst(check_normalisation(animal, pieces, SPLIT, "repeated")) == "ok"
    assert worst(check_overlap(animal)) == "ok"


@pytest.mark.parametrize(("part", "protocol"), [(0, "repeated"), (1, "repeated"), (0, "published")])
def test_a_part_that_is_trained_on(animal, pieces, part, protocol):
    clips = window_table(animal, CLIPS, stride=1)
    seen = replace(clips, visible=clips.sees_input | (clips.trial == part))
    (finding,) = check_leak(animal, seen, pieces, SPLIT, protocol)
    assert (finding.severity, finding.subject) == ("error", "A, split 0")
    assert f"A/t{part}/reach" in finding.message


def test_published_splits_may_see_validation(animal, pieces):
    clips = window_table(animal, CLIPS, stride=1)
    seen = replace(clips, visible=clips.sees_input | (clips.trial == 1))
    assert worst(check_leak(animal, seen, pieces, SPLIT, "published")) == "ok"


def test_a_piece_in_another_part_than_its_file_says(animal, pieces):
    pieces["A", "t2"] = [Piece("reach", 0, 600, "test", False)]
    found = check_leak(animal, window_table(animal, CLIPS, stride=1), pieces, SPLIT, "repeated")
    assert "A/t2/reach is used in train, expected test" in {f"{one.subject} {one.message}" for one in found}


def test_statistics_of_behaviour_that_saw_the_test(animal, pieces):
    every = [replace(span, visible=True) for span in animal.trials]
    seen = replace(animal, pose=normalise_pose(animal.pose_raw, every))
    assert worst(check_normalisation(seen, pieces, SPLIT, "repeated")) == "error"


def test_blocks_of_time_that_meet(animal):
    first = animal.trials[0]
    cut = [
        replace(first, trial="t0/0", part="train", frames=slice(0, 300)),
        replace(first, trial="t0/350", part="test", frames=slice(350, 600)),
    ]
    blocks = replace(animal, trials=tuple(cut))
    # The first ends at 29.9 s, the second starts at 35.0.
    assert worst(check_gaps(blocks, SPLIT, 5.1)) == "ok"
    (finding,) = check_gaps(blocks, SPLIT, 5.2)
    assert (finding.severity, finding.subject) == ("error", "A/t0/350")
    assert finding.values["seconds"] == pytest.approx(5.1)
    same = replace(blocks, trials=(cut[0], replace(cut[1], part="train")))
    assert worst(check_gaps(same, SPLIT, 5.2)) == "ok"


def test_a_class_that_a_part_does_not_have(animal):
    labels = animal.labels.copy()
    for span in animal.trials:
        if span.part != "validation":
            labels[span.samples] = np.where(labels[span.samples] == 2, 1, labels[span.samples])
    gone = replace(animal, labels=labels)
    findings, counts = check_balance(gone, window_table(gone, CLIPS, stride=1))
    warned = {finding.subject: finding.message for finding in findings if finding.severity == "warning"}
    assert warned == {
        "train": "no clip of groom: it is not trained on",
        "test": "no clip of groom: it is not tested there",
    }
    assert set(counts["fold"]) == {"train", "validation", "test"}


def test_trials_that_are_too_short_for_lags():
    assert too_short([0.5, 0.5, 60.0], 4.0) is not None
    assert too_short([60.0, 60.0, 0.5], 4.0) is None
