"""Lines of ``neural-action check`` about clocks: each stream of each recording, and how it was put beside the others."""

from __future__ import annotations

from collections.abc import Iterator

from neural_action.inspection.sample import Look
from neural_action.recordings.streams import Stream

#: Recordings that are printed, those with gaps first.
MOST = 20
SHOWN = {"neural": "neural", "behavior": "behaviour", "labels": "labels"}


def stream_lines(looks: list[Look]) -> Iterator[str]:
    """Start, end, rate, gaps and coverage of every stream, a line each; of parts of one recording once."""
    recordings: dict[str, list[Look]] = {}
    for look in looks:
        recordings.setdefault(f"{look.row.animal} {look.row.path}", []).append(look)
    yield "streams (s on the clock of the neural frames, before anything is left out):"
    order = sorted(recordings.values(), key=lambda own: -_gaps(own[0]))
    shown = [own[0].form.where for own in order[:MOST]]
    for own in recordings.values():
        first = own[0]
        if first.form.where not in shown:
            continue
        parts = f" and {len(own) - 1} more parts" if len(own) > 1 else ""
        covered = sum(look.covered for look in own) / len(own)
        yield f"  {first.form.where}{parts}: {covered:.0%} of the neural frames have behaviour"
        for stream in first.streams:
            yield f"    {SHOWN[stream.name]:<10}{described(stream)}"
    if len(recordings) > MOST:
        yield f"  and {len(recordings) - MOST} more recordings with {_gaps(order[MOST][0]) or 'no'} gaps at most"


def described(stream: Stream) -> str:
    """A stream in a line."""
    gaps = (
        f"{stream.gaps} gap{'' if stream.gaps == 1 else 's'} (longest {stream.longest:.2f} s)"
        if stream.gaps
        else "no gap"
    )
    return f"{stream.start:.2f} to {stream.stop:.2f}, {stream.rate:.4g} /s, {stream.count} samples, {gaps}; {stream.how}"


def _gaps(look: Look) -> int:
    return sum(stream.gaps for stream in look.streams)
