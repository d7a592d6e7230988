"""The clock of a worm's recording: its continuous parts, interpolation to one frame period, and blocks of frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.alignment import check_clock

#: Frame periods that differ by less than this fraction count as equal; those of one microscope differ by 0.01 %.
SAME = 0.02
#: Steps longer than this many median steps are gaps.
GAP = 1.5
#: Assumed number of frames between two parts without time stamps; the real number is unknown.
_PAUSE = 10


@dataclass(frozen=True)
class Clock:
    """Times of the frames of a recording, and how to interpolate them from the recorded frames.

    Attributes:
        time: (frame,) float64, s after the first frame.
        parts: first frame and end (exclusive) of each continuous part; together the parts cover all frames in order.
        period: time between frames, s.
        recorded: number of frames in the file.
        before: (frame,) int64, the recorded frame at or before each frame.
        share: (frame,) float64 in [0, 1), position of each frame between that recorded frame and the next one.
        how: where the times come from.
        notes: what was done that a user should know.
    """

    time: np.ndarray
    parts: tuple[tuple[int, int], ...]
    period: float
    recorded: int
    before: np.ndarray
    share: np.ndarray
    how: str
    notes: tuple[str, ...] = ()

    def interpolated(self, values: np.ndarray) -> np.ndarray:
        """(frame, column) float64 from (recorded, column), interpolated linearly between two frames of a part."""
        # A frame at a recorded one does not use the next frame, which may be missing.
        between = np.flatnonzero(self.share > 0)
        out, before, share = values[self.before], self.before[between], self.share[between, None]
        with np.errstate(
            invalid="ignore", over="ignore"
        ):  # Infinity counts as missing; the caller treats it.
            out[between] = values[before] * (1 - share) + values[before + 1] * share
        return out

    def nearest(self, values: np.ndarray) -> np.ndarray:
        """(frame,) from (recorded,): the value of the nearer recorded frame."""
        return values[self.before + (self.share > 0.5)]


def worm_clock(
    path: Path,
    stamps: np.ndarray,
    splits: np.ndarray,
    frames: int,
    period: float | None,
    assumed: float | None,
) -> Clock:
    """The clock of a recording.

    Args:
        path: for messages.
        stamps: (stamp,) s, one for each frame.
        splits: (2, part) first and last frame of each part, from 1.
        frames: number of frames in the file.
        period: wanted time between frames, s; None keeps that of the recording.
        assumed: time between frames, s, if there is not one stamp for each frame; None refuses such files.

    Raises:
        InputError: there is not one stamp for each frame and ``assumed`` is None; stamps do not increase or are not
            finite; the recorded period differs from ``period`` by a factor of two or more; parts overlap or lie outside
            the frames.
    """
    parts = _parts(path, splits, frames)
    how, notes = "times of timing/timestamp_confocal", []
    if len(stamps) == frames:
        check_clock("frame", stamps, str(path))
        time = stamps - stamps[0]
    elif assumed is None:
        raise InputError(
            f"{path}: {len(stamps)} time stamps for {frames} frames, expected one for each; exclude the worm, or set "
            "the time between its frames (convert.reader_options.assumed_period)"
        )
    else:
        place = np.arange(frames, dtype=np.float64)
        for first, _ in parts[1:]:
            place[first:] += _PAUSE
        time = assumed * place
        how = f"{assumed:g} s between frames, assumed"
        notes.append(f"{len(stamps)} time stamps for {frames} frames: assumed {assumed:g} s between frames")
    steps = np.concatenate([np.diff(time[first:stop]) for first, stop in parts])
    own = float(np.median(steps)) if len(steps) else assumed or period or 1.0
    parts = [piece for part in parts for piece in _without_gaps(time, part, GAP * own)]
    if len(parts) > 1:
        notes.append(f"{len(parts)} continuous parts")
    if period is None or abs(own / period - 1) < SAME:
        before = np.concatenate([np.arange(*part) for part in parts])
        lengths = [stop - first for first, stop in parts]
        return _clock(time[before], lengths, period or own, frames, before, np.zeros(len(before)), how, notes)
    if not 0.5 < own / period < 2:
        raise InputError(
            f"{path}: {own:g} s between frames, expected about {period:g} s (convert.reader_options.period): is "
            "one of the two in another unit?"
        )
    notes.append(f"interpolated from {own:.3f} to {period:g} s between frames")
    grids = [np.arange(time[first], time[stop - 1] + 1e-9, period) for first, stop in parts]
    places = [
        np.interp(grid, time[first:stop], np.arange(first, stop))
        for grid, (first, stop) in zip(grids, parts, strict=True)
    ]
    place = np.concatenate(places)
    before = np.floor(place + 1e-9).astype(np.int64)
    share = np.maximum(place - before, 0)
    return _clock(np.concatenate(grids), list(map(len, grids)), period, frames, before, share, how, notes)


def blocks(path: Path, clock: Clock, count: int, gap: float) -> list[tuple[float, float]]:
    """Start and stop (s) of ``count`` blocks of similar length, each within one part.

    The number of blocks in a part is proportional to its length, and at least 1. ``gap`` seconds between the blocks of
    a part are left out. InputError if a block would be empty.
    """
    lengths = np.array([stop - first for first, stop in clock.parts])
    counts = np.maximum(1, np.floor(count * lengths / lengths.sum()).astype(int))
    while counts.sum() < count:
        counts[np.argmax(lengths / counts)] += 1
    # Edges lie midway between two frames, and half a period before the first and after the last one.
    half = clock.period / 2
    edges = np.concatenate(
        [[clock.time[0] - half], (clock.time[1:] + clock.time[:-1]) / 2, [clock.time[-1] + half]]
    )
    apart = round(gap / clock.period)
    found = []
    for (first, stop), many in zip(clock.parts, counts, strict=True):
        borders = np.linspace(first, stop, many + 1).round().astype(int)
        for at in range(many):
            start = borders[at] + (apart - apart // 2 if at else 0)
            end = borders[at + 1] - (apart // 2 if at < many - 1 else 0)
            if end <= start:
                raise InputError(
                    f"{path}: {stop - first} continuous frames, expected more for {many} blocks with {apart} frames "
                    "between them; lower convert.reader_options.blocks or gap_seconds"
                )
            # At the ends of a part, the edge is half a period from its first or last frame.
            low = edges[start] if start > first else clock.time[start] - half
            high = edges[end] if end < stop else clock.time[end - 1] + half
            found.append((round(float(low), 4), round(float(high), 4)))
    return found


def _clock(
    time: np.ndarray,
    lengths: list[int],
    period: float,
    recorded: int,
    before: np.ndarray,
    share: np.ndarray,
    how: str,
    notes: list[str],
) -> Clock:
    stops = np.cumsum(lengths).tolist()
    parts = tuple(zip([0, *stops[:-1]], stops, strict=True))
    return Clock(time - time[0], parts, period, recorded, before, share, how, tuple(notes))


def _parts(path: Path, splits: np.ndarray, frames: int) -> list[tuple[int, int]]:
    if splits.ndim != 2 or len(splits) != 2:
        raise InputError(
            f"{path}: gcamp/idx_splits has shape {splits.shape}, expected first and last frames (2, parts)"
        )
    if not (np.isfinite(splits).all() and (splits == splits.round()).all()):
        raise InputError(f"{path}: gcamp/idx_splits holds {splits.ravel().tolist()}, expected frame numbers")
    parts = [(int(first) - 1, int(last)) for first, last in splits.T]
    ends = [0, *(stop for _, stop in parts)]
    for (first, stop), before in zip(parts, ends, strict=False):
        if not before <= first < stop <= frames:
            raise InputError(
                f"{path}: gcamp/idx_splits has frames {first + 1} to {stop} after {before}, expected ascending parts "
                f"within {frames} frames"
            )
    return parts


def _without_gaps(time: np.ndarray, part: tuple[int, int], longest: float) -> list[tuple[int, int]]:
    """The part, cut at steps of the clock longer than ``longest`` (s)."""
    first, stop = part
    cuts = (first + 1 + np.flatnonzero(np.diff(time[first:stop]) > longest)).tolist()
    return list(zip([first, *cuts], [*cuts, stop], strict=True))
