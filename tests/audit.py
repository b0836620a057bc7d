"""``make audit``: known holes in what is installed, and the licence of everything that the package needs.

Exit code 1 for a known hole or a licence that is not on the list; a registry that tells no advisories is said, and no
failure.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution

FINE = re.compile(
    r"\b(?:MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense|Zlib|HPND|CNRI|0BSD|CC0|"
    r"Public Domain|LGPL|Lesser)\b",
    re.I,
)
KNOWN: dict[str, str] = {}
"""Packages whose metadata names no licence, with the one that their source states."""


def licences(root: str = "unheard") -> dict[str, str]:
    """Name of everything that the package needs at run time, and its licence."""
    found: dict[str, str] = {}
    waiting = [root]
    while waiting:
        name = re.split(r"[^\w.-]", waiting.pop(), maxsplit=1)[0].lower().replace("_", "-")
        if name in found:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        about = package.metadata
        told = [about.get("License-Expression") or "", (about.get("License") or "").split("\n")[0]]
        told += [entry.rsplit("::", 1)[-1].strip() for entry in about.get_all("Classifier") or () if "License" in entry]
        found[name] = " / ".join(filter(None, told)) or KNOWN.get(name, "unknown")
        waiting += [need for need in package.requires or () if "extra ==" not in need]
    return found


def holes() -> bool:
    """Whether pip-audit knows of a hole in something installed; says so when it can't ask."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--skip-editable"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        told = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, subprocess.TimeoutExpired):
        print("skipped: the registry in use tells no advisories, so nothing was looked up (pip-audit could not ask)")
        return False
    # A mirror of the registry may answer and hold no advisories at all: then nothing was looked up, either.
    print(f"pip-audit looked at {sum('skip_reason' not in one for one in told)} of {len(told)} packages")
    bad = [(one["name"], hole["id"]) for one in told for hole in one.get("vulns", ())]
    print(
        "\n".join(f"{name}: {hole}" for name, hole in bad)
        or "no hole is known to the registry in use (a mirror may know none at all)"
    )
    return bool(bad)


def main() -> int:
    """Print both; 1 when something has to be looked at."""
    needed = licences()
    odd = {name: licence for name, licence in needed.items() if not FINE.search(licence)}
    print(f"{len(needed)} packages at run time, {len(odd)} with a licence to look at")
    for name, licence in sorted(odd.items()):
        print(f"{name}: {licence}")
    return 1 if holes() or odd else 0


if __name__ == "__main__":
    sys.exit(main())
