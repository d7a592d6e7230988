"""The picture of the diagnostics: names that can be read, and nothing said to be expected that is not."""

import numpy as np
import pandas as pd
import pytest

from drawn import assert_legible, said
from neural_action.diagnostics.finding import Finding
from neural_action.diagnostics.lags import LagCurve
from neural_action.diagnostics.run import Diagnosis
from neural_action.names import shortened
from neural_action.tables.pictures.diagnostics import draw_diagnostics

ANIMALS = tuple(f"ScholzEtAl2018.AML{strain}_moving.BrainScanner20180223_141721" for strain in (175, 32, 18))
CLASSES = ("class_0", "a_class_whose_name_is_rather_long", "class_2")


def curve(lag: float) -> LagCurve:
    lags = np.linspace(-4, 4, 81)
    return LagCurve(lags, np.exp(-((lags - lag) ** 2)), 0.1)


def diagnosis(animals, lags, odd=(), told=True) -> Diagnosis:
    """Of trials with these lags behind movement, of which those in ``odd`` are to be looked at."""
    trials = [f"{animals[at % len(animals)]}/{at + 1}_part00" for at in range(len(lags))]
    findings = [
        Finding("synchrony", name, "warning" if at in odd else "ok", "") for at, name in enumerate(trials)
    ]
    if not told:
        findings = [Finding("synchrony", "all", "note", "cannot be told")]
    values = {"mean": 1.0, "low": 1.0, "high": 1.0, "chance": 1.0}
    values |= {"task": "identity", "probe": "softmax"}
    findings.append(Finding("control", "permuted", "ok", "identity: 100 %", values))
    counts = [
        {"animal": animal, "split": "fold-0", "role": "test", "class": name, "windows": 5}
        for animal in animals
        for name in CLASSES
    ]
    curves = {name: (curve(lag),) * 3 for name, lag in zip(trials, lags, strict=True)}
    return Diagnosis(findings, pd.DataFrame(counts), curves, {}, CLASSES, tuple(animals))


@pytest.mark.parametrize("count", [1, 3])
def test_long_names_leave_room_for_what_they_name(settings, count):
    found = diagnosis(ANIMALS[:count], np.linspace(0.2, 0.5, 12), odd=range(6))
    figure = draw_diagnostics(found, settings)
    assert_legible(figure)
    assert {"class_0", *shortened(ANIMALS[:count])} <= said(figure)


def test_a_name_that_is_left_out_is_of_a_trial_that_is_not_the_farthest_off(settings):
    figure = draw_diagnostics(diagnosis(("Fly1",), [0.3] * 9 + [0.31, 0.29, 3.9], odd=(9, 10, 11)), settings)
    assert_legible(figure)
    # Right of the last there is no room: it is named left of its dot.
    assert "12_part00" in said(figure)
    assert len({"10_part00", "11_part00"} & said(figure)) == 1


@pytest.mark.parametrize(
    ("lags", "told", "shaded"), [([-1.7], True, 0), ([-1.7, 0.2], False, 0), ([0.3, 0.4, 0.5], True, 1)]
)
def test_what_is_expected_is_shaded_where_there_are_trials_to_compare(settings, lags, told, shaded):
    lag_axis = draw_diagnostics(diagnosis(("Fly1",), lags, told=told), settings).axes[1]
    assert len(lag_axis.patches) == shaded
    assert ("shaded" in lag_axis.get_xlabel()) == bool(shaded)


def test_scores_end_at_100(settings):
    assert draw_diagnostics(diagnosis(("Fly1",), [0.3, 0.4]), settings).axes[3].get_xlim() == (0, 100)
