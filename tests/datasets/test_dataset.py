"""Spans of recordings that hold many trials, as splits see them; sessions side by side."""

from dataclasses import replace

import numpy as np
import pytest

from neural_action.config.settings import SplitSettings, WindowSettings
from neural_action.datasets.dataset import (
    Source,
    TrialRows,
    block_weights,
    dataset_of,
    normalise_pose,
    side_by_side,
)
from neural_action.datasets.layout import lay_out
from neural_action.datasets.protocols import split_table
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError
from neural_action.recordings.recording import Recording
from neural_action.recordings.store import read_manifest, read_recording, write_store

BINS = WindowSettings(frames=1, poses=1, behavior_stride=1, stride=1)
LENGTHS = [3, 1, 4, 2, 5, 2, 3, 1, 4, 5, 2, 3]


def session(animal: str, units: int, seed: int) -> Recording:
    """Twelve trials of 1 to 5 bins."""
    rng = np.random.default_rng(seed)
    segment = np.repeat(np.arange(len(LENGTHS), dtype=np.int32), LENGTHS)
    count = len(segment)
    time = 0.1 * (np.arange(count) + 10 * segment)
    return Recording(
        animal=animal,
        trial="reaches",
        neural=rng.poisson(2, (count, units)).astype(np.float32),
        neural_time=time,
        behavior=rng.standard_normal((count, 2)).astype(np.float32),
        behavior_time=time,
        labels=(segment % 3).astype(np.int8),
        neural_index=np.arange(count, dtype=np.int32),
        class_names=("a", "b", "c"),
        behavior_names=("x", "y"),
        neural_rate=10.0,
        behavior_rate=10.0,
        segment=segment,
        segment_names=tuple(f"{at:03d}" for at in range(len(LENGTHS))),
    )


@pytest.fixture
def manifests(tmp_path):
    """Stores of two sessions with other neurons, laid out, and their splits."""
    made = [session("one", 6, 0), session("two", 4, 1)]
    paths = []
    for recording in made:
        path = tmp_path / recording.animal
        write_store(recording, path / "r.zarr", path / "r.manifest.json", dataset="d", steps={}, chunk_mb=1.0)
        paths.append(path / "r.manifest.json")
    settings = SplitSettings(protocol="repeated", repeats=3)
    table = split_table([read_recording(p, with_neural=False) for p in paths], settings)
    table.write(tmp_path / "s.csv")
    lay_out(paths, tmp_path / "dataset")
    return paths


def source(folder, split, **options) -> Source:
    return Source(folder / "dataset", folder / "s.csv", (split,), **options)


def test_segments_come_back_from_the_store(manifests):
    manifest = read_manifest(manifests[0])
    assert "segment" in manifest.arrays
    assert len(manifest.attributes["segment_names"]) == len(LENGTHS)
    found = read_recording(manifests[0])
    np.testing.assert_array_equal(found.segment, session("one", 6, 0).segment)
    assert found.segment_names[3] == "003"


def test_a_split_reads_its_animal_alone_and_hides_the_test(manifests, tmp_path):
    for number in range(3):
        dataset = source(tmp_path, f"repeat-{number}", animal="two").open(BINS)
        assert dataset.animals == ("two",)
        assert dataset.neural.shape == (sum(LENGTHS), 4)
        assert [trial.sees_input for trial in dataset.trials] == [
            trial.role == "train" for trial in dataset.trials
        ]
        assert {trial.role for trial in dataset.trials} == {"train", "validation", "test"}
        windows = window_table(dataset, BINS, stride=1)
        # Every bin is a window, also of a trial that is one bin long.
        assert len(windows) == sum(LENGTHS)
        np.testing.assert_array_equal(windows.start, np.arange(sum(LENGTHS)))
        np.testing.assert_array_equal(windows.pose[:, 0], np.arange(sum(LENGTHS)))
        np.testing.assert_array_equal(windows.label, session("two", 4, 1).labels)
        np.testing.assert_array_equal(np.bincount(windows.trial), LENGTHS)
    with pytest.raises(InputError, match="split 'repeat-0' of animal three"):
        source(tmp_path, "repeat-0", animal="three").open(BINS)


def test_sessions_together_lie_side_by_side(manifests, tmp_path):
    for number in range(3):
        dataset = source(tmp_path, f"repeat-{number}", joint=True).open(BINS)
        assert dataset.sessions == (("one", 6), ("two", 4))
        count = sum(LENGTHS)
        one, two = dataset.neural[:count], dataset.neural[count:]
        np.testing.assert_array_equal(one[:, :6], session("one", 6, 0).neural)
        np.testing.assert_array_equal(two[:, 6:], session("two", 4, 1).neural)
        assert np.isnan(one[:, 6:]).all()
        assert np.isnan(two[:, :6]).all()
        # Every trial of both is a trial of its own, so that views are mined in other trials of either.
        assert [trial.sees_input for trial in dataset.trials] == [
            trial.role == "train" for trial in dataset.trials
        ]
        windows = window_table(dataset, BINS, stride=1)
        np.testing.assert_array_equal(np.bincount(windows.trial), LENGTHS * 2)
        for animal in ("one", "two"):
            own = source(tmp_path, f"repeat-{number}", animal=animal).open(BINS)
            seen = [trial.sees_input for trial in dataset.trials if trial.animal == animal]
            assert seen == [trial.sees_input for trial in own.trials]
    # Not side by side, each animal has an array of its own.
    ragged = Source(tmp_path / "dataset").open(BINS)
    assert (ragged.units, ragged.sessions, len(ragged.neural)) == ((("one", 6), ("two", 4)), (), 2 * count)
    np.testing.assert_array_equal(ragged.neural[count : count + 3], session("two", 4, 1).neural[:3])
    with pytest.raises(InputError, match="of two animals"):
        ragged.neural[count - 1 : count + 1]
    # Behaviour alone is no matter of neurons.
    assert len(Source(tmp_path / "dataset").open(BINS, neural=False).trials) == 2 * len(LENGTHS)


def test_units_are_put_where_their_session_is():
    sessions = [("one", 2), ("two", 1)]
    np.testing.assert_array_equal(side_by_side(np.ones((1, 1)), sessions, "two"), [[np.nan, np.nan, 1]])
    with pytest.raises(InputError, match=r"session one: neural frames \(3,\), expected \(2,\)"):
        side_by_side(np.ones((1, 3)), sessions, "one")
    with pytest.raises(InputError, match="session 'three': is not one of one, two"):
        side_by_side(np.ones((1, 3)), sessions, "three")


def test_without_a_split_everything_is_seen_trial_by_trial(manifests):
    dataset = dataset_of(lay_out(manifests[:1]), None, BINS)
    assert [trial.name for trial in dataset.trials][:2] == ["reaches/000", "reaches/001"]
    assert all(trial.sees_input and trial.sees_label for trial in dataset.trials)
    pairs = window_table(dataset, BINS.model_copy(update={"frames": 2, "poses": 2}), stride=1)
    assert len(pairs) == sum(length - 1 for length in LENGTHS)


def test_a_split_table_of_other_recordings_is_one_clear_line(manifests, tmp_path):
    lay_out(manifests[:1], tmp_path / "dataset")
    with pytest.raises(InputError, match="split table: trial reaches of two has no recording"):
        source(tmp_path, "repeat-0").open(BINS)
    text = (tmp_path / "s.csv").read_text().splitlines()
    (tmp_path / "s.csv").write_text("\n".join([text[0], *(line for line in text if ",two," in line)]) + "\n")
    with pytest.raises(InputError, match="rerun rule splits"):
        source(tmp_path, "repeat-0").open(BINS)
    (tmp_path / "s.csv").write_text(text[0] + "\nrepeat-0,one,reaches,0,99,train,True,True\n")
    with pytest.raises(InputError, match="ends at frame 99, but has 35 frames"):
        source(tmp_path, "repeat-0").open(BINS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"segment": np.zeros(3, np.int32)}, "segment has 3 entries"),
        ({"segment": np.arange(sum(LENGTHS), dtype=np.int32)[::-1]}, "segment decreases at entry 1"),
        ({"segment": np.full(sum(LENGTHS), 12, np.int32)}, "segment 12, expected 0 to 11"),
        ({"segment_names": ("a",) * 12}, "two segments have the same name"),
    ],
)
def test_segments_that_cannot_be_are_named(changes, message):
    with pytest.raises(InputError, match=message):
        replace(session("one", 6, 0), **changes).check("x")


def laid_out(folder, **units: int):
    """A layout in memory of one session an animal."""
    paths = []
    for at, (animal, count) in enumerate(units.items()):
        path = folder / "laid_out" / animal
        write_store(
            session(animal, count, at), path / "r.zarr", path / "r.json", dataset="d", steps={}, chunk_mb=1.0
        )
        paths.append(path / "r.json")
    return lay_out(paths)


def test_units_are_shared_or_own_as_the_configuration_says(tmp_path):
    layout = laid_out(tmp_path, one=6, two=6)
    own, shared, unsaid = (
        dataset_of(layout, None, WindowSettings(units=units)) for units in ("own", "shared", None)
    )
    assert (own.units, shared.units, unsaid.units) == ((("one", 6), ("two", 6)), (), ())
    assert [part.shape[1] for part in own.neural.parts] == [6, 6]
    np.testing.assert_array_equal(np.concatenate(own.neural.parts), shared.neural)
    # One animal has nobody to share with.
    assert dataset_of(layout, None, WindowSettings(units="own"), animal="one").units == ()


def test_units_that_differ_cannot_be_shared(tmp_path):
    with pytest.raises(
        InputError, match=r"animal two: windows\.units is shared, but neural frame \(4,\) differs"
    ):
        dataset_of(laid_out(tmp_path, one=6, two=4), None, WindowSettings(units="shared"))


def test_blocks_of_variables_weigh_as_much_as_one_variable():
    """Variables that a number tells apart are one block; the total variance of each block is that of one variable."""
    weights = block_weights(
        ("body_angle_1", "body_angle_2", "body_angle_10", "speed", "angle2", "head 3"), (6,)
    )
    np.testing.assert_allclose(weights, [3**-0.5, 3**-0.5, 3**-0.5, 1, 1, 1], rtol=1e-6)


def test_the_axes_of_a_keypoint_belong_to_its_block():
    weights = block_weights(("leg_1", "leg_2", "head"), (3, 2))
    np.testing.assert_allclose(weights, [0.5, 0.5, 0.5, 0.5, 2**-0.5, 2**-0.5], rtol=1e-6)


def test_blocks_are_z_scored_and_then_weighed(tmp_path):
    recording = replace(session("A", 3, 0), behavior_names=("x_1", "x_2"))
    write_store(recording, tmp_path / "r.zarr", tmp_path / "r.json", dataset="d", steps={}, chunk_mb=1.0)
    lay_out([tmp_path / "r.json"], tmp_path / "dataset")
    pose = {
        kind: Source(tmp_path / "dataset").open(BINS.model_copy(update={"pose_normalisation": kind})).pose
        for kind in ("animal_zscore", "block_zscore", "none")
    }
    np.testing.assert_allclose(pose["block_zscore"], pose["animal_zscore"] / np.sqrt(2), rtol=1e-6)
    np.testing.assert_array_equal(pose["none"], recording.behavior)


@pytest.mark.parametrize(
    ("roles", "fitted"),
    [
        # Visible trials alone, whatever their role.
        ([("train", True), ("test", True), ("train", False)], [0, 1]),
        # Of an animal that pretraining does not see, the trials outside the test.
        ([("train", False), ("test", False), ("train", False)], [0, 2]),
        # If every trial is tested, there is nothing else.
        ([("test", False), ("test", False), ("test", False)], [0, 1, 2]),
    ],
)
def test_behaviour_is_normalised_outside_the_test(roles, fitted):
    pose = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    parts = [slice(0, 10), slice(10, 40), slice(40, 60)]
    trials = [
        TrialRows("A", str(number), rows, rows, role, sees_input=sees)
        for number, (rows, (role, sees)) in enumerate(zip(parts, roles, strict=True))
    ]
    known = np.concatenate([pose[parts[number]] for number in fitted])
    np.testing.assert_allclose(
        normalise_pose(pose, trials), (pose - known.mean(0)) / known.std(0), rtol=1e-4, atol=1e-5
    )
