"""The reader of real walking flies: on made-up files, and on the real ones where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from neural_action.errors import InputError
from neural_action.recordings.readers import fly_walking
from neural_action.recordings.samples import SampleRow

NAME = "Fly2_9day_6fx60D05_jRGC1ax37F06_Dark_00003.mat"
SWAPPED = "Fly2_9day_6fx37F06_jRGC1ax60D05_Dark_00003.mat"
VOLUMES, RATE = 120, 11.42


def content(turn: float = 1.0) -> dict:
    """Ten seconds of a ball that turns at ``turn`` rad/s, seen from 1 s after imaging began."""
    grabs = np.round(np.arange(VOLUMES * 7) * 1e4 / (7 * RATE)) + 3000
    t = 50 + np.arange(1100) / 120
    angle = np.rad2deg(turn * (t - t[0]))
    return {
        **{f"{color}ROIave{kind}": np.full((16, VOLUMES), value) for (color, value, kind) in CHANNELS},
        "positionDat": {
            "t": t,
            "OffsetRot": (angle + 180) % 360 - 180,
            "OffsetFor": 2 * (t - t[0]),
            "OffsetLat": -0.5 * (t - t[0]),
            "tFrameGrab": grabs,
            "tVR": 13000.0 + np.arange(600) * 166,
        },
    }


CHANNELS = [("G", 1.0, "Max"), ("R", 2.0, "Max"), ("G", 3.0, "Mean"), ("R", 4.0, "Mean")]


def write(folder: Path, values: dict, name: str = NAME) -> Path:
    path = folder / "20160423" / name
    path.parent.mkdir(exist_ok=True)
    savemat(path, values, do_compression=True)
    return path


def read(folder: Path, class_names=None, name: str = NAME, **options):
    row = SampleRow("20160423_Fly2", "Dark_00003", f"20160423/{name}")
    return fly_walking.read(folder, row, fly_walking.Options.parse(options), class_names).check(name)


def test_names_come_from_folder_and_file(tmp_path):
    path = write(tmp_path, content())
    write(tmp_path, content(), "summary.mat")
    rows = fly_walking.scan(tmp_path, fly_walking.Options())
    assert rows == [SampleRow("20160423_Fly2", "Dark_00003", f"20160423/{NAME}")]
    assert fly_walking.files(tmp_path, rows[0], fly_walking.Options()) == [path]


def test_behaviour_is_on_the_imaging_clock_and_where_it_is_known(tmp_path):
    write(tmp_path, content())
    recording = read(tmp_path)
    assert recording.neural.shape == (VOLUMES, 32)
    assert (recording.neural.dtype, recording.behavior.dtype) == (np.float32, np.float32)
    # Behaviour begins 1 s after imaging and lasts 1099 / 120 s.
    first, last = recording.neural_index[[0, -1]]
    assert first == int(np.ceil(RATE))
    assert last == min(VOLUMES - 1, int((1 + 1099 / 120) * RATE))
    np.testing.assert_allclose(recording.behavior_time, recording.neural_time[recording.neural_index])
    assert recording.neural_rate == pytest.approx(RATE, rel=1e-3)
    # Constant velocities, through every wrap of the rotation.
    np.testing.assert_allclose(recording.behavior, np.tile([1, 2, -0.5], (last - first + 1, 1)), atol=1e-3)


@pytest.mark.parametrize(
    ("turn", "forward", "label"),
    [
        (1.0, 2, "turn_one_way"),
        (-1.0, 2, "turn_other_way"),
        (0.0, 2, "forward"),
        (0.3, 0, "forward"),
        (0.1, 0, "rest"),
    ],
)
def test_labels_are_thresholds_on_velocities(tmp_path, turn, forward, label):
    values = content(turn)
    values["positionDat"]["OffsetFor"] *= forward / 2
    write(tmp_path, values)
    recording = read(tmp_path)
    assert {recording.class_names[number] for number in recording.labels} == {label}


def test_labels_are_from_smooth_velocities_also_where_rough_ones_are_stored(tmp_path):
    values = content()
    values["positionDat"]["OffsetFor"] += 0.1 * np.random.default_rng(0).standard_normal(1100)
    write(tmp_path, values)
    smooth, rough = read(tmp_path), read(tmp_path, smooth_behavior=False)
    np.testing.assert_array_equal(smooth.labels, rough.labels)
    assert rough.behavior[:, 1].std() > 2 * smooth.behavior[:, 1].std()


def test_channels_and_statistic(tmp_path):
    write(tmp_path, content())
    write(tmp_path, content(), SWAPPED)
    assert read(tmp_path).neural[0, [0, 16]].tolist() == [1, 2]
    assert read(tmp_path, statistic="Mean").neural[0, [0, 16]].tolist() == [3, 4]
    # 37F06 first: red in one genotype, green in the other.
    assert read(tmp_path, channels="by_driver").neural[0, [0, 16]].tolist() == [2, 1]
    assert read(tmp_path, channels="by_driver", name=SWAPPED).neural[0, [0, 16]].tolist() == [1, 2]
    write(tmp_path, content(), "Fly1_x_Dark_1.mat")
    with pytest.raises(InputError, match="for channels: by_driver"):
        read(tmp_path, channels="by_driver", name="Fly1_x_Dark_1.mat")


def test_classes_can_be_renamed_but_not_counted_anew(tmp_path):
    write(tmp_path, content())
    assert read(tmp_path, class_names=("a", "b", "c", "d")).class_names == ("a", "b", "c", "d")
    with pytest.raises(InputError, match=r"convert\.class_names: 2 names, expected 4"):
        read(tmp_path, class_names=("a", "b"))


def _position(**changes):
    def change(values):
        values["positionDat"].update(changes)

    return change


def _values(name, value):
    return lambda values: values.update({name: value})


NAN = np.where(np.arange(1100) == 4, np.nan, 1.0)
BAD = [
    (lambda values: values.pop("positionDat"), "has no variable 'positionDat'"),
    (lambda values: values.pop("RROIaveMax"), "has no variable 'RROIaveMax'"),
    (lambda values: values["positionDat"].pop("tVR"), "has no variable 'tVR'"),
    (
        _values("GROIaveMax", np.ones((15, VOLUMES))),
        r"GROIaveMax has shape \(15, 120\), expected \(16, volumes\)",
    ),
    (_values("GROIaveMax", np.ones((16, 100))), "expected the same shape"),
    (_values("GROIaveMax", np.full((16, VOLUMES), np.nan)), "GROIaveMax holds NaN or infinity at entry 0"),
    (_values("GROIaveMax", "text"), "GROIaveMax is <U4 of shape"),
    (_position(OffsetRot=NAN), "OffsetRot holds NaN or infinity at entry 4"),
    (_position(OffsetFor=np.ones(1000)), "OffsetFor has 1000 entries, expected 1100"),
    (_position(t=np.arange(1100)[::-1]), "t runs backwards at entry 1"),
    (_position(tFrameGrab=np.ones(840)), "tFrameGrab runs backwards at entry 1"),
    (_position(tFrameGrab=np.arange(700)), "tFrameGrab has times of 100 volumes of 7 planes, expected 120"),
    (_position(tVR=np.array([9e9, 9e9])), "0 volumes have behaviour, expected more than 7"),
]


@pytest.mark.parametrize(("spoil", "says"), BAD)
def test_bad_input_is_one_line_that_names_the_file(tmp_path, spoil, says):
    values = content()
    spoil(values)
    write(tmp_path, values)
    with pytest.raises(InputError, match=says) as error:
        read(tmp_path)
    assert NAME in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", [0, 60, 500, 2000, -1])
def test_a_truncated_file(tmp_path, size):
    path = write(tmp_path, content())
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=NAME) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path)


@pytest.mark.real_data
def test_ten_real_flies(fly_walking_folder):
    rows = fly_walking.scan(fly_walking_folder, fly_walking.Options())
    assert len({row.animal for row in rows}) == 10
    assert len(rows) == len({(row.animal, row.trial) for row in rows}) == 100
    counts = np.zeros(4, int)
    lags: dict[str, list[np.ndarray]] = {}
    options = fly_walking.Options(channels="by_driver")
    for row in rows:
        recording = fly_walking.read(fly_walking_folder, row, options, None).check(row.path)
        assert recording.neural.shape == (750, 32)
        assert 8 <= recording.neural_index[0] <= 20
        assert recording.neural_rate == pytest.approx(11.42, abs=0.01)
        counts += np.bincount(recording.labels, minlength=4)
        lags.setdefault(row.animal, []).append(_bump_lags(recording))
    # The counts of the data's description include volumes before behaviour began, as rest.
    counts[0] += 75_000 - counts.sum()
    np.testing.assert_allclose(counts, [26540, 11170, 8930, 28360], rtol=0.01)
    # Alignment of the two clocks: the bump of the heading neurons (60D05) turns with the ball or just after.
    for animal, curves in lags.items():
        curve = np.abs(np.mean(curves, axis=0))
        assert curve.max() > 0.1, animal
        assert np.argmax(curve) - 5 in (0, 1, 2), animal


def _bump_lags(recording) -> np.ndarray:
    """Correlation of ball rotation with the velocity of the bump in 60D05 neurons, -5 to 5 volumes later."""
    traces = recording.neural[recording.neural_index][:, 16:]
    change = traces / np.percentile(traces, 10, axis=0) - 1
    phase = np.unwrap(np.angle(change @ np.exp(2j * np.pi * np.arange(16) / 16)))
    bump, rotation = fly_walking._boxcar(np.gradient(phase), 7), recording.behavior[:, 0]
    return np.array([np.corrcoef(rotation[9:-9], np.roll(bump, -lag)[9:-9])[0, 1] for lag in range(-5, 6)])
