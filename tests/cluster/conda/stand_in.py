"""A stand-in for conda: the commands that Snakemake gives it, answered with py-rattler's solver and installer.

As with conda, ``CONDA_CHANNEL_ALIAS`` is where channels without a URL are looked for.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from rattler import MatchSpec, VirtualPackage, install, solve

HERE = Path(__file__).resolve().parent
PLATFORM = "linux-64"
# Snakemake asks for 24.7.1 or later.
VERSION = "25.1.0"


def main(arguments: list[str]) -> None:
    """Answer one command."""
    match arguments:
        case ["--version"]:
            print("conda", VERSION)
        case ["info", "--json"]:
            # Snakemake sources bin/activate below this prefix.
            print(json.dumps({"conda_prefix": str(HERE), "platform": PLATFORM, "conda_version": VERSION}))
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}, "success": True}))
        case ["env", "create", *options]:
            parser = argparse.ArgumentParser()
            parser.add_argument("--file", type=Path, required=True)
            parser.add_argument("--prefix", type=Path, required=True)
            parser.add_argument("--quiet", action="store_true")
            parser.add_argument("--no-default-packages", action="store_true")
            chosen = parser.parse_args(options)
            create(yaml.safe_load(chosen.file.read_text()), chosen.prefix)
        case ["clean", *_]:
            # Asked for after an environment is made. The cache is the caller's (RATTLER_CACHE_DIR).
            pass
        case _:
            sys.exit(f"this stand-in for conda does not know: conda {' '.join(arguments)}")


def create(environment: dict, prefix: Path) -> None:
    """Solve and install an environment file; then its ``pip:`` section, by the environment's own pip."""
    alias = os.environ.get("CONDA_CHANNEL_ALIAS", "https://conda.anaconda.org").rstrip("/")
    channels = [
        name if "://" in name else f"{alias}/{name}"
        for name in environment["channels"]
        if name != "nodefaults"
    ]
    specs = [MatchSpec(entry) for entry in environment["dependencies"] if isinstance(entry, str)]
    pip = [
        requirement
        for entry in environment["dependencies"]
        if isinstance(entry, dict)
        for requirement in entry["pip"]
    ]
    asyncio.run(_install(channels, specs, prefix))
    if pip:
        python = str(prefix / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-input", *pip], check=True)


async def _install(channels: list[str], specs: list[MatchSpec], prefix: Path) -> None:
    records = await solve(
        channels, specs, platforms=[PLATFORM, "noarch"], virtual_packages=VirtualPackage.detect()
    )
    await install(records, target_prefix=prefix, show_progress=False)


if __name__ == "__main__":
    main(sys.argv[1:])
    # A thread of py-rattler outlives its work, and the interpreter's orderly end crashes on it now and then.
    sys.stdout.flush()
    os._exit(0)
