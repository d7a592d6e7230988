"""The sections of the configuration that say how results are shown: tables, diagnostics and the interactive page."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from neural_action.config.kinds import Count, Fraction, Name, Positive, Section


class ChosenOn(Section):
    """Recordings and seeds on which ``rows`` were chosen; without rows, the whole configuration."""

    rows: list[Name] = []
    recordings: str


class TableSettings(Section):
    """Tables and pictures. ``published``: whether numbers from the papers are shown beside the measured ones.
    ``decoding``: name of the table of the task ``decoding``.

    ``references``: the reference rows of paired differences; empty means the figure method and the best baseline.
    ``curves``: the rows whose label efficiency is drawn; empty means all. ``chosen_on``: recordings and seeds on which
    our own rows were chosen, shown in the tables; a text, or texts that are about some rows.
    """

    metric: Literal["accuracy", "balanced_accuracy", "macro_f1"] = "balanced_accuracy"
    chosen_on: str | list[ChosenOn] = ""
    figure_method: Name = "swap_calcium"
    published: bool = True
    decoding: Literal["decoding", "image_recognition"] = "decoding"
    references: list[Name] = []
    curves: list[Name] = []


class DiagnosticsSettings(Section):
    """Thresholds of the diagnostics."""

    longest_lag: Positive = 4.0
    expected_lag: Annotated[list[float], Field(min_length=2, max_length=2)] = [-0.5, 2.0]
    lag_tolerance: Positive = 0.5
    lag_drop: Fraction = 0.2
    label_tolerance: Positive = 0.25
    least_share: Fraction = 0.25
    clear_share: Fraction = 0.9
    names_share: Fraction = 0.9
    control_tolerance: Annotated[float, Field(ge=0)] = 0.02


class ExploreSettings(Section):
    """The interactive page: its rows, the number of windows, and the amount of behaviour in the file."""

    rows: Annotated[list[Name], Field(min_length=1)] | None = None
    points: Count = 100_000
    landmarks: Annotated[int, Field(ge=100)] = 1500
    pose_rate: Positive = 12.5
    megabytes: Positive = 16.0
    skeleton: list[Annotated[list[str], Field(min_length=2)]] | None = None
