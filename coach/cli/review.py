"""``coach review`` and ``coach samples``: what a meeting did not hear."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coach.cli import app
from coach.errors import InputError

if TYPE_CHECKING:
    from coach.schema import Review
    from coach.wiring import Coach


class EngineOption(StrEnum):
    """As in :data:`coach.settings.EngineChoice`, for the command line."""

    auto = "auto"
    local = "local"
    llm = "llm"
    both = "both"


File = Annotated[
    str, typer.Argument(help="Notes: .txt .md .vtt .srt .eml, .docx and .pdf with the docs extra; - reads stdin.")
]
Format = Annotated[str | None, typer.Option("--format", help="Force a note format instead of detecting it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def read(file: str) -> str:
    """The text of a file, or of stdin for ``-``; raises :class:`InputError`."""
    from coach import notes

    return notes.decode(sys.stdin.buffer.read(), "stdin") if file == "-" else notes.read_file(Path(file))


def write(path: Path, text: str) -> None:
    """Write a report; raises :class:`InputError` naming the path when the folder is missing or read-only."""
    try:
        # Reports quote notes and name people: a new one is for its owner alone; one that is there keeps its rights.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}. Choose another place.") from None


@app.command()
def review(
    file: File,
    as_json: AsJson = False,
    markdown: Annotated[Path | None, typer.Option(help="Write the report as Markdown.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as one HTML page.")] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Keep the first so many findings.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind of finding; may be given again.")] = None,
    engine: Annotated[
        EngineOption | None, typer.Option(help="Which engine reads; auto takes a model if configured.")
    ] = None,
    format: Format = None,
    pseudonyms: Annotated[
        bool,
        typer.Option("--pseudonyms", help="Replace names first; offsets then point into what coach anonymise prints."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what a model would be asked, word for word, and send nothing.")
    ] = False,
) -> None:
    """Point out unheard objections, unaddressed needs and categorical phrasing in meeting notes."""
    from coach import render
    from coach.wiring import Coach

    coach = Coach()
    text = read(file)
    if dry_run:
        _print_requests(coach, text, format, as_json)
        return
    if pseudonyms:
        text = coach.anonymise(text, format=format).conversation.text
    result = _narrowed(coach.review(text, engine=engine.value if engine else None, format=format), kind, top)
    if pseudonyms:
        from coach.pseudonymous import in_pseudonyms

        # What the same people said earlier comes with real names, for the screen.
        result = in_pseudonyms(result, coach.identities.load())
    if markdown:
        write(markdown, render.markdown(result))
    if html:
        write(html, render.html(result, text))
    if as_json:
        print(result.model_dump_json(indent=1))
    elif not (markdown or html):
        from coach.cli.terminal import console

        console().print(render.terminal(result))


@app.command()
def samples(name: Annotated[str | None, typer.Argument(help="Print this sample.")] = None) -> None:
    """List the meetings that come with the coach, or print one of them."""
    from coach.samples import samples as all_samples

    known = {s.name: s for s in all_samples()}
    if name is None:
        for sample in known.values():
            print(f"{sample.name:22} {sample.description}")
    elif name in known:
        print(known[name].text, end="")
    else:
        raise InputError(f"there is no sample {name!r}: choose from {', '.join(known)}")


def _print_requests(coach: Coach, text: str, format: str | None, as_json: bool) -> None:
    """What would leave the machine, and where it would go."""
    import json

    requests = coach.requests(text, format=format)
    if as_json:
        said = [{"label": r.label, "messages": [{"role": a, "content": b} for a, b in r.messages]} for r in requests]
        print(json.dumps(said, ensure_ascii=False, indent=1))
        return
    where = coach.settings.endpoint or "nobody, as no model is configured"
    print(f"{len(requests)} questions would go to {where}; nothing was sent.")
    for request in requests:
        for role, content in request.messages:
            print(f"\n--- {request.label}, {role} ---\n{content}")


def _narrowed(result: Review, kinds: list[str] | None, top: int | None) -> Review:
    """The review with only these kinds, and only the first so many of them."""
    from coach.detectors import DETECTORS

    for kind in kinds or ():
        if kind not in tuple(DETECTORS):
            raise InputError(f"there is no kind {kind!r}: choose from {', '.join(DETECTORS)}")
    kept = tuple(f for f in result.findings if not kinds or f.kind in kinds)[:top]
    return result.model_copy(update={"findings": kept})
