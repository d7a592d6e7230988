"""The two linked maps of the page, drawn by Bokeh: one coloured by action, one by animal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neural_action.tables.pictures import style

#: Clips above which Bokeh draws every fifth while a map is dragged; all again when it rests.
_MANY, _FIFTH = 20_000, 5


def maps(class_colors: Sequence[str], animal_colors: Sequence[str], points: int) -> dict[str, Any]:
    """A Bokeh item for the page to embed; its sources are empty, the page fills them.

    Ranges ``across`` and ``up``. Sources: ``clips`` (x, y, label, animal), ``here`` (x, y), ``path`` (x, y), and ``label_names`` and ``animal_names``
    (x, y, text). Figures are named ``label`` and ``animal``; panning and zooming one moves the other, and what is
    selected in one is selected in the other.
    """
    from bokeh.core.properties import value
    from bokeh.embed import json_item
    from bokeh.layouts import row
    from bokeh.models import (
        BoxSelectTool,
        ColumnDataSource,
        LassoSelectTool,
        LinearColorMapper,
        PanTool,
        Range1d,
        TapTool,
        WheelZoomTool,
    )
    from bokeh.plotting import figure

    clips = ColumnDataSource({"x": [], "y": [], "label": [], "animal": []}, name="clips")
    here = ColumnDataSource({"x": [], "y": []}, name="here")
    path = ColumnDataSource({"x": [], "y": []}, name="path")
    across, up = Range1d(name="across"), Range1d(name="up")
    figures = []
    for key, palette, low in (
        ("label", [style.FAINT, *class_colors], -1.5),
        ("animal", list(animal_colors), -0.5),
    ):
        plot = figure(
            name=key,
            output_backend="webgl",
            sizing_mode="stretch_both",
            min_width=200,
            min_height=220,
            x_range=across,
            y_range=up,
            toolbar_location=None,
            tools=[],
            lod_threshold=_MANY,
            lod_factor=_FIFTH,
            lod_timeout=150,
            border_fill_color=None,
            background_fill_color="#ffffff",
            outline_line_color=style.FAINT,
        )
        plot.axis.visible = False
        plot.grid.visible = False
        colors = LinearColorMapper(palette=palette, low=low, high=low + len(palette))
        dots = plot.scatter(
            "x",
            "y",
            source=clips,
            size=3.5 if points > 30_000 else 5,
            line_color=None,
            fill_color={"field": key, "transform": colors},
            fill_alpha=0.75,
            selection_fill_alpha=0.95,
            nonselection_fill_color="#c4cad4",
            nonselection_fill_alpha=0.22,
        )
        plot.line("x", "y", source=path, line_color=style.INK, line_width=1.2, line_alpha=0.55)
        plot.scatter(
            "x", "y", source=here, size=15, fill_color=None, line_color=style.INK, line_width=2.2
        )
        names = ColumnDataSource({"x": [], "y": [], "text": []}, name=f"{key}_names")
        plot.text(
            "x",
            "y",
            text="text",
            source=names,
            text_font_size="11px",
            text_font=value("system-ui, sans-serif"),
            text_font_style="bold",
            text_color=style.INK,
            text_align="center",
            text_baseline="middle",
            background_fill_color="#ffffff",
            background_fill_alpha=0.8,
            border_radius=3,
            padding=2,
        )
        tools = {
            "lasso": LassoSelectTool(renderers=[dots], continuous=False),
            "box": BoxSelectTool(renderers=[dots]),
            "pan": PanTool(),
        }
        for name, tool in tools.items():
            tool.name = f"{key}_{name}"
        plot.add_tools(*tools.values(), zoom := WheelZoomTool(), TapTool(renderers=[dots]))
        plot.toolbar.active_drag = tools["lasso"]
        plot.toolbar.active_scroll = zoom
        figures.append(plot)
    return json_item(row(*figures, sizing_mode="stretch_both"))
