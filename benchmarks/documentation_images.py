"""The pictures of the documentation, made from a finished run of the default dataset.

``python benchmarks/documentation_images.py --results results/simulated`` draws ``home.png``, copies the pictures of
``COPIED`` and photographs the interactive page in Chromium (``make test-browser`` installs it). Beside them it writes
``docs/images/made.json``: for each picture the code that draws it, and its hash. ``make docs`` and a test compare the
hashes with the code, so that no picture is older than what draws it (``drawn_by.py``).
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from drawn_by import IMAGES, ROOT, record

from neural_action.config.load import read_yaml
from neural_action.tables.pictures.embedding import draw_embeddings
from neural_action.tables.pictures.runs import Run
from neural_action.tables.pictures.style import save

#: The rows of ``home.png``: windows that gather by animal, and by action.
SHOWN = ("simclr", "matched_alignment")
COPIED = {
    "simulated_scores.png": "figures/scores.png",
    "simulated_kernel.png": "calcium/fold-0.png",
    "diagnostics.png": "diagnostics/diagnostics.png",
}
PICTURES, STYLE = "src/neural_action/tables/pictures", "src/neural_action/tables/pictures/style.py"
PAGE = ["benchmarks/documentation_images.py:photograph", "src/neural_action/explore/*", STYLE]
DRAWN_BY = {
    "home.png": ["benchmarks/documentation_images.py:home", f"{PICTURES}/embedding.py", STYLE],
    "simulated_scores.png": [f"{PICTURES}/scores.py", STYLE],
    "simulated_kernel.png": ["src/neural_action/calcium/picture.py"],
    "diagnostics.png": [f"{PICTURES}/diagnostics.py", STYLE],
    "explore_wide.jpg": PAGE,
    "explore_tall.jpg": PAGE,
}
WINDOWS = {"explore_wide.jpg": (1400, 900), "explore_tall.jpg": (800, 1469)}


def main() -> None:
    """Make every picture of ``DRAWN_BY`` and write the hashes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=ROOT / "results/simulated")
    options = parser.parse_args()
    home(options.results)
    for name, source in COPIED.items():
        shutil.copy(options.results / source, IMAGES / name)
    photograph(options.results / "explore.html")
    record(DRAWN_BY)
    print(f"wrote {', '.join(DRAWN_BY)} and made.json in {IMAGES.relative_to(ROOT)}")


def home(results: Path) -> None:
    """Embeddings of the rows ``SHOWN`` on the first fold, by action and by animal."""
    rows = read_yaml(ROOT / "config/methods.yaml")["methods"]
    runs = {name: [Run.load(results / f"models/{name}/fold-0/seed-0/embedding.npz")] for name in SHOWN}
    save(draw_embeddings(runs, {name: rows[name]["label"] for name in SHOWN}, SHOWN[0]), IMAGES / "home.png")


def photograph(page: Path) -> None:
    """The interactive page at two window sizes."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        browser = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=shutil.which("chromium"),
            args=["--headless", "--no-sandbox"],
            offline=True,
        )
        for name, (width, height) in WINDOWS.items():
            tab = browser.new_page()
            tab.set_viewport_size({"width": width, "height": height})
            tab.goto(page.resolve().as_uri())
            tab.wait_for_timeout(3000)
            tab.screenshot(path=IMAGES / name, type="jpeg", quality=85)
            tab.close()
        browser.close()


if __name__ == "__main__":
    main()
