"""Lines of ``neural-action check`` about clocks: each stream of each recording, and how it was aligned."""

from __future__ import annotations

from collections.abc import Iterator

from neural_action.preflight.sample import Look
from neural_action.recordings.streams import Stream

#: Recordings that are printed, those with gaps first.
MOST = 20
#: A stream that goes on for so much of the other after that one has ended is worth a note (our choice).
_BEYOND = 0.1
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
        covered = f"{sum(look.covered for look in own) / len(own):.0%} of the neural frames have behaviour"
        yield f"  {first.form.where}{parts}: {covered if len(first.streams) > 1 else 'no behaviour'}"
        for stream in first.streams:
            yield f"    {SHOWN[stream.name]:<10}{described(stream)}"
    if len(recordings) > MOST:
        yield f"  and {len(recordings) - MOST} more recordings with {_gaps(order[MOST][0]) or 'no'} gaps at most"


def clock_doubts(looks: list[Look]) -> Iterator[str]:
    """What hints at a wrong clock: a stream that ends long before the other, times left over."""
    seen: set[str] = set()
    for look in looks:
        where = f"{look.row.animal} {look.row.path}"
        streams = {stream.name: stream for stream in look.streams}
        neural, behavior = streams.get("neural"), streams.get("behavior")
        if where in seen or neural is None or behavior is None:
            continue
        seen.add(where)
        lasts = neural.stop - neural.start
        beyond = abs(behavior.stop - neural.stop)
        if lasts > 0 and beyond > _BEYOND * lasts:
            late, early = (
                ("behaviour", "neural activity")
                if behavior.stop > neural.stop
                else ("neural activity", "behaviour")
            )
            yield (
                f"{look.form.where}: {late} goes on for {beyond:.1f} s after {early} has ended; where both were "
                "recorded together, a rate or a clock is wrong"
            )
        for stream in (neural, behavior):
            if "are not used" in stream.how:
                yield f"{look.form.where}: {SHOWN[stream.name]}: {stream.how}"


def described(stream: Stream) -> str:
    """A stream in a line."""
    gaps = (
        f"{stream.gaps} gap{'' if stream.gaps == 1 else 's'} (longest {stream.longest:.2f} s)"
        if stream.gaps
        else "no gap"
    )
    span = f"{stream.start:.2f} to {stream.stop:.2f}, {stream.rate:.4g} /s, {stream.count} samples"
    return f"{span}, {gaps}; {stream.how}"


def _gaps(look: Look) -> int:
    return sum(stream.gaps for stream in look.streams)
