"""The two linked maps of the page, made with Bokeh: one for actions, one for animals.

Bokeh provides the frames, the tools, the selection, the names and the marker of the window in focus. The page paints
the dots into a canvas under each frame, because Bokeh takes seconds to draw 100,000 dots without a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping

from neural_action.tables.pictures import style


def maps() -> Mapping[str, object]:
    """A Bokeh JSON item that the page embeds. Its sources are empty; the page fills them.

    The figures ``label`` and ``animal`` share the ranges ``across`` and ``up``. The sources are ``here`` and ``path``
    (x, y), and ``label_names`` and ``animal_names`` (x, y, text). The tools are named ``<figure>_lasso``, ``_box`` and
    ``_pan``.
    """
    from bokeh.core.properties import value
    from bokeh.embed import json_item
    from bokeh.layouts import row
    from bokeh.models import BoxSelectTool, ColumnDataSource, LassoSelectTool, PanTool, Range1d, WheelZoomTool
    from bokeh.plotting import figure

    here = ColumnDataSource({"x": [], "y": []}, name="here")
    path = ColumnDataSource({"x": [], "y": []}, name="path")
    across, up = Range1d(name="across"), Range1d(name="up")
    figures = []
    for key in ("label", "animal"):
        plot = figure(
            name=key,
            sizing_mode="stretch_both",
            min_width=140,
            min_height=220,
            x_range=across,
            y_range=up,
            toolbar_location=None,
            tools=[],
            border_fill_color=None,
            background_fill_color=None,
            outline_line_color=style.FAINT,
        )
        plot.axis.visible = False
        plot.grid.visible = False
        plot.line("x", "y", source=path, line_color=style.INK, line_width=1.2, line_alpha=0.55)
        plot.scatter("x", "y", source=here, size=15, fill_color=None, line_color=style.INK, line_width=2.2)
        names = ColumnDataSource({"x": [], "y": [], "text": []}, name=f"{key}_names")
        plot.text(  # type: ignore[call-arg]  # Bokeh's stub lacks the background of a text
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
            border_radius=3,  # type: ignore[arg-type]  # Bokeh's stub lacks plain numbers here
            padding=2,  # type: ignore[arg-type]  # nor here
        )
        lasso = LassoSelectTool(continuous=False, name=f"{key}_lasso")
        box = BoxSelectTool(continuous=False, name=f"{key}_box")
        plot.add_tools(lasso, box, PanTool(name=f"{key}_pan"), zoom := WheelZoomTool())
        plot.toolbar.active_drag = lasso
        plot.toolbar.active_scroll = zoom
        figures.append(plot)
    return json_item(row(*figures, sizing_mode="stretch_both"))
