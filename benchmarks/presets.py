"""What the rows come to on every preset of the simulator, on seeds that nothing was chosen on.

``python benchmarks/presets.py`` simulates and runs every preset and seed with the default configuration, one split of
it, and writes the table between the marks of ``docs/results/presets.md``. Runs that are finished are not run again (see
``fresh_seeds.py``).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import pandas as pd
from fresh_seeds import REPORTED, ROOT, read, run
from results_page import between, head

from neural_action.recordings.simulate.presets import PRESETS
from neural_action.tables.document import EMPTY, percent

SHOWN = {
    "raw": "Neural (raw)",
    "simclr": "SimCLR",
    "swap_calcium": "Swap + calcium",
    "matched_alignment": "Matched alignment",
    "labels_alone": "Action labels alone",
}
SEEDS = (201, 202)


def main() -> None:
    """Run what is missing and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="of the simulator")
    parser.add_argument("--only-table", action="store_true", help="take the scores that are there")
    options = parser.parse_args()
    # The default configuration encodes images, which the preset of units has not.
    presets = [
        name for name, preset in PRESETS.items() if name not in ("default", "tiny") and not preset.units
    ]
    for preset in [] if options.only_table else presets:
        for seed in options.seeds:
            run(preset, seed, options.cores, list(SHOWN))
    scores = {preset: pd.concat(read(preset, seed) for seed in options.seeds) for preset in presets}
    output = ROOT / "docs/results/presets.md"
    output.write_text(between(output.read_text(), "presets:scores", page(scores)))
    print(f"wrote {output}")


def page(scores: dict[str, pd.DataFrame], shown: Mapping[str, str] = SHOWN) -> str:
    """Markdown: each preset and row by task, the mean and the seeds one by one, in ascending order."""
    lines = head(["Preset", "Method"], [heading for _, heading in REPORTED.values()])
    for preset, table in scores.items():
        by_seed = table.pivot_table(index=["task", "method"], columns="simulation", values="value")
        for method, label in shown.items():
            cells = []
            for task in REPORTED:
                if (task, method) not in by_seed.index:
                    cells.append(EMPTY)
                    continue
                values = by_seed.loc[(task, method)]
                cells.append(f"{percent(values.mean())} ({', '.join(map(percent, values))})")
            lines.append(f"| {preset} | {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
