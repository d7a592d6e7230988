"""The interactive page: data, maps, style and script in one self-contained HTML file."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.colors import to_hex

from neural_action.explore.maps import maps
from neural_action.explore.moments import Moments
from neural_action.names import shortened
from neural_action.tables.pictures.style import action_colors, animal_colors

_HERE = Path(__file__).parent
#: Characters of a name in the narrowest column of the page, and of a feature's name beside its line.
_NAME, _FEATURE = 18, 14


@dataclass(frozen=True)
class Trial:
    """A trial of the page.

    Attributes:
        animal: number of the animal.
        name: name of the trial.
        start, end: times of its first and last neural frame, s.
    """

    animal: int
    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Row:
    """A row of the tables, shown as maps.

    Attributes:
        label: label of the row.
        run: name of the run, such as ``fold-0, seed 0``.
        layouts: (window, 2) float32 positions, by the name of the map.
    """

    label: str
    run: str
    layouts: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Content:
    """The content of the page. Arrays of windows are parallel and sorted by trial and time.

    Attributes:
        title, opening: headings.
        class_names, animals: names.
        trials: the trials, in the order of their numbers.
        rows: at least one row; the first is shown first.
        label: (window,) int, -1 unlabelled.
        trial: (window,) int, number of the trial.
        time: (window,) float, centre of the window, s.
        window_seconds: length of a window, s.
        moments: behaviour.
        traces: (trial, points) uint8, see ``moments.traces``.
        notes: notes for the reader, one sentence each.
    """

    title: str
    opening: str
    class_names: Sequence[str]
    animals: Sequence[str]
    trials: Sequence[Trial]
    rows: Sequence[Row]
    label: np.ndarray
    trial: np.ndarray
    time: np.ndarray
    window_seconds: float
    moments: Moments
    traces: Mapping[str, np.ndarray]
    notes: Sequence[str] = ()


def render(content: Content) -> str:
    """The page as HTML."""
    from bokeh.resources import Resources

    classes = [to_hex(color) for color in action_colors(len(content.class_names))]
    animals = [to_hex(color) for color in animal_colors(len(content.animals))]
    behavior = content.moments
    described: dict[str, Any] = {
        "classes": _named(content.class_names, classes),
        "animals": _named(content.animals, animals),
        "trials": [
            {**asdict(trial), "short": short}
            for trial, short in zip(
                content.trials, shortened((trial.name for trial in content.trials), _NAME), strict=True
            )
        ],
        "rows": [{"label": row.label, "run": row.run, "layouts": list(row.layouts)} for row in content.rows],
        "windowSeconds": content.window_seconds,
        "moments": {
            "kind": behavior.kind,
            "low": behavior.low.tolist(),
            "high": behavior.high.tolist(),
            "columns": list(behavior.columns),
            "short": shortened(behavior.columns, _FEATURE),
            "parts": [asdict(part) for part in behavior.parts],
            "views": [asdict(view) for view in behavior.views],
        },
        "traces": list(content.traces),
        "tracePoints": next((len(trace[0]) for trace in content.traces.values()), 0),
    }
    arrays: dict[str, np.ndarray] = {
        "label": content.label.astype(np.int16),
        "trial": content.trial.astype(np.uint32),
        # float64: times may count from 1970, where float32 has steps of two minutes.
        "time": content.time.astype(np.float64),
        "pose": behavior.values,
        "poseFirst": behavior.first.astype(np.uint32),
        "poseStart": behavior.start.astype(np.float64),
        "poseRate": behavior.rate.astype(np.float64),
        **{f"trace:{name}": values for name, values in content.traces.items()},
        **{
            f"row:{at}:{name}": values.astype(np.float32)
            for at, row in enumerate(content.rows)
            for name, values in row.layouts.items()
        },
    }
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Only the core of Bokeh: the page uses no widgets, tables, formulas or WebGL.
    library = Resources(mode="inline", components=["bokeh"]).js_raw[:1]
    return environment.get_template("page.html.j2").render(
        content=content,
        style=(_HERE / "page.css").read_text(),
        script=(_HERE / "page.js").read_text(),
        library=library,
        described=_embedded(described),
        maps=_embedded(maps()),
        arrays=_embedded({name: _packed(values) for name, values in arrays.items()}),
        points=len(content.label),
    )


def _named(names: Sequence[str], colors: Sequence[str]) -> list[dict[str, str]]:
    """Name, short name and colour of each action or animal."""
    return [
        {"name": name, "short": short, "color": color}
        for name, short, color in zip(names, shortened(names, _NAME), colors, strict=True)
    ]


def _packed(values: np.ndarray) -> dict[str, str]:
    """Type and content of an array: little-endian bytes, compressed by gzip, in base64."""
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    squeezed = gzip.compress(values.tobytes(), compresslevel=6, mtime=0)
    return {"type": values.dtype.name, "data": base64.b64encode(squeezed).decode("ascii")}


def _embedded(value: Any) -> str:
    """JSON for a script element; ``<`` is escaped, so that no text can end the element."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
