"""Formats of which no real file was at hand, and bad files of every format: written here, as their programs do."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from neural_action.errors import InputError
from neural_action.recordings.formats import known_formats, load_format, module_of
from neural_action.recordings.pickles import load_object_pickle

RNG = np.random.default_rng(0)


def give(name, role, path, class_names=None, **options):
    """What a format reads from ``path``."""
    module = load_format(name, role, "test")
    parsed = module.Options.parse(options, "test")
    if role == "labels":
        return module.labels(path, parsed, class_names)
    return getattr(module, role)(path, parsed)


@pytest.fixture
def suite2p(tmp_path):
    """Six units of which two are cells, with neuropil and a pickled ops."""
    folder = tmp_path / "plane0"
    folder.mkdir()
    for name in ("F", "Fneu", "spks"):
        np.save(folder / f"{name}.npy", RNG.random((6, 50), dtype=np.float32))
    np.save(folder / "iscell.npy", np.array([[0, 0.1], [1, 0.9], [0, 0.2], [1, 0.6], [0, 0], [0, 0]]))
    np.save(folder / "ops.npy", {"fs": 7.5, "save_path": folder, "Ly": np.int64(4)})
    return folder


def test_suite2p(suite2p):
    neural = give("suite2p", "neural", suite2p)
    raw, around = np.load(suite2p / "F.npy"), np.load(suite2p / "Fneu.npy")
    np.testing.assert_allclose(neural.data, (raw - 0.7 * around)[[1, 3]].T, rtol=1e-6)
    assert neural.rate == 7.5
    np.testing.assert_array_equal(
        give("suite2p", "neural", suite2p, signal="spks", probability=0.7).data,
        np.load(suite2p / "spks.npy")[[1]].T,
    )
    with pytest.raises(InputError, match=r"iscell\.npy: marks none of 6 units"):
        give("suite2p", "neural", suite2p, probability=0.95)
    np.save(suite2p / "iscell.npy", np.zeros((5, 2)))
    with pytest.raises(InputError, match=r"iscell\.npy: float64 of shape \(5, 2\), expected \(6, 2\)"):
        give("suite2p", "neural", suite2p)


class Bomb:
    """A pickle that would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_pickles_are_never_executed(tmp_path):
    path, made = tmp_path / "ops.pkl", tmp_path / "executed"
    path.write_bytes(pickle.dumps({"fs": 3.0, "bomb": Bomb(made)}))
    assert load_object_pickle(path, opaque=True)["fs"] == 3.0
    with pytest.raises(InputError, match=r"names _?io\.open, expected containers.*not executed"):
        load_object_pickle(path)
    assert not made.exists()
    pickle.loads(path.read_bytes())["bomb"].close()
    assert made.exists()  # what would have happened


def test_caiman(tmp_path):
    import h5py

    path = tmp_path / "fit.hdf5"
    signals = {name: RNG.random((4, 30)) for name in ("C", "S", "YrA")}
    with h5py.File(path, "w") as file:
        for name, values in signals.items():
            file[f"estimates/{name}"] = values
        file["estimates/F_dff"] = "NoneType"
        file["estimates/idx_components"] = np.array([0, 2])
        file["params/data/fr"] = 30.0
    neural = give("caiman", "neural", path, signal="C+YrA")
    np.testing.assert_allclose(neural.data, (signals["C"] + signals["YrA"])[[0, 2]].T, rtol=1e-6)
    assert neural.rate == 30
    assert give("caiman", "neural", path, signal="S", accepted=False).data.shape == (30, 4)
    with pytest.raises(InputError, match="F_dff was not computed, found C, S, YrA"):
        give("caiman", "neural", path)


def deeplabcut(path, individuals=None):
    """A CSV as DeepLabCut writes it, x = 10 * keypoint + frame; the last likelihood of ``nose`` is low."""
    parts = ["nose", "tail"]
    animals = individuals or [None]
    heads = {"scorer": [], "individuals": [], "bodyparts": [], "coords": []}
    columns = []
    for number, animal in enumerate(animals):
        for at, part in enumerate(parts):
            for coordinate in ("x", "y", "likelihood"):
                for name, value in zip(heads, ("DLC", animal, part, coordinate), strict=True):
                    heads[name].append(value)
                values = 100.0 * number + 10 * at + np.arange(5)
                columns.append(
                    np.array([1, 1, 1, 1, 0.1 if part == "nose" else 1])
                    if coordinate == "likelihood"
                    else values
                )
    lines = [",".join([name, *row]) for name, row in heads.items() if row[0] is not None]
    lines += [",".join(map(str, [frame, *row])) for frame, row in enumerate(np.array(columns).T)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_deeplabcut(tmp_path):
    behavior = give("deeplabcut", "behavior", deeplabcut(tmp_path / "a.csv"), min_likelihood=0.5)
    assert behavior.names == ("nose", "tail")
    np.testing.assert_array_equal(behavior.data[:, 1, 0], 10 + np.arange(5))
    assert np.isnan(behavior.data[4, 0]).all()
    assert np.isnan(behavior.data).sum() == 2
    several = deeplabcut(tmp_path / "b.csv", ["m1", "m2"])
    assert give("deeplabcut", "behavior", several, individual="m2", exclude=["nose"]).data[0, 0, 0] == 110
    with pytest.raises(InputError, match="individual None, expected one of m1, m2"):
        give("deeplabcut", "behavior", several)


def test_sleap(tmp_path):
    import h5py

    path = tmp_path / "a.analysis.h5"
    tracks = RNG.random((2, 2, 3, 20))
    tracks[1, :, 2, 5] = np.nan
    with h5py.File(path, "w") as file:
        file["tracks"] = tracks
        file["node_names"] = np.array([b"head", b"body", b"tail"])
        file["track_names"] = np.array([b"a", b"b"])
    behavior = give("sleap", "behavior", path, track="b")
    np.testing.assert_allclose(behavior.data, tracks[1].T.transpose(0, 1, 2), rtol=1e-6)
    assert np.isnan(behavior.data[5, 2]).all()
    with pytest.raises(InputError, match="track None of 2, expected one of a, b"):
        give("sleap", "behavior", path)


def test_anipose(tmp_path):
    table = {f"{name}_{axis}": RNG.random(6) for name in ("L1A", "L1B") for axis in "xyz"}
    table |= {"L1A_error": [1, 1, 9, 1, 1, 1], "L1A_score": np.ones(6), "fnum": np.arange(6)}
    pd.DataFrame(table).to_csv(tmp_path / "p.csv", index=False)
    behavior = give("anipose", "behavior", tmp_path / "p.csv", max_error=5)
    assert behavior.frames.tolist() == [0, 1, 2, 3, 4, 5]
    assert behavior.data.shape == (6, 2, 3)
    np.testing.assert_allclose(behavior.data[:, 1, 2], table["L1B_z"], rtol=1e-6)
    assert np.isnan(behavior.data[2, 0]).all()
    # A video of which frames 3 to 6 were not triangulated; a version before scores.
    table["fnum"] = [0, 1, 2, 7, 8, 9]
    del table["L1A_score"]
    pd.DataFrame(table).to_csv(tmp_path / "gap.csv", index=False)
    assert give("anipose", "behavior", tmp_path / "gap.csv").frames.tolist() == [0, 1, 2, 7, 8, 9]
    with pytest.raises(InputError, match="no column ends in _score, expected one, or no option min_score"):
        give("anipose", "behavior", tmp_path / "gap.csv", min_score=0.6)


def test_tables_know_their_clock_by_its_name(tmp_path):
    """A column of times is a clock and one of frames a count, whether it is said or not; neither is behaviour."""
    table = pd.DataFrame({"frame": np.arange(3, 9), "x": np.arange(6.0), "y": np.arange(6.0)})
    table.to_csv(tmp_path / "a.csv", index=False)
    found = give("arrays", "behavior", tmp_path / "a.csv", rate=20.0)
    assert (found.names, found.frames.tolist()) == (("x", "y"), list(range(3, 9)))
    table.drop(columns="frame").assign(time_ms=np.arange(6) * 50.0).to_csv(tmp_path / "b.csv")
    found = give("arrays", "behavior", tmp_path / "b.csv")
    assert found.names == ("x", "y")
    np.testing.assert_allclose(found.time, np.arange(6) * 0.05)
    assert give("arrays", "behavior", tmp_path / "b.csv", rate=20.0).time is None
    said = give("arrays", "behavior", tmp_path / "b.csv", time="time_ms", time_unit=1.0)
    np.testing.assert_allclose(said.time, np.arange(6) * 50.0)
    pd.DataFrame({"time": [0.0, 1.0, 2.0], "action": ["a", "b", "a"]}).to_csv(tmp_path / "c.csv", index=False)
    labels = give("arrays", "labels", tmp_path / "c.csv")
    assert labels.numbers.tolist() == [0, 1, 0]
    np.testing.assert_allclose(labels.intervals, [[0, 1], [1, 2], [2, 3]])


def test_described_arrays(tmp_path):
    traces = RNG.random((3, 40)).astype(np.float32)
    np.savez(tmp_path / "traces.npz", dff=traces, clock=np.arange(40) * 20.0)
    table = pd.DataFrame({"t": np.arange(8) / 10, "x": RNG.random(8), "y": RNG.random(8)})
    table.to_parquet(tmp_path / "pose.parquet")
    pd.DataFrame({"action": ["walk", "rest", "?", "walk"] * 2}).to_csv(tmp_path / "labels.csv", index=False)
    (tmp_path / "session.yaml").write_text(
        "neural: {file: traces.npz, key: dff, axes: unit frame, time: clock, time_unit: 0.001, unit: dF/F}\n"
        "behavior: {file: pose.parquet, time: t, unit: mm}\n"
        "labels: {file: labels.csv, columns: [action], unlabelled: ['?']}\n"
    )
    path = tmp_path / "session.yaml"
    neural = give("arrays", "neural", path)
    np.testing.assert_array_equal(neural.data, traces.T)
    np.testing.assert_allclose(neural.time, np.arange(40) * 0.02)
    behavior = give("arrays", "behavior", path)
    assert (behavior.names, behavior.unit) == (("x", "y"), "mm")
    nameless = tmp_path / "nameless.yaml"
    nameless.write_text("neural: {file: null, unit: dF/F}\n")
    with pytest.raises(InputError, match=r"describes no neural, expected neural: \{file: \.\.\.\}"):
        give("arrays", "neural", nameless)
    np.testing.assert_allclose(behavior.time, table["t"])
    labels = give("arrays", "labels", path, class_names=("rest", "walk"))
    assert labels.numbers.tolist() == [1, 0, -1, 1] * 2
    names = {file.name for file in module_of("arrays").files(path)}
    assert names == {"session.yaml", "traces.npz", "pose.parquet", "labels.csv"}
    with pytest.raises(InputError, match=r"action 'walk' at entry 0, expected one of convert.class_names"):
        give("arrays", "labels", path, class_names=("rest",))


@pytest.mark.parametrize(
    ("write", "options", "says"),
    [
        (
            lambda path: np.save(path, np.zeros(3)),
            {},
            r"shape \(3,\), expected \(frame, unit\) or \(frame, y, x\)",
        ),
        (lambda path: np.save(path, np.zeros((3, 2))), {"axes": "unit time"}, "axes 'unit time'"),
        (lambda path: np.save(path, np.array([["a"]])), {}, "values, expected numbers"),
        (lambda path: path.write_bytes(b"\x93NUMPY nothing"), {}, "cannot be read as .npy"),
        (lambda path: None, {}, "no such file, expected an array"),
        (lambda path: np.save(path, np.array([{}])), {}, "cannot be read as .npy"),
    ],
)
def test_bad_arrays(tmp_path, write, options, says):
    path = tmp_path / "a.npy"
    write(path)
    with pytest.raises(InputError, match=says) as error:
        give("arrays", "neural", path, **options)
    assert "a.npy" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def nwb(tmp_path_factory):
    """dF/F of three ROIs from 5 s on, a movie, an ndx-pose of two keypoints, and trials with an action."""
    from ndx_pose import PoseEstimation, PoseEstimationSeries
    from pynwb import NWBHDF5IO
    from pynwb.testing.mock.file import mock_NWBFile, mock_Subject
    from pynwb.testing.mock.ophys import (
        mock_DfOverF,
        mock_PlaneSegmentation,
        mock_RoiResponseSeries,
        mock_TwoPhotonSeries,
    )

    file = mock_NWBFile(subject=mock_Subject(subject_id="m1"))
    rois = mock_PlaneSegmentation(n_rois=3, nwbfile=file)
    traces = np.arange(60.0).reshape(20, 3)
    series = mock_RoiResponseSeries(
        name="traces", data=traces, rate=10.0, starting_time=5.0, n_rois=3, plane_segmentation=rois
    )
    mock_DfOverF(name="dff", roi_response_series=[series], nwbfile=file)
    mock_TwoPhotonSeries(name="movie", data=np.arange(24.0).reshape(2, 3, 4), rate=10.0, nwbfile=file)
    points = [
        PoseEstimationSeries(
            name=name, description="d", data=np.full((30, 2), at, float), unit="pixels", reference_frame="r",
            timestamps=5 + np.arange(30) / 20, confidence=np.where(np.arange(30) == 3, 0.1, 0.9),
        )
        for at, name in enumerate(("nose", "tail"))
    ]  # fmt: skip
    module = file.create_processing_module("behavior", "b")
    module.add(PoseEstimation(name="pose", pose_estimation_series=points, description="d"))
    file.add_trial_column("action", "what it did")
    for start, action in ((5.0, "walk"), (6.0, "rest")):
        file.add_trial(start_time=start, stop_time=start + 0.5, action=action)
    path = tmp_path_factory.mktemp("nwb") / "m1.nwb"
    with NWBHDF5IO(path, "w") as io:
        io.write(file)
    return path


def test_nwb_traces_pose_and_trials(nwb):
    neural = give("nwb", "neural", nwb)
    assert neural.unit == "dF/F"
    np.testing.assert_array_equal(neural.data, np.arange(60).reshape(20, 3))
    np.testing.assert_allclose(neural.time, 5 + np.arange(20) / 10)
    movie = give("nwb", "neural", nwb, series=["movie"])
    np.testing.assert_array_equal(movie.data, np.arange(24).reshape(2, 3, 4).transpose(0, 2, 1))
    behavior = give("nwb", "behavior", nwb, min_confidence=0.5)
    assert behavior.names == ("nose", "tail")
    assert behavior.data.shape == (30, 2, 2)
    assert np.isnan(behavior.data[3]).all()
    assert np.isfinite(np.delete(behavior.data, 3, 0)).all()
    labels = give("nwb", "labels", nwb, class_names=("rest", "walk"), column="action")
    assert labels.numbers.tolist() == [1, 0]
    np.testing.assert_allclose(labels.intervals, [[5, 5.5], [6, 6.5]])
    module = module_of("nwb")
    assert module.subject(nwb) == "m1"
    assert module.contents(nwb)["neural"][0] == "dff/traces: DfOverF (20, 3)"
    with pytest.raises(InputError, match=r"no neural series 'dfof', found .*traces"):
        give("nwb", "neural", nwb, series=["dfof"])


@pytest.mark.parametrize(
    ("last", "says"), [(1e12, r"2e\+13 bins of 0.05 s, too many"), (np.nan, "expected finite")]
)
def test_spike_times_that_would_fill_the_memory(tmp_path, last, says):
    from pynwb import NWBHDF5IO
    from pynwb.testing.mock.file import mock_NWBFile

    file = mock_NWBFile()
    file.add_unit(spike_times=[0.0, 1.0, last])
    with NWBHDF5IO(tmp_path / "m1.nwb", "w") as io:
        io.write(file)
    with pytest.raises(InputError, match=says):
        give("nwb", "neural", tmp_path / "m1.nwb")


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_truncated_nwb(nwb, tmp_path, size):
    path = tmp_path / "cut.nwb"
    path.write_bytes(nwb.read_bytes()[:size])
    with pytest.raises(InputError, match=r"cut\.nwb: cannot be read as NWB") as error:
        give("nwb", "neural", path)
    assert "\n" not in str(error.value)


def test_one_hot_labels(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(",walk,rest\n0,1,0\n1,0,0\n2,-1,-1\n3,0,1\n4,1,1\n")
    labels = give("frame_labels", "labels", path, class_names=("rest", "walk"), conflicts="unlabelled")
    assert labels.numbers.tolist() == [1, -1, -1, 0, -1]
    with pytest.raises(InputError, match="row 4 has the classes walk and rest"):
        give("frame_labels", "labels", path)
    with pytest.raises(InputError, match="action 'walk' at entry 0, expected one of"):
        give("frame_labels", "labels", path, class_names=("rest",), conflicts="unlabelled")
    path.write_text("walk,rest\n0,3\n")
    with pytest.raises(InputError, match="values other than -1, 0 and 1"):
        give("frame_labels", "labels", path)


def test_thorimage_without_its_xml(tmp_path):
    with pytest.raises(InputError, match=r"Experiment\.xml: no such file, expected a ThorImage folder"):
        give("thorimage", "neural", tmp_path)
    (tmp_path / "Experiment.xml").write_text("<ThorImageExperiment/>")
    with pytest.raises(InputError, match="cannot be read as a ThorImage experiment"):
        give("thorimage", "neural", tmp_path)


def test_every_format_says_what_it_expects_of_a_missing_file(tmp_path):
    for role in ("neural", "behavior"):
        for name in known_formats(role):
            suffix = {"arrays": ".npy"}.get(name, "")
            with pytest.raises(InputError, match="expected"):
                give(name, role, tmp_path / f"nothing{suffix}")


def test_an_unknown_format_or_role():
    with pytest.raises(InputError, match=r"x\.format: 'suit2p' is not one of .*suite2p"):
        load_format("suit2p", "neural", "x")
    with pytest.raises(InputError, match="'deeplabcut' is not one of"):
        load_format("deeplabcut", "neural", "x")
