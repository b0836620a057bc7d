"""``coach library forget`` and ``coach library erasures``: a person taken out of everything, and that it was done."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coach.cli.library import library
from coach.cli.review import AsJson
from coach.errors import InputError

if TYPE_CHECKING:
    from coach.forgetting import Found


class MentionsOption(StrEnum):
    """As in :data:`coach.forgetting.Mentions`, for the command line."""

    unname = "unname"
    erase = "erase"


@library.command()
def forget(
    name: Annotated[str, typer.Argument(help="Whom: a name as in the notes, or a pseudonym such as 'Person A'.")],
    mentions: Annotated[
        MentionsOption,
        typer.Option(help="What others said of them: unname keeps the words without the name, erase drops the lines."),
    ] = MentionsOption.unname,
    also: Annotated[
        list[Path] | None,
        typer.Option(help="A file or folder elsewhere, may be given again: what the coach wrote there goes, too."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person everywhere: their names, what they said, their concerns, practices with them. There is no undo."""
    from coach.forgetting import files_with, is_own, matching
    from coach.wiring import Coach

    coach = Coach()
    found = coach.look_for(name, mentions.value)
    if found.nothing and not also:
        raise InputError("nobody of that name is known here: coach names lists who is")
    elsewhere = [file for path in also or () for file in files_with(_there(path), matching(name, found))]
    own = [file for file in elsewhere if is_own(file)]
    others = [file for file in elsewhere if file not in own]
    if as_json and (dry_run or yes):
        if not dry_run:
            coach.forget(name, mentions.value)
            _erase(own)
        shown = {"schema": "coach.forgotten/1", "erased": not dry_run, **found.model_dump(mode="json")}
        print(
            json.dumps(shown | {"files": [*map(str, own)], "others": [*map(str, others)]}, indent=1, ensure_ascii=False)
        )
        return
    print(_told(found, mentions, own, others))
    if dry_run:
        return
    if not yes:
        typer.confirm("Erase this for good? There is no undo.", abort=True)
    left = matching(name, found)
    coach.forget(name, mentions.value)
    _erase(own)
    print("erased: no file of the coach holds it any more")
    if still := files_with(coach.settings.home, left):
        print(f"these words are still in {', '.join(map(str, still))}: they may mean something else there, so do look")


@library.command()
def erasures(as_json: AsJson = False) -> None:
    """List when somebody was forgotten and how much went: a record for whoever has to show it, without names."""
    from datetime import UTC, datetime

    from coach.retrieval.erasures import erasures as recorded
    from coach.wiring import Coach

    rows = recorded(Coach().settings)
    if as_json:
        print(json.dumps([row.model_dump() for row in rows], indent=1))
        return
    for row in rows:
        day = datetime.fromtimestamp(row.at, UTC).strftime("%Y-%m-%d %H:%M")
        counts = ", ".join(f"{count} {what}" for what, count in row.model_dump(exclude={"at"}).items())
        print(f"{day} UTC  {counts}")
    if not rows:
        print("nobody was forgotten yet")


def _there(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"{path} is not there: name a file or a folder.")
    return path


def _erase(own: list[Path]) -> None:
    for file in own:
        try:
            file.unlink()
        except OSError as error:
            raise InputError(
                f"{file} can't be erased ({error.strerror}): the rest is done, erase it yourself."
            ) from None


def _told(found: Found, mentions: MentionsOption, own: list[Path], others: list[Path]) -> str:
    kept = "the lines go, too" if mentions is MentionsOption.erase else "the words stay, with 'someone' for the name"
    emptied = f", of which {found.emptied} is left empty and goes" if found.emptied else ""
    lines = [
        f"known as      {', '.join(found.spellings) or 'nobody whom the library met'}",
        f"lines         {found.lines} they said; meetings that change: {found.meetings}{emptied}",
        f"mentions      {found.mentions} lines and titles of others: {kept}",
        f"concerns      {found.concerns} of theirs with their history; the name goes out of {found.quotes} others",
        f"practices     {found.practices} with them go; the name goes out of {found.practices_changed} others",
        *(f"file          {path} goes" for path in own),
        *(f"not ours      {path} names them and stays: that is for you to decide" for path in others),
        *(f"stays         {name} shares a part of the name: somebody else?" for name in found.alike),
    ]
    return "\n".join(lines)
