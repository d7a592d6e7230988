"""Reaches in every form that the release has: made up here, and the real files where they are."""

import os
import pickle
import struct
import sys
import types
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from neural_action.errors import InputError
from neural_action.recordings.readers import monkey_reach
from neural_action.recordings.readers.monkey_reach import Options
from neural_action.recordings.samples import SampleRow

UNITS, BIN = 5, 0.1


def trials(seed: int = 0, count: int = 6) -> list[dict[str, np.ndarray]]:
    """Trials of 4 to 7 bins; the hand starts slowly."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        bins = int(rng.integers(4, 8))
        speed = np.concatenate([[1.0], rng.uniform(8, 30, bins - 1)])
        angle = rng.uniform(0, 2 * np.pi, bins)
        made.append(
            {
                "x": (10 * rng.poisson(2, (bins, UNITS))).astype(np.float32),
                "vel": np.stack([speed * np.cos(angle), speed * np.sin(angle)], axis=1).astype(np.float32),
                "y": np.full(bins, rng.integers(8)),
                "timestep": np.arange(bins),
            }
        )
    return made


def read(path: Path, **options):
    return monkey_reach.read(
        path.parent, SampleRow("m", "reaches", path.name), Options(**options), None
    ).check("x")


@pytest.fixture
def torch_pickles(monkeypatch):
    """Classes of the names that the release's pickles hold, for writing some; gone when they are read."""

    def storage_bytes(values: np.ndarray) -> bytes:
        kind = {"f4": "FloatStorage", "i8": "LongStorage"}[values.dtype.str[1:]]
        head = [
            (0x1950A86A20F9469CFC6C, None),
            (1001, None),
            ({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}, None),
        ]
        parts = [pickle.dumps(value, 2) for value, _ in head]
        # A persistent identifier, which only a hand-written pickle can hold without torch.
        described = pickle.dumps(("storage", "KIND", "1", "cpu", len(values.ravel()), None), 2)
        parts.append(
            described[:-1].replace(b"X\x04\x00\x00\x00KIND", b"ctorch\n" + kind.encode() + b"\n") + b"Q."
        )
        parts.append(pickle.dumps(["1"], 2))
        return b"".join(parts) + struct.pack("<q", values.size) + values.tobytes()

    def module(name: str) -> types.ModuleType:
        made = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, made)
        return made

    class Data:
        pass

    class GlobalStorage:
        pass

    def _load_from_bytes(data):
        raise AssertionError("executed")

    def _rebuild_tensor_v2(*parts):
        raise AssertionError("executed")

    for name in ("torch_geometric", "torch_geometric.data"):
        module(name)
    for where, thing in (
        ("torch_geometric.data.data", Data),
        ("torch_geometric.data.storage", GlobalStorage),
        ("torch.storage", _load_from_bytes),
        ("torch._utils", _rebuild_tensor_v2),
    ):
        thing.__module__, thing.__qualname__ = where, thing.__name__
        if where.startswith("torch_geometric"):
            setattr(module(where), thing.__name__, thing)
        else:
            monkeypatch.setattr(sys.modules[where], thing.__name__, thing)

    class Bytes:
        def __init__(self, values):
            self.values = values

        def __reduce__(self):
            return _load_from_bytes, (storage_bytes(self.values),)

    class Tensor:
        def __init__(self, values):
            self.values = np.ascontiguousarray(values)

        def __reduce__(self):
            strides = tuple(step // self.values.itemsize for step in self.values.strides)
            return _rebuild_tensor_v2, (
                Bytes(self.values),
                0,
                self.values.shape,
                strides,
                False,
                OrderedDict(),
            )

    def graph(trial):
        data, store = Data(), GlobalStorage()
        store.__dict__.update(_mapping={name: Tensor(values) for name, values in trial.items()}, _parent=data)
        data._store = store
        return data

    return graph


def write_forms(folder: Path, made, graph) -> dict[str, Path]:
    """The same session in every form."""
    paths = {
        "graphs": folder / "full-m-bin0.10-vel_thresh5.00.pkl",
        "npz": folder / "full-m-bin0.10-vel_thresh0.00.npz",
        "older": folder / "full-m-0.10.pkl",
        "mat": folder / "full-m.mat",
    }
    fast = [{name: v[np.hypot(*t["vel"].T) > 5] for name, v in t.items()} for t in made]
    with paths["graphs"].open("wb") as file:
        pickle.dump({"data": [graph(trial) for trial in fast]}, file, 4)
    joined = {name: np.concatenate([t[name] for t in made]) for name in made[0]}
    number = np.repeat(np.arange(len(made)), [len(t["x"]) for t in made])
    np.savez_compressed(paths["npz"], trial_id=number.astype(np.int32), **joined)
    older = {
        "firing_rates": [t["x"].astype(np.float64) for t in made],
        "velocity": [t["vel"].astype(np.float64) for t in made],
        "labels": [t["y"][:, None].astype(np.float64) for t in made],
        "sequence": [np.full((len(t["x"]), 1), at, float) for at, t in enumerate(made)],
    }
    with paths["older"].open("wb") as file:
        pickle.dump({"data": older}, file, 4)
    savemat(paths["mat"], raw_session(made))
    return paths


def raw_session(made) -> dict:
    """A trial table, spike times and a hand sampled every 10 ms that come to ``made`` when binned."""
    table, spikes, clock, hand = [], [[] for _ in range(UNITS)], [], []
    begin = 2.0
    for trial in made:
        bins = len(trial["x"])
        row = np.zeros(14)
        row[1], row[9], row[12] = trial["y"][0], begin, begin + bins * BIN
        table.append(row)
        for at in range(bins):
            left = begin + at * BIN
            for unit, rate in enumerate(trial["x"][at]):
                spikes[unit] += list(left + BIN * (np.arange(round(rate * BIN)) + 0.5) / 20)
            clock += list(left + 0.005 + 0.01 * np.arange(10))
            hand += [trial["vel"][at]] * 10
        begin += bins * BIN + 1.5
    vel = np.column_stack([clock, np.array(hand, np.float64)])
    units = np.array([{"ts": np.array(times)} for times in spikes], dtype=object)
    return {"trial_table": np.array(table), "out_struct": {"units": units, "vel": vel, "pos": vel}}


def test_every_form_of_a_session_is_the_same_recording(tmp_path, torch_pickles, monkeypatch):
    made = trials()
    paths = write_forms(tmp_path, made, torch_pickles)
    monkeypatch.undo()
    recordings = {form: read(path) for form, path in paths.items()}
    fast = [np.hypot(*t["vel"].T) > 5 for t in made]
    expected = np.concatenate([t["x"][mask] for t, mask in zip(made, fast, strict=True)])
    for form, found in recordings.items():
        np.testing.assert_allclose(found.neural, expected, rtol=1e-6, err_msg=form)
        np.testing.assert_allclose(found.behavior, recordings["npz"].behavior, rtol=1e-5, err_msg=form)
        np.testing.assert_array_equal(found.labels, recordings["npz"].labels)
        np.testing.assert_array_equal(found.neural_time, recordings["npz"].neural_time)
        np.testing.assert_array_equal(np.bincount(found.segment), [mask.sum() for mask in fast])
        assert found.neural.dtype == np.float32
    # A slow bin in the middle of a trial stays a gap in time; trials are apart.
    first = recordings["mat"]
    assert np.diff(first.neural_time).min() > 0.09
    assert np.diff(first.neural_time)[np.flatnonzero(np.diff(first.segment))].min() >= 1


def test_scan_takes_the_file_that_needs_least(tmp_path, torch_pickles):
    made = trials()
    paths = write_forms(tmp_path, made, torch_pickles)
    (tmp_path / "full-other.mat").write_bytes(paths["mat"].read_bytes())
    for form in ("graphs", "older", "npz", "mat"):
        rows = monkey_reach.scan(tmp_path, Options())
        assert [(row.animal, row.trial) for row in rows] == [("m", "reaches"), ("other", "reaches")]
        assert rows[0].path == paths[form].name
        paths[form].unlink()
    assert [row.animal for row in monkey_reach.scan(tmp_path, Options(sessions=["other"]))] == ["other"]


def test_a_session_that_is_not_there_is_named(tmp_path):
    np.savez(tmp_path / "full-m-bin0.05-vel_thresh5.00.npz", x=np.zeros(3))
    with pytest.raises(InputError, match=r"no file of session m with bins of 0\.1 s"):
        monkey_reach.scan(tmp_path, Options(sessions=["m"]))
    with pytest.raises(InputError, match="no file of session chewie"):
        monkey_reach.scan(tmp_path, Options(sessions=["chewie"]))


def test_blocks_are_whole_reaches_in_order(tmp_path, torch_pickles):
    made = trials(count=8)
    write_forms(tmp_path, made, torch_pickles)
    options = Options(blocks=3)
    rows = monkey_reach.scan(tmp_path, options)
    assert [(row.animal, row.trial) for row in rows] == [("m", f"00{at}") for at in (1, 2, 3)]
    whole = monkey_reach.read(tmp_path, rows[0], options, None)
    parts = [whole.between(*row.part, "x") for row in rows]
    assert [sorted(set(part.segment)) for part in parts] == [[0, 1, 2], [3, 4], [5, 6, 7]]
    assert np.array_equal(np.concatenate([part.neural for part in parts]), whole.neural)
    with pytest.raises(InputError, match=r"8 reaches, expected at least convert\.reader_options\.blocks = 9"):
        monkey_reach.scan(tmp_path, Options(blocks=9))


def changed(name, value):
    made = trials()
    made[2][name] = value
    return made


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (changed("y", np.full(5, 9)), "y has shape|direction 9"),
        (changed("vel", np.zeros((3, 3))), "vel has shape"),
        ([{**trial, "y": trial["y"] + 8} for trial in trials()], "direction"),
        ([{**trial, "x": trial["x"] * np.nan} for trial in trials()], "trial 0, x holds NaN"),
        ([{**trial, "timestep": trial["timestep"][::-1]} for trial in trials()], "timestep runs backwards"),
        ([{**trial, "vel": 0 * trial["vel"]} for trial in trials()], "0 trials have bins faster than 5"),
        ([{k: v for k, v in trial.items() if k != "vel"} for trial in trials()], "no array 'vel'"),
    ],
)
def test_what_is_wrong_with_trials_is_named(tmp_path, monkeypatch, made, message):
    monkeypatch.setattr(monkey_reach, "_trials", lambda path, options: made)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "full-m.pkl")


def test_pickles_are_not_executed(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, ("touch " + str(tmp_path / "executed"),)

    path = tmp_path / "full-m-0.10.pkl"
    path.write_bytes(pickle.dumps({"data": [Evil()]}))
    with pytest.raises(InputError, match=r"names (posix|nt)\.system.*was not executed"):
        read(path)
    assert not (tmp_path / "executed").exists()
    for broken in (b"", b"\x80\x04.", pickle.dumps({"data": [1, 2]}), pickle.dumps([1])):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="pickled trials"):
            read(path)


def test_forged_tensors_do_not_grow(tmp_path, torch_pickles, monkeypatch):
    made = trials()
    graph = torch_pickles(made[0])
    tensor = graph._store._mapping["x"]
    tensor.__class__.__reduce__ = lambda self, make=tensor.__class__.__reduce__: (
        make(self)[0],
        (make(self)[1][0], 0, (10**6, 10**3), (0, 0), False, OrderedDict()),
    )
    path = tmp_path / "full-m-bin0.10-vel_thresh5.00.pkl"
    path.write_bytes(pickle.dumps({"data": [graph]}, 4))
    monkeypatch.undo()
    with pytest.raises(InputError, match="has a tensor of shape"):
        read(path)


def test_raw_files_that_are_not_whole_are_named(tmp_path):
    path = tmp_path / "full-m.mat"
    path.write_bytes(b"MATLAB")
    with pytest.raises(InputError, match="cannot be read as a MATLAB file"):
        read(path)
    session = raw_session(trials())
    savemat(path, {**session, "trial_table": session["trial_table"][:, :5]})
    with pytest.raises(InputError, match=r"trial_table has shape \(6, 5\)"):
        read(path)
    table = session["trial_table"].copy()
    table[3, 12] = table[3, 9]
    savemat(path, {**session, "trial_table": table})
    with pytest.raises(InputError, match="trial 3 lasts from"):
        read(path)
    savemat(path, {"trial_table": session["trial_table"]})
    with pytest.raises(InputError, match="no variable 'out_struct'"):
        read(path)


@pytest.mark.real_data
def test_real_files_of_one_session_agree():
    if not (folder := os.environ.get("NEURAL_ACTION_DATA")):
        pytest.skip("NEURAL_ACTION_DATA names no folder of real recordings")
    folder = Path(folder) / "monkey_reach"
    (row,) = monkey_reach.scan(folder, Options())
    assert (row.animal, row.path) == ("chewie-10032013", "full-chewie-10032013-bin0.10-vel_thresh5.00.pkl")
    forms = [
        row.path,
        "full-chewie-10032013-bin0.10-vel_thresh5.00.npz",
        "full-chewie-10032013-bin0.10-vel_thresh0.00.npz",
        "full-chewie-10032013-0.10.pkl",
    ]
    first, *others = (read(folder / form) for form in forms)
    assert first.neural.shape == (895, 174)
    assert (first.neural.max(0) == 0).sum() == 12
    assert len(first.segment_names) == 159
    directions = first.labels[np.flatnonzero(np.diff(first.segment, prepend=-1))]
    assert np.bincount(directions).tolist() == [19, 22, 22, 21, 20, 18, 22, 15]
    for other in others:
        for name in ("neural", "behavior", "labels", "segment", "neural_time"):
            np.testing.assert_array_equal(getattr(other, name), getattr(first, name))
