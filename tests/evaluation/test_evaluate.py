"""Rows, tasks, probes, budgets and metrics together."""

from dataclasses import replace

import numpy as np
import pytest

from neural_action.config.evaluation_settings import OWN, EvaluationSettings, FeatureSettings, ProbeConfig
from neural_action.config.settings import MethodSettings
from neural_action.errors import InputError
from neural_action.evaluation.evaluate import EvaluationData, Score, evaluate

ANIMALS, ACTIONS, REACHES = ("A", "B", "C"), ("walk", "rest", "groom"), tuple("abcdefgh")
READS = ["within", "across", "identity"]
PROBES = {
    "softmax": ProbeConfig(kind="softmax", solver="sgd", steps=150, tasks=READS),
    "knn": ProbeConfig(kind="knn", tasks=["identity"]),
    "mlp": ProbeConfig(kind="mlp", tasks=["within", "across"], epochs=60, hidden=[32]),
}
DECODERS = {
    "angle": ProbeConfig(kind="angle", tasks=["decoding"]),
    "softmax": ProbeConfig(kind="softmax", tasks=["decoding"]),
    "softmax_neighbors": ProbeConfig(kind="softmax", tasks=["decoding"], vote="neighbors"),
    "softmax_trial": ProbeConfig(kind="softmax", tasks=["decoding"], vote="trial"),
}
SETTINGS = EvaluationSettings(label_block_seconds=1.0, identity_samples=120)
DECODING = EvaluationSettings(tasks=["decoding"], label_budgets=["all", 2])
ROW = MethodSettings(label="x", representation="behavior")
RAW = MethodSettings(label="x", representation="raw")


def scored(
    features,
    windows,
    row=ROW,
    probes=PROBES,
    settings=SETTINGS,
    split="fold-3",
    seed=0,
    *,
    learned=False,
    **given,
):
    if not isinstance(features, dict):
        features = {"encoder": features}
    animals = ANIMALS[: windows.animal.max() + 1]
    classes = ACTIONS if windows.label.max() < 3 else REACHES
    data = EvaluationData(windows, animals, classes, **given)
    return evaluate(features, data, row, probes, settings, split, seed, trained_with_labels=learned)


def values(scores: list[Score], **where) -> list[float]:
    return [s.value for s in scores if all(getattr(s, name) == value for name, value in where.items())]


def readable(windows) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((len(windows.label), 3))
    return (np.eye(3)[np.maximum(windows.label, 0)] + 0.1 * noise).astype(np.float32)


@pytest.fixture
def rates(windows) -> np.ndarray:
    rng = np.random.default_rng(1)
    preferred = rng.uniform(0, 2 * np.pi, 20)
    tuned = np.cos(2 * np.pi * windows.label[:, None] / 8 - preferred)
    return (tuned + 0.8 * rng.standard_normal(tuned.shape)).astype(np.float32)


def test_every_probe_of_a_task_reads_the_row(flies):
    found = scored(readable(flies), flies)
    cells = {(s.task, s.probe, s.label_budget, s.animal) for s in found.scores}
    assert cells == {
        *(
            (t, p, b, a)
            for t in READS[:2]
            for p in ("softmax", "mlp")
            for b in ("all", "half")
            for a in ANIMALS
        ),
        *(("identity", p, b, "all") for p in ("softmax", "knn") for b in ("all", "half")),
    }
    for task in ("within", "across"):
        for probe in ("softmax", "mlp"):
            assert np.mean(values(found.scores, task=task, probe=probe, metric="balanced_accuracy")) > 0.85
    assert found.shown == "across"
    shown = found.predicted >= 0
    assert (shown == ((flies.role == "test") & (flies.label >= 0))).all()
    assert np.mean(found.predicted[shown] == flies.label[shown]) > 0.9
    some = next(s for s in found.scores if s.task == "within" and s.label_budget == "all")
    own = (flies.animal == 0) & (flies.label >= 0)
    assert (some.n_train, some.n_test) == (
        (own & (flies.role == "train")).sum(),
        (own & (flies.role == "test")).sum(),
    )


def test_permuted_labels_come_out_at_chance(flies):
    row = ROW.model_copy(update={"labels": "permuted"})
    found = [scored(readable(flies), flies, row, seed=seed).scores for seed in range(3)]
    for task in ("within", "across"):
        for probe in ("softmax", "mlp"):
            some = [v for s in found for v in values(s, task=task, probe=probe, metric="balanced_accuracy")]
            assert 0.2 < np.mean(some) < 0.47
    features = np.eye(3, dtype=np.float32)[flies.animal]
    true = scored(features, flies).scores
    assert min(values(true, task="identity", metric="accuracy")) > 0.99
    found = [s for seed in range(5) for s in scored(features, flies, row, seed=seed).scores]
    permuted = values(found, task="identity", metric="accuracy")
    assert 0.15 < np.mean(permuted) < 0.5


def test_guesses_are_at_chance_and_a_hair_apart(flies):
    row = MethodSettings(label="x", representation="none")
    none = np.empty((len(flies.label), 0), np.float32)
    found = [s for seed in range(8) for s in scored({"none": none}, flies, row, seed=seed).scores]
    for task in READS:
        assert np.mean(values(found, task=task, metric="accuracy")) == pytest.approx(1 / 3, abs=0.04)
        assert np.allclose(values(found, task=task, metric="true_class_score"), 1 / 3)
        assert np.mean(values(found, task=task, metric="auroc")) == pytest.approx(0.5, abs=0.04)
    assert np.allclose(values(found, metric="log_loss"), np.log(3))


def test_directions_are_guessed_all_around(windows):
    row = MethodSettings(label="x", representation="none")
    none = np.empty((len(windows.label), 0))
    runs = [scored({"none": none}, windows, row, DECODERS, DECODING, seed=seed) for seed in range(60)]
    found = [s for run in runs for s in run.scores]
    for probe in DECODERS:
        assert np.mean(values(found, probe=probe, metric="accuracy")) == pytest.approx(1 / 8, abs=0.02)
    assert np.mean(values(found, metric="delta_accuracy")) == pytest.approx(3 / 16, abs=0.03)


@pytest.mark.parametrize("probe", ["angle", "softmax"])
def test_tuned_rates_are_decoded_and_permuted_labels_are_not(windows, rates, probe):
    one = {probe: DECODERS[probe]}
    found = scored({"raw": rates}, windows, RAW, one, DECODING).scores
    assert values(found, label_budget="all", metric="accuracy")[0] > 0.6
    assert bool(values(found, metric="delta_accuracy")) == (probe == "angle")
    row = RAW.model_copy(update={"labels": "permuted"})
    runs = [scored({"raw": rates}, windows, row, one, DECODING, seed=seed) for seed in range(5)]
    permuted = [values(run.scores, label_budget="all", metric="accuracy") for run in runs]
    assert np.mean(permuted) < 0.25


def test_votes_gather_evidence_within_a_trial(windows, rates):
    noisy = rates + 1.5 * np.random.default_rng(3).standard_normal(rates.shape)
    found = scored({"raw": noisy}, windows, RAW, DECODERS, DECODING).scores
    accuracy = [
        values(found, probe=probe, label_budget="all", metric="accuracy")[0]
        for probe in ("softmax_trial", "softmax_neighbors", "softmax")
    ]
    assert min(accuracy[:2]) > accuracy[2]


@pytest.mark.parametrize("split", ["with", "without"])
def test_nothing_is_learned_or_chosen_by_the_test(windows, rates, split):
    """Other test labels and rates change no prediction of a window whose own rates are the same."""
    if split == "without":
        windows = replace(windows, role=np.where(windows.role == "validation", "train", windows.role))
    test = windows.role == "test"
    kept = np.flatnonzero(test)[0]
    changed = rates.copy()
    changed[np.flatnonzero(test)[1:]] = 50.0
    other = replace(windows, label=np.where(test, (windows.label + 3) % 8, windows.label))
    for probe in ("angle", "softmax"):
        one, two = (
            scored({"raw": x}, w, RAW, {probe: DECODERS[probe]}, DECODING).predicted[kept]
            for x, w in ((rates, windows), (changed, other))
        )
        assert one == two


def test_validation_chooses_among_the_features_of_a_row(windows, rates):
    def found(ranks):
        row = RAW.model_copy(
            update={"features": FeatureSettings(name="discriminant", ranks=ranks, penalties=[1.0])}
        )
        one = {"softmax": DECODERS["softmax"]}
        scores = scored({"raw": rates}, windows, row, one, DECODING).scores
        return values(scores, label_budget="all", metric="accuracy")

    # Two directions hold the angle; one cannot tell its two sides apart.
    assert found([1]) < found([1, 4])
    assert found([1, 4]) in (found([4]), found([1]))


def test_features_of_an_animal_are_made_of_its_own_windows(make_windows):
    windows = make_windows(2)
    rng = np.random.default_rng(0)
    raw = rng.standard_normal((len(windows.label), 6)) + 2 * np.eye(8)[windows.label][:, :6]
    row = RAW.model_copy(
        update={"features": FeatureSettings(name="discriminant", ranks=[4], penalties=[1.0])}
    )
    both = scored({"raw": raw}, windows, row, DECODERS, DECODING).scores
    other = np.where(windows.animal[:, None] == 1, 100 * rng.standard_normal(raw.shape), raw)
    changed = scored({"raw": other}, windows, row, DECODERS, DECODING).scores
    assert values(both, animal="A") == values(changed, animal="A")


def continuous(task):
    return (
        {"ridge": ProbeConfig(kind="ridge", tasks=[task])},
        EvaluationSettings(tasks=[task], label_budgets=["half", "all"], label_block_seconds=1.0),
    )


@pytest.mark.parametrize("task", ["continuous_within", "continuous_across"])
def test_behaviour_is_read_and_permuted_behaviour_is_not(flies, task):
    rng = np.random.default_rng(0)
    features = rng.standard_normal((len(flies.label), 5))
    targets = np.column_stack([features[:, 0] + features[:, 1], rng.standard_normal(len(features))])
    probes, settings = continuous(task)
    given = {"behavior": targets, "variables": ("speed", "noise")}
    found = scored(features, flies, ROW, probes, settings, **given).scores
    assert min(values(found, unit="speed")) > 0.98
    assert max(values(found, unit="noise")) < 0.1
    assert {s.unit for s in found} == {"", "speed", "noise"}
    assert all(0.3 < value < 0.9 for value in values(found, unit=""))
    row = ROW.model_copy(update={"labels": "permuted"})
    assert np.mean(values(scored(features, flies, row, probes, settings, **given).scores, unit="speed")) < 0.1
    guessed = scored({"none": np.empty((len(features), 0))}, flies, ROW, probes, settings, **given).scores
    assert all(-0.2 < value <= 0 for value in values(guessed, unit="speed"))
    chosen = settings.model_copy(update={"variables": ["speed"]})
    one = scored(features, flies, ROW, probes, chosen, **given).scores
    assert values(one, unit="") == values(one, unit="speed")
    with pytest.raises(InputError, match=r"evaluation.variables: 'turn' is not one of .* speed, noise"):
        scored(features, flies, ROW, probes, settings.model_copy(update={"variables": ["turn"]}), **given)


def test_without_validation_held_out_trials_choose_the_penalty(flies):
    """More features than windows: without a penalty noise is fitted, and held-out trials see that."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((len(flies.label), 250))
    targets = features[:, :1] + rng.standard_normal((len(features), 1))
    probes, settings = continuous("continuous_within")

    def r2(penalties):
        chosen = {"ridge": probes["ridge"].model_copy(update={"penalties": penalties})}
        given = {"behavior": targets, "variables": ("speed",)}
        return np.mean(values(scored(features, flies, ROW, chosen, settings, **given).scores, unit=""))

    each = [r2([at, at]) for at in range(-12, 4, 3)]
    assert r2([-12, 3]) > each[0] + 0.05
    assert r2([-12, 3]) > max(each) - 0.1


def test_a_row_that_trained_with_labels_is_read_where_it_did_not_see_the_answer(flies):
    found = scored(readable(flies), flies, learned=True).scores
    assert {(s.task, s.label_budget) for s in found} == {("within", "all"), ("identity", "all")}
    # An animal that pretraining did not see is read across animals.
    hidden = replace(flies, sees_input=flies.sees_input & (flies.animal != 1))
    found = scored(readable(flies), hidden, learned=True).scores
    assert {s.animal for s in found if s.task == "across"} == {"B"}


def test_trials_of_a_single_split_are_scored_too(windows, rates):
    found = scored({"raw": rates}, windows, RAW, DECODERS, DECODING, unit_seconds=600.0).scores
    for metric in ("accuracy", "delta_accuracy"):
        of_all = [s for s in found if (s.metric, s.probe, s.label_budget) == (metric, "angle", "all")]
        whole = [s for s in of_all if s.unit == ""]
        parts = [s for s in of_all if s.unit]
        assert len(parts) == 8
        mean = np.average([s.value for s in parts], weights=[s.n_test for s in parts])
        assert mean == pytest.approx(whole[0].value)
    cut = scored({"raw": rates}, windows, RAW, DECODERS, DECODING, unit_seconds=0.25).scores
    assert len({s.unit for s in cut}) == 1 + 16
    assert {s.label_budget for s in found if s.unit} == {"all"}
    assert {s.metric for s in found if s.unit} == {"accuracy", "delta_accuracy"}


def test_a_row_is_read_for_its_own_tasks(flies):
    row = ROW.model_copy(update={"tasks": ["identity"]})
    found = scored(readable(flies), flies, row)
    assert {s.task for s in found.scores} == {"identity"}
    assert found.shown == ""
    assert (found.predicted == -1).all()


def test_the_projection_is_read_by_the_first_probe_and_the_encoder_is_shown(flies):
    noise = np.random.default_rng(0).standard_normal((len(flies.label), 3))
    found = scored({"encoder": readable(flies), "projection": noise}, flies)
    for task in {score.task for score in found.scores}:
        first = next(name for name, probe in PROBES.items() if task in probe.tasks)
        beside = {s.probe for s in found.scores if (s.layer, s.task) == ("projection", task)}
        assert beside == {first}
    assert (found.predicted == scored(readable(flies), flies).predicted).all()


def test_of_a_split_embedding_only_probes_within_an_animal_read_the_private_part(flies):
    shared = readable(flies)
    noise = np.random.default_rng(0).standard_normal((len(flies.label), 3))
    both = np.concatenate([shared, noise], axis=1)
    found, of = (scored(layers, flies) for layers in ({"encoder": both, "shared": shared}, both))
    within, rest = (
        [[s._replace(layer="") for s in every.scores if (s.task in OWN) == own] for own in (True, False)]
        for every in (of, scored(shared, flies))
    )
    assert [s._replace(layer="") for s in found.scores] == within[0] + rest[1]
    assert {(s.layer, s.task in OWN) for s in found.scores} == {("encoder", True), ("shared", False)}
    assert (found.predicted == scored(shared, flies).predicted).all()
    assert found.shown == "across"


def test_nothing_to_read_is_a_line(flies):
    unlabelled = replace(flies, label=np.full(len(flies.label), -1))
    only = SETTINGS.model_copy(update={"tasks": ["within", "across"]})
    with pytest.raises(InputError, match="split fold-3: no task of within, across has labelled windows"):
        scored(readable(flies), unlabelled, settings=only)


def test_fewer_windows_than_neighbours_are_a_line(flies):
    many = {"knn": ProbeConfig(kind="knn", tasks=["within"], neighbors=5000)}
    settings = SETTINGS.model_copy(update={"tasks": ["within"], "label_budgets": ["half", "all"]})
    with pytest.raises(InputError, match=r"probes\.knn\.neighbors: 5000, expected at most the \d+ training"):
        scored(readable(flies), flies, probes=many, settings=settings)
    few = settings.model_copy(update={"label_budgets": ["half"]})
    assert scored(readable(flies), flies, probes=many, settings=few).scores
