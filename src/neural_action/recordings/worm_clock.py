"""Frames of a worm on one clock: its continuous parts, one time between frames for all worms, and blocks of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.alignment import check_clock

#: Times between frames that differ by less than this share are the same; time stamps of one microscope differ by .01 %.
SAME = 0.02
#: Steps longer than this many times the usual one are gaps.
GAP = 1.5
#: Frames that are taken to lie between two parts where there are no stamps: how many really did is not known.
_PAUSE = 10


@dataclass(frozen=True)
class Clock:
    """Where the frames of a recording lie in time, and how they are had from those that were recorded.

    Attributes:
        time: (frame,) float64 s from the first frame.
        parts: first frame and end of each continuous part, ascending, end to end.
        period: s between frames.
        recorded: frames in the file.
        before: (frame,) int64, the recorded frame at or before each.
        share: (frame,) float64 in [0, 1), how far each is on the way to the next recorded frame.
        notes: what was done that a user should know.
    """

    time: np.ndarray
    parts: tuple[tuple[int, int], ...]
    period: float
    recorded: int
    before: np.ndarray
    share: np.ndarray
    notes: tuple[str, ...] = ()

    def interpolated(self, values: np.ndarray) -> np.ndarray:
        """(frame, column) float64 of (recorded, column), linearly between two frames of a part."""
        # A frame that is had as it is does not ask its neighbour, which may be missing.
        between = np.flatnonzero(self.share > 0)
        out, before, share = values[self.before], self.before[between], self.share[between, None]
        with np.errstate(
            invalid="ignore", over="ignore"
        ):  # infinity is missing, too, and said to be by who asks
            out[between] = values[before] * (1 - share) + values[before + 1] * share
        return out

    def nearest(self, values: np.ndarray) -> np.ndarray:
        """(frame,) of (recorded,): the nearer of two frames."""
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
        stamps: (stamp,) s, one a frame.
        splits: (2, part) first and last frame of each part, from 1.
        frames: in the file.
        period: s between frames that is wanted, or None for the recording's own.
        assumed: s between frames where there is not one stamp a frame, or None.

    Raises:
        InputError: stamps that are not one a frame, without ``assumed``; that run backwards or are not finite; that
            come half or twice as often as is wanted, or more so; parts that overlap or lie outside the frames.
    """
    parts = _parts(path, splits, frames)
    notes: list[str] = []
    if len(stamps) == frames:
        check_clock("frame", stamps, str(path))
        time = stamps - stamps[0]
    elif assumed is None:
        raise InputError(
            f"{path}: {len(stamps)} time stamps for {frames} frames, expected one each; exclude the worm, or give the "
            "time between its frames (convert.reader_options.assumed_period)"
        )
    else:
        place = np.arange(frames, dtype=np.float64)
        for first, _ in parts[1:]:
            place[first:] += _PAUSE
        time = assumed * place
        notes.append(
            f"{len(stamps)} time stamps for {frames} frames: {assumed:g} s between frames are assumed"
        )
    steps = np.concatenate([np.diff(time[first:stop]) for first, stop in parts])
    own = float(np.median(steps)) if len(steps) else assumed or period or 1.0
    parts = [piece for part in parts for piece in _without_gaps(time, part, GAP * own)]
    if len(parts) > 1:
        notes.append(f"{len(parts)} continuous parts")
    if period is None or abs(own / period - 1) < SAME:
        before = np.concatenate([np.arange(*part) for part in parts])
        lengths = [stop - first for first, stop in parts]
        return _clock(time[before], lengths, period or own, frames, before, np.zeros(len(before)), notes)
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
    return _clock(np.concatenate(grids), list(map(len, grids)), period, frames, before, share, notes)


def blocks(path: Path, clock: Clock, count: int, gap: float) -> list[tuple[float, float]]:
    """Start and stop, s, of ``count`` blocks of about one length, each within one part.

    A part gets blocks by its length, one at least. Between blocks of a part ``gap`` seconds are left out.
    InputError if nothing is left of a block.
    """
    lengths = np.array([stop - first for first, stop in clock.parts])
    counts = np.maximum(1, np.floor(count * lengths / lengths.sum()).astype(int))
    while counts.sum() < count:
        counts[np.argmax(lengths / counts)] += 1
    # Between two frames; half a period before the first and after the last.
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
            # A part ends where its last frame does, wherever the next begins.
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
    notes: list[str],
) -> Clock:
    stops = np.cumsum(lengths).tolist()
    parts = tuple(zip([0, *stops[:-1]], stops, strict=True))
    return Clock(time - time[0], parts, period, recorded, before, share, tuple(notes))


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
                f"of {frames} frames"
            )
    return parts


def _without_gaps(time: np.ndarray, part: tuple[int, int], longest: float) -> list[tuple[int, int]]:
    """The part, cut where a step of the clock is longer than ``longest``."""
    first, stop = part
    cuts = (first + 1 + np.flatnonzero(np.diff(time[first:stop]) > longest)).tolist()
    return list(zip([first, *cuts], [*cuts, stop], strict=True))
