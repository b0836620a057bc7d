"""Notes that people type: speaker labels, bullets, minutes, Markdown, running text and drafts, in any mixture."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

from coach.notes.attribution import hear, turns
from coach.notes.dates import find_date
from coach.notes.lines import Line, Piece, split_lines, utterances
from coach.notes.people import People, looks_like_handle, looks_like_name
from coach.notes.rosters import roster_kind, roster_line
from coach.schema import Conversation, Role

_BULLET = re.compile(r"(?:[-*•‣◦·–+>]|\[[ xX]\]|\(?\d{1,3}[a-z]?[.)]|\(?[a-z][.)]|\(?[A-Z]\))(?:\s+|$)")
_MARKDOWN_HEADING = re.compile(r"(?:#{1,6}\s+|h[1-6]\.\s+)")
_RULE = re.compile(r"(?:[-*_=~]\s?){3,}$|`{3,}.{0,30}$|<!--.*-->$|\[[^\]\n]{1,80}\]:\s+\S+$")
_TOPIC = re.compile(r"([A-Z][A-Z0-9 /&'’.-]{1,40}[A-Z0-9s]):\s+(?=\S)")
_LINK = re.compile(r"(?:\[[^\[\]]{0,120}\]\([^()\s]{1,500}\)|<?https?://[^\s>]{1,500}>?)[.,]?")
_TABLE_RULE = re.compile(r"\|?(?:\s*:?-{2,}:?\s*\|)+(?:\s*:?-{2,}:?\s*)?$")
_NUMBERED = re.compile(
    r"(?:(?:item|agenda item|point|topic)\s+)?(?:\d{1,3}(?:[./]\d{1,3}){0,2}[a-z]?|[A-Z])[.):]?\s+(?=\S)", re.I
)
_PARENTHESIS = re.compile(r"^[*_]{0,2}[(\[].*[)\]][*_]{0,2}\.?$")
_RECORDED = re.compile(
    r"(?:\*|_)?(?:the (?:board|chair|committee|council|group|meeting|panel|room|team|proposal|motion|item|"
    r"call)\b|nobody|no one|no-one|everyone|"
    r"everybody|silence|pause\b|laughter|there (?:was|were)|consensus|agreed|approved|adopted|passed|"
    r"carried|recorded|vote|resolved|noted|"
    r"meeting (?:closed|ended|adjourned)|decided|it was|break\b|next meeting|end of\b|minutes by)",
    re.I,
)
_TERMINAL = '.!?:;…"”’»)]'
_OUTCOME = re.compile(
    r"[*_]{0,2}(?:action(?:s| items?)?|actions? arising|decisions?|decided|agreed|resolved|resolution|"
    r"outcomes?|conclusions?|"
    r"next steps?|todo|to do|motion|vote|summary|notes?|minutes?|status|date|time|location|place|venue|"
    r"link|links|labels?|agenda|"
    r"next meeting|next|date of next meeting|quorum|recording|duration|subject|re|to|from|cc|title|topics?|"
    r"tags?)\s*(?:\([^)]{0,40}\))?"
    r"[*_]{0,2}\s?[:：][*_]{0,2}(?=\s|$)",
    re.I,
)
_LABELLED_TITLE = re.compile(
    r"[*_]{0,2}(?:title|meeting title|subject|meeting|minutes|meeting minutes|meeting notes)[*_]{0,2}\s?[:：]"
    r"[*_]{0,2}\s*(\S[^\n]{1,98})$",
    re.I,
)
_TASKS = re.compile(r"(?:action|decision|next step|follow-?up|to-?do|task)s?\b(?: items?| list| points?)?", re.I)
_META = re.compile(
    r"[*_]{0,2}(?:subject|title|minutes|to|from|cc|date|time|location|place|venue|links?|labels?|agenda|recording|"
    r"duration|quorum|tags?)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together: what they are, where their words begin, and how they are laid out."""

    kind: str  # heading, markup, roster, cell, text
    start: int
    said: int
    end: int
    bullet: bool = False
    depth: int = 0
    section: str | None = None


def read_draft(text: str) -> Conversation:
    """What somebody plans to say: all of it speech, of nobody named."""
    pieces = []
    blocks = _blocks(text, split_lines(text), People())
    for number, block in enumerate(blocks):
        field = _OUTCOME.match(text, block.said, block.end)
        role: Role = "heading" if block.kind == "heading" else "markup" if block.kind == "markup" or field else "speech"
        role = (
            "heading" if number == 0 and role == "speech" and _is_note_to_self(text[block.said : block.end]) else role
        )
        pieces.append(Piece(block.start, block.said, block.end, role, None, None, block.section))
    return Conversation.model_construct(
        text=text,
        format="draft",
        title=_title(text, blocks),
        date=find_date(text),
        attendees=(),
        utterances=utterances(text, pieces),
    )


def _is_note_to_self(words: str) -> bool:
    return len(words) < 110 and bool(
        re.search(r"draft|\bsay\b|talk|speech|notes for|^for \w+day|not sent|no more", words, re.I)
    )


def read_plain(text: str, name: str) -> Conversation:
    """The conversation in typed notes; ``name`` is the format to report."""
    lines = split_lines(text)
    people = People()
    blocks = _blocks(text, lines, people)
    labels = _labels(text, blocks, people)
    spoken = _is_transcript([b for b in blocks if b.kind == "text"], sum(blocks[i].kind == "text" for i in labels))
    if not spoken:
        hear(text, people)
    pieces: list[Piece] = []
    holder: str | None = None
    outer: list[tuple[int, str]] = []  # labelled bullets that deeper bullets belong to
    for index, block in enumerate(blocks):
        if block.kind not in ("text", "cell"):
            role: Role = "roster" if block.kind == "roster" else "heading" if block.kind == "heading" else "markup"
            pieces.append(Piece(block.start, block.said, block.end, role, None, None, block.section))
            if block.kind in ("heading", "roster"):
                holder, outer = None, []
            continue
        label = labels.get(index)
        while outer and (outer[-1][0] >= block.depth or not block.bullet):
            outer.pop()
        if label and block.bullet:
            outer.append((block.depth, label[0]))
        elif outer and not spoken:
            label = (outer[-1][1], block.said)
        if spoken and block.kind == "text":
            piece, holder = _spoken(text, block, label, people, holder)
            pieces.append(piece)
        else:
            pieces.extend(_noted(text, block, label, people))
    pieces = [replace(p, role="markup") if p.said >= p.end else p for p in pieces]
    found = utterances(text, pieces)
    speakers = [u.speaker for u in found if u.speaker and u.role in ("speech", "narration")]
    return Conversation.model_construct(
        text=text,
        format=name,
        title=_title(text, blocks),
        date=find_date(text),
        attendees=people.attendees(speakers),
        utterances=found,
    )


def _spoken(
    text: str, block: Block, label: tuple[str, int] | None, people: People, holder: str | None
) -> tuple[Piece, str | None]:
    if label:
        speaker = people.speaker(label[0])
        return Piece(block.start, label[1], block.end, "speech", speaker, None, block.section), speaker
    words = text[block.said : block.end]
    outcome = _OUTCOME.match(words)
    if outcome:
        return Piece(
            block.start,
            block.said + outcome.end(),
            block.end,
            "markup" if _META.match(words) else "narration",
            None,
            None,
            block.section,
        ), None
    if _PARENTHESIS.match(words):
        return Piece(block.start, block.said, block.end, "narration", None, None, block.section), holder
    if holder is None or _RECORDED.match(words):
        return Piece(block.start, block.said, block.end, "narration", None, None, block.section), None
    return Piece(block.start, block.said, block.end, "speech", holder, None, block.section), holder


def _noted(text: str, block: Block, label: tuple[str, int] | None, people: People) -> list[Piece]:
    said, holder = block.said, None
    words = text[block.said : block.end]
    if block.kind == "text" and block.section and _TASKS.match(block.section):
        return [Piece(block.start, said, block.end, "narration", None, None, block.section)]
    if label:
        holder, said = people.speaker(label[0]), label[1]
    else:
        outcome = _OUTCOME.match(words)
        if outcome:
            if _META.match(words):
                return [Piece(block.start, block.said + outcome.end(), block.end, "markup", None, None, block.section)]
            return [Piece(block.start, block.said + outcome.end(), block.end, "narration", None, None, block.section)]
    pieces: list[Piece] = []
    for start, first, end, speaker in turns(text, said, block.end, people, holder):
        spoke: Role = "speech" if first > start or (label and not pieces) else "narration"
        pieces.append(Piece(start, first, end, spoke, speaker, None, block.section))
    if not pieces:
        return [Piece(block.start, said, block.end, "speech" if holder else "narration", holder, None, block.section)]
    pieces[0] = replace(pieces[0], start=block.start)
    return pieces


def _is_transcript(told: list[Block], labelled: int) -> bool:
    """Whether these are people's own words, so that what follows a label is said by the same person."""
    if not told or labelled < 2:
        return bool(told) and labelled == len(told)
    lines = sum(1 for b in told if not b.bullet)
    return labelled >= 0.9 * len(told) or (2 * lines >= len(told) and labelled >= 0.4 * len(told))


def _blocks(text: str, lines: list[Line], people: People) -> list[Block]:
    found: list[Block] = []
    section: str | None = None
    listing: str | None = None  # the kind of list that a heading such as "Attendance" opened
    seen = 0
    wrapped, topics = _is_wrapped(lines), _topics(lines)
    for number, line in enumerate(lines):
        body = line.text
        if not body:
            continue
        seen += 1
        topic = _TOPIC.match(body)
        if topic and topic.group(1) in topics:
            section = topic.group(1)
            found.append(Block("heading", line.start, line.start, line.start + topic.end(1), section=section))
            found.append(
                Block(
                    "text", line.start + topic.end(1), line.start + topic.end(), line.end, False, line.indent, section
                )
            )
            continue
        if _RULE.match(body) or _TABLE_RULE.match(body):
            found.append(Block("markup", line.start, line.end, line.end, section=section))
            continue
        if body.count("|") >= 2 and (body[0] == "|" or " | " in body):
            rule = number + 1 < len(lines) and bool(_TABLE_RULE.match(lines[number + 1].text))
            found.extend(_cells(line, section, head=rule))
            continue
        heading = _heading(lines, number, seen)
        if heading is not None:
            section = body[heading:].strip(" #*_:=").strip() or body
            listing = (
                roster_kind(section) if len(section) < 40 and section.casefold() not in ("minutes", "notes") else None
            )
            if re.fullmatch(
                r"(?i)attendance|attendees|present|participants|who was there|(?:meeting )?roles|people|"
                r"members|apologies",
                section,
            ):
                listing = listing or "present"
            end = line.start + max(heading + 1, len(body.rstrip(" #*_=")))
            found.append(Block("heading", line.start, line.start + heading, end, section=section))
            continue
        mark = _BULLET.match(body)
        said = mark.end() if mark else 0
        while said and (more := _BULLET.match(body, said)) and body[said] in "-*•>[":
            said = more.end()
        if _LINK.fullmatch(body, said):
            found.append(Block("markup", line.start, line.start + said, line.end, section=section))
            continue
        roster = roster_line(body[said:], listing, seen)
        if roster:
            people.list(roster)
            found.append(Block("roster", line.start, line.start + said, line.end, section=section))
            continue
        if listing and not mark:
            listing = None
        if found and not mark and _continues(lines, number, found[-1], wrapped):
            found[-1] = replace(found[-1], end=line.end)
            continue
        found.append(Block("text", line.start, line.start + said, line.end, bool(mark), line.indent, section))
    if len(found) > 1 and found[0].kind == "text" and not found[0].bullet and _is_title(text, found[0], found[1]):
        found[0] = replace(found[0], kind="heading", section=text[found[0].said : found[0].end].strip(" *_"))
    return found


def _talks(lines: list[Line], number: int) -> bool:
    """Whether "L. Saarinen: …" stands among other lines that begin with who speaks."""
    near = [lines[n].text for n in (number - 1, number, number + 1) if 0 <= n < len(lines)]
    labels = [text.partition(": ")[0] for text in near if ": " in text]
    return len(labels) > 1 and all(looks_like_name(label) or looks_like_handle(label) for label in labels)


def _is_title(text: str, first: Block, following: Block) -> bool:
    words = text[first.said : first.end]
    if len(words) > 110 or "\n" in words or words[-1] in "?!" or re.match(r"[^:]{1,40}:\s", words):
        return False
    blank_after = "\n\n" in text[first.end : following.start].replace("\r", "")
    return following.kind in ("roster", "heading") or (blank_after and words[-1] not in ".;,…")


def _is_wrapped(lines: list[Line]) -> bool:
    """Whether the text has been broken into lines of even length, so that a line may go on with the one above."""
    long = [line.text for line in lines if len(line.text) >= 45]
    open_ended = sum(1 for body in long if body[-1] not in _TERMINAL)
    return bool(long) and max(map(len, long)) <= 100 and open_ended >= 0.3 * len(long)


def _topics(lines: list[Line]) -> frozenset[str]:
    """Words in capitals that open a line and end in a colon, if each is there once: topics, not people who shout."""
    counts = Counter(match.group(1) for line in lines if (match := _TOPIC.match(line.text)) and len(match.group(1)) > 2)
    if max(counts.values(), default=2) > 1:
        return frozenset()
    return frozenset(topic for topic in counts if not roster_kind(topic) and not _OUTCOME.match(topic + ": "))


def _continues(lines: list[Line], number: int, last: Block, wrapped: bool) -> bool:
    """Whether a line goes on with the paragraph above it (hard-wrapped text)."""
    previous = lines[number - 1]
    if number == 0 or last.kind != "text" or last.end != previous.end or not previous.text:
        return False
    body = lines[number].text
    colon = body.find(":", 0, 48)
    if colon > 0 and (looks_like_name(body[:colon].strip("*_ ")) or looks_like_handle(body[:colon])):
        return False
    if body[0].islower() and len(previous.text) >= 45:
        return previous.text[-1] not in ".!?…"
    return wrapped and len(previous.text) >= 50


def _cells(line: Line, section: str | None, head: bool) -> list[Block]:
    found, at = [], 0
    for part in re.split(r"(?<!\\)\|", line.text):
        words = part.strip()
        if words:
            start = line.start + at + len(part) - len(part.lstrip())
            kind = "markup" if head else "cell"
            if not head and (len(words) < 12 and not re.search(r"[^\W\d_]{2,}\s+\S", words)):
                kind = "markup"
            found.append(Block(kind, start, start, start + len(words), section=section))
        at += len(part) + 1
    return found


def _heading(lines: list[Line], number: int, seen: int) -> int | None:
    """Where the words of a heading begin in its line, or ``None`` when the line is none."""
    line = lines[number]
    body = line.text
    mark = _MARKDOWN_HEADING.match(body)
    if mark and len(body) < 200:
        return mark.end()
    if len(body) > 90 or body[0] in '|>(["“':
        return None
    if (
        re.fullmatch(r"(\*\*|__)[^*_]{2,80}\1:?", body)
        and not body.rstrip("*_").endswith((".", "!", "?"))
        and not re.search(r":\W*$", body)
    ):
        return len(body) - len(body.lstrip("*_"))
    before = number == 0 or not lines[number - 1].text
    after = number + 1 >= len(lines) or not lines[number + 1].text
    bare = body.rstrip(":")
    if body[-1] in ".!?,;…" or "://" in body:
        numbered = _NUMBERED.match(body)
        return None if not (numbered and body[-1] == "." and before and bare.isupper()) else numbered.end()
    label = body.find(": ")
    letters = [c for c in bare if c.isalpha()]
    if (
        label < 0
        and len(letters) >= 3
        and bare.upper() == bare
        and any(c.isupper() for c in letters)
        and len(bare.split()) <= 9
    ):
        numbered = _NUMBERED.match(body)
        return numbered.end() if numbered else 0
    numbered = _NUMBERED.match(body)
    if numbered and body[0] not in "aI" and len(body.split()) <= 12:
        following = lines[number + 1].text if number + 1 < len(lines) else ""
        more = _NUMBERED.match(following)
        if (
            (label < 0 or (re.match(r"(?i)item\b|[A-Z][.)]\s", body) and not _talks(lines, number)))
            and following
            and not more
            and before | (number > 0 and not _NUMBERED.match(lines[number - 1].text))
        ):
            return numbered.end()
        if label < 0 and before and after and not line.indent:
            return numbered.end()
    if (
        label < 0
        and not _BULLET.match(body)
        and len(bare.split()) <= 8
        and body[0].isupper() | body[0].isdigit() | (body[0] in "#")
    ):
        if (seen == 1 and not body.endswith(":")) or (
            before and after and seen > 1 and len(body) < 60 and (body[-1] != ":" or len(body.split()) <= 4)
        ):
            return 0
        if before and body.endswith(":") and roster_kind(bare):
            return 0
        if before and not after and len(bare.split()) <= 4 and _BULLET.match(lines[number + 1].text):
            return 0
    return None


def _labels(text: str, blocks: list[Block], people: People) -> dict[int, tuple[str, int]]:
    """For blocks that open with who speaks: the label, and where their words begin."""
    candidates: dict[int, tuple[str, int, bool]] = {}
    counts: Counter[str] = Counter()
    for index, block in enumerate(blocks):
        if block.kind not in ("text", "cell"):
            continue
        found = _label(text, block, people)
        if found:
            candidates[index] = found
            counts[found[0].casefold()] += found[2]
    told = sum(1 for b in blocks if b.kind == "text") or 1
    colons = sum(1 for c in candidates.values() if c[2] and looks_like_name(c[0]))
    transcript = colons >= 0.4 * told
    elsewhere = set(_MID_SENTENCE.findall(text)) if not transcript else set()
    accepted: dict[int, tuple[str, int]] = {}
    known: set[str] = set()
    candidates_open = {
        written.casefold(): True
        for index, (written, said, colon) in candidates.items()
        if colon
        and said >= blocks[index].end
        and index + 1 < len(blocks)
        and blocks[index + 1].depth > blocks[index].depth
    }
    repeated_opener = any(counts[low] > 1 for low in candidates_open)
    for written, _, colon in candidates.values():
        low = written.casefold()
        if not colon or low in known:
            continue
        count = counts[low]
        if people.resolve(written):
            known.add(low)
        elif looks_like_name(written):
            shouted = written.isupper() and len(written) > 4
            opens = candidates_open.get(low, False)
            if (
                (opens and (len(written.split()) > 1 or repeated_opener))
                or (written in elsewhere and colons > 2)
                or (count >= 2 and not (shouted and not transcript))
                or (transcript and (not people.listed or len(written.split()) > 1 or count > 1 or colons >= 0.6 * told))
            ):
                known.add(low)
        elif looks_like_handle(written) and (count >= 2 and (transcript or not people.listed or count >= 3)):
            known.add(low)
    for index, (written, _, colon) in candidates.items():
        if colon and written.casefold() in known and not people.resolve(written):
            role = re.search(
                r"\(([^()]{2,60})\)[*_]{0,2}\s*:",
                text[blocks[index].said : min(blocks[index].end, blocks[index].said + 110)],
            )
            people.know(written, role.group(1).strip() if role and not re.search(r"\d", role.group(1)) else None)
    for index, block in enumerate(blocks):
        if block.kind == "text" and block.bullet and block.end - block.said < 40 and index + 1 < len(blocks):
            written = text[block.said : block.end].strip("*_: ")
            if blocks[index + 1].depth > block.depth and people.resolve(written):
                accepted[index] = (written, block.end)
    for index, (written, said, colon) in candidates.items():
        if (people.resolve(written) and (colon or blocks[index].bullet or not transcript)) or (
            colon and written.casefold() in known
        ):
            accepted[index] = (written, said)
    return accepted


_MID_SENTENCE = re.compile(r"(?<=[a-z,(/+] )[A-Z][a-zà-ÿ]{1,20}\b|(?<=[(/+])[A-Z][a-zà-ÿ]{1,20}\b")


def _label(text: str, block: Block, people: People) -> tuple[str, int, bool] | None:
    """``(name, where the words begin, whether a colon ends it)`` of a block that may open with a speaker."""
    head = text[block.said : min(block.end, block.said + 90)]
    match = re.search(r"[:：](?:[*_]{0,2})(?=\s|$)|(?<=\S)\s+[-–—]{1,2}\s", head)
    if not match:
        return None
    written = head[: match.start()]
    bare = re.sub(r"(?:(?<!\s)\s++|)[(\[][^)\]]{0,60}[)\]]\s*+[*_]{0,2}$", "", written).strip(" *`<>@")
    bare = re.sub(r"^(_{1,2})(.*)\1$", r"\2", bare)
    colon = head[match.start()] in ":："
    if not bare or "\n" in bare:
        return None
    if "," in bare and looks_like_name(bare.rsplit(", ", 1)[-1]) and any(c.isdigit() for c in bare):
        bare = bare.rsplit(", ", 1)[-1]
    if not (looks_like_name(bare) or looks_like_handle(bare) or people.resolve(bare)):
        return None
    return bare, block.said + match.end(), colon


def _title(text: str, blocks: list[Block]) -> str | None:
    for block in blocks[:4]:
        labelled = _LABELLED_TITLE.match(text[block.start : block.end])
        # "Minutes: Priya Raman" says who wrote them; "Title: Product Sync" is no one's name.
        if labelled and (labelled[0].lstrip("*_")[0] in "Tt" or not looks_like_name(labelled[1].strip(" *_"))):
            return labelled[1].strip(" *_")
    first = next((block for block in blocks if block.kind not in ("markup", "roster")), None)
    if first and first.kind == "heading":
        return first.section
    if first and first.kind == "text" and not first.bullet:
        words = text[first.said : first.end]
        if len(words) <= 100 and ":" not in words[:40]:
            return words.strip(" *_")
    return None
