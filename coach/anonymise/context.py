"""Companies, customers, projects and places by the user's glossary and by the words around them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coach.identities import EntityType, Identities
from coach.identities.index import Match
from coach.identities.spellings import fold, is_common, listed

_NAME = r"[A-ZÄÖÜŁŚŻ][\w&'’-]{0,40}(?:[ ](?:(?:&|and|of|de|und)[ ])?[A-ZÄÖÜŁŚŻ][\w&'’-]{0,40}){0,3}"
_COMPANY = re.compile(
    r"\b("
    + _NAME
    + r"(?:,?[ ](?:GmbH(?:[ ]&[ ]Co\.?[ ]KG)?|Ltd\.?|Limited|Inc\.?|LLC|LLP|PLC|plc|AG|KG|SE|Corp\.?|Corporation|"
    r"B\.V\.|BV|N\.V\.|S\.A\.|SA|S\.p\.A\.|SpA|S\.r\.l\.|Sp\.[ ]z[ ]o\.o\.|Oy|AB|A/S|Pty)))(?![\w])"
)
_PROJECT = re.compile(
    r"\b(?:[Pp]roject|[Oo]peration|[Cc]odename[d]?|[Cc]ode[ ]name[d]?|[Ii]nitiative|"
    r"[Pp]rojekt)[ ][\"“'‘]?([A-Z][\w-]{2,20})"
)
_CUSTOMER = re.compile(
    r"\b(?:[Cc]ustomer|[Cc]lient|[Ss]upplier|[Vv]endor|[Aa]ccount|Kunde|[Cc]ompetitor)s?(?:[ ](?:is|was|called|"
    r"named)|:)?[ ][\"“]?("
    r"[A-Z][\w&'’-]{2,25}(?:[ ][A-Z][\w&'’-]{2,25}){0,2})"
)
_PLACE = re.compile(
    r"\b(?:(?:office|site|plant|branch|warehouse|hub|factory|campus|based|headquarters|located|lives?|moved|"
    r"moving|offices)"
    r"[ ](?:in|at|to|near))[ ]([A-Z][\w'’-]{2,20}(?:[ ][A-Z][\w'’-]{2,20})?)|\b([A-Z][\w'’-]{2,20})[ ]"
    r"(?:office|plant|branch|warehouse|factory|campus|headquarters|HQ)\b"
)
_CUES: tuple[tuple[EntityType, re.Pattern[str]], ...] = (
    ("company", _COMPANY),
    ("project", _PROJECT),
    ("customer", _CUSTOMER),
    ("place", _PLACE),
)


def glossary_terms(text: str, identities: Identities) -> Iterator[Match]:
    """Occurrences of the user's glossary; a term made of ordinary words has to be written as it is in the glossary."""
    for term, type_ in identities.glossary:
        if type_ == "person":
            continue
        ordinary = all(is_common(fold(word)) for word in re.findall(r"\w+", term))
        flags = re.NOFLAG if ordinary else re.IGNORECASE
        for match in re.finditer(rf"(?<![^\W_]){re.escape(term)}(?![^\W_])", text, flags):
            yield Match(match.start(), match.end(), type_, None)


def named_by_context(text: str) -> Iterator[Match]:
    """Companies by their legal form; projects, customers and places by the word before or after."""
    for type_, cue in _CUES:
        for match in cue.finditer(text):
            start, end = next((match.span(g) for g in range(1, cue.groups + 1) if match.group(g)), match.span())
            words = re.findall(r"[^\W_]+", text[start:end])
            if type_ != "company" and (_ordinary(words) or not words):
                continue
            if type_ == "company" and all(is_common(fold(word)) for word in words[:-1]):
                continue
            yield Match(start, end, type_, None)


def _ordinary(words: list[str]) -> bool:
    return any(is_common(fold(word)) or fold(word) in listed("not_people") for word in words)
