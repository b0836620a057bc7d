"""Subtitle files: WebVTT with and without voices and cue ids, and SubRip (SRT)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coach.notes.dates import find_date
from coach.notes.lines import Line, Piece, seconds, split_lines, utterances
from coach.notes.people import People, looks_like_handle, looks_like_name
from coach.schema import Conversation

_VOICE = re.compile(r"<v(?:\.[^\s>]{0,40})?[ \t]+([^>\n]{1,80})>")
_TAG = re.compile(r"</?(?:v|c|i|b|u|lang|ruby|rt|font)\b[^>\n]{0,80}>|<\d[\d:.]{0,14}>")
_TIMING = re.compile(r"(\d[\d:.,]{2,16})\s*-{1,2}>\s*(\d[\d:.,]{2,16})?")
_HEADER = re.compile(r"WEBVTT|NOTE\b|STYLE\b|REGION\b|Kind:|Language:|X-TIMESTAMP-MAP")


def sniff_webvtt(text: str) -> float:
    head = text[:4000].lstrip("\ufeff \t\r\n")
    return 1.0 if re.match(r"WEBVTT(?=\s|$)", head) else 0.9 * (len(re.findall(r"\d\.\d{1,3}\s*-->\s*\d", head)) >= 2)


def sniff_srt(text: str) -> float:
    return 0.95 * (len(re.findall(r"\d,\d{1,3}\s*-->\s*\d", text[:4000])) >= 1 and not text.startswith("WEBVTT"))


def read_subtitles(text: str, name: str) -> Conversation:
    """One utterance per cue and voice; the time is that of the cue. Broken cues are read line by line."""
    people = People()
    pieces: list[Piece] = []
    cues = list(_cues(split_lines(text)))
    labels = [found[0].casefold() for _, payload, _ in cues for line in payload[:1] if (found := _label(line.text))]
    often = (
        {label for label in labels if labels.count(label) > 1 or len(labels) > len(cues) // 2}
        if len(labels) < 5000
        else set(labels)
    )
    speaker: str | None = None
    for start, payload, time in cues:
        for number, line in enumerate(payload):
            voices = list(_VOICE.finditer(line.text))
            label = None if voices else _label(line.text)
            begin = start if number == 0 else line.start
            if voices:
                if line.text[: voices[0].start()].strip():
                    pieces.append(Piece(begin, line.start, line.start + voices[0].start(), "speech", speaker, time))
                    begin = line.start + voices[0].start()
                for at, voice in enumerate(voices):
                    stop = voices[at + 1].start() if at + 1 < len(voices) else len(line.text)
                    speaker = people.speaker(" ".join(voice.group(1).split()))
                    pieces.extend(
                        _without_tags(
                            line, voice.end(), stop, begin if at == 0 else line.start + voice.start(), speaker, time
                        )
                    )
            elif label and label[0].casefold() in often:
                speaker = people.speaker(label[0])
                pieces.extend(_without_tags(line, label[1], len(line.text), begin, speaker, time))
            elif number == 0:
                speaker = None if not labels else speaker
                pieces.extend(_without_tags(line, 0, len(line.text), begin, speaker, time))
            elif (
                pieces
                and pieces[-1].speaker == speaker
                and pieces[-1].seconds == time
                and not _TAG.search(line.text)
                and text[pieces[-1].end : line.start].isspace()
            ):
                last = pieces.pop()
                pieces.append(Piece(last.start, last.said, line.end, last.role, last.speaker, time))
            else:
                pieces.extend(_without_tags(line, 0, len(line.text), begin, speaker, time))
    read = utterances(text, pieces)
    return Conversation.model_construct(
        text=text,
        format=name,
        title=None,
        date=find_date(text),
        attendees=people.attendees(u.speaker for u in read if u.speaker),
        utterances=read,
    )


def _cues(lines: list[Line]) -> Iterator[tuple[int, list[Line], float | None]]:
    """For each cue where it starts, the lines said in it, and its time; comments, styles and headers are left out."""
    from webvtt.vtt import WebVTTCommentBlock, WebVTTStyleBlock

    block: list[Line] = []
    for line in [*lines, Line(-1, -1, 0, "")]:
        if line.text:
            block.append(line)
            continue
        if block:
            raw = [entry.text.lstrip("\ufeff") for entry in block]
            if not (
                WebVTTCommentBlock.is_valid(raw)
                or WebVTTStyleBlock.is_valid(raw)
                or raw[0].startswith(("REGION", "Region:"))
            ):
                yield from _block(block)
        block = []


def _block(block: list[Line]) -> Iterator[tuple[int, list[Line], float | None]]:
    times = [i for i, line in enumerate(block) if _TIMING.match(line.text)]
    if not times:
        said = [line for line in block if not (_HEADER.match(line.text) or line.text.isdigit() or "-->" in line.text)]
        if said:
            yield block[0].start, said, None
        return
    begins = [max(0, t - 1) if t and (block[t - 1].text.isdigit() or at == 0) else t for at, t in enumerate(times)]
    for at, time in enumerate(times):
        stop = begins[at + 1] if at + 1 < len(times) else len(block)
        said = [line for line in block[time + 1 : stop] if "-->" not in line.text]
        match = _TIMING.match(block[time].text)
        if said and match:
            yield block[begins[at]].start, said, seconds(match.group(1))


def _label(line: str) -> tuple[str, int] | None:
    colon = line.find(":", 0, 60)
    if colon < 1 or (colon + 1 < len(line) and not line[colon + 1].isspace()):
        return None
    written = line[:colon].strip(" -–>[]()")
    return (written, colon + 1) if looks_like_name(written) or looks_like_handle(written) else None


def _without_tags(
    line: Line, start: int, stop: int, begin: int, speaker: str | None, time: float | None
) -> Iterator[Piece]:
    at = start
    for tag in _TAG.finditer(line.text, start, stop):
        if line.text[at : tag.start()].strip():
            yield Piece(begin, line.start + at, line.start + tag.start(), "speech", speaker, time)
            begin = line.start + tag.start()
        at = tag.end()
    if line.text[at:stop].strip():
        yield Piece(begin, line.start + at, line.start + stop, "speech", speaker, time)
