"""Made-up pages: windows of which the test knows where they are and what is shown of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_action.explore.moments import Moments, View
from neural_action.explore.page import Content, Row, Trial
from neural_action.recordings.midline import midline, midline_names, midline_parts
from neural_action.recordings.skeleton import Part

CLASSES = ("rest", "forward_walking", "eye_grooming", "pushing")
ANIMALS = ("Fly1", "Fly2", "Fly3")
POINTS = 200


def content(
    windows: int = 240,
    trials: int = 6,
    kind: str = "skeleton",
    layouts: int = 2,
    animals: Sequence[str] = ANIMALS,
) -> Content:
    """``windows`` windows half a second apart in ``trials`` trials; action ``k`` is an island around (10 k, 0)."""
    rng = np.random.default_rng(0)
    each = windows // trials
    label = np.repeat(rng.integers(-1, len(CLASSES), windows // 10 + 1), 10)[:windows]
    trial = np.repeat(np.arange(trials), each)
    label = label[: len(trial)]
    time = np.tile(1.0 + 0.5 * np.arange(each), trials)
    animal = trial % len(ANIMALS)
    places = np.stack([10.0 * label, 3.0 * animal], 1) + 0.5 * rng.standard_normal((len(trial), 2))
    rows = [
        Row("Swap + calcium", "fold-0, seed 0", {"t-SNE": places, "principal components": places[:, ::-1]}),
        Row("Matched alignment", "fold-0, seed 0", {"t-SNE": 2 * places}),
    ]
    end = float(time.max() + 1)
    return Content(
        title="Made-up flies",
        opening="Made-up flies (made_up): simulated, not recorded </script>",
        class_names=CLASSES,
        animals=animals,
        trials=[
            Trial(int(at % len(ANIMALS)), f"{at // len(ANIMALS) + 1:03d}", 0.0, end) for at in range(trials)
        ],
        rows=rows[:layouts],
        label=label,
        trial=trial,
        time=time,
        window_seconds=2.0,
        moments=moments(kind, trials, end),
        traces={
            "action": np.repeat(rng.integers(0, len(CLASSES), (trials, 10)), POINTS // 10, axis=1).astype(
                np.uint8
            ),
            "movement": rng.integers(0, 256, (trials, POINTS)).astype(np.uint8),
            "activity": rng.integers(0, 256, (trials, POINTS)).astype(np.uint8),
        },
        notes=("A note.",),
    )


def moments(kind: str, trials: int, end: float, rate: float = 10.0) -> Moments:
    """Behaviour whose every column is the share of the trial's time that has passed."""
    if kind == "none":
        empty = np.zeros(0)
        return Moments(
            "none",
            np.zeros((0, 0), np.uint8),
            empty,
            empty,
            (),
            np.zeros(trials + 1, int),
            *(np.zeros(trials),) * 2,
        )
    count = int(end * rate) + 1
    ramp = np.round(255 * np.arange(count) / (count - 1)).astype(np.uint8)
    if kind == "midline":
        return body(ramp / 255, trials, rate)
    columns = {"skeleton": 6, "features": 3}[kind]
    values = np.tile(ramp[:, None], (trials, columns))
    where = np.arange(trials + 1) * count, np.zeros(trials), np.full(trials, rate)
    if kind == "features":
        return Moments(kind, values, np.zeros(3), np.full(3, end), ("forward", "side", "turn"), *where)
    low = np.array([0, 0, 10, 0, 20, 0], float)
    return Moments(
        kind,
        values,
        low,
        low + 10.0,
        ("head", "middle", "tail"),
        *where,
        (Part("back", (0, 1, 2)),),
        (View("x, y", (0, 1), (0, 1, 2), True),),
    )


def body(share: np.ndarray, trials: int, rate: float, segments: int = 20) -> Moments:
    """A body that is straight when a trial begins, and bends into a half circle until it ends."""
    points = midline(np.pi * share[:, None] * np.arange(segments) / segments).reshape(len(share), -1)
    low, high = points.min(0), points.max(0)
    spread = np.where(high > low, high - low, 1.0)
    return Moments(
        "skeleton",
        np.tile(np.round(255 * (points - low) / spread).astype(np.uint8), (trials, 1)),
        low,
        low + spread,
        midline_names(segments),
        np.arange(trials + 1) * len(share),
        np.zeros(trials),
        np.full(trials, rate),
        midline_parts(segments),
        (View("x, y", (0, 1), tuple(range(segments + 1)), False),),
    )
