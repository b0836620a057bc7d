"""Cases out of use: notes that somebody hands in, or findings that somebody marked as right or wrong.

What is drafted holds pseudonyms only, is shown to a person first, and is written when that person says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.errors import InputError
from coach_eval.files import digest, load_suites, read_cases, write_atomically
from coach_eval.schema import ID
from coach_eval.tasks import TASKS

if TYPE_CHECKING:
    from coach.concerns import Feedback
    from coach.ledger import Ledger
    from coach.library import Library

LONGEST_ID = 100


@dataclass(frozen=True)
class Draft:
    """A case file that is not written yet. task: what its suite exercises."""

    path: Path
    text: str
    task: str


def draft_cases(
    root: Path, suite: str, *, notes: Path | None = None, identifier: str | None = None, from_feedback: bool = False
) -> Iterator[Draft]:
    """Drafts for the cases folder of a suite; raises :class:`InputError` when there is nothing to make one from.

    Notes give one draft, with `expect_none` until somebody writes down what is to be found. Each meeting with findings
    that somebody marked gives one, in which the right ones are required and the wrong ones forbidden.
    """
    chosen = load_suites(root, [suite])[0]
    if chosen.task != "review":
        raise InputError(f"suite {suite!r} exercises {chosen.task}: cases from notes are for review suites")
    folder = root / "cases" / chosen.cases
    if from_feedback == (notes is not None):
        raise InputError("say where the case comes from: --notes FILE or --from-feedback")
    if notes is not None:
        name = identifier or notes.stem.lower()
        if not re.fullmatch(ID, name) or len(name) > LONGEST_ID:
            raise InputError(
                f"{name[:40]!r} is no id of a case: give --id up to {LONGEST_ID} small letters, digits, dots, _ and -"
            )
        yield Draft(folder / f"{name}.yaml", _from_notes(notes, name), chosen.task)
        return
    from coach.ledger import Ledger
    from coach.library import Library
    from coach.settings import load_settings

    settings = load_settings()
    found = False
    with Library(settings) as library:
        for data in from_ledger(Ledger(settings), library):
            found = True
            yield Draft(folder / f"{data['cluster']}.yaml", _yaml(data), chosen.task)
    if not found:
        raise InputError(
            "the ledger holds no feedback: mark findings on the cards of a review first, and keep its notes"
        )


def from_ledger(ledger: Ledger, library: Library) -> Iterator[dict[str, Any]]:
    """A case per meeting in which findings were marked as right or wrong, with its pseudonymised notes."""
    meetings: dict[str, list[Feedback]] = {}
    for marked in ledger.feedback():
        meetings.setdefault(marked.meeting, []).append(marked)
    for meeting, findings in meetings.items():
        lines = library.show(meeting)
        text = "".join(f"{line.speaker}: {line.text}\n" if line.speaker else f"{line.text}\n" for line in lines)
        there = [marked for marked in findings if marked.quote in text]
        required, forbidden = ([_gold(m) for m in there if m.verdict == verdict] for verdict in ("right", "wrong"))
        if there:
            name = f"feedback-{digest(meeting)[:10]}"
            case = {"cluster": name, "id": name, "notes": text}
            gold = {"required": required} if required else {"expect_none": True}
            yield {**case, **gold, **({"forbidden": forbidden} if forbidden else {})}


def _gold(marked: Feedback) -> dict[str, str]:
    """The finding as gold of a case."""
    said = {"kind": marked.kind, "quote": marked.quote, "subtype": marked.subtype, "need": marked.need}
    return {name: text for name, text in {**said, "why": marked.note}.items() if text}


def save(draft: Draft) -> Path:
    """Where the case was written; raises :class:`InputError`, and leaves nothing, when it is taken or not valid."""
    if draft.path.exists():
        raise InputError(f"{draft.path} exists already: give another --id")
    write_atomically(draft.path, draft.text)
    try:
        task = TASKS[draft.task]
        for case, _ in read_cases(draft.path, task.case):
            for _, problem in task.problems(case):
                raise InputError(f"{draft.path}: {problem}")
    except InputError:
        draft.path.unlink()
        raise
    return draft.path


def _from_notes(path: Path, name: str) -> str:
    from coach import notes
    from coach.anonymise import anonymise
    from coach.identities import Identities

    shown = anonymise(notes.parse(notes.read_file(path)), Identities())
    comment = "# Add what must be found under `required` (kind, quote, subtype or need), or leave expect_none.\n"
    return comment + _yaml({"cluster": name, "id": name, "notes": shown.conversation.text, "expect_none": True})


def _yaml(data: dict[str, Any]) -> str:
    """YAML with notes as a block of lines, so that a person can read and correct them."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def words(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    Dumper.add_representer(str, words)
    return yaml.dump(data, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=120)
