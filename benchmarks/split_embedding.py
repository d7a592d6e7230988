"""The split embedding beside its two parents, on simulator seeds that nothing was chosen on.

``python benchmarks/split_embedding.py`` runs the default configuration and ``config/split_embedding.yaml``, one split
of each dataset, and writes the table between the marks of ``docs/results/split_embedding.md``. Finished runs are not
run again (see ``fresh_seeds.py``).
"""

from __future__ import annotations

import argparse

import pandas as pd
import presets
from fresh_seeds import ROOT, read, run
from results_page import between

SHOWN = {
    "swap_calcium": "Swap + calcium",
    "matched_alignment": "Matched alignment",
    "split_embedding": "Split embedding",
    "labels_alone": "Action labels alone",
}
#: Simulator seeds of each preset.
SEEDS = {"default": (121, 122, 123), "large_gap": (121,), "unrelated_layout": (121,)}


def main() -> None:
    """Run what is missing and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--only-table", action="store_true", help="take the scores that are there")
    options = parser.parse_args()
    for preset, seeds in SEEDS.items():
        for seed in () if options.only_table else seeds:
            run(preset, seed, options.cores, list(SHOWN), [ROOT / "config/split_embedding.yaml"])
    scores = {preset: pd.concat(read(preset, seed) for seed in seeds) for preset, seeds in SEEDS.items()}
    output = ROOT / "docs/results/split_embedding.md"
    output.write_text(between(output.read_text(), "split_embedding:scores", presets.page(scores, SHOWN)))
    print(f"wrote {output}")


if __name__ == "__main__":
    main()
