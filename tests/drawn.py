"""What a picture says once it is laid out, for every test that looks at one."""

from io import BytesIO
from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from neural_action.tables.pictures.style import write_png


def texts(figure: Figure) -> list[tuple[Text, Bbox]]:
    """Every text that is seen, and its box in pixels."""
    write_png(figure, BytesIO())
    renderer = FigureCanvasAgg(figure).get_renderer()
    hidden = set()
    for axis in figure.findobj(lambda artist: hasattr(artist, "get_major_ticks")):
        low, high = sorted(axis.get_view_interval())
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low <= tick.get_loc() <= high:
                hidden |= {tick.label1, tick.label2}
    seen = [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in hidden
        if text.axes is None or text.axes.get_visible()
    ]
    return [(text, text.get_window_extent(renderer)) for text in seen]


def said(figure: Figure) -> set[str]:
    """What is written."""
    return {text.get_text() for text, _ in texts(figure)}


def assert_legible(figure: Figure) -> None:
    """No text is cut by the edge of the figure or lies on another; of slanted ones only the former is asked."""
    found = texts(figure)
    for text, box in found:
        inside = box.x0 > -1 and box.y0 > -1 and box.x1 < figure.bbox.x1 + 1 and box.y1 < figure.bbox.y1 + 1
        assert inside, f"{text.get_text()!r} is cut"
    upright = [(text, box.padded(-1)) for text, box in found if text.get_rotation() % 90 == 0]
    for (one, here), (other, there) in combinations(upright, 2):
        assert not here.overlaps(there), f"{one.get_text()!r} lies on {other.get_text()!r}"
