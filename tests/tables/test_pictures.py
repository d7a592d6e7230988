"""The pictures: written, not empty, and true to their data."""

import made_up
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.evaluation.metrics import confusion
from neural_action.neighbors.table import SwapTable
from neural_action.recordings.cohort import load_cohort
from neural_action.recordings.splits import Holdout, read_folds, write_folds
from neural_action.stages.evaluate import run as evaluate
from neural_action.stages.figures import run
from neural_action.tables.pictures.confusion import mean_confusion
from neural_action.tables.pictures.embedding import draw_embeddings, flatten
from neural_action.tables.pictures.neighbors import choose_queries, draw_neighbors
from neural_action.tables.pictures.runs import Run, by_method, read_logs
from neural_action.tables.pictures.statistics import bouts
from neural_action.tables.pictures.training import draw_training

PICTURES = ("scores", "embedding", "confusion", "statistics", "neighbors", "training")


def render(data, output, **changes):
    run(made_up.configuration(**changes), output=output, **vars(data))
    return output


def cohort_of(data):
    settings = Sections(made_up.configuration()).clips
    return load_cohort(data.manifests, read_folds(data.folds), Holdout("none"), settings, neural=False)


def test_every_picture_is_written_shows_something_and_is_the_same_again(dataset, tmp_path):
    data = dataset()
    output, again = render(data, tmp_path / "figures"), render(data, tmp_path / "again")
    assert {path.name for path in output.iterdir()} == {f"{name}.png" for name in PICTURES}
    for name in PICTURES:
        pixels = imread(output / f"{name}.png")[..., :3]
        assert min(pixels.shape[:2]) > 250, name
        assert np.mean(pixels.min(-1) < 0.98) > 0.01, name
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50, name
        assert (output / f"{name}.png").read_bytes() == (again / f"{name}.png").read_bytes()


@pytest.mark.parametrize("shape", [(3,), (42,), (5, 3)])
def test_neighbors_of_other_behaviour_are_drawn(dataset, shape):
    data = dataset(shape)
    figure = draw_neighbors(cohort_of(data), SwapTable.load(data.swaps))
    assert len(figure.axes) == len(made_up.CLASSES) * (1 + len(made_up.ANIMALS))
    assert all(axis.has_data() for axis in figure.axes)


def test_queries_have_neighbors_and_different_actions(dataset):
    data = dataset()
    cohort, swaps = cohort_of(data), SwapTable.load(data.swaps)
    hidden = swaps.targets.copy()
    hidden[: len(hidden) // 2] = -1
    queries = choose_queries(cohort, SwapTable(hidden, swaps.domains, swaps.animals, {}))
    assert (hidden[queries] >= 0).all()
    assert len(set(cohort.labels[queries])) == len(queries) == len(made_up.CLASSES)


def test_bouts_are_the_runs_of_a_slow_loop(dataset):
    cohort = cohort_of(dataset())
    expected = []
    for span in cohort.trials:
        labels = cohort.labels[span.samples]
        length = 0
        for at, label in enumerate(labels):
            length += 1
            if at + 1 == len(labels) or labels[at + 1] != label:
                # Every second of 50 samples a second.
                expected.append((span.animal, span.trial, int(label), length * 0.04))
                length = 0
    table = bouts(cohort)
    assert table["seconds"].sum() == pytest.approx(6 * 20)
    pd.testing.assert_frame_equal(
        table, pd.DataFrame(expected, columns=list(table.columns)), check_dtype=False
    )


def test_confusion_is_the_mean_over_runs_of_normalised_rows(dataset):
    runs = by_method([Run.load(path) for path in dataset().embeddings], list(made_up.METHODS))["ours"]
    expected = np.zeros((4, 4))
    for one in runs:
        for row in range(4):
            own = (one.label == row) & (one.predicted >= 0)
            for column in range(4):
                expected[row, column] += np.mean(one.predicted[own] == column) / len(runs)
    np.testing.assert_allclose(mean_confusion(runs), expected)
    np.testing.assert_allclose(mean_confusion(runs).sum(1), 1)


def test_a_class_no_run_tested_has_no_row(dataset):
    one = Run.load(dataset().embeddings[-1])
    one.predicted[one.label == 2] = -1
    matrix = mean_confusion([one])
    assert np.isnan(matrix[2]).all()
    assert not np.isnan(matrix[[0, 1, 3]]).any()
    assert confusion(one.label[one.tested], one.predicted[one.tested], 4)[2].sum() == 0


@pytest.mark.parametrize("animals", [1, 2])
def test_what_is_predicted_is_across_animals_or_within_the_only_one(dataset, tmp_path, animals):
    data, path = dataset(), tmp_path / "embedding.npz"
    shown = [(animal, trial) for animal in made_up.ANIMALS[:animals] for trial in (0, 1)]
    write_folds({(animal, f"{trial:03d}"): trial for animal, trial in shown}, data.folds)
    # Clips of a second and all labels: enough of them in recordings this short.
    clips = {"frames": 4, "poses": 4, "stride": 1, "behavior_stride": 2}
    config = made_up.configuration(clips=clips, probe={"fractions": [1.0]})
    probe = {"config": config, "method": "neural_linear", "holdout": "fold-0", "seed": 0}
    given = {"weights": None, "swaps": None, "threads": 1, "folds": data.folds}
    evaluate(
        **probe, **given, scores=tmp_path / "s.csv", embedding=path, manifests=data.manifests[: 2 * animals]
    )
    kept, scores = Run.load(path), pd.read_csv(tmp_path / "s.csv")
    task = "multi_animal" if animals > 1 else "single_animal"
    rows = scores[scores["task"].eq(task) & scores["fraction"].eq(1) & scores["metric"].eq("accuracy")]
    assert len(rows) == animals
    for row in rows.itertuples():
        own = kept.tested & (kept.animal == kept.animals.index(row.animal))
        assert np.mean(kept.label[own] == kept.predicted[own]) == pytest.approx(row.value, abs=1e-5)


def test_rows_without_a_representation_are_not_mapped(dataset):
    runs = by_method([Run.load(path) for path in dataset().embeddings], list(made_up.METHODS))
    labels = {name: row["label"] for name, row in made_up.METHODS.items()}
    figure = draw_embeddings(runs, labels, "ours")
    titles = [panel._suptitle.get_text() for panel in figure.subfigs]
    assert titles == ["Ours", made_up.ODD_LABEL]


@pytest.mark.parametrize("shape", [(200, 16), (40, 1), (3, 5), (50, 4)])
def test_maps_of_small_and_collapsed_representations(shape):
    features = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert flatten(features).shape == (shape[0], 2)
    assert np.isfinite(flatten(np.zeros(shape, np.float32))).all()


def test_nothing_to_draw_is_said_in_a_picture(dataset, tmp_path):
    methods = {name: made_up.METHODS[name] for name in ("random_guess", "neural_linear")}
    data = dataset()
    data.embeddings, data.logs = [], []
    config = made_up.configuration(
        methods=methods, tables={"figure_method": "neural_linear", "bootstrap": 20}
    )
    run(config, output=tmp_path / "figures", **vars(data))
    assert all((tmp_path / "figures" / f"{name}.png").stat().st_size > 1000 for name in PICTURES)


def test_logs_know_their_run_and_have_a_panel_each(dataset):
    logs = read_logs(dataset().logs)
    assert set(logs["method"]) == {"simclr", "ours"}
    assert set(logs["run"]) == {"fold-0/seed-0", "fold-1/seed-0"}
    figure = draw_training(logs, {"simclr": "SimCLR", "ours": "Ours"})
    assert [axis.get_title("left") for axis in figure.axes] == ["SimCLR", "Ours"]
    drawn = figure.axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, logs[logs["method"] == "ours"].groupby("step")["loss"].mean())


@pytest.mark.parametrize("broken", ["embeddings", "logs", "swaps", "scores"])
def test_inputs_that_are_something_else_are_refused(dataset, tmp_path, broken):
    data = dataset()
    path = getattr(data, broken)
    path = path[0] if isinstance(path, list) else path
    path.write_text("nothing\n")
    with pytest.raises(InputError, match=path.name):
        render(data, tmp_path / "figures")


def test_swaps_of_another_cohort_are_refused(dataset, tmp_path):
    data = dataset()
    made_up.save_swaps(data.swaps, 30)
    with pytest.raises(InputError, match="30 poses"):
        render(data, tmp_path / "figures")
