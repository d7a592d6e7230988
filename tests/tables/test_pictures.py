"""The pictures: written, not empty, and true to their data."""

from dataclasses import replace

import made_up
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from drawn import assert_legible
from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.evaluation.metrics import confusion
from neural_action.neighbors.table import SwapTable
from neural_action.stages.figures import run
from neural_action.tables.efficiency import curves
from neural_action.tables.headline import headlines
from neural_action.tables.pictures.confusion import draw_confusion, mean_confusion
from neural_action.tables.pictures.consistency import draw_consistency
from neural_action.tables.pictures.efficiency import draw_efficiency
from neural_action.tables.pictures.embedding import draw_embeddings, flatten
from neural_action.tables.pictures.matrices import draw_matrices
from neural_action.tables.pictures.mined import draw_mined, read_mined
from neural_action.tables.pictures.neighbors import choose_queries, draw_neighbors
from neural_action.tables.pictures.runs import Run, by_method, read_logs
from neural_action.tables.pictures.scores import draw_scores
from neural_action.tables.pictures.statistics import bouts
from neural_action.tables.pictures.training import draw_training
from neural_action.tables.scores import read_scores

PICTURES = ("scores", "embedding", "confusion", "statistics", "neighbors", "training", "consistency", "mined")


def render(data, output, **changes):
    run(made_up.configuration(**changes), output=output, **vars(data))
    return output


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
    figure = draw_neighbors(data.source.opened, SwapTable.load(data.swaps))
    assert len(figure.axes) == len(made_up.CLASSES) * (1 + len(made_up.ANIMALS))
    assert all(axis.has_data() for axis in figure.axes)


def test_a_row_that_is_read_within_animals_says_so(dataset):
    data = dataset()
    runs = by_method([Run.load(path) for path in data.embeddings], ["raw", "simclr"])
    runs["raw"] = [replace(run, task="within") for run in runs["raw"]]
    figure = draw_confusion(runs, {"raw": "Neural", "simclr": "SimCLR"})
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert {"Neural, other trials", "SimCLR"} <= set(titles)
    said = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "Probe trained on the other animals" in said


def test_neighbors_of_bodies_are_midlines(dataset):
    data = dataset((5,))
    recorded = data.source.opened
    recorded.behavior_names = ("velocity", *(f"body_angle_{at}" for at in range(1, 5)))
    figure = draw_neighbors(recorded, SwapTable.load(data.swaps))
    for axis in figure.axes:
        whole, head = (np.stack(line.get_data(), axis=1) for line in axis.get_lines())
        assert len(whole) == 5
        assert np.array_equal(head, whole[: len(head)])
        assert np.linalg.norm(np.diff(whole, axis=0), axis=1) == pytest.approx(np.full(4, 0.25), rel=1e-3)


def test_queries_have_neighbors_and_different_actions(dataset):
    data = dataset()
    recorded, swaps = data.source.opened, SwapTable.load(data.swaps)
    hidden = swaps.targets.copy()
    hidden[: len(hidden) // 2] = -1
    queries = choose_queries(recorded, SwapTable(hidden, swaps.domains, swaps.animals, {}))
    assert (hidden[queries] >= 0).all()
    assert len(set(recorded.labels[queries])) == len(queries) == len(made_up.CLASSES)


def test_bouts_are_the_runs_of_a_slow_loop(dataset):
    recorded = dataset().source.opened
    expected = []
    for trial in recorded.trials:
        labels = recorded.labels[trial.samples]
        length = 0
        for at, label in enumerate(labels):
            length += 1
            if at + 1 == len(labels) or labels[at + 1] != label:
                # 25 samples a second.
                expected.append((trial.animal, trial.name, int(label), length * 0.04))
                length = 0
    table = bouts(recorded)
    assert table["seconds"].sum() == pytest.approx(6 * 20)
    pd.testing.assert_frame_equal(
        table, pd.DataFrame(expected, columns=list(table.columns)), check_dtype=False
    )


def test_confusion_is_the_mean_over_runs_of_normalised_rows(dataset):
    runs = by_method([Run.load(path) for path in dataset().embeddings], list(made_up.METHODS))["swap_calcium"]
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


def test_rows_without_a_representation_are_not_mapped(dataset):
    runs = by_method([Run.load(path) for path in dataset().embeddings], list(made_up.METHODS))
    labels = {name: row["label"] for name, row in made_up.METHODS.items()}
    figure = draw_embeddings(runs, labels, "swap_calcium")
    titles = [panel._suptitle.get_text() for panel in figure.subfigs]
    assert titles == ["Swap + calcium", made_up.ODD_LABEL]


@pytest.mark.parametrize("shape", [(200, 16), (40, 1), (3, 5), (50, 4)])
def test_maps_of_small_and_collapsed_representations(shape):
    features = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert flatten(features).shape == (shape[0], 2)
    assert np.isfinite(flatten(np.zeros(shape, np.float32))).all()


def test_nothing_to_draw_is_said_in_a_picture(dataset, tmp_path):
    methods = {name: made_up.METHODS[name] for name in ("random_guess", "raw")}
    data = dataset()
    data.embeddings, data.logs = [], []
    config = made_up.configuration(methods=methods, tables={"figure_method": "raw"})
    run(config, output=tmp_path / "figures", **vars(data))
    assert all((tmp_path / "figures" / f"{name}.png").stat().st_size > 1000 for name in PICTURES)


def test_logs_know_their_run_and_have_a_panel_each(dataset):
    logs = read_logs(dataset().logs)
    assert set(logs["method"]) == {"simclr", "swap_calcium"}
    assert set(logs["run"]) == {"fold-0/seed-0", "fold-1/seed-0"}
    figure = draw_training(logs, {"simclr": "SimCLR", "swap_calcium": "Swap + calcium"})
    assert [axis.get_title("left") for axis in figure.axes] == ["SimCLR", "Swap + calcium"]
    drawn = figure.axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, logs[logs["method"] == "swap_calcium"].groupby("step")["loss"].mean())


@pytest.mark.parametrize("broken", ["embeddings", "logs", "swaps", "scores", "consistency"])
def test_inputs_that_are_something_else_are_refused(dataset, tmp_path, broken):
    data = dataset()
    path = getattr(data, broken)
    path = path[0] if isinstance(path, list) else path
    path.write_text("nothing\n")
    with pytest.raises(InputError, match=path.name):
        render(data, tmp_path / "figures")


def test_swaps_of_another_dataset_are_refused(dataset, tmp_path):
    data = dataset()
    made_up.save_swaps(data.swaps, 30)
    with pytest.raises(InputError, match="30 poses"):
        render(data, tmp_path / "figures")


def test_pictures_follow_from_tasks_and_inputs(dataset, tmp_path):
    data = dataset()
    tasks = ["within", "continuous_across"]
    made_up.score_rows(budgets=("1", "2", "all"), tasks=tasks).to_csv(data.scores, index=False)
    data.swaps = data.consistency = None
    evaluation = {"tasks": tasks, "label_budgets": [1, 2, "all"]}
    output = render(data, tmp_path / "figures", evaluation=evaluation)
    expected = {*PICTURES, "label_efficiency", "continuous"} - {"neighbors", "consistency"}
    assert {path.stem for path in output.iterdir()} == expected


def read(path, **changes):
    sections = Sections(made_up.configuration(**changes))
    return sections, read_scores(path, sections)


def test_a_dot_is_an_animal_or_a_split_and_chance_is_measured(scores):
    sections, every = read(scores)
    figure = draw_scores(every, sections.methods, headlines(sections, every), "Made up", 4)
    assert_legible(figure)
    axis = figure.axes[0]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["chance", "an animal", "mean and 95 % interval"]
    column = headlines(sections, every)[0]
    assert axis.lines[0].get_xdata()[0] == pytest.approx(100 * every.cell("random_guess", column).mean)
    table = pd.read_csv(scores)
    table[table["animal"].isin(["Fly1", "all"])].to_csv(scores, index=False)
    _, every = read(scores)
    figure = draw_scores(every, sections.methods, [column], "Made up", 4)
    assert "a split" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_label_efficiency_has_a_panel_a_probe_and_task(scores):
    table = made_up.score_rows(budgets=("1", "2", "half", "all"))
    # Trained with labels: there with all labels alone.
    table = table[(table["method"] != "simclr") | (table["label_budget"] == "all")]
    table.to_csv(scores, index=False)
    sections, every = read(scores)
    panels = curves(sections, every)
    figure = draw_efficiency(every, sections.methods, panels, "Made up")
    assert [axis.get_title("left") for axis in figure.axes] == list(panels)
    assert len(panels) == 4
    points = {len(line.get_xdata()) for line in figure.axes[0].lines}
    assert points == {1, 3}


def test_consistency_is_a_matrix_a_row(dataset):
    table = made_up.consistency_rows()
    figure = draw_consistency(
        table, {"swap_calcium": "Swap + calcium", "simclr": "SimCLR"}, "animals", "Between animals"
    )
    assert_legible(figure)
    matrix = figure.axes[0].images[0].get_array()
    assert matrix[0, 1] == pytest.approx(0.7)
    assert matrix[1, 0] == pytest.approx(0.69)
    assert np.isnan(np.diag(matrix.filled(np.nan))).all()


@pytest.mark.parametrize("classes", [2, 12, 200])
def test_mined_views_of_any_number_of_classes_are_legible(classes):
    names = [f"class number {number}" for number in range(classes)]
    rng = np.random.default_rng(0)
    rows = [
        ("published", step, names[a], names[m], int(rng.integers(1, 9)), 0)
        for step in (10, 20)
        for a, m in rng.integers(classes, size=(400, 2))
    ]
    table = pd.DataFrame(rows, columns=["model", "step", "anchor", "mined", "pairs", "itself"])
    table = pd.concat([table.assign(method=name) for name in ("one", "other")])
    figure = draw_mined(table, {"one": "MYOW", "other": "MYOW, as released", "third": "BYOL"}, names)
    assert_legible(figure)
    assert [axis.get_title("left") for axis in figure.axes[1:5]] == [
        f"{row}, step {step}" for row in ("MYOW", "MYOW, as released") for step in (10, 20)
    ]


def test_no_mined_pairs_is_a_picture_that_says_so():
    table = pd.DataFrame(columns=["model", "step", "anchor", "mined", "pairs", "itself", "method"])
    assert "No mined view" in draw_mined(table, {"myow": "MYOW"}, ["a", "b"]).texts[0].get_text()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("step,loss\n1,2\n", "columns step, loss, expected model, step, anchor, mined, pairs, itself"),
        ("model,step,anchor,mined,pairs,itself\nm,1,a,b,x,0\n", "column 'pairs' begins with 'x'"),
        ("", "cannot be read as CSV"),
    ],
)
def test_a_table_of_mined_pairs_that_is_none_is_one_line(tmp_path, content, says):
    (tmp_path / "mined.csv").write_text(content)
    with pytest.raises(InputError, match=rf"mined\.csv: {says}"):
        read_mined([tmp_path / "mined.csv"])


def test_matrices_of_many_names_stay_small_and_have_none():
    names = [f"class {number}" for number in range(200)]
    figure = draw_matrices({"MYOW": np.eye(200)}, names, ("heading",), "{:.0%}".format)
    assert figure.get_figwidth() < 8
    assert not figure.axes[0].get_xticklabels()
    assert_legible(figure)
