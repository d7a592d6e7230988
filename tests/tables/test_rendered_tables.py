"""The tables: values, published numbers, escapes, and what they refuse."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import made_up
import numpy as np
import pandas as pd
import pytest

from neural_action.errors import InputError
from neural_action.stages.tables import run
from neural_action.tables.document import interval, percent
from neural_action.tables.published import published
from neural_action.tables.render import escape_latex, escape_markdown

NAMES = ("action_recognition", "identity_recognition")


@pytest.fixture
def tables(scores, tmp_path):
    """A folder of tables, rendered."""
    run(made_up.configuration(), scores, tmp_path / "tables")
    return tmp_path / "tables"


def csv(folder: Path, name: str = "action_recognition") -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv").set_index(["method", "task", "fraction", "probe", "metric"])


def test_both_tables_in_four_formats_and_nothing_else(tables):
    expected = {f"{name}.{suffix}" for name in NAMES for suffix in ("csv", "md", "tex", "html")}
    assert {path.name for path in tables.iterdir()} == expected


def test_a_mean_is_over_animals_of_folds_of_seeds(scores, tmp_path):
    # Unequal numbers of seeds and folds, so that only the nested mean is right.
    table = pd.read_csv(scores)
    drop = (table["fold"] == 1) & (table["seed"] == 1) & (table["animal"] == "Fly2")
    drop |= (table["fold"] == 0) & (table["animal"] == "Fly3")
    table[~drop].to_csv(scores, index=False)
    run(made_up.configuration(), scores, tmp_path)
    own = table[~drop & (table["method"] == "ours") & (table["representation"] == "encoder")]
    own = own[
        (own["metric"] == "balanced_accuracy") & (own["task"] == "multi_animal") & (own["fraction"] == 1.0)
    ]
    animals = []
    for animal in made_up.ANIMALS:
        folds = []
        for fold in made_up.FOLDS:
            values = [row.value for row in own.itertuples() if (row.animal, row.fold) == (animal, fold)]
            if values:
                folds.append(sum(values) / len(values))
        animals.append(sum(folds) / len(folds))
    rows = csv(tmp_path).query("representation == 'encoder'")
    row = rows.loc["ours", "multi_animal", 1.0, "linear", "balanced_accuracy"]
    assert row["mean"] == pytest.approx(np.mean(animals), abs=1e-5)
    assert row["n_scores"] == len(own)


def test_an_interval_is_the_spread_of_a_slow_hierarchical_bootstrap(scores, tmp_path):
    run(made_up.configuration(tables={"metric": "balanced_accuracy", "bootstrap": 4000}), scores, tmp_path)
    table = pd.read_csv(scores)
    own = table[(table["method"] == "neural_linear") & (table["metric"] == "balanced_accuracy")]
    own = own[(own["task"] == "multi_animal") & (own["fraction"] == 0.5)]
    value = {(row.animal, row.fold, row.seed): row.value for row in own.itertuples()}
    rng = np.random.default_rng(5)
    draws = []
    for _ in range(4000):
        animals = []
        for animal in rng.choice(made_up.ANIMALS, 3):
            folds = [
                np.mean([value[animal, f, s] for s in rng.integers(2, size=2)])
                for f in rng.integers(2, size=2)
            ]
            animals.append(np.mean(folds))
        draws.append(np.mean(animals))
    row = csv(tmp_path).loc["neural_linear", "multi_animal", 0.5, "linear", "balanced_accuracy"]
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.004)


def test_cells_of_every_format_hold_the_numbers_of_the_csv(tables):
    rows = csv(tables).query("representation == 'encoder'")
    row = rows.loc["ours", "multi_animal", 1.0, "linear", "balanced_accuracy"]
    text = interval(row["mean"], row["low"], row["high"])
    for suffix in ("md", "tex", "html"):
        assert text in (tables / f"action_recognition.{suffix}").read_text()


def test_differences_are_paired_with_the_reference(scores, tables):
    table = pd.read_csv(scores)
    table = table[(table["task"] == "multi_animal") & (table["fraction"] == 1.0)]
    table = table[(table["metric"] == "balanced_accuracy") & (table["representation"] != "projection")]
    mean = table.groupby("method")["value"].mean()
    rows = csv(tables).xs("balanced_accuracy_minus_ours", level="metric")
    assert set(rows.index.get_level_values("method")) == {"random_guess", "neural_linear", "simclr"}
    assert (rows["high"] < 0).all()
    for method, row in rows.droplevel([1, 2, 3]).iterrows():
        assert row["mean"] == pytest.approx(mean[method] - mean["ours"], abs=1e-5)
    assert "reference" in (tables / "action_recognition.md").read_text()


def test_published_numbers_stand_beside_and_are_those_of_the_papers(tables):
    action, identity = published("action_recognition").values, published("identity_recognition").values
    assert action["ours", "multi_animal", 1.0] == 0.619
    assert action["behavenet", "single_animal", 0.5] == 0.546
    assert ("neural_mlp", "single_animal", 1.0) not in action
    assert identity["simclr_grl", "identity", 0.5] == 0.167
    rows = csv(tables).query("representation == 'encoder'")
    assert rows.loc["ours", "single_animal", 0.5, "linear", "balanced_accuracy"]["published"] == 0.579
    ours = next(
        line
        for line in (tables / "action_recognition.md").read_text().splitlines()
        if line.startswith("| Ours")
    )
    assert ours.split(" | ")[3::2] == ["57.9", "63.3", "54.8", "61.9 |"]
    rows = csv(tables, "identity_recognition").query("representation == 'encoder'")
    assert rows.loc["simclr", "identity", 1.0, "linear", "accuracy"]["published"] == 0.803
    # The poster probes linearly: nothing stands beside the other probes.
    assert rows.xs("mlp", level="probe")["published"].isna().all()


def test_without_published_numbers_nothing_is_said_of_a_paper(scores, tmp_path):
    given = {"metric": "balanced_accuracy", "bootstrap": 50, "published": False}
    run(made_up.configuration(tables=given), scores, tmp_path)
    for name in NAMES:
        assert csv(tmp_path, name)["published"].isna().all()
        assert "paper" not in (tmp_path / f"{name}.md").read_text()


def test_the_projection_has_a_block_of_its_own_without_rows_that_have_none(tables):
    text = (tables / "action_recognition.md").read_text()
    block = text.split("## ")[2]
    assert block.startswith("Action recognition from the projection")
    assert "Random guess" not in block
    rows = csv(tables).query("representation == 'projection'")
    assert set(rows.index.get_level_values("method")) == {"simclr", "ours"}
    assert rows["published"].isna().all()


def test_a_row_without_one_of_the_tasks_shows_a_dash_and_its_published_number(scores, tmp_path):
    table = pd.read_csv(scores)
    table[~((table["method"] == "neural_linear") & (table["task"] == "single_animal"))].to_csv(
        scores, index=False
    )
    run(made_up.configuration(), scores, tmp_path)
    text = (tmp_path / "action_recognition.md").read_text()
    assert "| Neural (linear) | Raw | – | 29.3 | – | 32.5 |" in text
    row = csv(tmp_path).loc["neural_linear", "single_animal", 1.0, "linear", "balanced_accuracy"]
    assert row["n_scores"] == 0
    assert np.isnan(row["mean"])


@pytest.mark.parametrize(("real", "phrase"), [(False, "simulated, not recorded"), (True, "real recordings")])
def test_notes_say_what_the_numbers_are(scores, tmp_path, real, phrase):
    run(made_up.configuration(real=real), scores, tmp_path)
    for name in NAMES:
        for suffix in ("md", "tex", "html"):
            text = (tmp_path / f"{name}.{suffix}").read_text()
            for part in (
                phrase,
                "3 animals, 2 folds, 2 seeds",
                "hierarchical bootstrap",
                "not comparable",
                "eight flies",
            ):
                assert part in text, (name, suffix, part)
    assert "does not see the trials that are tested" in (tmp_path / "action_recognition.md").read_text()


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


def test_the_same_scores_make_the_same_tables(scores, tables, tmp_path):
    run(made_up.configuration(), scores, tmp_path / "again")
    for path in tables.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[table["method"] != "simclr"], "has no score of method 'simclr'"),
        (lambda table: table.drop(columns="probe"), "column 'probe' is missing"),
        (lambda table: table.assign(value="?"), "value is '\\?', expected a number"),
        (lambda table: table.assign(value=np.nan), "expected a number"),
        (lambda table: table.assign(dataset="other"), "dataset 'other', expected 'made_up'"),
        (
            lambda table: table.assign(protocol="transductive"),
            "protocol 'transductive', expected",
        ),
        (lambda table: pd.concat([table, table[:1]]), "scores what an earlier row scored"),
        (lambda table: table[table["task"] == "identity"], "none is of an action task"),
    ],
)
def test_scores_that_cannot_be_used_are_refused_in_one_line(scores, tmp_path, change, message):
    change(pd.read_csv(scores)).to_csv(scores, index=False)
    with pytest.raises(InputError, match=message) as caught:
        run(made_up.configuration(), scores, tmp_path / "tables")
    assert "\n" not in str(caught.value)


def test_one_animal_is_compared_within_itself(scores, tmp_path):
    table = pd.read_csv(scores)
    table[table["task"] != "multi_animal"].to_csv(scores, index=False)
    run(made_up.configuration(), scores, tmp_path / "tables")
    text = (tmp_path / "tables/action_recognition.md").read_text()
    assert "Paired differences, single-animal" in text
    assert "Multi-animal |" not in text


def test_a_reference_that_is_no_row_is_refused(scores, tmp_path):
    config = json.loads(made_up.configuration())
    config["tables"]["figure_method"] = "absent"
    with pytest.raises(InputError, match=r"tables\.figure_method: 'absent'"):
        run(json.dumps(config), scores, tmp_path)
