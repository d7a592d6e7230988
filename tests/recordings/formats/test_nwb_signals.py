"""Which series of an NWB file is the activity of cells, in the layouts that writers of NWB use."""

from __future__ import annotations

import numpy as np
import pytest
from pynwb import NWBHDF5IO, TimeSeries
from pynwb.behavior import Position, SpatialSeries
from pynwb.ophys import DfOverF, Fluorescence, ImageSegmentation, RoiResponseSeries, TwoPhotonSeries
from pynwb.testing.mock.file import mock_NWBFile
from pynwb.testing.mock.ophys import mock_ImagingPlane

from neural_action.errors import InputError
from neural_action.recordings.formats import module_of

nwb = module_of("nwb")
FRAMES = 20


class Writer:
    """An NWB file in the making."""

    def __init__(self):
        self.file = mock_NWBFile()
        self.plane = mock_ImagingPlane(nwbfile=self.file)
        self.module = self.file.create_processing_module("ophys", "d")
        self.segmentation = ImageSegmentation()
        self.module.add(self.segmentation)
        self.values = {}

    def table(self, name, units, **columns):
        """A table of ROIs with columns."""
        table = self.segmentation.create_plane_segmentation(
            name=name, description="d", imaging_plane=self.plane
        )
        for _ in range(units):
            table.add_roi(pixel_mask=[(0, 0, 1.0)])
        for column, marks in columns.items():
            table.add_column(column, "d", marks)
        return table

    def series(self, container, kind, table, rows, turned=False, **options):
        """A series of ``rows`` of a table, in a container that is made where it is not there."""
        name = options.pop("name")
        values = 10.0 * (1 + len(self.values)) + np.random.default_rng(len(self.values)).random(
            (FRAMES, len(rows))
        )
        self.values[f"{container}/{name}"] = values
        region = table.create_roi_table_region(region=list(rows), description="d")
        options = {"unit": "n.a.", "rate": 10.0, **options}
        data = values.T if turned else values
        series = RoiResponseSeries(name=name, data=data, rois=region, **options)
        if container not in self.module.data_interfaces:
            self.module.add(kind(name=container))
        self.module[container].add_roi_response_series(series)

    def write(self, path):
        with NWBHDF5IO(path, "w") as io:
            io.write(self.file)
        return path


def read(path, **options):
    return nwb.neural(path, nwb.Options.parse(options, "test"))


def neuroconv(writer, marks=None, plane=""):
    """As neuroconv writes suite2p's or CaImAn's results."""
    columns = {} if marks is None else {"Accepted": marks, "Rejected": [1 - mark for mark in marks]}
    cells = writer.table(f"PlaneSegmentation{plane}", 3, **columns)
    rest = writer.table(f"BackgroundPlaneSegmentation{plane}", 2)
    for name in ("Deconvolved", "Neuropil", "Baseline", "Denoised", "RoiResponseSeries"):
        writer.series("Fluorescence", Fluorescence, cells, range(3), name=f"{name}{plane}")
    writer.series("Fluorescence", Fluorescence, rest, range(2), name=f"neuropil{plane}")
    writer.series("DfOverF", DfOverF, cells, range(3), name=f"RoiResponseSeries{plane}")


def test_neuroconv(tmp_path):
    writer = Writer()
    neuroconv(writer, [1, 0, 1])
    path = writer.write(tmp_path / "m1.nwb")
    neural = read(path)
    raw = writer.values["Fluorescence/RoiResponseSeries"]
    np.testing.assert_allclose(neural.data, raw[:, [0, 2]])
    assert neural.unit.startswith("raw fluorescence")
    assert neural.source == "Fluorescence/RoiResponseSeries: 2 of 3 units"
    assert [entry.split(":")[0] for entry in nwb.contents(path)["neural"]] == [
        "Fluorescence/RoiResponseSeries",
        "DfOverF/RoiResponseSeries",
        "Fluorescence/Denoised",
        "Fluorescence/Deconvolved",
        "Fluorescence/Baseline",
        "Fluorescence/Neuropil",
        "Fluorescence/neuropil",
    ]
    asked = read(path, series=["Deconvolved"], cells=False)
    np.testing.assert_allclose(asked.data, writer.values["Fluorescence/Deconvolved"])
    assert asked.unit == "deconvolved events"
    with pytest.raises(InputError, match=r"'RoiResponseSeries' are .*DfOverF/R.*, expected one of them"):
        read(path, series=["RoiResponseSeries"])


def test_neuroconv_with_several_planes(tmp_path):
    writer = Writer()
    for plane in ("Chan1Plane0", "Chan1Plane1", "Chan2Plane0"):
        neuroconv(writer, plane=plane)
    neural = read(writer.write(tmp_path / "m1.nwb"))
    own = [writer.values[f"Fluorescence/RoiResponseSeriesChan1Plane{number}"] for number in (0, 1)]
    np.testing.assert_allclose(neural.data, np.concatenate(own, 1))


@pytest.mark.filterwarnings("ignore:RoiResponseSeries:UserWarning")
@pytest.mark.parametrize("turned", [False, True])
def test_suite2p(tmp_path, turned):
    writer = Writer()
    table = writer.table("PlaneSegmentation", 6, iscell=np.array([[1, 0.9], [0, 0.1]] * 3))
    for name in ("Fluorescence", "Neuropil", "Deconvolved", "Fluorescence_chan2", "Neuropil_chan2"):
        for plane, rows in (("plane0", range(2)), ("plane1", range(2, 6))):
            writer.series(name, Fluorescence, table, rows, name=plane, turned=turned)
    writer.file.add_acquisition(
        TwoPhotonSeries(
            name="TwoPhotonSeries",
            external_file=["a.tif"],
            dimension=[2, 2],
            imaging_plane=writer.plane,
            rate=20.0,
            format="external",
            starting_frame=[0],
            unit="n.a.",
            num_samples=20,
        )
    )
    path = writer.write(tmp_path / "ophys.nwb")
    neural = read(path)
    both = np.concatenate([writer.values[f"Fluorescence/plane{plane}"] for plane in (0, 1)], 1)
    np.testing.assert_allclose(neural.data, both[:, ::2])
    assert neural.names == ("Fluorescence/plane0/0", "Fluorescence/plane1/2", "Fluorescence/plane1/4")
    assert nwb.contents(path)["neural"][0].startswith("Fluorescence/plane*: Fluorescence")
    one = read(path, series=["Fluorescence/plane1"], cells=False)
    np.testing.assert_allclose(one.data, writer.values["Fluorescence/plane1"])


def test_no_cell_among_the_units_is_refused(tmp_path):
    writer = Writer()
    table = writer.table("PlaneSegmentation", 3, iscell=np.zeros((3, 2)))
    writer.series("Fluorescence", Fluorescence, table, range(3), name="plane0")
    path = writer.write(tmp_path / "m1.nwb")
    with pytest.raises(InputError, match=r"no cell among 3 units, .*--option neural\.options\.cells=false"):
        read(path)
    assert read(path, cells=False).data.shape == (FRAMES, 3)


def test_the_allen_institute(tmp_path):
    writer = Writer()
    table = writer.table("cell_specimen_table", 4, valid_roi=[True, True, False, True])
    for name in ("demixed_trace", "neuropil_trace", "corrected_fluorescence"):
        writer.series(name, Fluorescence, table, range(4), name="traces")
    writer.series("dff", DfOverF, table, range(4), name="traces")
    neural = read(writer.write(tmp_path / "m1.nwb"), series=None)
    np.testing.assert_allclose(neural.data, writer.values["corrected_fluorescence/traces"][:, [0, 1, 3]])


def test_dff_is_known_by_its_name_and_unit_wherever_it_lies(tmp_path):
    for at, (name, unit) in enumerate((("dff_traces", "n.a."), ("traces", "dF/F"), ("deltaF", "percent"))):
        writer = Writer()
        table = writer.table("PlaneSegmentation", 2)
        writer.series("Fluorescence", Fluorescence, table, range(2), name=name, unit=unit)
        assert read(writer.write(tmp_path / f"{at}.nwb")).unit == "dF/F"


def test_two_that_are_no_planes_are_asked_about(tmp_path):
    writer = Writer()
    table = writer.table("PlaneSegmentation", 3)
    for name in ("signal", "mean"):
        writer.series("Fluorescence", Fluorescence, table, range(3), name=name)
    path = writer.write(tmp_path / "m1.nwb")
    with pytest.raises(
        InputError, match=r"2 neural series, expected one; choose it with options series: Fluor.*/mean"
    ):
        read(path)
    only = Writer()
    only.series("Deconvolved", Fluorescence, only.table("PlaneSegmentation", 3), range(3), name="plane0")
    with pytest.raises(InputError, match="0 neural series, expected one; choose it"):
        read(only.write(tmp_path / "m2.nwb"))


def test_planes_start_within_a_frame_of_each_other(tmp_path):
    for offset, says in ((0.05, None), (0.2, "another clock than Fluorescence/plane0")):
        writer = Writer()
        table = writer.table("PlaneSegmentation", 4)
        for number in (0, 1):
            rows, start = range(2 * number, 2 * number + 2), 5 + offset * number
            writer.series(
                "Fluorescence", Fluorescence, table, rows, name=f"plane{number}", starting_time=start
            )
        path = writer.write(tmp_path / f"{offset}.nwb")
        if says:
            with pytest.raises(InputError, match=says):
                read(path)
        else:
            np.testing.assert_allclose(read(path).time, 5 + np.arange(FRAMES) / 10)


def test_conversion_and_offset_are_applied(tmp_path):
    writer = Writer()
    table = writer.table("PlaneSegmentation", 2)
    writer.series("Fluorescence", Fluorescence, table, range(2), name="traces", conversion=2.0, offset=-3.0)
    neural = read(writer.write(tmp_path / "m1.nwb"))
    np.testing.assert_allclose(neural.data, 2 * writer.values["Fluorescence/traces"] - 3, rtol=1e-6)


def test_movement_comes_before_what_else_has_a_clock(tmp_path):
    file = mock_NWBFile()
    for name in ("ambient_light", "running_speed", "Sync", "temperature", "zz_velocity"):
        file.add_acquisition(TimeSeries(name=name, data=np.arange(5.0), unit="u", rate=1.0))
    place = SpatialSeries(name="eye", data=np.zeros((5, 2)), reference_frame="r", rate=1.0)
    file.create_processing_module("behavior", "d").add(Position(spatial_series=place))
    with NWBHDF5IO(tmp_path / "a.nwb", "w") as io:
        io.write(file)
    names = [entry.split(":")[0] for entry in nwb.contents(tmp_path / "a.nwb")["behavior"]]
    assert names == ["eye", "running_speed", "zz_velocity", "Sync", "ambient_light", "temperature"]
