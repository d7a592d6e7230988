"""The simulator: what it writes, that animals do not depend on each other, that its truth is the truth."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from pydantic import ValidationError

from neural_action.config.settings import SimulationSettings
from neural_action.errors import InputError
from neural_action.recordings.pickles import load_array_pickle
from neural_action.recordings.readers import mc2p
from neural_action.recordings.simulate import (
    behavior,
    movie,
    neural,
    pose,
    release,
    skeleton,
)
from neural_action.recordings.simulate.presets import FILES, PRESETS, resolve, stream, trial_folders
from neural_action.recordings.simulate.release import simulate_animal
from neural_action.recordings.simulate.trial import make_animal, make_trial

TINY = SimulationSettings(preset="tiny")


def digests(folder):
    """SHA-256 of every file below a folder, and for archives of their arrays."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                content = b"".join(arrays[name].tobytes() for name in sorted(arrays))
        elif path.is_file():
            content = path.read_bytes()
        else:
            continue
        found[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    return found


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """The tiny preset, written."""
    folder = tmp_path_factory.mktemp("raw")
    for animal in range(3):
        simulate_animal(TINY, animal, folder)
    return folder


@pytest.fixture(scope="module")
def default_trials():
    """All trials of three animals of the default preset, without their images."""
    preset = resolve(SimulationSettings(overrides={"side": 8}))
    return preset, [[make_trial(preset, make_animal(preset, a), t) for t in range(4)] for a in range(3)]


def test_folders_are_those_announced(raw):
    announced = trial_folders(resolve(TINY))
    assert announced[0] == ("Fly1", "001", "210301_SS01_Fly1_001")
    assert sorted(path.name for path in raw.iterdir()) == sorted(folder for _, _, folder in announced)
    for _, _, folder in announced:
        assert sorted(path.name for path in (raw / folder).iterdir()) == sorted(FILES)
    rows = mc2p.scan(raw, mc2p.Options())
    assert [(row.animal, row.trial, row.path) for row in rows] == announced


def test_file_shapes_and_types(raw):
    preset = resolve(TINY)
    t, n, side = preset.frames, preset.samples, preset.side
    assert (t, n, side) == (384, 2400, 16)
    for _, _, name in trial_folders(preset):
        folder = raw / name
        images = np.fromfile(folder / "2p_dff.mm", np.float32).reshape(t, side, side)
        assert np.isfinite(images).all()
        assert images.min() >= 0
        keypoints = np.fromfile(folder / "pose_result.mm", np.float32).reshape(n, 76)
        assert np.isfinite(keypoints).all()
        angles = load_array_pickle(folder / "angles.pkl")
        assert (angles.shape, angles.dtype) == ((n, 42), np.float32)
        indices, rest, labels = (np.load(folder / f"{part}.npy") for part in ("indices", "rest", "labels"))
        assert (indices.shape, indices.dtype) == ((n,), np.int32)
        assert (rest.shape, rest.dtype) == ((n,), bool)
        assert (labels.shape, labels.dtype) == ((n,), np.int8)
        assert np.array_equal(indices, np.arange(n) * 16 // 100)
        assert np.array_equal(rest, labels == behavior.REST)


def test_the_reader_reads_it(raw):
    row = mc2p.scan(raw, mc2p.Options())[5]
    recording = mc2p.read(raw, row, mc2p.Options(), None).check("simulated")
    assert recording.neural.shape == (384, 16, 16)
    assert recording.behavior.shape == (2400, 38, 2)
    assert recording.class_names == behavior.ACTIONS


def test_an_animal_depends_on_no_other(raw, tmp_path):
    simulate_animal(TINY, 2, tmp_path)
    again = digests(tmp_path)
    assert len(again) == 4 * len(FILES)
    everything = digests(raw)
    assert again == {path: everything[path] for path in again}
    # Only the clocks of the twelve trials are alike.
    assert len(set(everything.values())) == len(everything) - 11


def test_animals_are_the_same_in_a_smaller_set():
    few = resolve(SimulationSettings(preset="tiny", overrides={"animals": 1, "trials": 1}))
    alone, among = (make_animal(preset, 0) for preset in (few, resolve(TINY)))
    assert np.array_equal(alone.spots, among.spots)
    trials = [make_trial(preset, who, 0) for preset, who in ((few, alone), (resolve(TINY), among))]
    assert np.array_equal(trials[0].fluorescence, trials[1].fluorescence)


def test_the_seed_changes_everything():
    first, second = (resolve(SimulationSettings(preset="tiny", seed=seed)) for seed in (0, 1))
    one, other = (make_trial(preset, make_animal(preset, 0), 0) for preset in (first, second))
    assert not np.array_equal(one.action, other.action)
    weights = [neural.draw_tuning(p, p.types, stream(p, "types")).weights for p in (first, second)]
    assert not np.array_equal(*weights)


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    simulate_animal(TINY, 0, tmp_path)
    before = digests(tmp_path)
    written = []

    def fail_late(*arguments):
        if len(written) == 2:
            raise OSError("disk full")
        written.append(arguments)

    monkeypatch.setattr(release, "_write", fail_late)
    with pytest.raises(OSError, match="disk full"):
        simulate_animal(SimulationSettings(preset="tiny", seed=1), 0, tmp_path)
    assert digests(tmp_path) == before
    assert not list(tmp_path.glob(".*"))


def test_writing_again_replaces_whole_folders(tmp_path):
    simulate_animal(TINY, 0, tmp_path)
    stray = tmp_path / trial_folders(resolve(TINY))[0][2] / "stray.txt"
    stray.write_text("left over")
    (tmp_path / "other").mkdir()
    simulate_animal(TINY, 0, tmp_path)
    assert not stray.exists()
    assert (tmp_path / "other").is_dir()


@pytest.mark.parametrize("animal", [-1, 3])
def test_no_such_animal(animal, tmp_path):
    with pytest.raises(InputError, match=rf"animal {animal}: expected 0 to 2"):
        simulate_animal(TINY, animal, tmp_path)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"sied": 32}, "sied: unknown key, expected one of animals, trials"),
        ({"seed": 3}, "seed: unknown key"),
        ({"side": 32.0}, "side: 32.0, expected int"),
        ({"side": "32"}, "side: '32', expected int"),
        ({"side": True}, "side: True, expected int"),
        ({"decay": "slow"}, "decay: 'slow', expected float"),
        ({"neural_gap": True}, "neural_gap: True, expected float"),
        ({"unrelated_layout": 1}, "unrelated_layout: 1, expected bool"),
        ({"side": 4}, "side: 4, expected at least 8"),
        ({"photons": 0}, "photons: 0.0, expected more than 0"),
        ({"jitter": -1.0}, "jitter: -1.0, expected at least 0"),
        ({"missing": 1.0}, "missing: 1.0, expected less than 1"),
        ({"rise": 2.0}, r"rise: 2, expected less than decay \(1 s\)"),
    ],
)
def test_bad_overrides_are_one_line(overrides, message):
    with pytest.raises(InputError, match=f"^simulation.overrides.{message}") as caught:
        resolve(SimulationSettings(overrides=overrides))
    assert "\n" not in str(caught.value)


def test_overrides_are_applied():
    preset = resolve(
        SimulationSettings(preset="slow_indicator", overrides={"rise": 0.2, "seconds": 30, "side": 64})
    )
    assert (preset.decay, preset.rise, preset.samples, preset.frames, preset.side) == (
        1.8,
        0.2,
        3000,
        480,
        64,
    )


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"overrides": {"jitter": float("nan")}}])
def test_what_the_configuration_refuses_never_reaches_the_simulator(wrong):
    with pytest.raises(ValidationError):
        SimulationSettings(**wrong)


def test_presets():
    presets = {name: resolve(SimulationSettings(preset=name)) for name in PRESETS}
    gaps = {name: (preset.behavior_gap, preset.neural_gap) for name, preset in presets.items()}
    assert gaps["small_gap"] == (0.25, 0.25)
    assert gaps["large_gap"] == (2.0, 2.0)
    assert {gaps[name] for name in ("default", "tiny", "unrelated_layout", "slow_indicator")} == {(1.0, 1.0)}
    assert presets["slow_indicator"].decay == 1.8
    assert presets["unrelated_layout"].unrelated_layout
    assert {name for name, preset in presets.items() if preset.units} == {"units"}


#: Of 10 s of seed 3, animal 1, trial 0, before there were units: digest of what is whole numbers; mean of the images,
#: sd of the keypoints, number of spikes. Matrix products round differently on other processors: these are approximate.
BEFORE = {
    "default": ("47e1303f47fea275", 1.284180, 0.593846, 3090),
    "tiny": ("47e1303f47fea275", 1.284180, 0.593846, 3090),
    "small_gap": ("47b06d58efc9a47a", 1.453405, 0.651067, 3610),
    "large_gap": ("1280c9dc974b4c43", 1.095046, 0.571824, 3179),
    "unrelated_layout": ("47e1303f47fea275", 1.287168, 0.593846, 3090),
    "slow_indicator": ("47e1303f47fea275", 1.568854, 0.593846, 3090),
}


@pytest.mark.parametrize("name", BEFORE)
def test_the_numbers_of_a_preset_stay_what_they_were(name):
    preset = resolve(SimulationSettings(preset=name, seed=3, overrides={"side": 8, "seconds": 10.0}))
    who = make_animal(preset, 1)
    trial, axons, found = make_trial(preset, who, 0), who.axons, hashlib.sha256()
    for whole in (trial.action, trial.frame_of_sample, axons.kind, axons.side, axons.tuning.independent):
        found.update(whole.tobytes())
    digest, images, keypoints, spikes = BEFORE[name]
    assert found.hexdigest()[:16] == digest
    assert trial.fluorescence.mean() == pytest.approx(images, rel=1e-3)
    assert trial.keypoints.std() == pytest.approx(keypoints, rel=1e-5)
    assert trial.spikes.sum() == pytest.approx(spikes, rel=2e-3)


def layout_distance(preset):
    """Mean distance between the places of one type's axon in two animals, as a share of the image."""
    grid = (np.arange(preset.side) + 0.5) / preset.side
    places = []
    for number in range(2):
        who = make_animal(preset, number)
        mass = who.spots.sum((1, 2))
        y, x = (who.spots.sum(2) @ grid / mass, who.spots.sum(1) @ grid / mass)
        keys = zip(who.axons.kind.tolist(), who.axons.side.tolist(), strict=True)
        places.append({key: at for key, at in zip(keys, zip(y, x, strict=True), strict=True) if key[0] >= 0})
    common = places[0].keys() & places[1].keys()
    return np.mean([np.hypot(*np.subtract(places[0][key], places[1][key])) for key in common])


def test_the_neural_gap_moves_axons_and_unrelated_layouts_have_nothing_in_common():
    small, default, large, unrelated = (
        layout_distance(resolve(SimulationSettings(preset=name)))
        for name in ("small_gap", "default", "large_gap", "unrelated_layout")
    )
    assert 0 < small < default < large
    assert small < 0.05
    assert unrelated > 2 * default


def test_the_gaps_are_separate():
    default = resolve(SimulationSettings(preset="tiny"))
    same_brain = resolve(SimulationSettings(preset="tiny", overrides={"behavior_gap": 0.0}))
    same_body = resolve(SimulationSettings(preset="tiny", overrides={"neural_gap": 0.0}))
    assert np.array_equal(make_animal(default, 1).spots, make_animal(same_brain, 1).spots)
    alike = [make_animal(same_brain, number) for number in (0, 1)]
    assert np.array_equal(alike[0].skeleton.lengths, alike[1].skeleton.lengths)
    assert np.array_equal(alike[0].habits.shares, alike[1].habits.shares)
    alike = [make_animal(same_body, number) for number in (0, 1)]
    assert np.array_equal(alike[0].spots, alike[1].spots)
    assert np.array_equal(alike[0].axons.tuning.weights, alike[1].axons.tuning.weights)
    assert (alike[0].axons.kind >= 0).all()
    first, second = (make_trial(preset, make_animal(preset, 1), 0) for preset in (default, same_body))
    assert np.array_equal(first.keypoints, second.keypoints)


def test_axons(default_trials):
    preset, _ = default_trials
    counts = []
    for number in range(8):
        who = make_animal(preset, number).axons
        assert (who.kind == neural.PRIVATE).sum() == preset.private
        counts.append((who.kind >= 0).sum())
    assert np.mean(counts) == pytest.approx(2 * preset.types * (1 - preset.missing), rel=0.1)


def test_time_is_shared_as_habits_say():
    preset = resolve(SimulationSettings(overrides={"seconds": 5000}))
    action = behavior.actions(
        preset, behavior.Habits(behavior.SHARES, behavior.DWELL), np.random.default_rng(0)
    )
    shares = np.bincount(action, minlength=8) / len(action)
    assert shares == pytest.approx(behavior.SHARES, abs=0.03)
    edges = np.flatnonzero(np.diff(action)) + 1
    seconds = np.diff(edges) / preset.behavior_rate
    medians = [np.median(seconds[action[edges[:-1]] == a]) for a in range(8)]
    assert medians == pytest.approx(behavior.DWELL, rel=0.15)
    assert seconds.min() >= behavior.SHORTEST


def test_trials_show_nearly_every_action_and_long_rests(default_trials):
    _, animals = default_trials
    present, long_rests = [], 0
    for trial in (trial for trials in animals for trial in trials):
        present.append(len(np.unique(trial.action)))
        edges = np.concatenate([[0], np.flatnonzero(np.diff(trial.action)) + 1, [len(trial.action)]])
        at_rest = trial.action[edges[:-1]] == behavior.REST
        long_rests += int((np.diff(edges)[at_rest] > 300).sum())
    assert np.mean(present) > 7.5
    assert long_rests > len(present)


def test_rest_is_still_and_quiet(default_trials):
    preset, animals = default_trials
    for number, trials in enumerate(animals):
        tuning = make_animal(preset, number).axons.tuning
        follows = ~tuning.independent
        for trial in trials:
            # From half a second into a rest to a quarter before its end: no transition is near.
            rest = np.convolve(trial.action == behavior.REST, np.ones(75))[25:][: len(trial.action)] == 75
            motion = np.abs(np.gradient(trial.angles, axis=0)).mean((1, 2))
            assert motion[rest].mean() < 0.02 * motion[trial.action == behavior.WALKING].mean()
            bin_rate = preset.neural_rate * neural.BINS_PER_FRAME
            at = (np.arange(len(trial.spikes)) * preset.behavior_rate / bin_rate).astype(int)
            firing = trial.spikes[rest[at]].mean(0) * bin_rate
            assert firing[follows].mean() < 1.2 * tuning.baseline[follows].mean()
            moving = trial.spikes[(trial.action != behavior.REST)[at]].mean(0) * bin_rate
            assert moving[follows].mean() > 5 * firing[follows].mean()
            assert firing[~follows].mean() > 1.0


def test_stored_calcium_is_the_kernel_of_stored_spikes(raw):
    for _, _, folder in trial_folders(resolve(TINY))[:2]:
        with np.load(raw / folder / "ground_truth.npz") as truth:
            counts, decay, rise, rate = (truth[k] for k in ("spike_bins", "decay", "rise", "bin_rate"))
            assert (decay, rise, rate) == (1.0, 0.1, 48.0)
            t = np.arange(len(counts)) / rate
            kernel = np.exp(-t / decay) - np.exp(-t / rise)
            fine = np.exp(-np.linspace(0, 1, 100001) / decay) - np.exp(-np.linspace(0, 1, 100001) / rise)
            expected = np.stack([np.convolve(c, kernel / fine.max())[: len(t)] for c in counts.T], axis=1)
            assert truth["calcium"] == pytest.approx(expected[2::3], abs=1e-3)
            assert np.array_equal(truth["spikes"], counts.reshape(-1, 3, counts.shape[1]).sum(1))
            axons = len(truth["functional_type"])
            assert truth["spikes"].shape == truth["calcium"].shape == (384, axons)
            assert (truth["spikes"].dtype, truth["footprints"].dtype) == (np.uint8, np.float32)
            assert truth["footprints"].shape == (axons, 16, 16)
            assert truth["modulators"].shape == (2400, 4)
            assert truth["independent"].shape == truth["axon_side"].shape == truth["gain"].shape == (axons,)


def test_without_noise_images_are_footprints_times_calcium():
    clean = {"photons": 1e8, "jitter": 0.0, "bleaching": 0.0, "neuropil": 0.0, "neural_gap": 0.0}
    preset = resolve(SimulationSettings(preset="tiny", overrides=clean))
    who = make_animal(preset, 0)
    trial = make_trial(preset, who, 0)
    signal = preset.response * trial.calcium @ who.spots.reshape(len(who.spots), -1)
    expected = who.optics.brightness * (signal.reshape(trial.fluorescence.shape) + who.optics.resting)
    assert trial.fluorescence == pytest.approx(expected, rel=2e-3)


def test_shift_moves_by_fractions_of_pixels():
    y, x = np.meshgrid(np.arange(12.0), np.arange(12.0), indexing="ij")
    images = np.stack([2 * y + x, 2 * y + x]).astype(np.float32)
    moved = movie.shift(images, np.array([[0.25, -0.5], [0.0, 0.0]]))
    inside = (slice(2, -2), slice(2, -2))
    assert moved[0][inside] == pytest.approx((2 * (y - 0.25) + x + 0.5)[inside], abs=1e-5)
    assert np.array_equal(moved[1], images[1])


def test_legs_keep_their_lengths():
    preset = resolve(TINY)
    who = make_animal(preset, 1)
    trial = make_trial(preset, who, 0)
    points = skeleton.leg_points(who.skeleton, trial.angles)
    lengths = np.linalg.norm(np.diff(points, axis=2), axis=3)
    assert lengths == pytest.approx(np.broadcast_to(who.skeleton.lengths, lengths.shape))
    assert (points[:, :3, :, 1].mean(0) > 0).all()
    assert (points[:, 3:, :, 1].mean(0) < 0).all()
    # A standing fly stands on six feet below its body.
    standing = np.tile(pose.STANDING, (2, 1))[None]
    assert (skeleton.leg_points(who.skeleton, standing)[0, :, -1, 2] < -0.3).all()


def test_walking_is_a_tripod():
    preset = resolve(SimulationSettings(overrides={"behavior_gap": 0.0}))
    action = np.full(1000, behavior.WALKING, np.int8)
    still = np.zeros((1000, len(behavior.MODULATORS)))
    who = pose.movements(preset, np.random.default_rng(0))
    angles, frequency = pose.joint_angles(preset, who, action, still, np.random.default_rng(1))
    yaw = np.corrcoef(angles[:, :, 0].T)
    tripod = [0, 2, 4]
    assert (yaw[np.ix_(tripod, tripod)] > 0.8).all()
    assert (yaw[np.ix_(tripod, [1, 3, 5])] < -0.8).all()
    assert frequency == pytest.approx(7.0)


def test_joint_angles_do_not_jump(default_trials):
    _, animals = default_trials
    for trial in animals[0]:
        assert np.abs(np.diff(trial.angles, axis=0)).max() < 0.5


def test_actions_can_be_told_from_activity_but_not_perfectly(default_trials):
    """Nearest class mean of calcium averaged over two seconds, on another trial; chance is 1/8."""
    preset, animals = default_trials
    scores = []
    for trials in animals:
        values, labels = [], []
        for trial in trials:
            first = np.arange(0, preset.frames - 32, 8)
            values.append(np.stack([np.log1p(trial.calcium[at : at + 32].mean(0)) for at in first]))
            labels.append(trial.action[((first + 16) * 6.25).astype(int)])
        train, truth = np.concatenate(values[:3]), np.concatenate(labels[:3])
        classes = np.unique(truth)
        means = np.stack([train[truth == a].mean(0) for a in classes])
        guess = classes[np.square(values[3][:, None] - means).sum(2).argmin(1)]
        scores.append(np.mean([(guess == a)[labels[3] == a].mean() for a in np.unique(labels[3])]))
    assert 0.3 < np.mean(scores) < 0.9
