"""Which neural activity init takes, what it says of it, and when it asks."""

from __future__ import annotations

from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import tifffile
import yaml
from pynwb import NWBHDF5IO, TimeSeries
from pynwb.testing.mock.file import mock_NWBFile
from pynwb.testing.mock.ophys import mock_Fluorescence, mock_PlaneSegmentation, mock_RoiResponseSeries

from neural_action.config.settings import ConvertSettings
from neural_action.errors import InputError
from neural_action.preflight.folder import look
from neural_action.preflight.problems import notes, problems
from neural_action.preflight.proposal import propose
from neural_action.preflight.sample import look_at
from neural_action.preflight.written import configuration
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.store import read_manifest, read_recording

SECONDS = 60


def poses(folder, name="videoDLC.csv", rate=20):
    """A DeepLabCut CSV at ``rate``."""
    folder.mkdir(parents=True, exist_ok=True)
    points = np.cumsum(np.random.default_rng(1).standard_normal((rate * SECONDS, 4)), 0)
    lines = ["scorer,D,D,D,D,D,D", "bodyparts,a,a,a,b,b,b", "coords,x,y,likelihood,x,y,likelihood"]
    lines += [f"{at},{w:.3f},{x:.3f},1,{y:.3f},{z:.3f},1" for at, (w, x, y, z) in enumerate(points)]
    (folder / name).write_text("\n".join(lines) + "\n")


def suite2p(folder, planes=1, rate=10.0, change=None, **files):
    """Planes of three cells around 100 at ``rate``, with neuropil around 20."""
    for plane in range(planes):
        place = folder / f"plane{plane}"
        place.mkdir(parents=True)
        rng = np.random.default_rng(plane)
        count = round(SECONDS * rate)
        traces = {
            "F": 100 + rng.random((3, count)),
            "Fneu": 20 + rng.random((3, count)),
            "spks": rng.random((3, count)),
        }
        for name, values in {**traces, **files}.items():
            values = np.array(values, np.float32)
            np.save(place / f"{name}.npy", change(name, values) if change else values)
        np.save(place / "iscell.npy", np.ones((3, 2)))
        np.save(place / "ops.npy", {"fs": rate})


def made(folder, given=None, neural=None):
    return propose(folder, look(folder), 4, neural, 20.0, given)


def settings(proposal, folder):
    text = configuration(proposal, dataset="d", raw=folder, samples=folder / "s.csv")
    return ConvertSettings.model_validate(yaml.safe_load(text)["convert"])


def plan():
    """What the checks ask of a plan."""
    return SimpleNamespace(
        apart=False,
        animals=("m1", "m2"),
        fits_kernel=False,
        trained=(),
        methods={},
        settings=SimpleNamespace(
            windows=SimpleNamespace(frames=2, units=None),
            calcium=SimpleNamespace(decay=1.0),
            convert=None,
            split=SimpleNamespace(protocol="new_trials", animal_of_session=None),
        ),
    )


def test_planes_are_one_recording_and_its_copies_are_left_out(tmp_path):
    poses(tmp_path / "m1/001")
    suite2p(tmp_path / "m1/001/suite2p", planes=2)
    (tmp_path / "m1/001/suite2p/plane0/reg_tif").mkdir()
    tifffile.imwrite(tmp_path / "m1/001/suite2p/plane0/reg_tif/file000.tif", np.zeros((9, 8, 8), np.uint16))
    found = look(tmp_path)
    assert [(item.format, item.phrase) for item in found] == [
        ("suite2p", "suite2p traces of 2 planes"),
        ("deeplabcut", "DeepLabCut poses"),
    ]
    proposal = made(tmp_path)
    assert proposal.options["neural"]["path"] == "{path}/suite2p"
    assert proposal.sample.neural.shape[1] == 6
    assert "F - 0.7 Fneu of plane0, plane1: 6 of 6 units (cells by iscell.npy)" in " ".join(proposal.notes)
    convert = settings(proposal, tmp_path)
    assert convert.dff.percentile == 10
    manifest = tmp_path / "out/m.json"
    convert_trial(convert, "d", tmp_path, proposal.rows[0], tmp_path / "out/s.zarr", manifest)
    assert read_recording(manifest).neural.shape[1] == 6


def test_planes_beside_the_poses_and_not_in_a_folder_of_their_own(tmp_path):
    poses(tmp_path / "m1/001")
    suite2p(tmp_path / "m1/001", planes=2)
    proposal = made(tmp_path)
    assert proposal.rows[0].path == "m1/001"
    assert "path" not in proposal.options["neural"]
    assert proposal.options["behavior"]["path"] == "{path}/videoDLC.csv"


def test_what_else_is_there_is_said(tmp_path):
    poses(tmp_path / "m1/001")
    suite2p(tmp_path / "m1/001/suite2p")
    tifffile.imwrite(tmp_path / "m1/001/raw.tif", np.zeros((9, 8, 8), np.uint16))
    assert any(
        note
        == "Neural activity is read from suite2p files. Also found, but not read: 1 x a TIFF of 9 pages (tiff)."
        for note in made(tmp_path).notes
    )


def test_files_that_no_format_reads_are_hinted_at(tmp_path):
    poses(tmp_path / "m1/001")
    (tmp_path / "m1/001/Fall.mat").write_bytes(b"MATLAB")
    with pytest.raises(
        InputError, match=r"no neural activity recognised.*; Fall\.mat: suite2p's copy for MATLAB"
    ):
        made(tmp_path)


def test_raw_fluorescence_without_a_baseline_gets_no_dff(tmp_path):
    poses(tmp_path / "m1/001")
    suite2p(tmp_path / "m1/001/suite2p", change=lambda name, values: values - values.mean())
    proposal = made(tmp_path)
    assert not proposal.dff
    assert any(
        "the baseline of 3 of 3 units is not above 0, so dF/F is not computed" in note
        for note in proposal.notes
    )


def test_units_without_a_value_are_read_and_named(tmp_path):
    def lose(name, values):
        if name == "spks":
            values[1] = np.nan
            values[2, 30:50] = np.nan
        return values

    poses(tmp_path / "m1/001")
    suite2p(tmp_path / "m1/001/suite2p", change=lose)
    proposal = made(tmp_path, {"neural.options.signal": "spks"})
    assert proposal.options["neural"]["missing"]["policy"] == "drop"
    assert "missing" not in proposal.options["behavior"]
    assert any(
        "frame 0 of unit plane0/1" in note and "left out (neural.missing)" in note for note in proposal.notes
    )
    (seen, *_) = look_at(tmp_path, proposal.rows, settings(proposal, tmp_path), "positions")
    assert seen.doubtful == {"is constant": ["plane0/1"]}


def test_a_bad_unit_is_named_and_hurts_no_other(tmp_path):
    def lower(name, values):
        if name == "Fneu":
            values[2] += 130
        return values

    poses(tmp_path / "m1/001")
    suite2p(tmp_path / "m1/001/suite2p", change=lower)
    proposal = made(tmp_path)
    convert = settings(proposal, tmp_path)
    (seen, *_) = look_at(tmp_path, proposal.rows, convert, "positions")
    assert list(seen.doubtful.values()) == [["plane0/2"]]
    manifest = tmp_path / "out/m.json"
    convert_trial(convert, "d", tmp_path, proposal.rows[0], tmp_path / "out/s.zarr", manifest)
    neural = np.asarray(read_recording(manifest).neural)
    assert neural.std(0).min() > 0.2


def test_recordings_of_different_rates_are_brought_to_the_lowest(tmp_path, capsys):
    for animal, rate in (("m1", 10.0), ("m2", 15.5)):
        poses(tmp_path / animal / "001")
        suite2p(tmp_path / animal / "001/suite2p", rate=rate)
    proposal = made(tmp_path)
    assert proposal.rates == {"neural": 10}
    assert "all are resampled to 10, the lowest (convert.neural_rate)" in " ".join(proposal.notes)
    convert = settings(proposal, tmp_path)
    assert convert.neural_rate == 10
    rows = [next(row for row in proposal.rows if row.animal == animal) for animal in ("m1", "m2")]
    looks = list(look_at(tmp_path, rows, convert, "positions"))
    assert [(seen.neural_rate, seen.recorded_rates[0]) for seen in looks] == [(10, 10), (10, 15.5)]
    manifest = tmp_path / "out/m.json"
    convert_trial(convert, "d", tmp_path, rows[1], tmp_path / "out/s.zarr", manifest)
    assert "m2 001_part00: neural frames resampled from 15.5 to 10 /s" in capsys.readouterr().err
    assert read_recording(manifest).neural_rate == 10
    steps = read_manifest(manifest).attributes["steps"]
    assert (steps["neural_rate"], steps["neural_rate_recorded"]) == (10, 15.5)
    as_recorded = list(look_at(tmp_path, rows, convert.model_copy(update={"neural_rate": None}), "positions"))
    said = [text for text in problems(as_recorded, plan()) if "neural_rate" in text]
    assert said == [
        "neural frame rates differ (10 /s such as m1 001_part00, 15.5 /s such as m2 001_part00): "
        "resample to one rate, convert: {neural_rate: 10}"
    ]


def nwb(path, *series):
    """An NWB file with series in the container Fluorescence, and a position."""
    file = mock_NWBFile()
    rois = mock_PlaneSegmentation(n_rois=3, nwbfile=file)
    made_of = [
        mock_RoiResponseSeries(
            name=name, n_rois=3, plane_segmentation=rois, rate=10.0,
            data=50 + np.random.default_rng(at).random((10 * SECONDS, 3)),
        )
        for at, name in enumerate(series)
    ]  # fmt: skip
    mock_Fluorescence(name="Fluorescence", roi_response_series=made_of, nwbfile=file)
    walk = np.cumsum(np.random.default_rng(9).standard_normal((20 * SECONDS, 2)), 0)
    for name, data in (("ambient_light", walk**2), ("running_speed", walk)):
        file.add_acquisition(TimeSeries(name=name, data=data, unit="u", rate=20.0))
    with NWBHDF5IO(path, "w") as io:
        io.write(file)


@pytest.mark.parametrize(("rate", "shape", "blocks"), [(5.0, (9, 8), (2, 1)), (16.0, (8, 8), (4, 2))])
def test_raw_windows_of_a_movie_are_averaged_over_whole_blocks(tmp_path, rate, shape, blocks):
    poses(tmp_path / "m1/001")
    movie = np.random.default_rng(0).integers(100, 900, (round(SECONDS * rate), *shape)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "m1/001/movie.tif", movie, photometric="minisblack")
    proposal = made(tmp_path, neural=rate)
    text = yaml.safe_load(configuration(proposal, dataset="d", raw=tmp_path, samples=tmp_path / "s.csv"))
    assert (text["evaluation"]["raw_pool_time"], text["evaluation"]["raw_pool_space"]) == blocks
    assert text["windows"]["frames"] % blocks[0] == 0


def test_a_series_that_cannot_be_read_is_said_to_be_chosen_with_the_others(tmp_path):
    nwb(tmp_path / "001.nwb", "RoiResponseSeries")
    with h5py.File(tmp_path / "001.nwb", "r+") as file:
        series = file["acquisition/running_speed"]
        del series["starting_time"]
        series["timestamps"] = np.zeros(20 * SECONDS)
        series["timestamps"].attrs.update(interval=1, unit="seconds")
    with pytest.raises(
        InputError,
        match=r"running_speed times do not increase.*such as 'behavior.options.series=\[NAME\]'.*"
        r"Behaviour is read from the series running_speed: .*Other series: ambient_light$",
    ):
        propose(tmp_path, look(tmp_path), 4)


def test_of_the_series_of_an_nwb_file_the_fluorescence_of_cells_and_the_movement_are_taken(tmp_path):
    (tmp_path / "m1").mkdir()
    nwb(tmp_path / "m1/001.nwb", "Deconvolved", "Neuropil", "RoiResponseSeries")
    proposal = propose(tmp_path, look(tmp_path), 4)
    assert proposal.options["neural"]["options"]["series"] == ["Fluorescence/RoiResponseSeries"]
    assert proposal.options["behavior"]["options"]["series"] == ["running_speed"]
    assert proposal.dff
    said = " ".join(proposal.notes)
    assert "Other series: Fluorescence/Deconvolved, Fluorescence/Neuropil." in said
    assert "Other series: ambient_light." in said


@pytest.mark.parametrize(
    ("series", "says"),
    [
        (
            ("mean", "weighted"),
            r"2 series could be the neural activity: Fluorescence/mean: Fl.*--option 'neural\.",
        ),
        (
            ("Deconvolved", "Neuropil"),
            r"holds Fluorescence/Deconvolved: .*expected fluorescence of cells; .*--option",
        ),
    ],
)
def test_init_asks_where_it_cannot_know(tmp_path, series, says):
    (tmp_path / "m1").mkdir()
    nwb(tmp_path / "m1/001.nwb", *series)
    with pytest.raises(InputError, match=says) as error:
        propose(tmp_path, look(tmp_path), 4)
    assert "\n" not in str(error.value)
    given = {"neural.options.series": [f"Fluorescence/{series[0]}"]}
    assert propose(tmp_path, look(tmp_path), 4, given=given).sample.neural.shape[1] == 3


def caiman(path, **estimates):
    """What CaImAn saves of four components."""
    with h5py.File(path, "w") as file:
        for name in ("C", "S", "YrA", "F_dff"):
            values = estimates.get(name, np.random.default_rng(2).random((4, 10 * SECONDS)))
            file[f"estimates/{name}"] = values
        file["estimates/idx_components"] = estimates.get("idx_components", np.array([0, 2]))
        file["params/data/fr"] = 10.0


@pytest.mark.parametrize(
    ("estimates", "signal", "units"),
    [
        ({}, None, 2),
        ({"F_dff": "NoneType"}, "C+YrA", 2),
        ({"F_dff": "NoneType", "YrA": "NoneType"}, "C", 2),
        ({"idx_components": "NoneType"}, None, 4),
    ],
)
def test_the_best_signal_that_caiman_computed_is_read(tmp_path, estimates, signal, units):
    poses(tmp_path / "m1/001")
    caiman(tmp_path / "m1/001/fit.hdf5", **estimates)
    proposal = made(tmp_path)
    assert proposal.options["neural"].get("options", {}).get("signal") == signal
    assert proposal.sample.neural.shape[1] == units
    assert not proposal.dff
    said = " ".join(proposal.notes)
    assert ("Not every file has F_dff" in said) == (signal is not None)
    assert ("all are read" in said) == (units == 4)


def parts(folder, names, numbers=None):
    """A movie of 120 images in so many files; ``numbers`` of their first frames as ScanImage notes them."""
    images = np.random.default_rng(3).integers(100, 200, (2 * SECONDS, 8, 8)).astype(np.uint16)
    for at, part in enumerate(np.array_split(images, len(names))):
        text = None if numbers is None else f"frameNumbers = {numbers[at]}\n"
        tifffile.imwrite(folder / names[at], part, description=text, metadata=None, photometric="minisblack")
    return images


@pytest.mark.parametrize(
    ("names", "numbers", "pattern"),
    [
        (
            ["scan_00001_00001.tif", "scan_00001_00002.tif", "scan_00001_00003.tif"],
            [1, 41, 81],
            "scan_00001*.tif",
        ),
        (["run_MMStack_Pos0.ome.tif", "run_MMStack_Pos0_1.ome.tif"], None, "run_MMStack_Pos0*.ome.tif"),
        (["movie_part9.tif", "movie_part10.tif"], None, "movie_part*.tif"),
        ([f"img{at}.tif" for at in range(120)], None, "img*.tif"),
    ],
)
def test_a_movie_of_several_files_is_one_recording(tmp_path, names, numbers, pattern):
    poses(tmp_path / "m1/001")
    images = parts(tmp_path / "m1/001", names, numbers)
    proposal = made(tmp_path, neural=2.0)
    assert proposal.options["neural"]["options"] == {"pattern": pattern}
    np.testing.assert_array_equal(proposal.sample.neural, images)
    assert f"{len(names)} files end to end" in " ".join(proposal.notes)
    assert settings(proposal, tmp_path).dff.percentile == 10


def test_acquisitions_that_begin_again_are_not_one_movie(tmp_path):
    poses(tmp_path / "m1/001")
    parts(tmp_path / "m1/001", ["scan_00001.tif", "scan_00002.tif"], [1, 1])
    with pytest.raises(InputError, match="2 neural recordings and 1 files of behaviour in one folder"):
        made(tmp_path, neural=2.0)
    poses(tmp_path / "m2/001")
    poses(tmp_path / "m2/001", "other_videoDLC.csv")
    parts(tmp_path / "m2/001", ["a_1.tif", "a_2.tif"])
    with pytest.raises(
        InputError, match=r"a movie of 2 TIFF files \(a\*\.tif\) and 2 files of behaviour, expected"
    ):
        made(tmp_path / "m2", neural=2.0)


def test_behaviour_of_different_rates_is_brought_to_the_lowest(tmp_path, capsys):
    for animal, rate in (("m1", 30), ("m2", 20)):
        poses(tmp_path / animal / "001", rate=rate)
        suite2p(tmp_path / animal / "001/suite2p")
        times = np.round(np.arange(rate * SECONDS) / rate, 3)
        (tmp_path / animal / "001/times.csv").write_text("\n".join(map(str, ["time_s", *times])) + "\n")
    clock = {"behavior.clock.times": "{path}/times.csv"}
    proposal = propose(tmp_path, look(tmp_path), 4, given=clock)
    assert proposal.rates == {"behavior": pytest.approx(20)}
    assert (
        "Behaviour samples per second differ: 20 (m2/001), 30 (m1/001); all are resampled to 20, the lowest "
        "(convert.behavior_rate)." in proposal.notes
    )
    convert = settings(proposal, tmp_path)
    rows = [next(row for row in proposal.rows if row.animal == animal) for animal in ("m1", "m2")]
    looks = list(look_at(tmp_path, rows, convert, "positions"))
    assert [seen.behavior_rate for seen in looks] == [pytest.approx(20)] * 2
    said = [text for text in notes(looks, plan(), {}) if text.startswith("behaviour of")]
    assert said == ["behaviour of m1 001_part00: resampled from 30 to 20 /s"]
    manifest = tmp_path / "out/m.json"
    convert_trial(convert, "d", tmp_path, rows[0], tmp_path / "out/s.zarr", manifest)
    assert "m1 001_part00: behaviour samples resampled from 30 to 20 /s" in capsys.readouterr().err
    stored = read_recording(manifest)
    assert stored.behavior_rate == pytest.approx(20)
    np.testing.assert_allclose(np.diff(stored.behavior_time), 0.05)
    as_recorded = convert.model_copy(update={"behavior_rate": None})
    found = list(problems(list(look_at(tmp_path, rows, as_recorded, "positions")), plan()))
    assert found == [
        "behaviour sample rates differ (20 /s such as m2 001_part00, 30 /s such as m1 001_part00): "
        "resample to one rate, convert: {behavior_rate: 20}"
    ]
