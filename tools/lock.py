"""Write requirements.lock: every package that is installed, pinned, with the hashes of its files (``make lock``).

One file for Linux and macOS on every processor: packages that one of them does not need say so by a marker. What is
pinned stays as it is while pyproject.toml allows it; delete the file for the newest of everything.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
#: Installed before the rest and without a hash: which build answers to its version depends on the machine (for CPUs,
#: for CUDA), and so does what it brings along.
APART = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)==")
HEADER = """# Written by `make lock`: pinned, with the hashes of every file that the index has for a version.
# torch and what it brings for CUDA are not here: torch is installed first, by its version alone (see the Makefile).
"""


def main() -> None:
    """Resolve pyproject.toml with all its extras."""
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal"),
            *("--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header", "--quiet"),
            *("--output-file", str(LOCK)),
        ],
        cwd=ROOT,
        check=True,
    )
    blocks = re.split(r"\n(?=\S)", LOCK.read_text().strip())
    kept = [block for block in blocks if not block.startswith("#") and not APART.match(block)]
    LOCK.write_text(HEADER + "\n".join(kept) + "\n")


if __name__ == "__main__":
    main()
