"""``coach anonymise``, ``coach restore`` and ``coach names``: names out, names back in, and who is who."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coach.cli import app
from coach.cli.review import AsJson, File, Format, read, write
from coach.errors import InputError, LeakError

if TYPE_CHECKING:
    from coach.anonymise import Correction
    from coach.identities import Entity, Identities
    from coach.schema import Conversation
    from coach.wiring import Coach

names = typer.Typer(help="Who is who: every name known so far with its pseudonym; correct it, export it.")
app.add_typer(names, name="names", invoke_without_command=True)

Preview = Annotated[
    bool, typer.Option("--preview", help="Show every replacement with its type, and store nothing; then correct it.")
]
Hide = Annotated[
    list[str] | None, typer.Option(help="Hide these words too: 'Blue Heron=project'; a person if no type is given.")
]
Exempt = Annotated[list[str] | None, typer.Option(help="Never hide this word, such as a product named like a person.")]
Merge = Annotated[list[str] | None, typer.Option(help="Two spellings are the same person: 'Robert Quill=Bob'.")]
Split = Annotated[list[str] | None, typer.Option(help="This spelling is somebody else's.")]
Who = Annotated[str, typer.Argument(help="A spelling that is known, or a pseudonym such as 'Person A'.")]


@app.command()
def anonymise(
    file: File,
    preview: Preview = False,
    hide: Hide = None,
    exempt: Exempt = None,
    merge: Merge = None,
    split: Split = None,
    as_json: AsJson = False,
    with_originals: Annotated[
        bool,
        typer.Option("--with-originals", help="Add what was replaced to the JSON: keep that as safe as the notes."),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if the text still holds a name or address.")
    ] = False,
    format: Format = None,
) -> None:
    """Replace names, addresses and numbers by pseudonyms, the same in every meeting; coach restore undoes it.

    New names are remembered, encrypted; with --preview nothing is.
    """
    from coach import notes
    from coach.wiring import Coach

    coach = Coach()
    text = read(file)
    changes = corrections(hide, exempt, merge, split)
    if check:
        if found := _left_in(coach, text, format):
            kinds = ", ".join(sorted({kind.replace("_", " ") for kind in found}))
            raise LeakError(f"{len(found)} left in the text ({kinds}): run coach anonymise on it, or exempt the word.")
        print("no name, address or number is left")
    elif preview:
        print_preview(coach, [notes.parse(text, format)], changes, as_json, then="coach anonymise")
    else:
        done = coach.anonymise(text, format=format, keep=True, corrections=changes)
        if as_json or with_originals:
            print(json.dumps(done.as_json(with_originals=with_originals), ensure_ascii=False, indent=1))
        else:
            print(done.text, end="" if done.text.endswith("\n") else "\n")


@app.command()
def restore(file: File) -> None:
    """Put the real names back into text that coach anonymise made."""
    from coach.anonymise import restore as put_back
    from coach.wiring import Coach

    text = put_back(read(file), Coach().identities.load())
    print(text, end="" if text.endswith("\n") else "\n")


@names.callback()
def known(context: typer.Context, as_json: AsJson = False) -> None:
    """List who is known, each with the pseudonym and every spelling met so far."""
    if context.invoked_subcommand is not None:
        return
    from coach.wiring import Coach

    identities = Coach().identities.load()
    found = [entity for entity in identities.entities if entity.forms and entity.type != "literal"]
    if as_json:
        said = [
            {"pseudonym": e.label, "type": e.type, "spellings": list(dict.fromkeys(f.text for f in e.forms))}
            for e in found
        ]
        print(json.dumps(said, ensure_ascii=False, indent=1))
        return
    for entity in found:
        print(_known(entity))
    if identities.exempt:
        print(f"{'never hidden':12}  {', '.join(identities.exempt)}")
    if not found and not identities.exempt:
        print("nobody is known yet: coach library add FILE keeps notes and remembers who is in them")


@names.command("add")
def add_(
    name: Annotated[str, typer.Argument(help="The name, written as in the notes.")],
    type: Annotated[str, typer.Option(help="What it is: person, company, customer, project, place ...")] = "person",
    same_as: Annotated[str | None, typer.Option(help="Whose spelling it is: a pseudonym or another spelling.")] = None,
) -> None:
    """Have a name hidden from now on, before any notes hold it."""
    from coach.anonymise.corrections import type_of

    _change(lambda known: known.add(name, type_of(type), same_as=same_as), name)


@names.command("merge")
def merge_(one: Who, other: Who) -> None:
    """Make one person (or company ...) of two; texts already stored stay readable."""
    _change(lambda known: known.merge(one, other), one)


@names.command("split")
def split_(
    who: Who, spellings: Annotated[list[str], typer.Argument(help="The spellings that are somebody else's.")]
) -> None:
    """Make somebody else of some spellings; texts already stored stay readable."""
    _change(lambda known: known.split(who, *spellings), who, *spellings)


@names.command("exempt")
def exempt_(word: Annotated[str, typer.Argument(help="A spelling, in whatever case.")]) -> None:
    """Never hide a word from now on; coach names add undoes it."""
    from coach.wiring import Coach

    Coach().identities.update(lambda known: known.exempted(word))
    print(f"“{word}” is never hidden from now on: coach names add '{word}' undoes it")


@names.command()
def export(path: Annotated[Path, typer.Argument(help="File to write.")]) -> None:
    """Write who is who, in plain text, to a file that only you can read: a backup to keep as safe as the notes."""
    from coach.wiring import Coach

    document = Coach().identities.export()
    write(path, json.dumps(document, ensure_ascii=False, indent=1))
    print(f"wrote {len(document['entities'])} names to {path}: unencrypted, so keep it as safe as the notes")


@names.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A file that coach names export wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put who is who back from an export; it takes the place of what is known here."""
    from coach.wiring import Coach

    coach = Coach()
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Give a file that coach names export wrote.") from None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise InputError(f"{path} is not an export of identities (coach.identities/1). Nothing was changed.")
    here = len(coach.identities.load().entities)
    if here and not yes:
        typer.confirm(
            f"Replace the {here} names known here? What only they stand for can't be named again.", abort=True
        )
    print(f"{len(coach.identities.import_(document).entities)} names are known now: coach names lists them")


def corrections(
    hide: Sequence[str] | None, exempt: Sequence[str] | None, merge: Sequence[str] | None, split: Sequence[str] | None
) -> tuple[Correction, ...]:
    """What the options ask for; raises :class:`InputError` for a merge that names one only."""
    from coach.anonymise import Correction

    made = []
    for text in hide or ():
        words, _, kind = text.partition("=")
        made.append(Correction(what="hide", one=words.strip(), other=kind.strip()))
    made += [Correction(what="exempt", one=word) for word in exempt or ()]
    for text in merge or ():
        one, _, other = text.partition("=")
        if not (one.strip() and other.strip()):
            raise InputError(f"--merge {text!r}: write it as 'Robert Quill=Bob'")
        made.append(Correction(what="merge", one=one.strip(), other=other.strip()))
    return (*made, *(Correction(what="split", one=word.strip()) for word in split or ()))


def print_preview(
    coach: Coach, conversations: Sequence[Conversation], changes: Sequence[Correction], as_json: bool, then: str
) -> None:
    """What would be replaced in all of these notes together; ``then`` is the command that goes on from there."""
    from coach.anonymise import anonymise

    known = coach.correct(conversations, changes, keep=False) if changes else coach.identities.load()
    counts = dict[tuple[str, str, str], tuple[int, int]]()
    for conversation in conversations:
        done = anonymise(conversation, known)
        known = done.identities
        for row in done.preview():
            times, files = counts.get((row.pseudonym, row.original, row.type), (0, 0))
            counts[row.pseudonym, row.original, row.type] = times + row.count, files + 1
    rows = [_Row(*row, *counted) for row, counted in counts.items()]
    if as_json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
    elif conversations:
        print("\n".join(_table(rows, known, several=len(conversations) > 1)), end="\n\n")
        print(
            "Nothing is stored yet. If a line is wrong: --hide 'words=type', --exempt 'word', --merge 'one=other' or\n"
            f"--split 'spelling' beside --preview shows the difference. Then {then} without --preview."
        )


@dataclass(frozen=True)
class _Row:
    """A spelling in some notes: what becomes of it, how often it is there, and in how many of them."""

    pseudonym: str
    original: str
    type: str
    count: int
    files: int


def _table(rows: Sequence[_Row], known: Identities, *, several: bool) -> Iterator[str]:
    """A line for each spelling, those of one person together in the order in which people turn up."""
    if not rows:
        yield "nothing to replace: no name, address or number was found"
        return
    owners = [getattr(known.owners.get(row.pseudonym), "label", row.pseudonym) for row in rows]
    together = {label: number for number, label in reversed(list(enumerate(owners)))}
    width = max(12, *(len(row.original) for row in rows))
    yield f"{'becomes':20}  {'in the notes':{width}}  {'type':10}  times" + ("  files" if several else "")
    for _, row in sorted(zip(owners, rows, strict=True), key=lambda pair: together[pair[0]]):
        original = row.original.replace("\n", " ")
        line = f"{row.pseudonym:20}  {original:{width}}  {row.type.replace('_', ' '):10}  {row.count:5}"
        yield line + (f"  {row.files:5}" if several else "")


def _known(entity: Entity) -> str:
    return f"{entity.label:12}  {', '.join(dict.fromkeys(form.text for form in entity.forms))}"


def _change(change: Callable[[Identities], Identities], *whom: str) -> None:
    from coach.wiring import Coach

    identities = Coach().identities.update(change)
    shown = dict.fromkeys(entity for name in whom if (entity := identities.find(name)) is not None)
    print("\n".join(map(_known, shown)))


def _left_in(coach: Coach, text: str, format: str | None) -> list[str]:
    """The type of each name, address or number that is still in the text, known or not."""
    from coach.anonymise import leaks_in
    from coach.identities.value import SHAPE

    known = coach.identities.load()
    there = [match.span() for match in SHAPE.finditer(text)]
    found = {(match.start, match.end): match.type for match in leaks_in(text, known)}
    for item in coach.anonymise(text, format=format, known=known).replaced:
        # "Person" is the name of nobody where it stands for somebody.
        if not any(start < item.end and item.start < end for start, end in [*there, *found]):
            found[item.start, item.end] = item.type
    return list(found.values())
