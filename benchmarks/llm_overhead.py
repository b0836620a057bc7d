"""What the LLM engine costs besides the model, and what leaves the machine.

``python -m benchmarks.llm_overhead FOLDER`` reviews every record in FOLDER (.md, .txt) twice with the local engine, and
twice with the LLM engine whose model answers at once with nothing; prints the processor seconds of the second run (all
loaded) of both. What the LLM engine takes then is its overhead: pseudonyms (also shown alone), cutting, prompts,
checks. Then it searches everything that would have been sent for every attendee, speaker, alias, part of a name,
e-mail address and handle of that record.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from coach import notes
from coach.anonymise import anonymise
from coach.engine import Watch
from coach.identities import Identities
from coach.llm.scripted import ScriptedChatModel
from coach.llm_engine import LLMEngine
from coach.local_engine import LocalEngine
from coach.schema import Conversation
from coach.settings import load_settings

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|(?<!\w)@\w[\w-]+")


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of a second run, everything loaded."""
    work()
    started = time.process_time()
    work()
    return time.process_time() - started


def names_of(conversation: Conversation) -> set[str]:
    """Every form under which the notes name somebody, roles ("Project Manager") left out as the anonymiser does.

    Parts of names count too, unless the notes use the word for something else (with a small letter).
    """
    people = [a.name for a in conversation.attendees] + [x for a in conversation.attendees for x in a.aliases]
    shown = anonymise(conversation, Identities()).conversation
    kept = {a.name for a in shown.attendees} | set(shown.speakers)
    forms = {form.strip() for form in (*people, *conversation.speakers) if form not in kept}
    words = set(re.findall(r"\w+", conversation.text))
    parts = {part for form in forms for part in form.split() if len(part) > 2 and part.lower() not in words}
    return {form for form in forms | parts if len(form) > 1} | set(ADDRESS.findall(conversation.text))


def main() -> None:
    """Prints one line per record and the totals."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    total = [0.0, 0.0, 0.0]
    bodies = searched = hits = 0
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".md", ".txt")):
        conversation = notes.parse(path.read_text("utf-8"))
        model = ScriptedChatModel()
        llm = LLMEngine(model, load_settings({}))
        taken = [
            seconds(partial(LocalEngine().analyse, conversation, (), Watch())),
            seconds(partial(llm.analyse, conversation, (), Watch())),
            seconds(partial(anonymise, conversation, Identities())),
        ]
        total = [a + b for a, b in zip(total, taken, strict=True)]
        sent = [json.dumps([r.messages, r.schema], ensure_ascii=False) for r in model.requests]
        names = names_of(conversation)
        found = sum(len(re.findall(rf"(?<!\w){re.escape(name)}(?!\w)", body)) for name in names for body in sent)
        print(f"{path.name:55s} local {taken[0]:5.2f} s, llm {taken[1]:5.2f} s; {len(sent)} bodies, {found} names")
        bodies, searched, hits = bodies + len(sent), searched + len(names), hits + found
    local, besides, pseudonyms = total
    print(f"local {local:.2f} s; llm besides the model {besides:.2f} s, {besides / local:.1%} of that")
    print(
        f"pseudonyms alone {pseudonyms:.2f} s, {pseudonyms / local:.1%}; the rest {(besides - pseudonyms) / local:.1%}"
    )
    print(f"{bodies} request bodies searched for {searched} names, addresses and handles: {hits} found")


if __name__ == "__main__":
    main()
