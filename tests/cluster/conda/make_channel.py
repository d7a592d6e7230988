"""Build a conda channel in a folder: ``python`` and ``pip``, wrapped from the interpreter that runs this.

Use: python make_channel.py <folder>
"""

import asyncio
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rattler.index import index_fs

PLATFORM = "linux-64"
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE_PACKAGES = f"lib/python{MINOR}/site-packages"


def main(channel: Path) -> None:
    """Write the two packages and the channel's index."""
    for folder in (channel / PLATFORM, channel / "noarch"):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        python, pip = Path(scratch) / "python", Path(scratch) / "pip"
        _wrap_python(python)
        _pack(python, channel, platform.python_version(), depends=[])
        _wrap_pip(pip)
        _pack(pip, channel, importlib.metadata.version("pip"), depends=[f"python {MINOR}.*"])
    asyncio.run(index_fs(channel))


def _wrap_python(root: Path) -> None:
    """What ``python -m venv`` makes: a link to the interpreter, whose standard library stays where it is."""
    interpreter = Path(sys.executable).resolve()
    (root / "bin").mkdir(parents=True)
    for name in ("python", "python3", f"python{MINOR}"):
        (root / "bin" / name).symlink_to(interpreter)
    (root / "pyvenv.cfg").write_text(
        f"home = {interpreter.parent}\ninclude-system-site-packages = false\n"
        f"version = {platform.python_version()}\n"
    )
    # A package holds files, not folders, and the interpreter looks for this folder.
    (root / SITE_PACKAGES).mkdir(parents=True)
    (root / SITE_PACKAGES / "README.txt").write_text("Packages of this environment.\n")


def _wrap_pip(root: Path) -> None:
    """The installed pip without its scripts: ``python -m pip`` is how it is called."""
    for file in importlib.metadata.files("pip"):
        if ".." not in file.parts and file.suffix != ".pyc":
            target = root / SITE_PACKAGES / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), target)


def _pack(root: Path, channel: Path, version: str, depends: list[str]) -> None:
    """Add conda's metadata to the files below ``root``, a folder of the package's name, and pack them."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    paths = []
    for file in files:
        content = file.read_bytes()
        paths.append(
            {
                "_path": file.relative_to(root).as_posix(),
                "path_type": "softlink" if file.is_symlink() else "hardlink",
                "sha256": hashlib.sha256(content).hexdigest(),
                "size_in_bytes": len(content),
            }
        )
    index = {
        "name": root.name,
        "version": version,
        "build": "wrapped_0",
        "build_number": 0,
        "depends": depends,
        "subdir": PLATFORM,
        "arch": "x86_64",
        "platform": "linux",
        # The solver asks for one.
        "timestamp": 1_700_000_000_000,
    }
    (root / "info").mkdir()
    (root / "info" / "index.json").write_text(json.dumps(index))
    (root / "info" / "paths.json").write_text(json.dumps({"paths": paths, "paths_version": 1}))
    (root / "info" / "files").write_text("".join(f"{entry['_path']}\n" for entry in paths))
    # Conda's own packer, called by this interpreter: it need not be on PATH.
    pack = "from conda_package_handling.cli import main; main()"
    package = f"{root.name}-{version}-wrapped_0.conda"
    command = [sys.executable, "-c", pack, "create", str(root), package]
    subprocess.run([*command, "--out-folder", str(channel / PLATFORM)], check=True, capture_output=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
    # A thread of py-rattler outlives its work, and the interpreter's orderly end crashes on it now and then.
    sys.stdout.flush()
    os._exit(0)
