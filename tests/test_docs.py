"""The docs say what is so: links lead somewhere, the generated pages are fresh, and what can be run runs."""

from __future__ import annotations

import doctest
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = tuple(sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples/README.md"]))
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", DOCS / "reference" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_site_lists_pages_that_exist() -> None:
    def leaves(node: object) -> list[str]:
        if isinstance(node, str):
            return [node]
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return [leaf for child in children for leaf in leaves(child)]

    listed = leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert [page for page in listed if not (DOCS / page).is_file()] == []


def test_the_generated_reference_is_fresh() -> None:
    stale = [
        name
        for name, text in generator().pages().items()
        if (DOCS / "reference" / name).read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run: python docs/reference/generate.py"


def test_every_extension_point_is_documented() -> None:
    sources = [*(ROOT / "coach").rglob("*.py"), *(ROOT / "eval" / "coach_eval").rglob("*.py")]
    groups = {g for p in sources for g in re.findall(r'Registry\(\s*"([\w.]+)"', p.read_text(encoding="utf-8"))}
    page = (DOCS / "how-to" / "plug-ins.md").read_text(encoding="utf-8")
    assert len(groups) >= 6
    assert [group for group in sorted(groups) if f"`{group}`" not in page] == []


def test_every_mcp_tool_is_documented() -> None:
    page = (DOCS / "how-to" / "mcp.md").read_text(encoding="utf-8")
    source = (ROOT / "coach" / "mcp_server" / "tools.py").read_text(encoding="utf-8")
    tools = re.findall(r"@server\.tool\([^\n]*\)\n    async def (\w+)", source)
    assert len(tools) == 9
    assert [tool for tool in tools if f"`{tool}`" not in page] == []
    for block in re.findall(r"```json\n(.*?)```", page, re.S):
        json.loads(block)


def test_the_example_in_the_package_docstring_is_true() -> None:
    import coach

    assert doctest.testmod(coach).failed == 0


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import sys, coach; print([m for m in sys.modules if m.startswith('coach.') or m == 'pydantic'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_python_of_the_how_to_runs() -> None:
    page = (DOCS / "how-to" / "python.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.S)
    exec(compile(block, "python.md", "exec"), {})  # our own page
