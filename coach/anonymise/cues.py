"""Words and signs around a name that say: this is a person. For people whom no attendee list mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coach.identities.index import looks_like_role
from coach.identities.spellings import WORD, fold, given_names, is_common, listed, words_that_are_names

_CAPITALISED = r"[A-ZÀ-ÖØ-ÞĀ-ŽΑ-ΩА-Я][\w'’-]{1,40}"
_FULL = (
    _CAPITALISED
    + r"(?:[ ](?:(?:van|von|de|der|den|del|della|di|da|dos|du|la|le|el|al|bin|ibn|ten|ter|zu)[ ]){0,2}"
    + _CAPITALISED
    + "){1,2}"
)
_ROSTER = re.compile(
    r"(?:^|\n)[ \t>]*(?:[-*+•#]+[ \t]+)?[*_]{0,2}(?:(?:in )?attend(?:ance|ees|ing)|attendees?|present|"
    r"participants?|members?|"
    r"(?:council|board|committee|team)(?: members?)?|observers?|guests?|apologies|absent|regrets|excused|"
    r"invited|minutes|"
    r"facilitator|chair|note ?taker|scribe|teilnehmer(?:innen)?|anwesend|obecni|asistentes|presenti|présents)"
    r"[*_]{0,2}[ \t]*:[*_]{0,2}[ \t]*([^\n]{2,400})",
    re.I,
)
_WITH_ADDRESS = re.compile(r"([^\W\d_][\w.'’ -]{1,50}?)[\"'”]?[ ]*[<(\[](?:mailto:)?[\w.+-]+@[\w-]+\.[\w.-]+[>)\]]")
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Professor|Sir|Lady|Dame|Lord|Rev|Father|Sister|Herr|Frau|Cllr|Councillor|"
    r"Señora?|Monsieur|"
    r"Madame|Chef|Judge|Captain|Capt|Sgt|Lt)\.?[ ]((?:" + _CAPITALISED + r"[ ]?){1,3})"
)
_INITIALS = re.compile(r"(" + _FULL + r")[ ]?\(([A-Z]{2,4})\)")
_SIGNED = re.compile(
    r"(?:^|\n)[ \t>]*(?:best|regards|best regards|kind regards|warm regards|cheers|thanks|thank you|many thanks|"
    r"yours|sincerely|"
    r"yours sincerely|all the best|best wishes|love|vg|lg|mfg|viele grüße|pozdrawiam|saludos|"
    r"cordialement)[,!.]?[ \t]*\n"
    r"[ \t>]*(" + _CAPITALISED + r"(?:[ ]" + _CAPITALISED + r"){0,2})[ \t]*(?=\n|$)",
    re.I,
)
_GREETED = re.compile(
    r"(?:^|\n)[ \t>]*(?:hi|hello|hey|dear|hallo|liebe[r]?|moin|hola|bonjour|cześć)[ ]("
    + _CAPITALISED
    + r")[ ]?[,!:\n–-]",
    re.I,
)
_MENTION = re.compile(
    r"\b(?:according to|spoke (?:to|with)|talked (?:to|with)|met with|asked|told|thanks to|thanks,?|thank you,?|"
    r"cc:?|assigned to|"
    r"owner:|action:|handed over to|reports? to|on behalf of|waiting (?:for|on)|ping|call with|1:1 with)[ ]("
    + _FULL
    + r"|"
    + _CAPITALISED
    + r")"
)
_LOWER_LABEL = re.compile(
    r"(?:^|\n)[ \t>]*(?:[-*+•][ \t]+)*(?:\[?[\d:.]{4,12}\]?[ \t]*)?([a-z][a-z'’-]{1,15})[ \t]*:(?=\s)"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def introduced(text: str) -> Iterator[str]:
    """Names next to an e-mail address, a title, a greeting, a signature or a verb that takes a person."""
    yield from roster(text)
    # Every word could begin such a name, so only lines with an address in them are looked through.
    for match in (m for line in text.splitlines() if "@" in line for m in _WITH_ADDRESS.finditer(line)):
        name = match.group(1).split(":")[-1].split(",")[-1].split(";")[-1].strip(" \"'“<>-")
        if 0 < len(name.split()) <= 4 and name[:1].isupper() and not looks_like_role(name):
            yield name
    for match in _TITLED.finditer(text):
        words = [word for word in match.group(1).split() if fold(word) not in listed("not_people")]
        # After a title even an ordinary word is a surname; the words that follow it are not.
        while len(words) > 1 and is_common(fold(words[-1].rstrip(".,"))):
            words.pop()
        if words:
            yield " ".join(words)
    for pattern in (_SIGNED, _GREETED, _MENTION):
        for match in pattern.finditer(text):
            words = match.group(1).split()
            if words and not any(ordinary(word) for word in words):
                yield " ".join(words)


def roster(text: str) -> Iterator[str]:
    """The entries of lines that list who is there, such as ``Present: ana lee, ben (minutes)``."""
    for match in _ROSTER.finditer(text):
        for entry in re.split(r"[,;•|]|\band\b|&", re.sub(r"\([^)]{0,400}\)", " ", match.group(1))):
            name = entry.strip(" \t.*_-–")
            plausible = 0 < len(name.split()) <= 4 and not any(c.isdigit() for c in name) and not looks_like_role(name)
            if plausible and all(_may_be_listed(word) for word in WORD.findall(name)):
                yield name


def _may_be_listed(word: str) -> bool:
    folded = fold(word)
    return not ordinary(word) or (folded in words_that_are_names() and (word[0].isupper() or folded in given_names()))


def initials(text: str) -> Iterator[tuple[str, str]]:
    """Names with the initials that the notes introduce: ``Ashley Example (AE)``."""
    for match in _INITIALS.finditer(text):
        name, short = match.groups()
        if name[0] == short[0] and not any(ordinary(word) for word in name.split()[:1]):
            yield name, short


def lower_case_labels(text: str) -> Iterator[str]:
    """Folded labels that begin a line in lower case: these notes write names so."""
    for match in _LOWER_LABEL.finditer(text):
        yield fold(match.group(1))


def ordinary(word: str) -> bool:
    """Whether a word is in the dictionary or a proper noun that names nobody."""
    folded = fold(word.rstrip(".,'’"))
    return folded in listed("not_people") or (is_common(folded) and folded not in given_names()) or len(folded) < 2


def split_camel(text: str) -> str:
    """``JaneDoe`` as ``Jane Doe``."""
    return _CAMEL.sub(" ", text)


def inside_word(text: str, start: int, end: int) -> bool:
    """Whether letters or digits touch the stretch on either side."""
    return text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()
