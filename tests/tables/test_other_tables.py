"""Label efficiency, continuous behaviour, ablation, unseen animals, consistency; and which tables there are."""

from typing import get_args

import made_up
import numpy as np
import pandas as pd
import pytest

from neural_action.config.evaluation_settings import EvaluationSettings, ProbeConfig, Task
from neural_action.config.settings import MethodSettings
from neural_action.errors import InputError
from neural_action.evaluation.probes import KINDS
from neural_action.evaluation.statistics import between_protocols
from neural_action.stages.tables import run
from neural_action.tables.notes import _probe
from neural_action.tables.registry import picture_names, table_names
from running import ROOT

ABLATION = {"label": "Swap alone", "table": "ablation", "objective": {"name": "infonce"}}


def csv(folder, name):
    return pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values={"mean": "", "low": ""})


def test_tables_and_pictures_follow_from_tasks():
    rows = [MethodSettings(label="a", representation="raw")]
    ablation = [*rows, MethodSettings.model_validate(ABLATION)]
    flies = EvaluationSettings(tasks=["within", "across", "identity"], label_budgets=["half", "all"])
    assert table_names(flies, rows) == ["action_recognition", "identity_recognition"]
    assert table_names(flies, ablation, unseen=True, consistency=True)[2:] == [
        "consistency",
        "ablation",
        "unseen_animal",
    ]
    assert picture_names(flies, swaps=True, consistency=True) == [
        *("scores", "confusion", "statistics", "neighbors", "consistency", "training", "embedding")
    ]
    spikes = EvaluationSettings(tasks=["decoding", "continuous_within"], label_budgets=[1, "all"])
    assert table_names(spikes, ablation) == ["decoding", "label_efficiency", "continuous"]
    assert picture_names(spikes, swaps=False) == [
        *("scores", "label_efficiency", "continuous", "confusion", "statistics", "training", "embedding")
    ]
    assert table_names(EvaluationSettings(tasks=["continuous_within"], label_budgets=[1]), rows) == [
        "continuous"
    ]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("^Fly.", "The animals are Fly1, Fly2, Fly3"),
        ("^Fly", "All sessions are of Fly, so nothing is measured across animals"),
    ],
)
def test_sessions_are_said_and_have_columns_of_their_own(scores, tmp_path, expression, said):
    table = made_up.score_rows(tasks=["within", "across"])
    table[table["task"] == "across"].assign(task="across_sessions", value=0.123).to_csv(scores, index=False)
    tasks = ["across_sessions", "across"]
    run(
        made_up.configuration(
            evaluation={"tasks": tasks},
            probes={
                name: {**probe, "tasks": tasks} for name, probe in made_up.PROBES.items() if name != "ridge"
            },
            split={"folds": 2, "protocol": "new_trials", "animal_of_session": expression},
        ),
        scores,
        tmp_path,
    )
    text = (tmp_path / "action_recognition.md").read_text()
    assert said in text
    assert "3 sessions, 2 splits" in text
    assert set(csv(tmp_path, "action_recognition")["task"]) == {"across_sessions"}


def test_few_labels_have_columns_and_differences(scores, tmp_path):
    table = made_up.score_rows(budgets=("1", "4", "16", "half", "all"), tasks=["across"])
    # Trained with labels: there with all labels alone.
    table = table[(table["method"] != "simclr") | (table["label_budget"] == "all")]
    table.to_csv(scores, index=False)
    evaluation = {"tasks": ["across"], "label_budgets": [4, 1, 16, "half", "all"]}
    run(
        made_up.configuration(evaluation=evaluation, tables={"references": ["swap_calcium"]}),
        scores,
        tmp_path,
    )
    rows = csv(tmp_path, "label_efficiency")
    assert list(rows["label_budget"].unique()) == ["1", "4", "16", "all"]
    assert set(rows["probe"]) == {"softmax", "mlp"}
    differences = rows[rows["reference"] == "swap_calcium"]
    assert set(differences[differences["method"] == "simclr"]["label_budget"]) == {"all"}
    text = (tmp_path / "label_efficiency.md").read_text()
    assert "## Few labels, MLP, across animals" in text
    assert r" \*" in text
    line = next(line for line in text.splitlines() if line.startswith(r"| A\_b"))
    assert line.count("–") == 3


def test_the_table_without_labels_names_the_trained_row_that_is_read_best(scores, tmp_path):
    table = made_up.score_rows(tasks=["continuous_across"])
    table = table[table["unit"] == ""].assign(task="clusters")
    # A row that is not trained is not chosen, whatever it reads.
    table.loc[table["method"] == "raw", "value"] = 0.99
    table.to_csv(scores, index=False)
    probes = {**made_up.PROBES, "ridge": {"kind": "ridge", "tasks": ["clusters"]}}
    run(made_up.configuration(evaluation={"tasks": ["clusters"]}, probes=probes), scores, tmp_path)
    rows = csv(tmp_path, "label_free")
    own = rows[(rows["reference"] == "") & (rows["method"] == "swap_calcium")]
    picked = table[(table["method"] == "swap_calcium") & (table["layer"] == "encoder")]
    assert float(own["mean"].iloc[0]) == pytest.approx(picked["value"].mean())
    said = f"the trained row with the highest mean is {made_up.METHODS['swap_calcium']['label']} (ridge)"
    assert said in (tmp_path / "label_free.md").read_text().replace("\\", "")


def test_continuous_behaviour_has_a_column_a_variable(scores, tmp_path):
    table = made_up.score_rows(tasks=["continuous_across"])
    table.to_csv(scores, index=False)
    run(made_up.configuration(evaluation={"tasks": ["continuous_across"]}), scores, tmp_path)
    rows = csv(tmp_path, "continuous")
    own = rows[(rows["method"] == "swap_calcium") & (rows["reference"] == "")].set_index("unit")
    assert list(own.index) == ["", *made_up.VARIABLES]
    picked = table[
        (table["method"] == "swap_calcium") & (table["layer"] == "encoder") & (table["unit"] == "turning")
    ]
    assert own.loc["turning", "mean"] == pytest.approx(picked["value"].mean(), abs=1e-5)
    text = (tmp_path / "continuous.md").read_text()
    assert "R2, across animals, all variables" in text
    assert "in percent" not in text


def test_variables_beyond_the_columns_are_in_the_csv(scores, tmp_path, monkeypatch):
    made_up.score_rows(tasks=["continuous_across"]).to_csv(scores, index=False)
    monkeypatch.setattr("neural_action.tables.continuous._SHOWN", 2)
    run(made_up.configuration(evaluation={"tasks": ["continuous_across"]}), scores, tmp_path)
    text = (tmp_path / "continuous.md").read_text()
    assert "turning" not in text
    assert "1 more are in the CSV file" in text
    assert "turning" in set(csv(tmp_path, "continuous")["unit"])


def test_ablation_has_a_block_a_probe_and_differences_to_the_figure_method(scores, tmp_path):
    methods = {**made_up.METHODS, "simclr": ABLATION}
    run(made_up.configuration(methods=methods), scores, tmp_path)
    rows = csv(tmp_path, "ablation")
    assert set(rows["method"]) == {"swap_calcium", "simclr"}
    assert set(rows["probe"]) == {"softmax", "mlp", "knn"}
    assert set(rows[rows["reference"] == "swap_calcium"]["task"]) == {"across"}
    assert "Swap alone" not in (tmp_path / "action_recognition.md").read_text()


def test_unseen_animals_are_compared_by_protocol(scores, tmp_path):
    seen = made_up.score_rows({"swap_calcium": None})
    loss = {"new_trials": 0.0, "new_animal": 0.2, "adapted": 0.1}
    parts = {}
    for protocol, by in loss.items():
        names = seen["split"] if protocol == "new_trials" else protocol + seen["animal"] + seen["split"]
        parts[protocol] = seen.assign(protocol=protocol, split=names, value=seen["value"] - by)
    pd.concat(parts.values()).to_csv(tmp_path / "unseen.csv", index=False)
    run(
        made_up.configuration(adapt={"rows": ["swap_calcium"]}),
        scores,
        tmp_path / "tables",
        tmp_path / "unseen.csv",
    )
    rows = csv(tmp_path / "tables", "unseen_animal").query("probe == 'softmax'")
    one = {
        name: part[
            (part["task"] == "across") & (part["probe"] == "softmax") & (part["label_budget"] == "all")
        ].query("metric == 'balanced_accuracy' and layer == 'encoder'")
        for name, part in parts.items()
    }
    for protocol, by in (("new_animal", -0.2), ("adapted", -0.1)):
        minus = rows[rows["metric"] == f"balanced_accuracy_{protocol}_minus_new_trials"].set_index("animal")
        assert minus.loc["all", ["mean", "low", "high"]].astype(float).tolist() == pytest.approx([by] * 3)
        assert between_protocols(one[protocol], one["new_trials"]).mean == pytest.approx(by)
        assert minus.loc["Fly1", "mean"] == pytest.approx(by)
        assert np.isnan(minus.loc["Fly1", "low"])
    text = (tmp_path / "tables/unseen_animal.md").read_text()
    assert "minus seen" in text
    assert "## Swap + calcium, MLP" in text


def test_consistency_is_a_mean_over_pairs(scores, tmp_path):
    made_up.consistency_rows().to_csv(tmp_path / "consistency.csv", index=False)
    run(made_up.configuration(), scores, tmp_path / "tables", consistency=tmp_path / "consistency.csv")
    rows = csv(tmp_path / "tables", "consistency").set_index(["method", "unit", "metric"])
    assert rows.loc[("swap_calcium", "animals", "held_out"), "mean"] == pytest.approx(0.695)
    assert rows.loc[("swap_calcium", "runs", "cebra"), "n_scores"] == 2
    text = (tmp_path / "tables/consistency.md").read_text()
    assert "## Between runs" in text
    assert "| Swap + calcium | Self-supervised | 0.69 | 0.69 | 0.70 | 0.79 | 0.79 | 0.80 | 6 |" in text


@pytest.mark.parametrize("content", ["nothing\n", "row,kind,measure,one,other,value\na,b,m,c,d,x\n"])
def test_consistency_that_is_none_is_refused(scores, tmp_path, content):
    path = tmp_path / "consistency.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=r"consistency\.csv"):
        run(made_up.configuration(), scores, tmp_path / "tables", consistency=path)


def test_every_table_and_picture_has_a_caption_and_every_probe_a_note():
    everything = EvaluationSettings(tasks=list(get_args(Task)), label_budgets=["all", 1])
    rows = [MethodSettings.model_validate(ABLATION)]
    made = table_names(everything, rows, unseen=True, consistency=True)
    made += picture_names(everything, swaps=True, consistency=True)
    missing = [name for name in made if not (ROOT / f"workflow/report/{name}.rst").exists()]
    assert not missing
    for kind in KINDS:
        assert _probe(ProbeConfig(kind=kind, tasks=["within"]))
