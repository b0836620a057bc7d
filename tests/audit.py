"""``make audit``: known holes in what the package needs, and every licence; ``make sbom``: all of it as CycloneDX JSON.

Of what is installed only that counts which the package needs at run time, not the tools of development. An audit ends
with exit code 1 for a known hole or a licence that is not on the list, and with 3 when advisories could not be looked
up: a registry may tell none, and that is no clean bill.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

FINE = re.compile(
    r"\b(?:MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense|Zlib|HPND|CNRI|0BSD|CC0|"
    r"Public Domain|LGPL|Lesser)\b",
    re.I,
)
KNOWN: dict[str, str] = {}
"""Packages whose metadata names no licence, with the one that their source states."""
SBOM = Path("dist/sbom.cdx.json")


def licences(root: str = "unheard") -> dict[str, str]:
    """Name of everything that the package needs at run time, and its licence."""
    found: dict[str, str] = {}
    waiting = [root]
    while waiting:
        name = _name(re.split(r"[^\w.-]", waiting.pop(), maxsplit=1)[0])
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


def _name(written: str) -> str:
    return re.sub(r"[-_.]+", "-", written).lower()


def holes(needed: set[str]) -> tuple[list[str], list[str]]:
    """The known holes in these packages, and those packages that nothing could be looked up for."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--skip-editable"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        told = {_name(one["name"]): one for one in json.loads(done.stdout)["dependencies"]}
    except (ValueError, KeyError, subprocess.TimeoutExpired):
        return [], sorted(needed)
    bad = [f"{name}: {hole['id']}" for name in sorted(needed & set(told)) for hole in told[name].get("vulns", ())]
    return bad, sorted(name for name in needed if "skip_reason" in told.get(name, {"skip_reason": ""}))


def audit() -> int:
    """Prints both; 1 when something has to be looked at, 3 when not everything could be."""
    needed = licences()
    odd = {name: licence for name, licence in needed.items() if not FINE.search(licence)}
    print(f"{len(needed)} packages at run time, {len(odd)} with a licence to look at")
    for name, licence in sorted(odd.items()):
        print(f"{name}: {licence}")
    others = set(needed) - {"unheard"}
    bad, unknown = holes(others)
    asked = len(others) - len(unknown)
    if bad or asked:
        print("\n".join(bad) or f"no hole is known in the {asked} packages that could be looked up")
    if unknown:
        print(
            f"NOT looked up: {len(unknown)} of {len(others)} packages, as the registry in use tells no advisories on "
            "them (a mirror often holds none). Run this again where pypi.org answers."
        )
    return 1 if bad or odd else 3 if unknown else 0


def sbom() -> int:
    """Writes :data:`SBOM`; needs no network. 1 when it could not be made."""
    # Its own check of the JSON against the schema takes minutes and adds nothing to what the library just wrote.
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--no-validate", "--output-reproducible"]
    try:
        done = subprocess.run(
            [*command, "--pyproject", "pyproject.toml", sys.executable], capture_output=True, text=True, timeout=300
        )
        document: dict[str, Any] = json.loads(done.stdout)
    except (ValueError, subprocess.TimeoutExpired) as error:
        print(f"no SBOM was made ({type(error).__name__}): run cyclonedx-py environment by hand to see why")
        return 1
    needed = set(licences())
    kept = [part for part in document["components"] if _name(part["name"]) in needed]
    refs = {part["bom-ref"] for part in kept} | {document["metadata"]["component"]["bom-ref"]}
    document["components"] = kept
    document["dependencies"] = [
        {**one, **({"dependsOn": [ref for ref in one["dependsOn"] if ref in refs]} if "dependsOn" in one else {})}
        for one in document["dependencies"]
        if one["ref"] in refs
    ]
    SBOM.parent.mkdir(exist_ok=True)
    SBOM.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{SBOM}: {len(kept)} packages that the wheel needs at run time, CycloneDX {document['specVersion']}")
    return 0


if __name__ == "__main__":
    sys.exit(sbom() if sys.argv[1:] == ["sbom"] else audit())
