"""What init makes of a folder, and what check sees in recordings with a known answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from neural_action.config.load import merged
from neural_action.config.settings import ConvertSettings
from neural_action.errors import InputError
from neural_action.inspection.folder import look
from neural_action.inspection.proposal import propose
from neural_action.inspection.sample import look_at, synchrony
from neural_action.inspection.written import configuration
from neural_action.recordings.recording import Recording


def write(folder, seconds=100, trials=("001",), missing=False):
    """Folders of suite2p at 10 /s beside a DeepLabCut CSV at 20 /s."""
    for seed, trial in enumerate(trials):
        rng = np.random.default_rng(seed)
        plane = folder / "Fly1" / trial / "suite2p"
        plane.mkdir(parents=True)
        np.save(plane / "F.npy", 100 + rng.random((3, 10 * seconds), dtype=np.float32))
        np.save(plane / "iscell.npy", np.ones((3, 2)))
        points = np.cumsum(rng.standard_normal((20 * seconds, 2)), 0)
        lines = ["scorer,D,D", "bodyparts,nose,nose", "coords,x,y"]
        lines += [f"{at},{x:.4f},{y:.4f}" for at, (x, y) in enumerate(points)]
        if missing:
            lines[50] = "47,,"
        (folder / "Fly1" / trial / f"vid{trial}DLC_x.csv").write_text("\n".join(lines) + "\n")


def made(folder, **rates):
    """The proposal for a folder."""
    return propose(folder, look(folder), 4, rates.get("neural"), rates.get("behavior"))


def test_files_that_lie_together_are_paired(tmp_path):
    write(tmp_path, trials=("001", "002", "003", "004"))
    found = look(tmp_path)
    assert sorted({(item.format, item.phrase) for item in found}) == [
        ("deeplabcut", "DeepLabCut poses"),
        ("suite2p", "suite2p traces"),
    ]
    proposal = made(tmp_path, neural=10, behavior=20)
    assert [(row.animal, row.trial, row.path) for row in proposal.rows] == [
        ("Fly1", f"00{at}", f"Fly1/00{at}") for at in range(1, 5)
    ]
    assert proposal.options["neural"]["path"] == "{path}/suite2p"
    assert proposal.options["behavior"]["path"] == "{path}/vid00*DLC_x.csv"
    assert "cut" not in proposal.options
    assert not proposal.open
    assert proposal.class_names == ["slow", "medium", "fast"]


def test_what_is_not_known_is_left_open_and_said(tmp_path):
    write(tmp_path)
    proposal = made(tmp_path, neural=10)
    assert list(proposal.open) == ["convert.reader_options.behavior.clock.rate"]
    text = configuration(
        proposal, dataset="mine", raw=tmp_path, sheet=tmp_path / "s.csv", config=tmp_path / "c.yaml"
    )
    assert "# EDIT convert.reader_options.behavior.clock.rate: the files of behavior have no clock" in text
    assert yaml.safe_load(text)["convert"]["reader_options"]["behavior"]["clock"] == {"rate": None}


def test_one_long_trial_is_cut_and_missing_keypoints_are_noted(tmp_path):
    write(tmp_path, missing=True)
    proposal = made(tmp_path, neural=10, behavior=20)
    assert proposal.options["cut"] == {"seconds": 10.0, "gap": 2.0}
    assert len(proposal.rows) == 8
    assert proposal.options["behavior"]["missing"]["policy"] == "drop"
    assert any("missing nose" in note and "first in sample 47" in note for note in proposal.notes)


def test_a_written_configuration_is_valid_and_keeps_its_sources(tmp_path):
    from neural_action.config.load import validate

    write(tmp_path / "raw")
    proposal = made(tmp_path / "raw", neural=10, behavior=20)
    path = tmp_path / "mine.yaml"
    path.write_text(
        configuration(proposal, dataset="mine", raw=tmp_path / "raw", sheet=tmp_path / "s.csv", config=path)
    )
    methods = Path(__file__).resolve().parents[2] / "config/methods.yaml"
    settings = validate(merged([methods, path]))
    assert settings.clips.frames == 20
    assert settings.clips.behavior_stride == 1
    assert settings.convert.dff is not None
    for line in path.read_text().splitlines():
        if line.startswith(("  frames", "  folds", "  scale", "  steps")):
            assert any(source in line for source in ("[ours]", "[paper]", "[code]")), line


def test_nothing_that_fits_says_what_was_found_and_expected(tmp_path):
    write(tmp_path)
    (tmp_path / "Fly1/001/vid001DLC_x.csv").unlink()
    with pytest.raises(
        InputError, match=r"no behaviour recognised \(found: 1 x suite2p\); expected files of both"
    ):
        made(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no neural activity and behaviour recognised \(found: nothing\)"):
        made(tmp_path / "empty")


def test_the_layout_of_a_reader_is_that_reader(tmp_path, request):
    from neural_action.config.settings import SimulationSettings
    from neural_action.recordings.simulate import simulate_animal

    simulate_animal(SimulationSettings(preset="tiny", overrides={"trials": 1}), 0, tmp_path)
    proposal = made(tmp_path)
    assert proposal.reader == "mc2p"
    assert proposal.class_names[0] == "forward_walking"


def recording(lag, seed=0, noise=1.0):
    """Neural activity that is movement ``lag`` frames later (10 /s), beside noise."""
    rng = np.random.default_rng(seed)
    moving = np.repeat(rng.random(80) > 0.5, 25).astype(float)
    position = np.cumsum((0.01 + moving)[:, None] * rng.standard_normal((2000, 3)), 0)
    neural = np.roll(moving, lag)[:, None] + noise * rng.standard_normal((2000, 5))
    clock = np.arange(2000) / 10
    return Recording(
        "a", "1", neural.astype(np.float32), clock, position.astype(np.float32), clock,
        np.zeros(2000, np.int8), np.arange(2000, dtype=np.int32), ("x",), ("p", "q", "r"), 10.0, 10.0,
    )  # fmt: skip


@pytest.mark.parametrize("lag", [-8, 0, 5])
def test_synchrony_finds_the_lag(lag):
    lags, correlation, chance = synchrony(recording(lag), "positions")
    peak = int(np.argmax(np.abs(correlation)))
    assert lags[peak] == pytest.approx(lag / 10, abs=0.15)
    assert correlation[peak] > 2 * chance


def test_synchrony_of_unrelated_clocks_is_chance():
    above = 0
    for seed in range(20):
        _, correlation, chance = synchrony(recording(0, seed, noise=1e6), "positions")
        above += np.abs(correlation).max() > chance
    # One in twenty is expected.
    assert above <= 4


def test_a_look_counts_what_is_there(tmp_path):
    write(tmp_path)
    proposal = made(tmp_path, neural=10, behavior=20)
    settings = ConvertSettings(
        reader="paired", reader_options=proposal.options, class_names=proposal.class_names
    )
    looks = list(look_at(tmp_path, proposal.rows, settings, "positions"))
    assert [item.frames for item in looks] == [100] * 8
    assert looks[0].samples == 200
    assert looks[0].covered == 1
    total = np.sum([item.counts[1:] for item in looks], axis=0)
    # Terciles of the speed.
    np.testing.assert_allclose(total / total.sum(), 1 / 3, atol=0.08)
