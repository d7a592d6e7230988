"""What the rows come to on every preset of the simulator, on seeds that nothing was chosen on.

``python benchmarks/presets.py`` simulates and runs every preset and seed with the default configuration, one split of
it, and writes ``docs/results/presets.md``. Runs that are finished are not run again (see ``fresh_seeds.py``).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import pandas as pd
from fresh_seeds import FOLD, LABEL_BUDGET, PROBE, REPORTED, ROOT, read, run

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
    output.write_text(page(scores, options.seeds))
    print(f"wrote {output}")


def page(scores: dict[str, pd.DataFrame], seeds: Sequence[int]) -> str:
    """Markdown: accuracy within and across animals and identity, of each preset and row, seed by seed."""
    lines = [
        "# Presets of the simulator",
        "",
        f"Each preset on data of the simulator's seeds {', '.join(map(str, seeds))}, which nothing was chosen on: "
        f"default configuration, protocol new_trials, split fold-{FOLD}, one training seed; probe {PROBE}, label "
        f"budget {LABEL_BUDGET}. Made by `python benchmarks/presets.py --seeds {' '.join(map(str, seeds))}`. "
        "**Simulated, not recorded**. What the presets are: [config/README.md](../../config/README.md#simulation). The "
        "default preset has ten seeds and every row in [fresh_seeds.md](fresh_seeds.md).",
        "",
        "Balanced accuracy of actions within an animal (task within) and on the animal left out (task across), and "
        f"accuracy of the animal (task identity), all by probe {PROBE} with label budget {LABEL_BUDGET}, %: the mean, "
        "and the seeds one by one.",
        "",
        "| Preset | Method | Within | by seed | Animal left out | by seed | Identity | by seed |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for preset, table in scores.items():
        by_seed = table.pivot_table(index=["task", "method"], columns="simulation", values="value")
        for method, label in SHOWN.items():
            cells = []
            for task in REPORTED:
                if (task, method) not in by_seed.index:
                    cells += [EMPTY, EMPTY]
                    continue
                values = by_seed.loc[(task, method), list(seeds)]
                cells += [percent(values.mean()), ", ".join(map(percent, values))]
            lines.append(f"| {preset} | {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
