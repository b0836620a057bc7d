"""E-mail: header lines, replies behind ``>``, answers between them, and threads pasted one below the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coach.notes.dates import find_date
from coach.notes.lines import Line, Piece, split_lines, utterances
from coach.notes.people import People, looks_like_handle, looks_like_name
from coach.schema import Attendee, Conversation, Role

_HEADER = re.compile(
    r"[*_]{0,2}(From|To|Cc|Bcc|Date|Sent|Subject|Reply-To|Von|An|Gesendet|Datum|Betreff|De|À|Objet|"
    r"Message-ID|In-Reply-To|References|"
    r"MIME-Version|Content-[A-Za-z-]{2,30}|X-[A-Za-z-]{2,40}|Importance|Return-Path|Received|Delivered-To|"
    r"User-Agent|Thread-[A-Za-z]{2,10})"
    r"[*_]{0,2}:[*_]{0,2}(?:\s+|$)",
    re.I,
)
_FROM, _TO, _SUBJECT = ("from", "von", "de"), ("to", "an", "cc", "bcc", "à"), ("subject", "betreff", "objet")
_QUOTE = re.compile(r"(?:>\s?)+")
_CUT = re.compile(
    r"-{2,}+\s*+(?:original message|forwarded message|ursprüngliche nachricht)?\s*+-*+$|_{5,}+$|={5,}+$", re.I
)
_WROTE = re.compile(
    r"^(?:On\s.{4,120}?[,\s]\s?)?(?:and\s|then\s)?(?:from\s)?"
    r"([^\W\d_][\w.'’\- ]{0,48}?)\s?(?:\([^)]{0,40}\)\s?)?(?:<[^>]{0,80}>)?,?\s?(?:you\s)?(?:wrote|writes|"
    r"said|asked|schrieb|a écrit)\b[^:]{0,30}:",
    re.I,
)
_LONE = re.compile(
    r"^(?:And |And then |Then )?(?:from |"
    r"this from )?([A-Z][\w.'’\-]*(?: [A-Z][\w.'’\-]*){0,2})\s*(?:\([^)]{0,40}\))?:$",
    re.I,
)
_BULLET = re.compile(r"(?:[-*•]|\d{1,2}[.)])\s+")


@dataclass(frozen=True, slots=True)
class _Paragraph:
    start: int
    said: int
    end: int
    depth: int


def sniff_mail(text: str) -> float:
    """How much a text looks like e-mail, 0 to 1."""
    lines = [line.text for line in split_lines(text[:12_000])]
    named = {m.group(1).casefold() for line in lines[:14] if (m := _HEADER.match(line))}
    if named & set(_FROM) and (named - set(_FROM)):
        return 0.93
    quoted = sum(1 for line in lines if line.startswith(">"))
    wrote = sum(1 for line in lines if line.endswith(":") and _WROTE.match(_QUOTE.sub("", line[:300], count=1)))
    return 0.85 if quoted >= 2 and wrote else 0.0


def read_mail(text: str) -> Conversation:
    """One utterance per paragraph, spoken by who wrote it; quoted paragraphs by whom the text says they are from."""
    people = People()
    lines = split_lines(text)
    pieces: list[Piece] = []
    authors: dict[int, str | None] = {0: None}
    earlier: list[tuple[str, str]] = []
    title: str | None = None
    headers, signature = True, False
    paragraph: _Paragraph | None = None

    def flush() -> None:
        nonlocal paragraph
        if paragraph is None:
            return
        done, paragraph = paragraph, None
        words = text[done.said : done.end]
        label = _WROTE.match(words)
        following = _next_depth(lines, done.end)
        speaker = authors.get(done.depth)
        said, role = done.said, "speech"
        if label and (name := _name(label.group(1), people)):
            rest = words[label.end() :].strip()
            authors[done.depth if rest else done.depth + 1] = name
            if done.depth and rest:
                said, speaker = done.said + label.end(), name
            elif done.depth == 0 and rest:
                speaker = authors.get(0)
            else:
                role = "markup"
        elif following > done.depth and (lone := _LONE.match(words)) and (name := _name(lone.group(1), people)):
            authors[done.depth + 1], role = name, "markup"
        elif done.depth and speaker is None:
            key = _plain(words)
            speaker = next((who for said_before, who in reversed(earlier) if key and key in said_before), None)
        if done.depth == 0 and speaker:
            earlier.append((_plain(words, whole=True), speaker))
        pieces.append(
            Piece(
                done.start,
                said,
                done.end,
                "markup" if signature else _role(role),
                speaker if role == "speech" else None,
                None,
                title,
            )
        )

    for line in lines:
        if not line.text:
            flush()
            if not line.text and pieces and pieces[-1].role in ("roster", "markup", "heading"):
                headers = False
            continue
        quote = _QUOTE.match(line.text)
        depth = quote.group().count(">") if quote else 0
        body = line.text[quote.end() :] if quote else line.text
        header = None if paragraph and depth == paragraph.depth else _HEADER.match(body)
        if header and (
            headers
            or header.group(1).casefold() in _FROM
            or (pieces and pieces[-1].end > 0 and _after_header(pieces, text, line))
        ):
            flush()
            headers, signature = True, False
            piece, subject = _header(line, header, (quote.end() if quote else 0), depth, people, authors)
            title = title or subject
            pieces.append(piece)
            continue
        headers = False
        if _CUT.match(body) and not body.startswith("-- ") and body != "--":
            flush()
            signature = False
            pieces.append(Piece(line.start, line.end, line.end, "markup"))
            authors = {0: authors[0] if body.strip("-_= ") == "" and len(body) < 3 else None}
            continue
        if body == "--":
            flush()
            signature = True
            pieces.append(Piece(line.start, line.end, line.end, "markup"))
            continue
        if not body.strip():
            flush()
            pieces.append(Piece(line.start, line.end, line.end, "markup"))
            continue
        if paragraph and (paragraph.depth != depth or _BULLET.match(body) or _breaks(text, paragraph)):
            flush()
        if depth == 0 and len(authors) > 1 and paragraph is None:
            authors = {0: authors[0]} if not _wrote_ahead(body) else authors
        mark = _BULLET.match(body)
        said = line.start + (quote.end() if quote else 0) + (mark.end() if mark else 0)
        paragraph = (
            _Paragraph(paragraph.start, paragraph.said, line.end, depth)
            if paragraph
            else _Paragraph(line.start, said, line.end, depth)
        )
    flush()
    found = utterances(text, pieces)
    return Conversation.model_construct(
        text=text,
        format="email",
        title=title,
        date=find_date(text),
        attendees=people.attendees(u.speaker for u in found if u.speaker),
        utterances=found,
    )


def _role(role: str) -> Role:
    return "markup" if role == "markup" else "speech"


def _after_header(pieces: list[Piece], text: str, line: Line) -> bool:
    last = pieces[-1]
    return (
        last.role in ("roster", "heading", "markup")
        and text[last.end : line.start].count("\n") == 1
        and bool(_HEADER.match(text[last.start : last.end]))
    )


def _header(
    line: Line, header: re.Match[str], quote: int, depth: int, people: People, authors: dict[int, str | None]
) -> tuple[Piece, str | None]:
    kind, value = header.group(1).casefold(), line.text[quote + header.end() :].strip()
    said = line.start + quote + header.end()
    if kind in _FROM:
        name = _person(value)
        if name:
            people.list([Attendee(name=name)])
        authors[depth] = people.speaker(name) if name else None
        return Piece(line.start, said, line.end, "roster"), None
    if kind in _TO:
        people.list(
            Attendee(name=name) for part in re.split(r"[;,]", value[:2000]) if "<" in part and (name := _person(part))
        )
        return Piece(line.start, said, line.end, "roster"), None
    if kind in _SUBJECT:
        subject = re.sub(r"^(?:(?:re|aw|fw|fwd|wg|sv)\s*:\s*)+", "", value, flags=re.I)
        return Piece(line.start, said, line.end, "heading"), subject or None
    return Piece(line.start, said, line.end, "markup"), None


def _person(value: str) -> str | None:
    name = re.sub(r"<[^>]{0,120}>|\[mailto:[^\]]{0,120}\]|\([^)]{0,60}\)", "", value).strip(" \"'*_<>")
    if "@" in name:
        name = name.split("@")[0].strip(" \"'")
        return name if looks_like_handle(name) else None
    parts = [part.strip() for part in name.split(",")]
    if len(parts) == 2 and len(parts[0].split()) == 1 and len(parts[1].split()) == 1 and not parts[1].isupper():
        return f"{parts[1]} {parts[0]}"
    return parts[0] if looks_like_name(parts[0]) or looks_like_handle(parts[0]) else None


def _name(written: str, people: People) -> str | None:
    bare = re.sub(r"^(?:and|then|from)\s+", "", written.strip(" ,\"'"), flags=re.I)
    bare = bare.split(",")[-1].strip()
    resolved = people.resolve(bare)
    if resolved:
        return people.speaker(bare)
    if not looks_like_name(bare) or bare.casefold() in ("i", "you", "he", "she", "they", "we"):
        return None
    people.know(bare)
    return people.speaker(bare)


def _plain(words: str, whole: bool = False) -> str:
    plain = re.sub(r"[\s>]+", " ", words).strip().casefold()
    return plain if whole else re.sub(r"^(?:\d+[.)]\s*)?(?:\.\.\.|…|\[[.…]+\])?\s*", "", plain).rstrip(" .…")


def _next_depth(lines: list[Line], end: int) -> int:
    import bisect

    at = bisect.bisect_left(lines, end, key=lambda line: line.start)
    while at < len(lines) and (not lines[at].text or lines[at].start < end):
        at += 1
    quote = _QUOTE.match(lines[at].text) if at < len(lines) else None
    return quote.group().count(">") if quote else 0


def _wrote_ahead(body: str) -> bool:
    return body.endswith(":")


def _breaks(text: str, paragraph: _Paragraph) -> bool:
    words = text[paragraph.start : paragraph.end]
    last = words.rsplit("\n", 1)[-1].rstrip()
    return len(last) < 40 and last.endswith((".", "!", "?", ":", ","))
