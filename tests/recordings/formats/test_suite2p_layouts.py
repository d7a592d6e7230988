"""The folders that suite2p's releases write: planes, combined, settings instead of ops, units that are no cells."""

from __future__ import annotations

import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.recordings.formats import module_of

RNG = np.random.default_rng(0)
suite2p = module_of("suite2p")


def plane(folder, units=3, frames=40, cells=None, **notes):
    """What suite2p writes of a plane; ``notes`` are whole files by name."""
    folder.mkdir(parents=True)
    for name in ("F", "Fneu", "spks"):
        np.save(folder / f"{name}.npy", RNG.random((units, frames), dtype=np.float32))
    marks = np.ones(units) if cells is None else np.array(cells, float)
    np.save(folder / "iscell.npy", np.stack([marks, np.full(units, 0.8)], 1))
    for name, content in (notes or {"ops": {"fs": 5.0}}).items():
        np.save(folder / f"{name}.npy", content)
    return folder


def read(folder, **options):
    return suite2p.neural(folder, suite2p.Options.parse(options, "test"))


def corrected(folder, factor=0.7):
    return (np.load(folder / "F.npy") - np.float32(factor) * np.load(folder / "Fneu.npy")).T


def test_planes_are_read_side_by_side_in_the_order_of_their_numbers(tmp_path):
    planes = [plane(tmp_path / "suite2p" / f"plane{number}") for number in (0, 2, 10)]
    plane(tmp_path / "suite2p" / "combined", units=9)
    assert suite2p.recognise(tmp_path / "suite2p") == "suite2p traces of 3 planes"
    neural = read(tmp_path / "suite2p")
    np.testing.assert_allclose(
        neural.data, np.concatenate(list(map(corrected, planes)), 1), rtol=1e-5, atol=1e-6
    )
    assert neural.rate == 5
    assert neural.names == tuple(f"plane{number}/{unit}" for number in (0, 2, 10) for unit in range(3))
    assert neural.source == "F - 0.7 Fneu of plane0, plane2, plane10: 9 of 9 units (cells by iscell.npy)"
    assert {path.parent.name for path in suite2p.files(tmp_path / "suite2p")} == {
        "plane0",
        "plane2",
        "plane10",
    }
    chosen = read(tmp_path / "suite2p", planes=[2])
    np.testing.assert_allclose(chosen.data, corrected(planes[1]), rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match="no plane 3, expected some of 0, 10, 2"):
        read(tmp_path / "suite2p", planes=[3])
    np.testing.assert_allclose(read(planes[2]).data, corrected(planes[2]), rtol=1e-5, atol=1e-6)


def test_only_cells_of_each_plane_are_kept_and_a_plane_may_have_none(tmp_path):
    first = plane(tmp_path / "plane0", cells=[0, 1, 0])
    plane(tmp_path / "plane1", cells=[0, 0, 0])
    (tmp_path / "plane2").mkdir()  # suite2p found no ROI: it writes no F.npy
    np.save(tmp_path / "plane2" / "ops.npy", {"fs": 5.0})
    neural = read(tmp_path)
    np.testing.assert_allclose(neural.data, corrected(first)[:, [1]], rtol=1e-5, atol=1e-6)
    assert "1 of 6 units" in neural.source
    assert "another channel" not in neural.source
    np.save(first / "F_chan2.npy", np.zeros((3, 40)))
    assert read(tmp_path).source.endswith("; another channel is not read (F_chan2.npy)")
    np.save(first / "iscell.npy", np.zeros((3, 2)))
    with pytest.raises(
        InputError, match=r"marks none of 6 units as a cell, .*--option neural\.options\.cells=false"
    ):
        read(tmp_path)
    assert read(tmp_path, cells=False).data.shape == (40, 6)


def test_the_last_volume_may_lack_a_plane_and_other_lengths_are_refused(tmp_path):
    plane(tmp_path / "plane0", frames=40)
    plane(tmp_path / "plane1", frames=39)
    assert read(tmp_path).data.shape == (39, 6)
    plane(tmp_path / "plane2", frames=30)
    with pytest.raises(InputError, match="planes of 30 to 40 frames, expected the same number in each"):
        read(tmp_path)


def test_combined_alone_is_read(tmp_path):
    folder = plane(tmp_path / "combined")
    np.testing.assert_allclose(read(tmp_path).data, corrected(folder), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("notes", "rate", "factor"),
    [
        ({"ops": {"fs": 5.0, "neucoeff": 0.5}}, 5, 0.5),
        ({"ops": {"fs": np.float64(5), "save_path": "x"}}, 5, 0.7),
        ({"settings": {"fs": 5.0, "tau": 1.0}, "db": {"nplanes": 1}}, 5, 0.7),
        ({"settings": {"fs": 5.0, "extraction": {"neuropil_coefficient": 0.6}}}, 5, 0.6),
        ({"stat": {}}, None, 0.7),
    ],
)
def test_rate_and_neuropil_coefficient_are_those_that_suite2p_noted(tmp_path, notes, rate, factor):
    folder = plane(tmp_path / "plane0", **notes)
    neural = read(folder)
    assert neural.rate == rate
    np.testing.assert_allclose(neural.data, corrected(folder, factor), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(read(folder, neuropil=0.1).data, corrected(folder, 0.1), rtol=1e-5, atol=1e-6)


def test_planes_of_different_rates_are_refused(tmp_path):
    plane(tmp_path / "plane0")
    plane(tmp_path / "plane1", ops={"fs": 6.0})
    with pytest.raises(InputError, match="planes at 5, 6 frames per second, expected one rate"):
        read(tmp_path)
    np.save(tmp_path / "plane1" / "ops.npy", {"fs": "fast"})
    with pytest.raises(InputError, match=r"plane1/ops\.npy: fs is 'fast', expected a number"):
        read(tmp_path)


def test_settings_beside_ops(tmp_path):
    folder = plane(tmp_path / "plane0", ops={"fs": 5.0}, settings={"fs": 6.0}, db={"nplanes": 1})
    assert read(folder).rate == 5


def test_a_folder_without_marks_of_cells_is_refused(tmp_path):
    folder = plane(tmp_path / "plane0")
    (folder / "iscell.npy").unlink()
    with pytest.raises(
        InputError, match=r"iscell\.npy: no such file, .*--option neural\.options\.cells=false"
    ):
        read(folder)
    np.testing.assert_allclose(read(folder, cells=False).data, corrected(folder), rtol=1e-5, atol=1e-6)
