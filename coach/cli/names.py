"""``coach anonymise`` and ``coach restore``: names out, names back in."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from coach.cli import app
from coach.cli.review import AsJson, File, Format, read
from coach.errors import LeakError


@app.command()
def anonymise(
    file: File,
    as_json: AsJson = False,
    with_originals: Annotated[
        bool,
        typer.Option("--with-originals", help="Add what was replaced to the JSON: keep that as safe as the notes."),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if the text still holds a known name or address.")
    ] = False,
    format: Format = None,
) -> None:
    """Replace names, addresses and numbers by pseudonyms, the same in every meeting; coach restore undoes it."""
    from coach.wiring import Coach

    coach = Coach()
    text = read(file)
    if check:
        from coach.anonymise import leaks_in

        found = leaks_in(text, coach.identities.load())
        if found:
            kinds = ", ".join(sorted({match.type.replace("_", " ") for match in found}))
            raise LeakError(f"{len(found)} left in the text ({kinds}): run coach anonymise on it again.")
        print("no known name, address or number is left")
        return
    done = coach.anonymise(text, format=format, keep=True)
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
