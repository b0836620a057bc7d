"""``coach library``: the notes you keep, pseudonymised on disk and shown with the names you know."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coach.cli import app
from coach.cli.review import AsJson, Format, read
from coach.errors import InputError

if TYPE_CHECKING:
    from coach.library import Entry
    from coach.schema import Passage, Value
    from coach.wiring import Coach

library = typer.Typer(help="The notes you keep: add, search, list, show, delete, purge, export.", no_args_is_help=True)
app.add_typer(library, name="library")

Meeting = Annotated[str, typer.Argument(help="Id of a meeting, or the start of it, as coach library list shows.")]
Pseudonyms = Annotated[bool, typer.Option("--pseudonyms", help="Show pseudonyms instead of names.")]


@library.command()
def add(
    files: Annotated[list[str], typer.Argument(help="Notes to keep; a folder stands for every file of notes in it.")],
    title: Annotated[str | None, typer.Option(help="Title, instead of the one in the notes.")] = None,
    date: Annotated[str | None, typer.Option(help="Date of the meeting, such as 2026-05-03.")] = None,
    attendee: Annotated[list[str] | None, typer.Option(help="Somebody who was there; may be given again.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be given again.")] = None,
    format: Format = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, help="Processes that read notes; COACH_DASK names a cluster instead.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Keep notes, and follow what went unheard in them. The same notes again are the same meeting."""
    from coach.wiring import Coach

    coach, given = Coach(), _files(files)
    kept: list[Entry] = []
    problems: list[InputError] = []
    about = {"format": format, "title": title, "date": date, "attendees": attendee or (), "tags": tag or ()}
    shared = len(given) > 1 and (jobs > 1 or coach.settings.dask)
    keep = _kept_by_many if shared else _kept_here
    with _progress(len(given)) as step:
        for done in keep(coach, given, jobs, about):
            if isinstance(done, InputError):
                problems.append(done)
            else:
                kept.append(done)
            step()
    _print_entries(coach, kept, as_json, pseudonyms=False)
    if problems:
        told = "; ".join(map(str, problems))
        raise InputError(f"{len(problems)} of {len(kept) + len(problems)} files were not kept: {told}")


@library.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for, in your own words; names are fine.")],
    k: Annotated[int, typer.Option("-k", "--top", min=1, help="How many passages.")] = 8,
    attendee: Annotated[str | None, typer.Option(help="Only where this person speaks or is named.")] = None,
    since: Annotated[str | None, typer.Option(help="From this date, month or year on.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to and with this date, month or year.")] = None,
    meeting: Annotated[str | None, typer.Option(help="Only in this meeting.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only in meetings with this tag.")] = None,
    pseudonyms: Pseudonyms = False,
    as_json: AsJson = False,
) -> None:
    """Find what was said, by words and by meaning."""
    from coach.wiring import Coach

    coach = Coach()
    hits = coach.library.search(query, k=k, attendee=attendee, since=since, until=until, meeting=meeting, tag=tag)
    if as_json:
        print_values(coach, hits, pseudonyms)
        return
    if not hits:
        print("nothing found: try other words, or fewer filters")
    for hit in hits:
        print(_passage(coach, hit, pseudonyms), end="\n\n")


@library.command("list")
def list_(
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that can still be brought back.")] = False,
    pseudonyms: Pseudonyms = False,
    as_json: AsJson = False,
) -> None:
    """List the meetings, newest first."""
    from coach.wiring import Coach

    coach = Coach()
    _print_entries(coach, coach.library.list(deleted=deleted), as_json, pseudonyms)


@library.command()
def show(meeting: Meeting, pseudonyms: Pseudonyms = False, as_json: AsJson = False) -> None:
    """Print what was said in a meeting."""
    from coach.wiring import Coach

    coach = Coach()
    said = [str(line) for line in coach.library.show(meeting)]
    shown = said if pseudonyms else [named(coach, line) for line in said]
    print(json.dumps(shown, ensure_ascii=False, indent=1) if as_json else "\n".join(shown))


@library.command()
def describe(
    meeting: Meeting,
    title: Annotated[str | None, typer.Option(help="New title.")] = None,
    date: Annotated[str | None, typer.Option(help="New date.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="New tags; may be given again.")] = None,
) -> None:
    """Change the title, date or tags of a meeting."""
    from coach.wiring import Coach

    coach = Coach()
    _print_entries(coach, [coach.library.describe(meeting, title=title, date=date, tags=tag)], False, False)


@library.command()
def delete(meeting: Meeting) -> None:
    """Take a meeting out; coach library undo brings it back for ten minutes, then it is erased."""
    from coach.wiring import Coach

    gone = Coach().library.delete(meeting)
    print(f"deleted {gone.id}: coach library undo brings it back within ten minutes")


@library.command()
def undo(
    meeting: Annotated[str | None, typer.Argument(help="Which; the last one deleted if not given.")] = None,
) -> None:
    """Bring a deleted meeting back."""
    from coach.wiring import Coach

    print(f"{Coach().library.undo(meeting).id} is back")


@library.command()
def purge(
    meeting: Annotated[str | None, typer.Argument(help="Which; all deleted ones if not given.")] = None,
    everything: Annotated[bool, typer.Option("--everything", help="Every meeting there is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a meeting, or what was deleted, for good: there is no undo."""
    from coach.wiring import Coach

    coach = Coach()
    what = "every meeting" if everything else coach.library.entry(meeting).id if meeting else "what was deleted"
    if not yes:
        typer.confirm(f"Erase {what} for good?", abort=True)
    gone = coach.library.purge(meeting, everything=everything)
    print(f"erased {len(gone)}: no file of the library holds their text or vectors any more")


@library.command()
def export(
    path: Annotated[Path, typer.Argument(help="File to write.")],
    names: Annotated[bool, typer.Option("--names", help="With real names, for another library.")] = False,
) -> None:
    """Write all meetings to a JSON file that only you can read."""
    from coach.wiring import Coach

    print(f"wrote {Coach().library.export(path, names=names)} meetings to {path}")


@library.command("import")
def import_(path: Annotated[Path, typer.Argument(help="A file that coach library export wrote.")]) -> None:
    """Add the meetings of an export."""
    from coach.wiring import Coach

    coach = Coach()
    _print_entries(coach, coach.library.import_(path), False, False)


@library.command()
def reindex(embedder: Annotated[str | None, typer.Option(help="Switch to this embedder.")] = None) -> None:
    """Embed everything anew, with another embedder if named."""
    from coach.wiring import Coach

    print(f"embedded with {Coach().library.reindex(embedder)}")


@library.command("rotate-key")
def rotate_key() -> None:
    """Encrypt names and practices under a new key; under COACH_KEY, the new one is read from COACH_NEW_KEY."""
    import os

    from coach.wiring import Coach

    new = os.environ.get("COACH_NEW_KEY")
    Coach().identities.rotate(new)
    print("rotated: set COACH_KEY to the new key now" if new else "rotated: the old key opens nothing any more")


def _kept_here(coach: Coach, files: list[str], _: int, about: dict[str, Any]) -> Iterator[Entry | InputError]:
    for file in files:
        try:
            yield coach.keep(read(file), **about)
        except InputError as error:
            yield error


def _kept_by_many(coach: Coach, files: list[str], jobs: int, about: dict[str, Any]) -> Iterator[Entry | InputError]:
    """Entries in the order in which their notes were read, then the files that can't be."""
    from coach.bulk import keep_all

    coach.library.list()  # Should the library be held by another process, better to hear of it now.
    unreadable: list[InputError] = []

    def texts() -> Iterator[tuple[int, str]]:
        for number, file in enumerate(files):
            try:
                yield number, read(file)
            except InputError as error:
                unreadable.append(error)

    for number, done in keep_all(coach, texts(), jobs, **about):
        yield InputError(f"{files[number]}: {done}") if isinstance(done, InputError) else done
    yield from unreadable


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr while more than a few files are kept and somebody watches."""
    if total < 3 or not sys.stderr.isatty():
        yield lambda: None
        return
    with typer.progressbar(length=total, label="Keeping notes", file=sys.stderr) as bar:
        yield lambda: bar.update(1)


def _files(given: Iterable[str]) -> list[str]:
    """The files themselves, and the notes inside folders in order of their names."""
    from coach.notes import SUFFIXES, is_note

    found = []
    for name in given:
        path = Path(name)
        if name != "-" and path.is_dir():
            inside = sorted(str(p) for p in path.iterdir() if p.is_file() and is_note(p))
            if not inside:
                ends = ", ".join(SUFFIXES)
                raise InputError(f"{name} holds no notes: it should have files that end in {ends}, or chat exports.")
            found += inside
        else:
            found.append(name)
    return found


def named(coach: Coach, text: str) -> str:
    from coach.anonymise import restore

    return restore(text, coach.identities.load())


def _passage(coach: Coach, hit: Passage, pseudonyms: bool) -> str:
    from coach.labels import date_label

    head = " · ".join(filter(None, [hit.title or hit.meeting, date_label(hit.date), f"{hit.meeting}"]))
    text = f"{head}\n{hit.text}"
    return text if pseudonyms else named(coach, text)


def _print_entries(coach: Coach, entries: Iterable[Entry], as_json: bool, pseudonyms: bool) -> None:
    from coach.labels import date_label

    entries = tuple(entries)
    if as_json:
        print_values(coach, entries, pseudonyms)
        return
    for e in entries:
        line = f"{e.id}  {date_label(e.date) or 'no date':17} {e.title or 'untitled'} ({', '.join(e.attendees)})"
        print(line if pseudonyms else named(coach, line))
    if not entries:
        print("nothing here yet: coach library add FILE keeps notes")


def print_values(coach: Coach, values: Iterable[Value], pseudonyms: bool) -> None:
    """Values as a JSON list, names put back inside every string."""
    raw = [value.model_dump(mode="json") for value in values]
    print(json.dumps(raw if pseudonyms else _restored(coach, raw), ensure_ascii=False, indent=1))


def _restored(coach: Coach, value: Any) -> Any:
    if isinstance(value, str):
        return named(coach, value)
    if isinstance(value, list):
        return [_restored(coach, item) for item in value]
    return {key: _restored(coach, item) for key, item in value.items()} if isinstance(value, dict) else value
