"""The tables: values, published numbers, escapes, and what they refuse."""

import re
from html.parser import HTMLParser
from pathlib import Path

import made_up
import numpy as np
import pandas as pd
import pytest
import yaml

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.evaluation.statistics import holm
from neural_action.stages.tables import run
from neural_action.tables.document import interval, percent, probability
from neural_action.tables.published import published
from neural_action.tables.render import escape_latex, escape_markdown
from neural_action.tables.scores import Column, read_scores

NAMES = ("action_recognition", "identity_recognition")
KEYS = ["method", "task", "probe", "label_budget", "metric", "layer"]


@pytest.fixture
def tables(scores, tmp_path):
    """A folder of tables, rendered."""
    run(made_up.configuration(), scores, tmp_path / "tables")
    return tmp_path / "tables"


def csv(folder: Path, name: str = "action_recognition", differences: bool = False) -> pd.DataFrame:
    table = pd.read_csv(
        folder / f"{name}.csv", keep_default_na=False, na_values={"mean": "", "published": ""}
    )
    return table[(table["reference"] != "") == differences].set_index(KEYS)


def test_both_tables_in_four_formats_and_nothing_else(tables):
    expected = {f"{name}.{suffix}" for name in NAMES for suffix in ("csv", "md", "tex", "html")}
    assert {path.name for path in tables.iterdir()} == expected


def test_a_mean_is_over_animals_of_splits_of_seeds(scores, tmp_path):
    # Unequal numbers of seeds and splits, so that only the nested mean is right.
    table = pd.read_csv(scores, keep_default_na=False)
    drop = (table["split"] == "fold-1") & (table["seed"] == 1) & (table["animal"] == "Fly2")
    drop |= (table["split"] == "fold-0") & (table["animal"] == "Fly3")
    table[~drop].to_csv(scores, index=False)
    run(made_up.configuration(), scores, tmp_path)
    own = table[~drop & (table["method"] == "swap_calcium") & (table["layer"] == "encoder")]
    own = own[(own["metric"] == "balanced_accuracy") & (own["task"] == "across")]
    own = own[(own["label_budget"] == "all") & (own["probe"] == "softmax")]
    animals = []
    for animal in made_up.ANIMALS:
        splits = []
        for split in made_up.SPLITS:
            values = [row.value for row in own.itertuples() if (row.animal, row.split) == (animal, split)]
            if values:
                splits.append(sum(values) / len(values))
        animals.append(sum(splits) / len(splits))
    row = csv(tmp_path).loc["swap_calcium", "across", "softmax", "all", "balanced_accuracy", "encoder"]
    assert row["mean"] == pytest.approx(np.mean(animals), abs=1e-5)
    assert row["n_scores"] == len(own)


def test_cells_of_every_format_hold_the_numbers_of_the_csv(tables):
    row = csv(tables).loc["swap_calcium", "across", "softmax", "all", "balanced_accuracy", "encoder"]
    text = interval(float(row["mean"]), float(row["low"]), float(row["high"]))
    for suffix in ("md", "tex", "html"):
        assert text in (tables / f"action_recognition.{suffix}").read_text()


def test_every_probe_has_a_block_and_differences_of_its_own(scores, tables):
    table = pd.read_csv(scores, keep_default_na=False)
    table = table[(table["task"] == "across") & (table["label_budget"] == "all")]
    table = table[(table["metric"] == "balanced_accuracy") & (table["layer"] != "projection")]
    mean = table.groupby(["probe", "method"])["value"].mean()
    rows = csv(tables, differences=True).query("reference == 'swap_calcium'")
    assert set(rows.index.get_level_values("probe")) == {"softmax", "mlp"}
    for (method, _, probe, *_), row in rows.iterrows():
        # Probes differ by more than these rows do: read by two probes, the difference would be another.
        assert float(row["mean"]) == pytest.approx(
            mean[probe, method] - mean[probe, "swap_calcium"], abs=1e-5
        )
        assert float(row["high"]) < 0
    text = (tables / "action_recognition.md").read_text()
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert "## Differences, MLP, across animals, all labels" in titles
    assert "reference" in text


def test_a_difference_across_probes_tasks_or_budgets_cannot_be_asked_for(scores):
    sections = Sections(made_up.configuration())
    every = read_scores(scores, sections)
    given = {"task": "across", "probe": "softmax", "label_budget": "all", "metric": "accuracy"}
    for name in given:
        with pytest.raises(ValueError, match=f"needs its {name}"):
            Column(**{**given, name: ""})
    column = Column(**given)
    found = every.difference("swap_calcium", "simclr", column)
    picked = every.pick("swap_calcium", column)
    assert {len(set(picked[name])) for name in (*given, "layer")} == {1}
    assert found.n == len(picked) == 12


def test_p_of_a_block_is_one_family(scores, tables):
    every = read_scores(scores, Sections(made_up.configuration()))
    column = Column("across", "softmax", "all", "balanced_accuracy")
    pairs = [
        (name, other) for name in made_up.METHODS for other in ("swap_calcium", "simclr") if name != other
    ]
    plain = [every.difference(name, other, column).p for name, other in pairs]
    rows = csv(tables, differences=True).query("probe == 'softmax'")
    found = [
        float(rows.query("method == @name and reference == @other")["p"].iloc[0]) for name, other in pairs
    ]
    assert found == pytest.approx(list(holm(plain)), rel=1e-4)
    assert max(found) > max(plain)


def test_published_numbers_stand_beside_the_probe_that_the_paper_used(tables):
    action, identity = published("action_recognition").values, published("identity_recognition").values
    assert action["swap_calcium", "softmax", "across", "all"] == 0.619
    assert action["behavenet", "softmax", "within", "half"] == 0.546
    assert action["raw", "mlp", "across", "all"] == 0.184
    assert identity["simclr_grl", "softmax", "identity", "half"] == 0.167
    spikes = published("decoding").values
    assert spikes["myow", "angle", "decoding", "mihi-03032014"] == 0.734
    assert spikes["myow", "softmax", "decoding", "rat"] == 0.8801
    rows = csv(tables)
    assert (
        rows.loc["swap_calcium", "within", "softmax", "half", "balanced_accuracy", "encoder"]["published"]
        == 0.579
    )
    assert np.isnan(
        rows.loc["swap_calcium", "within", "mlp", "half", "balanced_accuracy", "encoder"]["published"]
    )
    lines = (tables / "action_recognition.md").read_text().splitlines()
    swap_calcium = next(line for line in lines if line.startswith("| Swap + calcium"))
    assert swap_calcium.split(" | ")[3::2] == ["57.9", "63.3", "54.8", "61.9 |"]
    rows = csv(tables, "identity_recognition")
    assert rows.loc["simclr", "identity", "softmax", "all", "accuracy", "encoder"]["published"] == 0.803
    assert rows.xs("knn", level="probe")["published"].isna().all()


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("action_recognition", "methods"),
        ("identity_recognition", "methods"),
        ("decoding", "methods_spikes"),
    ],
)
def test_published_rows_and_probes_are_those_of_the_configuration(table, rows):
    folder = Path(__file__).parents[2] / "config"
    files = [yaml.safe_load((folder / f"{name}.yaml").read_text()) for name in (rows, "monkey_reach")]
    methods, probes = (set().union(*(file.get(key, {}) for file in files)) for key in ("methods", "probes"))
    for method, probe, _, _ in published(table).values:
        assert method in methods
        assert probe in probes


def test_nearest_neighbours_are_told_by_their_share(tables):
    metrics = csv(tables, "identity_recognition").reset_index().groupby("probe")["metric"].unique()
    assert list(metrics["knn"]) == ["true_class_score"]
    assert list(metrics["softmax"]) == ["accuracy"]


def test_without_published_numbers_nothing_is_said_of_a_paper(scores, tmp_path):
    given = {"metric": "balanced_accuracy", "published": False}
    run(made_up.configuration(tables=given), scores, tmp_path)
    for name in NAMES:
        assert csv(tmp_path, name)["published"].isna().all()
        assert "paper" not in (tmp_path / f"{name}.md").read_text()


def test_the_projection_has_a_block_of_its_own_without_rows_that_have_none(tables):
    text = (tables / "action_recognition.md").read_text()
    block = text.split("## ")[2]
    assert block.startswith("Action recognition, softmax, on the projection")
    assert "Random guess" not in block
    rows = csv(tables).query("layer == 'projection'")
    assert set(rows.index.get_level_values("method")) == {"simclr", "swap_calcium"}
    assert rows["published"].isna().all()


def test_a_row_without_one_of_the_tasks_shows_a_dash_and_its_published_number(scores, tmp_path):
    table = pd.read_csv(scores, keep_default_na=False)
    table[~((table["method"] == "raw") & (table["task"] == "within"))].to_csv(scores, index=False)
    run(made_up.configuration(), scores, tmp_path)
    text = (tmp_path / "action_recognition.md").read_text()
    assert "| Neural | Raw | – | 29.3 | – | 32.5 |" in text
    row = csv(tmp_path).loc["raw", "within", "softmax", "all", "balanced_accuracy", "raw"]
    assert row["n_scores"] == 0
    assert np.isnan(row["mean"])


@pytest.mark.parametrize(("real", "phrase"), [(False, "simulated, not recorded"), (True, "real recordings")])
def test_notes_say_what_the_numbers_are(scores, tmp_path, real, phrase):
    run(made_up.configuration(real=real), scores, tmp_path)
    said = {
        "action_recognition": ("t over animals", "Holm", "best baseline"),
        "identity_recognition": ("corrected resampled t over splits", "nothing about other animals"),
    }
    for name in NAMES:
        for suffix in ("md", "tex", "html"):
            text = (tmp_path / f"{name}.{suffix}").read_text()
            for part in (
                phrase,
                "3 animals, 2 splits, 2 seeds",
                "simulator seeds 0 to 2",
                "not comparable",
                "eight flies",
                "a linear layer trained for 400 steps",
                *said[name],
            ):
                assert part in text, (name, suffix, part)
            assert "bootstrap" not in text
            assert "Trained with labels" not in text
    assert "never the tested trials" in (tmp_path / "action_recognition.md").read_text()


def test_what_probes_read_of_a_split_embedding_is_said_and_recorded(scores, tmp_path):
    table = pd.read_csv(scores, keep_default_na=False)
    split = (table["method"] == "swap_calcium") & (table["layer"] == "encoder")
    table.loc[split & (table["task"] != "within"), "layer"] = "shared"
    table.to_csv(scores, index=False)
    run(made_up.configuration(), scores, tmp_path)
    for name in NAMES:
        notes = (tmp_path / f"{name}.md").read_text().split("- **Split embedding**: ")[1]
        assert notes.startswith("Swap + calcium: the embedding has a shared and a private part")
    row = csv(tmp_path).loc["swap_calcium"]
    layers = row.reset_index().query("layer != 'projection'").groupby("task")["layer"].unique().map(list)
    assert layers.to_dict() == {"within": ["encoder"], "across": ["shared"]}


def test_rows_that_train_with_labels_are_named(scores, tmp_path):
    methods = {**made_up.METHODS, "simclr": {"label": "Supervised", "objective": {"name": "supervised"}}}
    run(made_up.configuration(methods=methods), scores, tmp_path)
    for name in NAMES:
        notes = (tmp_path / f"{name}.md").read_text().split("- **Trained with labels**: ")[1]
        assert notes.startswith("Supervised: the encoder is trained with the labels")


def test_what_rows_were_chosen_on_is_said_where_they_are_shown(scores, tmp_path):
    (shown, row), *_ = made_up.METHODS.items()
    chosen = [
        {"rows": ["absent"], "recordings": "on animal Z"},
        {"rows": ["absent", shown], "recordings": "on animal A."},
        {"recordings": "sizes on animal B"},
    ]
    run(made_up.configuration(tables={"chosen_on": chosen}), scores, tmp_path / "some")
    run(made_up.configuration(tables={"chosen_on": chosen[:1]}), scores, tmp_path / "none")
    text = (tmp_path / "some" / "action_recognition.md").read_text()
    assert f"- **Chosen on**: {row['label']}, on animal A; sizes on animal B." in text
    assert "animal Z" not in text
    assert "Chosen on" not in (tmp_path / "none" / "action_recognition.md").read_text()


def test_differences_name_the_figure_method(scores, tmp_path):
    run(made_up.configuration(tables={"figure_method": "raw"}), scores, tmp_path)
    text = (tmp_path / "action_recognition.md").read_text()
    assert f"The figure method is {made_up.METHODS['raw']['label']}." in text


def test_odd_labels_are_escaped(tables):
    latex = (tables / "action_recognition.tex").read_text()
    assert r"A\_b \& 50\% \textless{}i\textgreater{}\#1" in latex
    assert r"\{x\} \textbackslash{}y\textasciitilde{}\textasciicircum{}" in latex
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    html = (tables / "action_recognition.html").read_text()
    assert "<i>" not in html
    assert "&lt;i&gt;#1&lt;/i&gt;" in html
    row = next(
        line for line in (tables / "action_recognition.md").read_text().splitlines() if "A\\_b" in line
    )
    heads = (tables / "action_recognition.md").read_text().split("\n| --- ")[0].splitlines()[-1]
    assert len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"(?<!\\)\|", heads))
    assert escape_markdown("a|b\nc") == r"a\|b c"
    assert escape_latex("−1 – 2") == "$-$1 -- 2"


def test_html_is_well_formed_and_self_contained(tables):
    class Checker(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open = []

        def handle_starttag(self, tag, attributes):
            assert tag not in ("script", "link", "img")
            if tag not in ("meta", "br"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    for name in NAMES:
        checker = Checker()
        checker.feed((tables / f"{name}.html").read_text())
        assert checker.open == []


def test_percent_has_one_decimal_and_no_negative_zero():
    assert [percent(value) for value in (0.5432, 1, -0.0004, -0.25)] == ["54.3", "100.0", "0.0", "−25.0"]
    assert percent(0.1, sign=True) == "+10.0"
    assert interval(0.5, 0.4, 0.6) == "50.0 [40.0, 60.0]"
    assert interval(0.5, np.nan, np.nan) == "50.0"
    assert interval(0.5, 0.45, 0.561, metric="r2", sign=True) == "+0.50 [+0.45, +0.56]"
    assert interval(0.5, -np.inf, np.inf) == "50.0 [no bounds]"
    assert [probability(p) for p in (0.0421, 1e-9, np.nan)] == ["0.042", "< 0.001", "–"]


def test_the_same_scores_make_the_same_tables(scores, tables, tmp_path):
    run(made_up.configuration(), scores, tmp_path / "again")
    for path in tables.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[table["method"] != "simclr"], "no score of method 'simclr'"),
        (lambda table: table.drop(columns="probe"), "column 'probe' is missing"),
        (
            lambda table: table.drop(columns="split").assign(fold=0),
            "made by an older version .*'fold'.*rerun",
        ),
        (lambda table: table.assign(value="?"), "value is '\\?', expected a number"),
        (lambda table: table.assign(value=np.nan), "expected a number"),
        (lambda table: table.assign(value=np.inf), "expected a number"),
        (lambda table: table.assign(seed="x"), "seed is 'x', expected a whole number"),
        (
            lambda table: table.assign(layer=["raw", *table["layer"][1:]]),
            "method 'random_guess' has layer 'none' and another",
        ),
        (lambda table: table.assign(n_test=0.5), "n_test is '0.5', expected a whole number"),
        (lambda table: table.assign(n_test=1e30), "expected a whole number"),
        (lambda table: table.assign(dataset="other"), "dataset 'other', expected 'made_up'"),
        (
            lambda table: table.assign(protocol="transductive"),
            "protocol 'transductive', expected",
        ),
        (lambda table: pd.concat([table, table[:1]]), "repeats the score of an earlier row"),
        (lambda table: table[table["task"] == "identity"], "no action task was scored"),
    ],
)
def test_scores_that_cannot_be_used_are_refused_in_one_line(scores, tmp_path, change, message):
    change(pd.read_csv(scores, keep_default_na=False)).to_csv(scores, index=False)
    with pytest.raises(InputError, match=message) as caught:
        run(made_up.configuration(), scores, tmp_path / "tables")
    assert "\n" not in str(caught.value)


def test_a_row_that_is_read_for_another_task_needs_no_scores(scores, tmp_path):
    methods = {
        **made_up.METHODS,
        "labels": {"label": "Labels", "representation": "labels", "tasks": ["decoding"]},
    }
    run(made_up.configuration(methods=methods), scores, tmp_path)
    assert "Labels" not in (tmp_path / "action_recognition.md").read_text()


def test_one_animal_is_compared_within_itself(scores, tmp_path):
    table = pd.read_csv(scores, keep_default_na=False)
    table[table["task"] != "across"].to_csv(scores, index=False)
    run(made_up.configuration(), scores, tmp_path / "tables")
    text = (tmp_path / "tables/action_recognition.md").read_text()
    assert "Differences, softmax, within animals" in text
    assert "Across animals, all" not in text


def test_a_figure_method_that_is_no_row_is_refused(scores, tmp_path):
    config = made_up.configuration(tables={"figure_method": "absent"})
    with pytest.raises(InputError, match=r"tables\.figure_method: 'absent'"):
        run(config, scores, tmp_path)


def test_references_that_are_not_shown_are_left_out(scores, tmp_path):
    """Which are known is checked with the whole configuration; a stage has the shown rows alone."""
    run(made_up.configuration(tables={"references": ["swap_calcium", "not_shown"]}), scores, tmp_path)
    assert set(csv(tmp_path, differences=True)["reference"]) == {"swap_calcium"}


def test_references_of_the_configuration_replace_the_best_baseline(scores, tmp_path):
    run(made_up.configuration(tables={"references": ["raw"]}), scores, tmp_path)
    assert set(csv(tmp_path, differences=True)["reference"]) == {"raw"}
