"""What pages say came out: figures stand only in what scripts write, and sentences about them hold in those tables."""

from __future__ import annotations

import re
from functools import cache

import pytest
from shown import pages, prose

from running import ROOT

#: Written by a script as a whole; each says by which.
WHOLE = {
    "docs/development/licences.md",
    "docs/development/scale_measured.md",
    "docs/reference/configuration.md",
    "docs/tutorials/model_to_picture.md",
}
#: Figures of results: with an interval, with a sign, in percent, in points, or of R2.
FIGURE = re.compile(
    r"\d+\.\d+ \[[-+−]?\d|[+−]\d+\.\d|\d+(?:\.\d+)? ?%|\d+(?:\.\d+)? points?\b|R2 (?:is|of|at)[^.]*\d\.\d"
)
#: Lines whose figure is no result of ours, by a part of the line: what the figure is.
NO_RESULT = {
    "95 % interval": "the kind of interval",
    "95 %]": "the kind of interval",
    "95 % intervals.": "the kind of interval",
    "points [95 %, corrected": "the kind of interval",
    "every number in %": "a unit",
    "warm-up 20 %": "a setting",
    "the first 5 % of the steps": "a setting",
    "0.001, 10 %": "a setting",
    "identity of 89 %": "the poster's",
    "in 90 % |": "a setting",
    "+1.5 Hz on 30 % of units": "a setting",
    "differ by more than 1 %": "a tolerance",
    "up to  (1 %)": "a tolerance",
    "(within 2 %)": "a tolerance",
    "Published for ResNet-18": "the poster's",
    "(<12.0%>": "an example of a message",
    "holds the truth: 93 to 97 %": "held by tests/evaluation/test_statistics.py",
    "hierarchical bootstrap in 82 to 91 %": "held by tests/evaluation/test_statistics.py",
    "value in 70 % of cases": "held by tests/evaluation/test_statistics.py",
}


@pytest.mark.parametrize("page", sorted({*pages(), "README.md"} - WHOLE))
def test_figures_of_results_are_written_by_scripts(page):
    text = re.sub(r"`[^`\n]*`", "", prose(page))
    found = [line for line in text.splitlines() if FIGURE.search(line)]
    assert [line for line in found if not any(part in line for part in NO_RESULT)] == []


@pytest.mark.parametrize("page", sorted(WHOLE))
def test_a_page_written_as_a_whole_names_its_script(page):
    assert re.search(r"(?:python (?:docs|benchmarks)/\w+\.py|make licences)", (ROOT / page).read_text())


Table = dict[str, dict[str, float]]
SWAP, MATCHED = "Swap + calcium (Günel et al.)", "Matched alignment"
#: Rows that train no network, and controls.
UNTRAINED = {
    *("Random guess", "Chance", "Neural", "Behavior", "Action labels alone", "Hand velocity itself"),
    *("Rates (z-scored)", "Rates (centred)", "Counts over several times", "Linear prediction of neighbours"),
    *("Ridge to behavior", "Aligned components"),
    *("Untrained encoder", "Swap + calcium, permuted labels", "Rates, permuted labels"),
}


@cache
def table(page: str, mark: str) -> Table:
    """Means by row and column of what a script wrote below a mark."""
    written = (ROOT / page).read_text().split(f"<!-- {mark} -->\n")[1].split("<!--")[0]
    lines = [line.strip("| ").split(" | ") for line in written.strip().splitlines() if line.startswith("|")]
    end = next((at for at, line in enumerate(lines[2:], 2) if len(line) != len(lines[0])), len(lines))
    return {line[0]: dict(zip(lines[0][1:], map(_mean, line[1:]), strict=True)) for line in lines[2:end]}


def _mean(cell: str) -> float:
    found = re.match(r"[-+−]?[\d.]+", cell)
    return float(found[0].replace("−", "-")) if found else float("nan")


def starred(page: str, mark: str, sign: str, heading: str = "") -> set[str]:
    """Rows with a difference of this sign that holds after the correction, in columns whose headings hold a text."""
    lines = (ROOT / page).read_text().split(f"<!-- {mark} -->\n")[1].split("<!--")[0].splitlines()
    headings, *rows = (line.strip("| ").split(" | ") for line in lines if line.startswith("|"))
    columns = [at for at, name in enumerate(headings) if at and heading in name]
    return {cells[0] for cells in rows[1:] if any(re.match(rf"{sign}.*\\\*", cells[at]) for at in columns)}


def column(table: Table, name: str) -> dict[str, float]:
    return {row: cells[name] for row, cells in table.items()}


def best(values: dict[str, float], without: set[str]) -> str:
    return max((row for row in values if row not in without), key=values.__getitem__)


WORMS = "docs/results/worms.md"
FLIES, WALKING = "docs/results/flies.md", "docs/results/walking_flies.md"
SPIKES, SEEDS, UNITS = (f"docs/results/{name}.md" for name in ("spikes", "fresh_seeds", "fresh_seeds_units"))
LEFT_OUT = "Left out, all"
REFERENCES = {"Behavior"}


def differences(page: str, mark: str) -> dict[str, dict[str, str]]:
    """Cells of a table of differences between datasets, by row and column."""
    lines = (ROOT / page).read_text().split(f"<!-- {mark} -->\n")[1].split("<!--")[0].splitlines()
    head, _, *rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def test_matched_alignment_is_above_every_other_neural_row_on_all_fresh_seeds():
    found = differences(SEEDS, "fresh_seeds:across")
    cells = {row: found[row][f"{MATCHED} minus it"] for row in found if row not in {*REFERENCES, MATCHED}}
    assert all(cell.endswith(r"\* 10 of 10") for cell in cells.values()), cells
    identity = column(table(SEEDS, "fresh_seeds:scores"), "Identity")
    trained = {row: value for row, value in identity.items() if row not in UNTRAINED}
    assert min(trained, key=trained.get) == MATCHED


def test_what_holds_for_swap_and_calcium_on_fresh_seeds():
    found = differences(SEEDS, "fresh_seeds:across")
    cells = {row: found[row][f"{SWAP} minus it"] for row in found}
    for row, cell in cells.items():
        if row.startswith("Regression") or row in ("SimCLR + GRL", "Ridge to behavior", "Aligned components"):
            assert cell.startswith("+"), row
            assert "*" in cell, row
    assert "*" not in cells["SimCLR + MMD"]
    means = column(table(SEEDS, "fresh_seeds:scores"), "Animal left out")
    assert best(means, REFERENCES) == MATCHED
    assert best(means, {*REFERENCES, MATCHED}) == "BehaveNet"
    assert best(column(table(SEEDS, "fresh_seeds:scores"), "Within an animal"), REFERENCES) == "Neural"


def test_training_pays_on_simulated_units_and_behavenet_leads():
    scores = table(UNITS, "fresh_seeds_units:scores")
    means = column(scores, "Animal left out")
    assert best(means, {*REFERENCES, "Neural", "Action labels alone"}) == "BehaveNet"
    assert best(means, {*REFERENCES, "Neural", "Action labels alone", "BehaveNet"}) == MATCHED
    found = differences(UNITS, "fresh_seeds_units:across")
    pairs = [(SWAP, "Ridge to behavior"), (MATCHED, "Ridge to behavior"), (MATCHED, "Aligned components")]
    for row, closed_form in pairs:
        assert found[closed_form][f"{row} minus it"].endswith(r"\* 10 of 10")
    identity = {row: value for row, value in column(scores, "Identity").items() if row not in UNTRAINED}
    assert min(identity, key=identity.get) == MATCHED


def test_clusters_rank_rows_as_well_as_labels_do():
    found = table("docs/results/label_free.md", "label_free:measures")
    chosen_on = {f"simulated_seed_{seed}" for seed in (101, 102, 103)} | {"worms", "units_seed_0"}
    chosen_on |= {f"units_seed_{seed}" for seed in (302, 303, 304)}
    clusters = column(found, "Rank correlation, clusters")
    halves = column(found, "Halves of the animals")
    other = [value for row, value in clusters.items() if row not in {*chosen_on, "mean"}]
    assert chosen_on < set(clusters)
    assert len(other) == 6
    assert min(clusters["mean"], sum(other) / 6) > 0.7 > halves["mean"]
    lost = column(found, "Points lost, clusters")
    assert max(value for row, value in lost.items() if row.startswith("simulated_seed_")) == 0
    assert sorted(lost.values())[-2] < 3 < max(lost.values())
    assert max(lost, key=lost.get).startswith("units_seed_")
    decoding = column(found, "Rank correlation, decoding")
    assert max(value for row, value in decoding.items() if row.startswith("simulated_seed_")) < 0.5


def test_what_holds_against_the_papers_method_on_real_flies():
    text = (ROOT / WALKING).read_text().split("<!-- fly_walking:differences -->")[1].split("<!--")[0]
    head, _, *lines = [
        line.strip("| ").split(" | ") for line in text.strip().splitlines() if line.startswith("|")
    ]
    at = [head.index(f"{probe} minus {SWAP}") for probe in ("Linear", "MLP")]
    below = {line[0]: [line[place].startswith("−") and "*" in line[place] for place in at] for line in lines}
    regressions = {"Regression (recurrent)", "Regression (conv.)"}
    regressions |= {f"Regression (conv.) + {name}" for name in ("MMD", "GRL")}
    for row in ("Neural", "Ridge to behavior", "Aligned components", "BehaveNet", *regressions):
        assert below[row] == [True, True], row
    assert below["SimCLR"] == [False, True]
    for row in (MATCHED, "SimCLR + MMD", "SimCLR + GRL"):
        assert below[row] == [False, False], row
    assert not starred(WALKING, "fly_walking:differences", r"\+") - REFERENCES


def test_flies_with_traces_of_their_own_are_read_nearly_as_those_with_shared_traces():
    page = "docs/results/different_neurons.md"
    own = table(page, "fly_walking_cells:cells")
    left_out, within = column(own, "Animal left out"), column(own, "Within an animal")
    shared = column(table(WALKING, "fly_walking:actions"), LEFT_OUT)
    left = UNTRAINED | {"SimCLR (neural only)", "BehaveNet"}
    rows = {row for row in left_out if row not in left and not row.startswith("Behavior encoder")}
    assert len(rows) == 11
    for row in rows:
        assert left_out[row] > within["Neural"], row
        assert 1 < shared[row] - left_out[row] < 5, row
        assert abs(left_out[row] - left_out[SWAP]) < 3, row
    below = differences(page, "fly_walking_cells:differences")
    for row in ("Ridge to behavior", "Aligned components"):
        for probe in ("Linear", "MLP"):
            cell = below[row][f"{probe} minus {SWAP}"]
            assert cell.startswith("−"), row
            assert "*" in cell, row
    assert left_out["SimCLR (neural only)"] < left_out["Random guess"] + 6
    assert left_out["BehaveNet"] < left_out["Ridge to behavior"]
    identity = column(own, "Identity")
    assert min(rows, key=identity.__getitem__) == MATCHED
    assert identity[MATCHED] < identity["Action labels alone"] + 3
    assert min(identity[SWAP], identity["SimCLR"]) > max(identity[row] for row in rows - {SWAP, "SimCLR"})


def test_matched_alignment_hides_the_animal_on_real_flies():
    identity = column(table(WALKING, "fly_walking:identity"), "Identity, linear")
    others = {*UNTRAINED, *(row for row in identity if row.startswith("Behavior encoder"))}
    trained = {row: value for row, value in identity.items() if row not in others}
    assert min(trained, key=trained.get) == MATCHED
    assert identity[MATCHED] < identity["Action labels alone"] + 3


def test_identity_from_swap_and_calcium_is_not_at_chance_nor_is_it_first_across_animals():
    brief = table("README.md", "simulated:brief")
    assert brief[SWAP]["Identity"] > 95
    across = column(brief, "Animal left out")
    assert max(across["BehaveNet"], across["SimCLR + MMD"]) > across[SWAP]


@pytest.mark.parametrize("dataset", ["monkey_reach", "rodent_sleep"])
@pytest.mark.parametrize("mark", ["decoding_differences", "few_labels_differences"])
def test_on_spikes_no_trained_row_is_above_centred_rates(dataset, mark):
    assert starred(SPIKES, f"{dataset}:{mark}", r"\+") <= UNTRAINED


def test_the_probe_decides_which_network_is_above_centred_rates():
    differences = table(SPIKES, "monkey_reach:decoding_differences")
    others = {*UNTRAINED, "Trial discriminant", "SimCLR, with hand velocity"}
    for probe, expected in (("softmax", 0), ("(cos, sin)", 5)):
        minus = column(differences, f"{probe} minus Rates (centred)")
        assert sum(value > 0 for row, value in minus.items() if row not in others) == expected


def test_within_an_animal_raw_windows_are_highest_on_simulated_flies_alone():
    assert best(column(table(FLIES, "simulated:actions"), "Within, all"), REFERENCES) == "Neural"
    walking = column(table(WALKING, "fly_walking:actions"), "Within, all")
    trained = [value for row, value in walking.items() if row not in UNTRAINED]
    assert sum(value > walking["Neural"] for value in trained) > len(trained) / 2


def test_closed_forms_read_less_on_simulated_flies():
    across = column(table(FLIES, "simulated:actions"), LEFT_OUT)
    ridge, aligned = across["Ridge to behavior"], across["Aligned components"]
    trained = [value for row, value in across.items() if row not in UNTRAINED]
    assert sum(value > ridge for value in trained) == len(trained) - 1
    regressions = [value for row, value in across.items() if row.startswith("Regression")]
    assert min(regressions) < aligned < max(regressions)


def test_the_advice_on_probes_holds():
    by_probe = [table(WALKING, f"fly_walking:{mark}")["Neural"] for mark in ("actions_mlp", "actions")]
    assert by_probe[0][LEFT_OUT] > by_probe[1][LEFT_OUT] + 5
    named = table(FLIES, "simulated:identity")["BehaveNet"]
    assert min(named["Identity, linear"], named["Identity, MLP"]) > 90
    assert named["Identity, 10-NN"] < 50
    for page, dataset in ((FLIES, "simulated"), (WALKING, "fly_walking")):
        for row, cells in table(page, f"{dataset}:continuous").items():
            assert row == "Behavior" or max(cells["R2, within"], cells["R2, left out"]) < 0.2, row


def test_simple_behaviour_hardly_separates_rows_that_train_with_it():
    walking = column(table(WALKING, "fly_walking:actions"), LEFT_OUT)
    others = {*UNTRAINED, "BehaveNet", "SimCLR (neural only)"}
    alike = [value for row, value in walking.items() if row not in others]
    assert max(alike) - min(alike) <= 4
    contrastive = [walking[row] for row in ("SimCLR", SWAP, "SimCLR + MMD", "SimCLR + GRL", MATCHED)]
    assert max(contrastive) - min(contrastive) <= 1
    assert walking["BehaveNet"] < min(alike) - 5
    assert walking["SimCLR (neural only)"] < min(alike) - 5


def test_on_worms_training_pays_over_the_ridge():
    ridge, raw = "Ridge to behavior", table(WORMS, "worms:actions")["Neural"]["Within, all"]
    across = column(table(WORMS, "worms:actions"), LEFT_OUT)
    assert (
        raw - 5
        < across[ridge]
        < raw
        < max(across["Regression (linear)"], across["Regression (linear) + MMD"])
    )
    linear, mlp = (
        starred(WORMS, "worms:differences", r"\+", f"{probe} minus {ridge}") - REFERENCES
        for probe in ("Linear", "MLP")
    )
    assert linear == {"Regression (linear)"}
    also = {"Regression (conv.)", "Regression (conv.) + MMD", MATCHED, "Regression (linear) + MMD"}
    assert mlp == linear | also
    assert not starred(WORMS, "worms:differences", r"\+", f"minus {SWAP}") - REFERENCES


def test_on_worms_mmd_hides_the_animal_at_no_cost():
    identity = column(table(WORMS, "worms:identity"), "Identity, linear")
    for row in ("Matched alignment", "Regression (linear) + MMD"):
        assert identity[row] <= identity["Behavior"]
    assert min(identity["SimCLR"], identity[SWAP]) > 60
