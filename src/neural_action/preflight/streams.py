"""Lines of ``neural-action check`` about clocks: the streams of each recording, and how they were aligned."""

from __future__ import annotations

from collections.abc import Iterator

from neural_action.preflight.sample import Look
from neural_action.recordings.streams import Stream

#: Maximum number of recordings to print; those with most gaps are kept.
MOST = 20
#: A note is printed if the ends of the two streams differ by more than this fraction of the neural one (our choice).
_BEYOND = 0.1
SHOWN = {"neural": "neural", "behavior": "behaviour", "labels": "labels"}


def stream_lines(looks: list[Look]) -> Iterator[str]:
    """One line for each stream: start, end, rate, gaps and coverage. Parts of one recording share these lines."""
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
        parts = f" and {len(own) - 1} more part{'s' * (len(own) > 2)}" if len(own) > 1 else ""
        covered = f"{sum(look.covered for look in own) / len(own):.0%} of the neural frames have behaviour"
        yield f"  {first.form.where}{parts}: {covered if len(first.streams) > 1 else 'no behaviour'}"
        for stream in first.streams:
            yield f"    {SHOWN[stream.name]:<10}{described(stream)}"
    if len(recordings) > MOST:
        yield f"  and {len(recordings) - MOST} more recordings with at most {_gaps(order[MOST][0])} gaps"


def clock_doubts(looks: list[Look]) -> Iterator[str]:
    """Signs of a wrong clock: a stream that ends long before the other, or times that are not used."""
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
                f"{look.form.where}: {late} ends {beyond:.1f} s after {early}; if both were recorded together, "
                "a rate or a clock is wrong"
            )
        for stream in (neural, behavior):
            if "are not used" in stream.how:
                yield f"{look.form.where}: {SHOWN[stream.name]}: {stream.how}"


def described(stream: Stream) -> str:
    """A stream in one line: span, rate, number of samples, gaps, and how it was aligned."""
    gaps = (
        f"{stream.gaps} gap{'' if stream.gaps == 1 else 's'} (longest {stream.longest:.2f} s)"
        if stream.gaps
        else "no gap"
    )
    span = f"{stream.start:.2f} to {stream.stop:.2f}, {stream.rate:.4g} /s, {stream.count} samples"
    return f"{span}, {gaps}; {stream.how}"


def _gaps(look: Look) -> int:
    return sum(stream.gaps for stream in look.streams)
