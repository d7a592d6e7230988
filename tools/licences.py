"""Write docs/licences.md: what the project installs, and under which licence each is (part of ``make lock``)."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/licences.md"
#: SPDX names by what metadata says.
KNOWN = {
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd, public domain": "BSD-3-Clause",
    "isc": "ISC",
    "isc license (iscl)": "ISC",
    "mit": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "mpl-2.0": "MPL-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "new bsd": "BSD-3-Clause",
    "psf": "PSF-2.0",
    "psf-2.0": "PSF-2.0",
    "public domain": "Public domain",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
}
#: Asks nothing of those who use, change or pass on the project but to name the authors.
PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "HPND",
    "ISC",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "NCSA",
    "PSF-2.0",
    "Public domain",
    "Python-2.0",
    "Unlicense",
    "Zlib",
}
#: Asks for changes to its own files alone; the project changes none.
FILE_BY_FILE = {"MPL-2.0"}
#: What metadata leaves open, looked up in the packages' files or sources.
LOOKED_UP = dict.fromkeys(
    (
        "conda-inject",
        "snakemake-interface-common",
        "snakemake-interface-logger-plugins",
        "snakemake-interface-report-plugins",
        "snakemake-interface-scheduler-plugins",
        "snakemake-interface-storage-plugins",
    ),
    "MIT",
)


def locked() -> dict[str, list[str]]:
    """Versions of every package of requirements.lock; several where they depend on the version of Python."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(
        r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    ):
        found.setdefault(name, []).append(version)
    return found


def licence(name: str) -> str:
    """SPDX expression of an installed package. ValueError if its metadata does not say."""
    if name in LOOKED_UP:
        return LOOKED_UP[name]
    about = metadata(name)
    if expression := about.get("License-Expression"):
        return expression
    classifiers = [
        text.rsplit(" :: ", 1)[-1]
        for text in about.get_all("Classifier", [])
        if text.startswith("License :: ")
    ]
    given = (about.get("License") or "").strip().splitlines()[:1]
    for text in (*classifiers, *given):
        if text.lower() in KNOWN:
            return KNOWN[text.lower()]
        if judge(text) != "other":
            return text
    raise ValueError(f"{name}: licence {classifiers + given}, expected one that tools/licences.py knows")


def judge(expression: str) -> str:
    """``permissive``, ``file by file`` or ``other``: the strictest that an expression cannot be used without."""
    kinds = ["permissive", "file by file", "other"]

    def of(name: str) -> str:
        name = name.strip("() ").split(" WITH ")[0]
        return "permissive" if name in PERMISSIVE else "file by file" if name in FILE_BY_FILE else "other"

    each = [
        min((of(choice) for choice in part.split(" OR ")), key=kinds.index)
        for part in re.split(r" AND (?![^(]*\))", expression)
    ]
    return max(each, key=kinds.index)


def page() -> str:
    """The page's text. ValueError for a package whose licence is not known."""
    rows, strict = [], []
    (torch,) = re.findall(r'"torch==([^"]+)"', (ROOT / "pyproject.toml").read_text())
    for name, versions in {"torch": [torch], **locked()}.items():
        try:
            expression = licence(name)
        except PackageNotFoundError:
            raise ValueError(
                f"{name}: not installed here, expected all of requirements.lock; run make setup"
            ) from None
        rows.append(f"| {name} | {', '.join(versions)} | {expression} |")
        if judge(expression) == "file by file":
            strict.append(name)
    return (
        f"""# Licences of what is installed

The project is under Apache-2.0. `make setup` installs torch and the {len(rows) - 1} packages of `requirements.lock`;
workflow, tests and tools included. Written by `make lock` from the packages' own metadata; a test fails when it is out
of date or a licence is not permissive.

All are permissive, but for those under MPL-2.0, which asks for changes to its own files to be passed on; the project
uses them as they are: {", ".join(sorted(strict)) or "none"}.

| package | version | licence |
|---|---|---|
"""
        + "\n".join(sorted(rows, key=str.lower))
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page())
