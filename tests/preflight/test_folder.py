"""What init makes of a folder, and what check sees in recordings with a known answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from neural_action.config.load import merged, read_yaml
from neural_action.config.settings import ConvertSettings
from neural_action.errors import InputError
from neural_action.preflight.folder import Found, look
from neural_action.preflight.proposal import Proposal, _nwb_series, propose
from neural_action.preflight.sample import look_at, synchrony
from neural_action.preflight.written import configuration
from neural_action.recordings.readers import load_reader, reader_names
from neural_action.recordings.recording import Recording
from running import ROOT


def write(folder, seconds=100, trials=("001",), missing=False, unlikely=()):
    """Folders of suite2p at 10 /s beside a DeepLabCut CSV at 20 /s; ``unlikely`` samples of a likelihood of 0.1."""
    for seed, trial in enumerate(trials):
        rng = np.random.default_rng(seed)
        plane = folder / "Fly1" / trial / "suite2p"
        plane.mkdir(parents=True)
        np.save(plane / "F.npy", 100 + rng.random((3, 10 * seconds), dtype=np.float32))
        np.save(plane / "iscell.npy", np.ones((3, 2)))
        points = np.cumsum(rng.standard_normal((20 * seconds, 2)), 0)
        lines = ["scorer,D,D,D", "bodyparts,nose,nose,nose", "coords,x,y,likelihood"]
        lines += [
            f"{at},{x:.4f},{y:.4f},{0.1 if at in unlikely else 0.9}" for at, (x, y) in enumerate(points)
        ]
        if missing:
            lines[50] = "47,,,0.9"
        (folder / "Fly1" / trial / f"vid{trial}DLC_x.csv").write_text("\n".join(lines) + "\n")


def made(folder, given=None, **rates):
    """The proposal for a folder."""
    return propose(folder, look(folder), 4, rates.get("neural"), rates.get("behavior"), given)


def written(proposal, folder):
    """The configuration for it, as text and as what it holds."""
    text = configuration(proposal, dataset="mine", raw=folder, samples=folder / "s.csv")
    return text, yaml.safe_load(text)


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
    assert proposal.class_names == ["slow", "medium", "fast"]


def test_what_is_not_known_is_asked_for(tmp_path):
    write(tmp_path)
    with pytest.raises(
        InputError,
        match=r"neural activity \(suite2p\) and of behaviour \(deeplabcut\) have no clock; nothing was written: run "
        "init again with --neural-rate and --behavior-rate",
    ):
        made(tmp_path)
    with pytest.raises(InputError, match=r"init again with --behavior-rate \(per second\)"):
        made(tmp_path, neural=10)
    # Times of a camera are a clock too.
    np.savetxt(tmp_path / "Fly1/001/camera.txt", np.arange(2000) / 25)
    proposal = made(tmp_path, {"behavior.clock.times": "{path}/camera.txt"}, neural=10)
    assert proposal.sample.behavior_rate == pytest.approx(25)


def test_clocks_that_do_not_overlap_are_refused_until_the_offset_is_known(tmp_path):
    write(tmp_path)
    given = {"behavior.clock.start": 500.0}
    with pytest.raises(InputError, match=r"do not overlap \(400\.1.*init again.*--option.*align\.offset"):
        made(tmp_path, given, neural=10, behavior=20)
    proposal = made(tmp_path, {**given, "align.offset": -500}, neural=10, behavior=20)
    text, content = written(proposal, tmp_path)
    assert content["convert"]["reader_options"]["align"] == {"offset": -500}
    assert "      clock: {start: 500.0, rate: 20.0} # [given]" in text
    assert content["windows"]["frames"] == 20
    assert content["convert"]["reader_options"]["thresholds"]


def test_options_that_are_none_are_said(tmp_path):
    write(tmp_path)
    with pytest.raises(InputError, match=r"reader_options\.align\.offst: unknown key"):
        made(tmp_path, {"align.offst": 1.0}, neural=10, behavior=20)
    with pytest.raises(InputError, match=r"--option neural\.clock: 2, expected a mapping with keys"):
        made(tmp_path, {"neural.clock": 2}, neural=10, behavior=20)


def test_labels_and_thresholds_can_be_given_or_left_out(tmp_path):
    array = {"file": "a.npz", "rate": 10.0}
    described = {role: {**array, "key": role} for role in ("neural", "behavior")}
    described["labels"] = {"file": "a.npz", "key": "labels"}
    for trial, most in (("1", 1), ("2", 2)):
        (tmp_path / "m" / trial).mkdir(parents=True)
        rng = np.random.default_rng(0)
        np.savez(
            tmp_path / "m" / trial / "a.npz",
            neural=rng.random((1000, 3)),
            behavior=np.cumsum(rng.standard_normal((1000, 2)), 0),
            labels=np.arange(1000) // 100 % (most + 1),
        )
        (tmp_path / "m" / trial / "a.yaml").write_text(yaml.safe_dump(described))
    # A class that the first recording has not is one too.
    assert made(tmp_path).class_names == ["class_0", "class_1", "class_2"]
    proposal = made(tmp_path, {"labels": None})
    assert proposal.class_names == ["slow", "medium", "fast"]
    assert written(proposal, tmp_path)[1]["convert"]["reader_options"]["labels"] is None
    proposal = made(tmp_path, {"labels": None, "thresholds": {"cuts": [1.0]}})
    assert proposal.class_names == ["level_0", "level_1"]
    assert proposal.options["thresholds"] == {"cuts": [1.0]}
    assert made(tmp_path, {"labels": None, "thresholds": None}).class_names is None
    with pytest.raises(InputError, match=r"--option labels: 3, expected a mapping with keys"):
        made(tmp_path, {"labels": 3})
    with pytest.raises(InputError, match=r"reader_options\.behavior\.clock: None, expected"):
        made(tmp_path, {"behavior.clock": None})


def test_keypoints_that_are_unlikely_are_missing(tmp_path):
    write(tmp_path, unlikely=range(100, 140))
    proposal = made(tmp_path, neural=10, behavior=20)
    text, content = written(proposal, tmp_path)
    behavior = content["convert"]["reader_options"]["behavior"]
    assert behavior["options"] == {"min_likelihood": 0.6}
    assert behavior["missing"]["policy"] == "drop"
    assert "options: {min_likelihood: 0.6} # [ours] below it a keypoint is missing" in text
    assert any(
        note.startswith("Keypoints with a likelihood below 0.6 count as missing") for note in proposal.notes
    )
    assert any("missing nose (2.0%" in note for note in proposal.notes)
    every = made(tmp_path, {"behavior.options.min_likelihood": 0.0}, neural=10, behavior=20)
    assert "missing" not in every.options["behavior"]
    assert not any("likelihood" in note for note in every.notes)


def test_cuts_are_terciles_of_all_recordings(tmp_path):
    write(tmp_path, trials=("001", "002", "003", "004"))
    path = tmp_path / "Fly1/004/vid004DLC_x.csv"
    head, rows = (
        path.read_text().splitlines()[:3],
        [[float(cell) for cell in line.split(",")] for line in path.read_text().splitlines()[3:]],
    )
    path.write_text(
        "\n".join([*head, *(f"{at:g},{100 * x:.3f},{100 * y:.3f},{p:g}" for at, x, y, p in rows)]) + "\n"
    )
    proposal = made(tmp_path, neural=10, behavior=20)
    settings = ConvertSettings(
        reader="paired", reader_options=proposal.options, class_names=proposal.class_names
    )
    total = np.sum([item.counts for item in look_at(tmp_path, proposal.rows, settings, "positions")], axis=0)
    np.testing.assert_allclose(total[1:] / total.sum(), 1 / 3, atol=0.002)


def test_trials_that_differ_are_refused_with_what_differs(tmp_path):
    write(tmp_path, trials=("001", "002", "003", "004"))
    path = tmp_path / "Fly1/003/vid003DLC_x.csv"
    lines = path.read_text().splitlines()
    lines[0] += ",D,D,D"
    lines[1] += ",tail,tail,tail"
    lines[2] += ",x,y,likelihood"
    path.write_text("\n".join([*lines[:3], *(f"{line},1,1,1" for line in lines[3:])]) + "\n")
    with pytest.raises(
        InputError, match=r"behaviour of Fly1 003 has tail, which most trials do not have.*init again"
    ):
        made(tmp_path, neural=10, behavior=20)
    assert made(tmp_path, {"behavior.options.exclude": ["tail"]}, neural=10, behavior=20).rows


def test_trials_too_few_and_too_short_to_cut(tmp_path):
    write(tmp_path / "two", seconds=30, trials=("001", "002"))
    proposal = made(tmp_path / "two", neural=10, behavior=20)
    assert proposal.folds == 2
    assert "cut" not in proposal.options
    assert written(proposal, tmp_path)[1]["split"]["folds"] == 2
    write(tmp_path / "one", seconds=30)
    with pytest.raises(
        InputError, match=r"an animal has 1 trial, expected 4.*cover 30 s, too little to cut, expected 54 s"
    ):
        made(tmp_path / "one", neural=10, behavior=20)
    with pytest.raises(InputError, match=r"an animal has 1 trial, expected 4.*cut: null, as given"):
        made(tmp_path / "one", {"cut": None}, neural=10, behavior=20)


def test_pieces_are_of_what_both_clocks_cover(tmp_path):
    write(tmp_path, seconds=200)
    # 4000 samples are 80 s, then.
    proposal = made(tmp_path, neural=10, behavior=50)
    assert proposal.options["cut"]["seconds"] == 8.0
    assert len(proposal.rows) == 8


def test_the_calcium_section_can_be_run(tmp_path):
    write(tmp_path / "restless", trials=("001", "002", "003", "004"))
    text, content = written(made(tmp_path / "restless", neural=10, behavior=20), tmp_path)
    assert content["calcium"] == {"decay": 1.0}
    assert "[ours] s, assumed: too few rests" in text
    # The same with 3 s of rest after 3 s of movement.
    write(tmp_path / "resting", trials=("001", "002", "003", "004"))
    for path in (tmp_path / "resting").rglob("*.csv"):
        lines, moving = path.read_text().splitlines(), np.arange(2000) % 120 < 60
        steps = np.random.default_rng(0).standard_normal((2000, 2)) * np.where(moving, 1, 1e-4)[:, None]
        points = np.cumsum(steps, 0)
        lines[3:] = [f"{at},{x:.6f},{y:.6f},1" for at, (x, y) in enumerate(points)]
        path.write_text("\n".join(lines) + "\n")
    text, content = written(made(tmp_path / "resting", neural=10, behavior=20), tmp_path)
    assert content["calcium"] == {}
    assert "the decay is fitted to 6" in text
    spikes = tmp_path / "spikes"
    spikes.mkdir()
    np.savez(spikes / "s.npz", x=np.random.default_rng(0).random((1000, 3)), v=np.zeros((1000, 2)))
    source = {"file": "s.npz", "rate": 10.0}
    described = {
        "neural": {**source, "key": "x", "unit": "spikes per second"},
        "behavior": {**source, "key": "v"},
    }
    (spikes / "s.yaml").write_text(yaml.safe_dump(described))
    text, content = written(made(spikes), tmp_path)
    assert content["calcium"] == {"decay": 1.0}
    assert "spikes do not decay" in text


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
    path.write_text(configuration(proposal, dataset="mine", raw=tmp_path / "raw", samples=tmp_path / "s.csv"))
    methods = Path(__file__).resolve().parents[2] / "config/methods.yaml"
    settings = validate(merged([methods, path]))
    assert settings.windows.frames == 20
    assert settings.windows.behavior_stride == 1
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


def test_the_layout_of_a_reader_has_a_configuration(tmp_path):
    from neural_action.config.settings import SimulationSettings
    from neural_action.recordings.simulate.release import simulate_animal

    simulate_animal(SimulationSettings(preset="tiny", overrides={"trials": 1}), 0, tmp_path)
    with pytest.raises(
        InputError,
        match=r"reader mc2p reads it .* snakemake .*--configfile config/mc2p\.yaml --config raw=",
    ):
        made(tmp_path)


def test_every_reader_of_a_layout_has_a_configuration():
    found = {name: getattr(load_reader(name), "CONFIGURATION", name) for name in reader_names()}
    assert {name for name, shipped in found.items() if shipped is None} == {"paired", "pictures"}
    for name, shipped in found.items():
        if shipped is None:
            continue
        assert read_yaml(ROOT / f"config/{shipped}.yaml")["convert"]["reader"] == name


def test_what_a_reader_says_of_its_files_is_passed_on(tmp_path):
    np.save(tmp_path / "fr_bins_n_4full.npy", np.ones((3, 100)))
    np.save(tmp_path / "behav_states_n_4full.npy", np.zeros(100))
    with pytest.raises(InputError, match=r"reader rodent_sleep .*config/rodent_sleep\.yaml"):
        made(tmp_path)
    np.save(tmp_path / "XYF06_1217_b5_neurons_qualitybehav_states_n_4full.npy", np.zeros(100))
    with pytest.raises(
        InputError,
        match=r"reader rodent_sleep: .*spike counts of rat beside its states.*use: .*config/rodent_sleep\.yaml",
    ):
        made(tmp_path)


def kinds(*series):
    """NWB files of such neural series, beside a position."""
    return [
        Found(
            Path(f"/raw/{at}.nwb"),
            "nwb",
            ("neural", "behavior"),
            "NWB",
            {"neural": list(neural), "behavior": ["position: SpatialSeries (9, 2)"], "labels": []},
        )
        for at, neural in enumerate(series)
    ]


def test_the_likeliest_series_of_all_files_is_proposed():
    units, traces = "units: Units (35 units)", "Activity_*: 62 series"
    proposal = Proposal({"neural": {}}, {}, 4)
    _nwb_series("neural", kinds([traces, units], [units]), proposal)
    assert proposal.options["neural"]["options"]["series"] == ["units"]
    assert proposal.notes == [f"Neural activity is read from the series {units}. Other series: Activity_*."]
    with pytest.raises(
        InputError,
        match=r"/raw/1\.nwb: has no series 'Activity_\*' of neural activity, which /raw/0\.nwb has; it has "
        r"units: Units .*one folder for each kind.*--option 'neural\.options\.series=",
    ):
        _nwb_series("neural", kinds([traces], [units]), Proposal({"neural": {}}, {}, 4))
    own = Proposal({"neural": {"options": {"series": ["x"]}}}, {}, 4)
    _nwb_series("neural", kinds([traces], [units]), own)
    assert own.options["neural"]["options"]["series"] == ["x"]


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
