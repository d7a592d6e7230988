"""Files that look like others: series that are no behaviour, arrays without axes, spikes that nobody looked for."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from pynwb import NWBHDF5IO, TimeSeries
from pynwb.image import ImageSeries
from pynwb.ophys import CorrectedImageStack, DfOverF, MotionCorrection, TwoPhotonSeries
from pynwb.testing.mock.file import mock_NWBFile
from pynwb.testing.mock.ophys import (
    mock_DfOverF,
    mock_ImagingPlane,
    mock_PlaneSegmentation,
    mock_RoiResponseSeries,
)

from neural_action.errors import InputError
from neural_action.preflight.folder import look
from neural_action.preflight.proposal import propose
from neural_action.recordings.formats import module_of

RNG = np.random.default_rng(0)
nwb, tiff, suite2p, deeplabcut = map(module_of, ("nwb", "tiff", "suite2p", "deeplabcut"))


def written(path, file):
    with NWBHDF5IO(path, "w") as io:
        io.write(file)
    return path


def recorded():
    """An NWB file with dF/F of two units at 10 /s, 60 s."""
    file = mock_NWBFile()
    rois = mock_PlaneSegmentation(n_rois=2, nwbfile=file)
    traces = mock_RoiResponseSeries(
        name="traces", data=RNG.random((600, 2)), rate=10.0, n_rois=2, plane_segmentation=rois
    )
    mock_DfOverF(name="dff", roi_response_series=[traces], nwbfile=file)
    return file


def shifts(file):
    """Adds the shifts of registered images, as writers of NWB do."""
    series = TimeSeries(name="xy_translation", data=RNG.random((600, 2)), unit="pixels", rate=10.0)
    images = ImageSeries(name="corrected", data=np.zeros((600, 4, 4)), unit="a", rate=10.0)
    stack = CorrectedImageStack(corrected=images, original=images, xy_translation=series)
    file.processing["ophys"].add(MotionCorrection(corrected_image_stacks=[stack]))


def speed(name="encoder", rate=20.0):
    return TimeSeries(name=name, data=RNG.random(int(60 * rate)), unit="cm/s", rate=rate)


def test_shifts_of_images_and_stimuli_are_no_behaviour(tmp_path):
    file = recorded()
    shifts(file)
    file.add_stimulus(speed("contrast"))
    with_neither = written(tmp_path / "a.nwb", file)
    entries = nwb.contents(with_neither)["behavior"]
    assert all(entry.endswith("(likely no movement)") for entry in entries)
    assert [entry.split(":")[0] for entry in entries] == ["contrast", "xy_translation"]
    with pytest.raises(
        InputError, match=r"holds contrast.*; xy_translation.*, expected behaviour.*series=\[NAME\]"
    ):
        propose(tmp_path, look(tmp_path), 4)
    with_neither.unlink()
    file = recorded()
    shifts(file)
    file.add_acquisition(speed())
    written(tmp_path / "b.nwb", file)
    proposal = propose(tmp_path, look(tmp_path), 4)
    assert proposal.options["behavior"]["options"]["series"] == ["encoder"]
    assert any(
        "encoder: TimeSeries (1200,). Other series: xy_translation." in note for note in proposal.notes
    )


def test_series_of_one_name_in_several_modules_keep_their_modules(tmp_path):
    file = mock_NWBFile()
    for at, area in enumerate(("VISp_0", "VISp_1")):
        file.create_processing_module(area, "d")
        rois = mock_PlaneSegmentation(name=f"rois{at}", n_rois=2, nwbfile=file)
        traces = mock_RoiResponseSeries(
            name="traces", data=np.full((9, 2), float(at)), rate=10.0, n_rois=2, plane_segmentation=rois
        )
        file.processing[area].add(DfOverF(name="dff", roi_response_series=[traces]))
    path = written(tmp_path / "a.nwb", file)
    assert nwb.contents(path)["neural"] == ["VISp_*/dff/traces: DfOverF (9, 2), (9, 2)"]
    found = nwb.neural(path, nwb.Options())
    np.testing.assert_array_equal(found.data, np.tile([0.0, 0, 1, 1], (9, 1)))
    assert found.source == "VISp_0/dff/traces, VISp_1/dff/traces: 4 of 4 units"


def test_units_are_read_while_they_were_observed_and_what_they_were_judged_is_said(tmp_path):
    file = mock_NWBFile()
    file.add_unit_column("quality", "q")
    for quality in ("good", "good", "noise"):
        times = np.concatenate([np.arange(0.25, 10), np.arange(20.25, 30)])
        file.add_unit(spike_times=times, obs_intervals=[[0.0, 10.0], [20.0, 30.0]], quality=quality)
    found = nwb.neural(written(tmp_path / "a.nwb", file), nwb.Options(bin=0.5))
    gap = float(np.diff(found.time).max())
    assert gap == pytest.approx(10.5, abs=0.6)
    # One spike a second: the mean rate would be two thirds of it with the time that nobody observed.
    assert found.data.mean() == pytest.approx(1, rel=0.1)
    assert found.source.startswith(
        "units: 3 units (all, whatever their quality: 2 good, 1 noise), bins of 0.5 s, "
    )
    assert found.source.endswith("bins outside obs_intervals left out")


def test_the_mean_of_the_planes_of_a_movie_is_said(tmp_path):
    file = mock_NWBFile()
    data = RNG.integers(0, 99, (6, 4, 5, 3)).astype(np.uint16)
    plane = mock_ImagingPlane(nwbfile=file)
    file.add_acquisition(TwoPhotonSeries(name="movie", data=data, imaging_plane=plane, rate=5.0, unit="n.a."))
    found = nwb.neural(written(tmp_path / "a.nwb", file), nwb.Options())
    np.testing.assert_allclose(found.data, data.mean(3).transpose(0, 2, 1))
    assert found.source == "movie, mean of 3 planes"


@pytest.mark.parametrize(
    ("axes", "shape", "channel"),
    [("TCYX", (6, 2, 4, 5), np.s_[:, 1]), ("CTYX", (2, 6, 4, 5), np.s_[1])],
)
def test_axes_that_tifffile_wrote_are_those_of_the_pages(tmp_path, axes, shape, channel):
    images = RNG.integers(0, 99, shape).astype(np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, images, photometric="minisblack", metadata={"axes": axes})
    found = tiff.neural(path, tiff.Options(channel=1))
    np.testing.assert_array_equal(found.data, images[channel])
    assert "pages by tifffile, channel 2 of 2" in found.source


def test_arrays_of_more_axes_without_names_are_asked_about(tmp_path):
    images = RNG.integers(0, 99, (6, 2, 4, 5)).astype(np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, images, photometric="minisblack")
    assert json.loads(tifffile.TiffFile(path).pages[0].description)["shape"] == [6, 2, 4, 5]
    with pytest.raises(InputError, match=r"6 x 2 images without names.*neural\.options\.channels=2"):
        tiff.neural(path, tiff.Options())
    np.testing.assert_array_equal(tiff.neural(path, tiff.Options(channels=2)).data, images[:, 0])
    np.testing.assert_allclose(tiff.neural(path, tiff.Options(planes=2)).data, images.mean(1))
    tifffile.imwrite(path, images[:, 0], photometric="minisblack")
    np.testing.assert_array_equal(tiff.neural(path, tiff.Options()).data, images[:, 0])


def test_recordings_that_suite2p_ran_as_one_are_said(tmp_path):
    np.save(tmp_path / "F.npy", RNG.random((2, 20), dtype=np.float32))
    options = suite2p.Options(signal="F", cells=False)
    for noted, said in (([20], ""), ([12, 8], "2 folders end to end (12, 8 frames)")):
        np.save(tmp_path / "ops.npy", {"fs": 5.0, "frames_per_folder": np.array(noted)})
        source = suite2p.neural(tmp_path, options).source
        assert (said in source) if said else "end to end" not in source


def test_a_pose_file_that_another_program_saved_again(tmp_path):
    head = "scorer,D,D,D\nbodyparts,a,a,a\ncoords,x,y,likelihood\n"
    path = tmp_path / "v.csv"
    path.write_text("\ufeff" + head + "".join(f"{at},{at},2,1\n" for at in range(5)), encoding="utf-8")
    assert deeplabcut.recognise(path) == "DeepLabCut poses"
    np.testing.assert_array_equal(deeplabcut.behavior(path, deeplabcut.Options()).data[:, 0, 0], np.arange(5))


def test_the_times_of_a_miniscope(tmp_path):
    path = tmp_path / "timeStamps.csv"
    path.write_text("Frame Number,Time Stamp (ms),Buffer Index\n0,-3,0\n1,31,0\n2,64,1\n")
    arrays = module_of("arrays")
    assert arrays.time_column(path) == "Time Stamp (ms)"
    np.testing.assert_array_equal(arrays.read_vector(path), [-3, 31, 64])
