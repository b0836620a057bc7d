"""How many names and numbers pseudonymisation finds, how much it hides by mistake, and how fast it is.

    python -m benchmarks.anonymisation [FOLDER ...]

Without folders it writes notes of its own (seeded, so the same every time), in which every identity is known. With
folders it reads the minutes in them: the gold are the words of the names in lines such as ``Present: ...``, counted
wherever they stand in the notes, lower case included unless the word is in the dictionary.

Minutes also name people who do not attend, and those lists do not say who they are. So precision is printed three
times: what is hidden and not in the record's own list counts as wrong; then, not in any list of the folders; then, nor
among the names that were read in their sentences and found to be people, of which ``mentioned.txt`` keeps a hash each.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from coach import notes
from coach.anonymise import Anonymised, anonymise, leak_check, restore
from coach.identities import Identities
from coach.identities.spellings import WORD, fold, is_common

ROSTER = re.compile(
    r"^\W*(?:attendees|attendance|present|participants|members|council(?: members)?|observers|apologies)\W*:(.+)$",
    re.I | re.M,
)
TITLES = re.compile(
    r"^(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof|Rev|Canon|Sister|Lady|Herr|Frau|Cllrs?)\b\.? *)+|\b[A-Z]\. ?|^item .*"
)
PERSONAL = ("person", "handle", "email")
MENTIONED = Path(__file__).with_name("mentioned.txt")


Gold = list[tuple[str, str]]
"""Pairs of a form and its kind: name, handle, email ..."""


@dataclass
class Tally:
    """Counts over all documents; ``found`` and ``asked`` by kind, ``wrong`` by measure."""

    asked: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    hidden: int = 0
    wrong: dict[str, Counter[str]] = field(default_factory=dict)
    documents: int = 0
    leaky: int = 0
    characters: int = 0
    seconds: float = 0.0
    check_seconds: float = 0.0

    def report(self) -> str:
        """The figures, one a line."""
        lines = [f"documents {self.documents}, with a leak {self.leaky} ({self.leaky / max(1, self.documents):.1%})"]
        for kind in self.asked:
            share = self.found[kind] / self.asked[kind]
            lines.append(f"recall {kind:10} {share:.4f} ({self.found[kind]} of {self.asked[kind]})")
        for measure, wrong in self.wrong.items():
            lines.append(f"precision of names, {measure}: {1 - wrong.total() / max(1, self.hidden):.4f}")
            lines.append(f"    wrong {wrong.total()} of {self.hidden}: {wrong.most_common(12)}")
        lines.append(f"{self.characters / self.seconds:,.0f} characters a CPU-second, model included")
        lines.append(f"{self.characters / self.check_seconds:,.0f} characters a CPU-second for the leak check")
        return "\n".join(lines)


def measure(documents: Iterable[tuple[str, Gold]], people: dict[str, Callable[[str], bool]]) -> Tally:
    """Counts over documents with their gold; ``people`` says by measure who else is rightly hidden."""
    tally = Tally(wrong={name: Counter() for name in people})
    for text, gold in documents:
        conversation = notes.parse(text)
        started = time.process_time()
        done = anonymise(conversation, Identities())
        tally.seconds += time.process_time() - started
        started = time.process_time()
        leak_check(done.text, done.identities, "the benchmark")
        tally.check_seconds += time.process_time() - started
        assert restore(done.text, done.identities) == text
        tally.characters += len(text)
        tally.documents += 1
        tally.leaky += _count(done, gold, people, tally)
    return tally


def _count(done: Anonymised, gold: Gold, people: dict[str, Callable[[str], bool]], tally: Tally) -> bool:
    text, leaked = done.original, False
    covered = bytearray(len(text))
    for item in done.replaced:
        covered[item.start : item.end] = b"\1" * (item.end - item.start)
    names = {fold(word) for form, kind in gold if kind == "name" for word in WORD.findall(form)}
    for word in WORD.finditer(text):
        folded = fold(word.group())
        if folded in names and (word.group()[0].isupper() or not is_common(folded)):
            tally.asked["name"] += 1
            tally.found["name"] += covered[word.start()]
            leaked |= not covered[word.start()]
    for form, kind in dict.fromkeys(gold):
        if kind == "name":
            continue
        for match in re.finditer(rf"(?<!\w){re.escape(form)}(?!\w)", text):
            whole = all(covered[match.start() : match.end()])
            tally.asked[kind] += 1
            tally.found[kind] += whole
            leaked |= not whole
    allowed = names | {fold(w) for form, _ in gold for w in WORD.findall(form)}
    for item in done.replaced:
        if item.type in PERSONAL:
            for word in WORD.findall(text[item.start : item.end]):
                tally.hidden += 1
                if fold(word) in allowed or item.type != "person":
                    continue
                for name, rightly in people.items():
                    if not rightly(fold(word)):
                        tally.wrong[name][word] += 1
    return leaked


def _spellings(gold: Gold) -> frozenset[str]:
    """The words of the names, and how people write them together: E, Huss, EHuss, EricH, EricHuss."""
    found = set()
    for name in (form for form, kind in gold if kind == "name"):
        words = [fold(word) for word in WORD.findall(name)]
        found.update(words)
        if len(words) > 1:
            first, last = words[0], words[-1]
            found.update({first[0], last[0], first[0] + last, first + last[0], first + last})
    return frozenset(found)


def digest(word: str) -> str:
    """What ``mentioned.txt`` keeps of a folded word."""
    return hashlib.sha256(f"mentioned:{word}".encode()).hexdigest()[:12]


def _from_rosters(text: str) -> Gold:
    gold = []
    for match in ROSTER.finditer(text[:3000]):
        for entry in re.sub(r"\([^)]*\)", "", match.group(1)).split(","):
            name = TITLES.sub("", entry.strip(" .\t*_"))
            if name and name.lower() not in ("none", "n/a") and len(name.split()) < 4:
                gold.append((name, "name"))
    gold += [(handle, "handle") for handle in re.findall(r"(?<![\w.@/])@[A-Za-z][\w-]+", text)]
    return gold


GIVEN = (
    "Agnieszka Ayumi Bram Camille Desta Eirik Farida Giulia Hamza Ingrid Jerzy Kwabena Leila Mateo Nadia "
    "Oluwaseun Pilar Quirin Rhiannon Siobhan Tadeusz Ulla Vikram Wanda Xiaoming Yusuf Zofia Robert Katherine "
    "William Mark Grace Rose Will"
)
SURNAMES = (
    "Aldebrook Brandvik Castellane Dombrowicz Eikeland Farquharson Gyllenberg Hathersedge Inverarity "
    "Jankauskas Kettlewell Lindqvarn Moshoeshoe Nakahara Ostrowiec Papathanou Quellmalz Rautavaara Szabados "
    "Tchakmakian Umezurike Vandersteen Wetherell Yamanaka Zubizarreta Stone Marsh Price"
)
NICKNAMES = {"Robert": "Bob", "Katherine": "Kate", "William": "Bill", "Agnieszka": "Aga", "Tadeusz": "Tadek"}
SAID = (
    "I doubt that the second shift can take this on before the audit.",
    "Can we look at the numbers again next week? The report left out two sites.",
    "That works for the warehouse. The depot needs another week.",
    "We agreed on a trial in March and nobody has looked at it since.",
    "Nothing will move until the contract is signed, so let's mark it as open.",
    "Fine by me. The grace period ends in May and the price will have risen by then.",
)
NAMED = (
    "I'm with {first} on this one.",
    "{first}'s point about the rota stands.",
    "As {full} said last time, it depends on the supplier.",
    "{last} will write it up.",
    "Could {nick} take this to the board?",
    "ask {handle} for the file, or write to {email}.",
    "{first} can be reached on {phone} until six.",
    "The deposit went to {iban}, the rest was paid with card {card}.",
    "{lower} thinks it's too early",
)


def synthetic(count: int = 120, seed: int = 5) -> Iterator[tuple[str, Gold]]:
    """Minutes, transcripts, mails and bullets in which every identity is known."""
    chance = random.Random(seed)
    for number in range(count):
        people = [_person(chance) for _ in range(chance.randint(3, 6))]
        gold = [pair for person in people for pair in person["gold"]]
        speak = (_minutes, _transcript, _mails, _bullets)[number % 4]
        yield speak(people, chance), gold


def _person(chance: random.Random) -> dict[str, object]:
    first, last = chance.choice(GIVEN.split()), chance.choice(SURNAMES.split())
    full, handle = f"{first} {last}", f"@{first[0].lower()}{last.lower()}{chance.choice(['', '7', '-x'])}"
    email = f"{first}.{last}@{chance.choice(['mill', 'harbour', 'orchard'])}.example".lower()
    phone = chance.choice(
        [f"+44 20 7946 0{chance.randint(100, 999)}", f"({chance.randint(202, 209)}) 555-01{chance.randint(10, 99)}"]
    )
    forms = {
        "first": first, "last": last, "full": full, "nick": NICKNAMES.get(first, first), "handle": handle,
        "email": email, "phone": phone, "iban": _iban(chance), "card": _card(chance), "lower": first.lower(),
    }  # fmt: skip
    kinds = {"handle": "handle", "email": "email", "phone": "phone", "iban": "iban", "card": "card"}
    gold = [(form, kinds.get(kind, "name")) for kind, form in forms.items()]
    return {**forms, "gold": gold}


def _iban(chance: random.Random) -> str:
    account = "".join(chance.choices("0123456789", k=18))
    check = 98 - int(account + "131400") % 97
    return " ".join(re.findall(".{1,4}", f"DE{check:02}{account}"))


def _card(chance: random.Random) -> str:
    digits = [4, *(chance.randint(0, 9) for _ in range(14))]
    doubled = [d * 2 - 9 * (d > 4) if i % 2 == 0 else d for i, d in enumerate(reversed(digits))]
    digits.append(-sum(doubled) % 10)
    return " ".join(re.findall(".{4}", "".join(map(str, digits))))


def _sentence(people: list[dict[str, object]], chance: random.Random) -> str:
    if chance.random() < 0.5:
        return chance.choice(SAID)
    return chance.choice(NAMED).format(**chance.choice(people))


def _minutes(people: list[dict[str, object]], chance: random.Random) -> str:
    lines = ["# Weekly meeting", "", "Present: " + ", ".join(str(p["full"]) for p in people), ""]
    lines += [f"- {chance.choice(people)['first']}: {_sentence(people, chance)}" for _ in range(20)]
    return "\n".join(lines) + "\n"


def _transcript(people: list[dict[str, object]], chance: random.Random) -> str:
    return "".join(f"{chance.choice(people)['full']}: {_sentence(people, chance)}\n" for _ in range(24))


def _mails(people: list[dict[str, object]], chance: random.Random) -> str:
    mails = []
    for _ in range(5):
        sender, to = chance.choice(people), chance.choice(people)
        body = "\n".join(_sentence(people, chance) for _ in range(4))
        mails.append(
            f"From: {sender['full']} <{sender['email']}>\nTo: {to['full']} <{to['email']}>\nSubject: the plan\n\n"
            f"Hi {to['first']},\n\n{body}\n\nBest,\n{sender['first']}\n"
        )
    return "\n".join(mails)


def _bullets(people: list[dict[str, object]], chance: random.Random) -> str:
    lines = [", ".join(str(p["full"]) for p in people).join(["Attendees: ", "\n"])]
    lines += [f"* {_sentence(people, chance)}" for _ in range(12)]
    lines += [f"* {chance.choice(people)['first']} - {chance.choice(SAID)}" for _ in range(8)]
    return "\n".join(lines) + "\n"


def _read(folders: list[Path]) -> Iterator[tuple[str, Gold]]:
    for folder in folders:
        for path in sorted(p for p in folder.iterdir() if p.suffix in (".md", ".txt", ".vtt", ".srt")):
            text = path.read_text(encoding="utf-8")
            yield text, _from_rosters(text)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    given = parser.parse_args()
    documents = list(_read(given.folders) if given.folders else synthetic())
    anyone = _spellings([pair for _, gold in documents for pair in gold])
    read = frozenset(MENTIONED.read_text(encoding="utf-8").split())
    people: dict[str, Callable[[str], bool]] = {"own attendee list": lambda word: False}
    if given.folders:
        people["any attendee list"] = anyone.__contains__
        people["and people read by hand"] = lambda word: word in anyone or digest(word) in read
    print(measure(documents, people).report())


if __name__ == "__main__":
    main()
