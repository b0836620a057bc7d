"""``coach library``: the notes you keep, pseudonymised on disk and shown with the names you know."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coach.cli import app
from coach.cli.names import Exempt, Hide, Merge, Preview, Split, corrections, print_preview
from coach.cli.review import AsJson, Format, read
from coach.errors import InputError

if TYPE_CHECKING:
    from coach.library import Entry
    from coach.schema import Conversation, Passage, Value
    from coach.wiring import Coach

NOTHING_KEPT = "nothing here yet: coach library add FILE keeps notes"

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
    preview: Preview = False,
    hide: Hide = None,
    exempt: Exempt = None,
    merge: Merge = None,
    split: Split = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, help="Processes that read notes; COACH_DASK names a cluster instead.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Keep notes, and follow what went unheard in them. The same notes again are the same meeting."""
    from coach.wiring import Coach

    coach, given = Coach(), _files(files)
    changes = corrections(hide, exempt, merge, split)
    reading = cache(read) if preview or changes else read  # What stdin said can't be read again.
    kept: list[Entry] = []
    problems: list[InputError] = []
    if preview:
        print_preview(coach, _readable(given, reading, format, problems), changes, as_json, then="coach library add")
        _tell_of(problems, len(given), "can't be read")
        return
    if changes:
        readable = _readable(given, reading, format, [])
        with _progress(len(readable), "Looking for names") as step:
            coach.correct(readable, changes, step=step)
    about: dict[str, Any] = {"format": format, "title": title, "date": date}
    about |= {"attendees": attendee or (), "tags": tag or ()}
    shared = len(given) > 1 and (jobs > 1 or coach.settings.dask)
    keeping = _kept_by_many(coach, given, reading, jobs, about) if shared else _kept_here(coach, given, reading, about)
    with _progress(len(given), "Keeping notes") as step:
        for done in keeping:
            if isinstance(done, InputError):
                problems.append(done)
            else:
                kept.append(done)
            step()
    _print_kept(coach, kept, as_json)
    _tell_of(problems, len(given), "were not kept")


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
    if hits or as_json:
        _print_passages(coach, hits, as_json, pseudonyms)
    else:
        print(_why_nothing(coach, attendee, tag, filtered=bool(attendee or since or until or meeting or tag)))


@library.command()
def similar(
    passage: Annotated[
        str, typer.Argument(help="Id of a passage, as coach library search shows, or words of your own.")
    ],
    k: Annotated[int, typer.Option("-k", "--top", min=1, help="How many passages.")] = 8,
    pseudonyms: Pseudonyms = False,
    as_json: AsJson = False,
) -> None:
    """Find passages that mean something like this one, whatever words they use."""
    from coach.wiring import Coach

    coach = Coach()
    hits = coach.library.similar(passage, k)
    if hits or as_json:
        _print_passages(coach, hits, as_json, pseudonyms, alike=True)
    else:
        print(_why_nothing(coach))


@library.command("list")
def list_(
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that can still be brought back.")] = False,
    pseudonyms: Pseudonyms = False,
    as_json: AsJson = False,
) -> None:
    """List the meetings, newest first."""
    from coach.wiring import Coach

    coach = Coach()
    entries = coach.library.list(deleted=deleted)
    _print_entries(coach, entries, as_json, pseudonyms)
    if not entries and not as_json:
        print("nothing waits to be erased: coach library delete takes a meeting out" if deleted else NOTHING_KEPT)


@library.command()
def show(meeting: Meeting, pseudonyms: Pseudonyms = False, as_json: AsJson = False) -> None:
    """Print what was said in a meeting."""
    from coach.wiring import Coach

    coach = Coach()
    entry, name = coach.library.entry(meeting), naming(coach, pseudonyms)
    said = [name(str(line)) for line in coach.library.show(entry.id)]
    print(json.dumps(said, ensure_ascii=False, indent=1) if as_json else "\n".join([name(_line(entry)), "", *said]))


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
    _print_entries(coach, [coach.library.describe(meeting, title=title, date=date, tags=tag)])


@library.command()
def delete(meeting: Meeting) -> None:
    """Take a meeting out; coach library undo brings it back for ten minutes, then it is erased."""
    from coach.wiring import Coach

    coach = Coach()
    gone = coach.library.delete(meeting)
    print(f"deleted {naming(coach)(_line(gone))}\ncoach library undo brings it back within ten minutes")


@library.command()
def undo(
    meeting: Annotated[str | None, typer.Argument(help="Which; the last one deleted if not given.")] = None,
) -> None:
    """Bring a deleted meeting back."""
    from coach.wiring import Coach

    coach = Coach()
    print(f"back again: {naming(coach)(_line(coach.library.undo(meeting)))}")


@library.command()
def purge(
    meeting: Annotated[str | None, typer.Argument(help="Which; all deleted ones if not given.")] = None,
    everything: Annotated[bool, typer.Option("--everything", help="Every meeting there is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a meeting, or what was deleted, for good: there is no undo."""
    from coach.wiring import Coach

    if meeting is not None and everything:
        raise InputError("name a meeting or give --everything, not both")
    coach = Coach()
    if meeting is not None:  # an empty one is a slip, and no leave to erase what was deleted
        what = naming(coach)(_line(coach.library.entry(meeting)))
    else:
        going = len(coach.library.list(deleted=True)) + (len(coach.library.list()) if everything else 0)
        what = f"{_count(going, 'meeting')}" + ("" if everything else " deleted before")
        if not going:
            print(
                "nothing to erase: coach library delete takes a meeting out, coach library purge ID erases it at once"
            )
            return
    if not yes:
        typer.confirm(f"Erase {what} for good?", abort=True)
    gone = coach.library.purge(meeting, everything=everything)
    print(f"erased {_count(len(gone), 'meeting')}: no file of the library holds their text or vectors any more")


@library.command()
def export(
    path: Annotated[Path, typer.Argument(help="File to write.")],
    names: Annotated[bool, typer.Option("--names", help="With real names, for another library.")] = False,
) -> None:
    """Write all meetings, and what became of the concerns in them, to a JSON file that only you can read."""
    from coach.wiring import Coach

    count = Coach().export(path, names=names)
    whose = "real names in plain text: keep it as safe as the notes" if names else "only this library knows who is who"
    print(f"wrote {_count(count, 'meeting')} and what was raised in them to {path} ({whose})")


@library.command("import")
def import_(path: Annotated[Path, typer.Argument(help="A file that coach library export wrote.")]) -> None:
    """Add the meetings of an export; those already here stay as they are."""
    from coach.wiring import Coach

    coach = Coach()
    _print_kept(coach, coach.import_(path), False)


@library.command()
def reindex(embedder: Annotated[str | None, typer.Option(help="Switch to this embedder.")] = None) -> None:
    """Embed everything anew, with another embedder if named."""
    from coach.wiring import Coach

    coach = Coach()
    name = coach.library.reindex(embedder)
    print(f"embedded {_count(len(coach.library.list()), 'meeting')} anew with {name}")


@library.command("rotate-key")
def rotate_key() -> None:
    """Encrypt names and practices under a new key; under COACH_KEY, the new one is read from COACH_NEW_KEY."""
    import os

    from coach.wiring import Coach

    new = os.environ.get("COACH_NEW_KEY")
    Coach().identities.rotate(new)
    print("rotated: set COACH_KEY to the new key now" if new else "rotated: the old key opens nothing any more")


def _readable(
    files: list[str], reading: Callable[[str], str], format: str | None, problems: list[InputError]
) -> list[Conversation]:
    """What those files say that hold notes; why the others don't is added to the problems."""
    from coach import notes

    found = []
    for file in files:
        try:
            found.append(notes.parse(reading(file), format))
        except InputError as error:
            problems.append(error)
    return found


def _tell_of(problems: list[InputError], files: int, what: str) -> None:
    """Raises one error for all that went wrong with some of these files, if anything did."""
    if problems and files == 1:
        raise problems[0]
    if problems:
        raise InputError(f"{len(problems)} of {files} files {what}: {'; '.join(map(str, problems))}")


def _kept_here(
    coach: Coach, files: list[str], reading: Callable[[str], str], about: dict[str, Any]
) -> Iterator[Entry | InputError]:
    for file in files:
        try:
            yield coach.keep(reading(file), **about)
        except InputError as error:
            yield error


def _kept_by_many(
    coach: Coach, files: list[str], reading: Callable[[str], str], jobs: int, about: dict[str, Any]
) -> Iterator[Entry | InputError]:
    """Entries in the order in which their notes were read, then the files that can't be."""
    from coach.bulk import keep_all

    coach.library.list()  # Should the library be held by another process, better to hear of it now.
    unreadable: list[InputError] = []

    def texts() -> Iterator[tuple[int, str]]:
        for number, file in enumerate(files):
            try:
                yield number, reading(file)
            except InputError as error:
                unreadable.append(error)

    for number, done in keep_all(coach, texts(), jobs, **about):
        yield InputError(f"{files[number]}: {done}") if isinstance(done, InputError) else done
    yield from unreadable


@contextmanager
def _progress(total: int, label: str) -> Iterator[Callable[[], None]]:
    """A bar on stderr while more than a few files are worked on and somebody watches."""
    if total < 3 or not sys.stderr.isatty():
        yield lambda: None
        return
    with typer.progressbar(length=total, label=label, file=sys.stderr) as bar:
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


def naming(coach: Coach, pseudonyms: bool = False) -> Callable[[str], str]:
    """What puts real names into a text; nothing does when ``pseudonyms`` are to be shown."""
    from coach.anonymise import restore

    if pseudonyms:
        return lambda text: text
    known = coach.identities.load()
    return lambda text: restore(text, known)


def unknown(coach: Coach, name: str | None) -> str | None:
    """That nobody of that name is known, and what to do; ``None`` when somebody is."""
    from coach.retrieval.names import pseudonyms

    if not name or pseudonyms(name, coach.identities.load()):
        return None
    return f"nobody called {name} is known here: coach names lists who is"


def _why_nothing(coach: Coach, attendee: str | None = None, tag: str | None = None, filtered: bool = False) -> str:
    entries = coach.library.list()
    if not entries:
        return NOTHING_KEPT
    if problem := unknown(coach, attendee):
        return problem
    tags = sorted({known for entry in entries for known in entry.tags}, key=str.casefold)
    if tag and tag.casefold() not in map(str.casefold, tags):
        return f"no meeting has the tag {tag}: " + (f"there are {', '.join(tags)}" if tags else "none has any")
    return "nothing found: try other words, or leave a filter out" if filtered else "nothing found: try other words"


def _print_passages(
    coach: Coach, hits: Iterable[Passage], as_json: bool, pseudonyms: bool, *, alike: bool = False
) -> None:
    """Each hit with its meeting, day and id; a bar marks what was found among the lines around it."""
    from coach.labels import date_label

    if as_json:
        print_values(coach, hits, pseudonyms)
        return
    name = naming(coach, pseudonyms)
    for hit in hits:
        score = f"cosine {hit.scores['cosine']:.2f}" if alike else ""
        title, day = hit.title or "untitled", date_label(hit.date) or "no date"
        head = " · ".join(filter(None, [title, "" if day in title else day, hit.id, score]))
        around = [f"    {line}" for line in hit.before.split("\n") if line]
        found = [f"  | {line}" for line in hit.text.split("\n")]
        after = [f"    {line}" for line in hit.after.split("\n") if line]
        print(name("\n".join([head, *around, *found, *after])), end="\n\n")


def _print_kept(coach: Coach, kept: Iterable[Entry], as_json: bool) -> None:
    """What an add or an import did, line by line and in all, and where to go from there."""
    kept = tuple(kept)
    _print_entries(coach, kept, as_json)
    if as_json or not kept:
        return
    new, ids = [entry for entry in kept if entry.new], {entry.id for entry in kept}
    raised = sum(any(step.meeting in ids for step in concern.steps) for concern in coach.ledger.open())
    old = len(kept) - len(new)
    done = [f"{_count(len(new), 'meeting')} kept ({_count(sum(entry.lines for entry in new), 'line')})"] * bool(new)
    done += [f"{_count(old, 'meeting')} here already"] * bool(old)
    print(f"\n{', '.join(done)}", end="; ")
    print(f"{_count(raised, 'open concern')} in them: coach ledger" if raised else "no open concern in them")


def _print_entries(coach: Coach, entries: Iterable[Entry], as_json: bool = False, pseudonyms: bool = False) -> None:
    entries = tuple(entries)
    if as_json:
        print_values(coach, entries, pseudonyms)
    elif entries:
        print(naming(coach, pseudonyms)("\n".join(map(_line, entries))))


def _line(entry: Entry) -> str:
    from coach.labels import date_label

    people = f" ({', '.join(entry.attendees)})" if entry.attendees else ""
    tags = "".join(f" #{tag}" for tag in entry.tags)
    return f"{entry.id}  {date_label(entry.date) or 'no date':17} {entry.title or 'untitled'}{people}{tags}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def print_values(coach: Coach, values: Iterable[Value], pseudonyms: bool) -> None:
    """Values as a JSON list, names put back inside every string."""
    name = naming(coach, pseudonyms)

    def shown(value: Any) -> Any:
        if isinstance(value, str):
            return name(value)
        if isinstance(value, list):
            return [shown(item) for item in value]
        return {key: shown(item) for key, item in value.items()} if isinstance(value, dict) else value

    print(json.dumps([shown(value.model_dump(mode="json")) for value in values], ensure_ascii=False, indent=1))
