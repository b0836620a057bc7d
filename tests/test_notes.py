"""Any text parses, every utterance and sentence is an exact slice, bad input is refused in one line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach import notes
from coach.errors import InputError
from coach.notes.lines import BLANK

PARTS = (
    "Ana:", "Ben Ott:", "**Cy:**", "- ", "  - ", "> ", "# ", "## Item", "1. ", "| a | b |", "|---|---|",
    "\n", "\n", "\r\n",
    "\n\n", " ", "[00:01:02]", "19:02 ", "Ana  0:15", "WEBVTT\n\n", "00:01.000 --> 00:02.000\n", "<v Ana>",
    "</v>", "From: Ana",
    "Subject: roof", "Ana wrote:", "Present: Ana (chair), Ben", "Apologies: Cy", "Ana asked why.",
    "It leaks. We wait!", "…", "e.g.",
    "https://a.example", "שלום", "😀", "\ufeff", "\u200b", "\u2028", "Decision: no", "---", "(laughs)",
    '"', "Mr. ", "J. P.", "a: b",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(min_size=1, max_size=200),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=40).map("".join),
).filter(lambda text: text.strip(BLANK) and not text.isspace() and "\x00" not in text)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, format=st.sampled_from([None, *notes.FORMATS]))
def test_utterances_are_exact_slices_in_order_that_cover_every_word(text: str, format: str | None) -> None:
    conversation = notes.parse(text, format)
    assert conversation.text == text
    at = 0
    for utterance in conversation.utterances:
        assert at <= utterance.start <= utterance.said <= utterance.end
        assert utterance.start < utterance.end
        assert not text[at : utterance.start].strip(BLANK)
        at = utterance.end
    assert not text[at:].strip(BLANK)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_sentences_are_exact_slices_inside_their_utterance(text: str) -> None:
    conversation = notes.parse(text)
    at = 0
    for sentence in notes.sentences(conversation):
        utterance = conversation.utterances[sentence.utterance]
        assert utterance.said <= sentence.start < sentence.end <= utterance.end
        assert at <= sentence.start
        assert sentence.text == text[sentence.start : sentence.end]
        assert sentence.speaker == utterance.speaker
        assert utterance.role in ("speech", "narration")
        at = sentence.end


@settings(max_examples=50, deadline=None)
@given(text=TEXTS)
def test_sentences_leave_no_word_of_an_utterance_out(text: str) -> None:
    conversation = notes.parse(text)
    told = "".join(s.text for s in notes.sentences(conversation))
    said = "".join(conversation.words(u) for u in conversation.utterances if u.role in ("speech", "narration"))
    assert "".join(told.split()) == "".join(said.split())


def test_the_values_are_valid_though_they_are_built_without_validation() -> None:
    conversation = notes.parse("[00:00:03] Ana: It leaks.\n[00:00:09] Ben: Since when?\n")
    assert type(conversation).model_validate(conversation.model_dump()) == conversation


SENTENCES = (
    ("It leaks. We wait! Why? So.", ["It leaks.", "We wait!", "Why?", "So."]),
    ("Dr. Roe and J. P. Venn met Mrs. Ott. They left.", ["Dr. Roe and J. P. Venn met Mrs. Ott.", "They left."]),
    ("Pay e.g. 3.5 per cent, i.e. less. Fine.", ["Pay e.g. 3.5 per cent, i.e. less.", "Fine."]),
    ("Well... maybe. Hm… No.", ["Well... maybe.", "Hm…", "No."]),
    ('He said "Stop it." Then he left.', ['He said "Stop it."', "Then he left."]),
    ("See www.a.example for v2.1 of no. 5. Done.", ["See www.a.example for v2.1 of no. 5.", "Done."]),
    ("At 5 p.m. we go. Bring tea etc. Thanks.", ["At 5 p.m. we go.", "Bring tea etc.", "Thanks."]),
    ("このままでいい。次へ。", ["このままでいい。", "次へ。"]),
)


@pytest.mark.parametrize(("words", "expected"), SENTENCES)
def test_sentences_end_where_a_reader_would_end_them(words: str, expected: list[str]) -> None:
    conversation = notes.parse(f"Ana: {words}\nBen: Yes.\nAna: No.\n")
    assert [s.text for s in notes.sentences(conversation) if s.utterance == 0] == expected


def test_speech_without_punctuation_is_cut_at_a_pause_after_about_sixty_words() -> None:
    words = " ".join(f"well number {n} and so on" for n in range(60))
    found = notes.sentences(notes.parse(f"Ana: {words}\nBen: yes\nAna: no\n"))
    lengths = [len(s.text.split()) for s in found if s.utterance == 0]
    assert max(lengths) <= 62
    assert min(lengths) >= 5
    assert sum(lengths) == 360


HOSTILE: dict[str, Callable[[int], str]] = {
    "one line": lambda n: "word " * (n // 5),
    "one word": lambda n: "a" * n,
    "colons": lambda n: ":" * n,
    "labels": lambda n: "A: " * (n // 3),
    "new names": lambda n: "".join(f"N{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}: hi\n" for i in range(n // 9)),
    "quotes": lambda n: "> " * (n // 2),
    "dots": lambda n: "." * n,
    "spaces": lambda n: "a" + " " * n + "b",
    "brackets": lambda n: "(" * n,
    "commas": lambda n: "Present: " + "Ana, " * (n // 5),
    "pipes": lambda n: "|" * n,
    "tags": lambda n: "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<" * n,
    "reporting": lambda n: "Ana said that. Ben asked why. " * (n // 30),
    "mail": lambda n: "From: a\nTo: b\n\nOn " + "a " * (n // 2),
    "nesting": lambda n: "".join(" " * i + "- Ana: x\n" for i in range(int((2 * n) ** 0.5))),
    "right to left": lambda n: "שלום " * (n // 5),
    "emoji": lambda n: "😀" * n,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_the_text_and_not_with_its_square(name: str) -> None:
    def seconds(size: int) -> float:
        text = HOSTILE[name](size)
        best = float("inf")
        for _ in range(2):
            begin = time.process_time()
            notes.sentences(notes.parse(text))
            best = min(best, time.process_time() - begin)
        return best

    small, large = seconds(10_000), seconds(80_000)
    # Eight times the text: sixteen times the time is still linear with noise, sixty-four is a square.
    assert large <= 24 * max(small, 0.004)


def test_a_line_of_two_hundred_thousand_characters_is_read() -> None:
    text = "Ana: " + "we said a thing and then another " * 6250
    assert len(text) > 200_000
    assert notes.parse(text).utterances


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing to read"),
        (" \n\t\ufeff", "nothing to read"),
        ("a\x00b", "not text"),
        ("a" * 2_000_001, "2,000,000"),
    ],
)
def test_text_that_cannot_be_read_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        notes.parse(text)
    assert "\n" not in str(caught.value)


def test_an_unknown_format_is_refused_with_the_list_of_formats() -> None:
    with pytest.raises(InputError, match=r"'word'.*webvtt.*narrative"):
        notes.parse("Ana: hi", format="word")


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_file_is_read_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    text = "Jörn: Die Straße ist zu – schon wieder!\r\nMaëlle: Ça m'étonne, vraiment, après tout ça.\r\n" * 8
    file = tmp_path / "notes.txt"
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    file.write_bytes(mark + text.encode(encoding))
    assert notes.read_file(file) == text


def test_a_stray_byte_does_not_stop_the_reading(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(b"Ana: it leaks\nBen: \xff\xfe\xc3( since May\nAna: so we wait\n")
    text = notes.read_file(file)
    assert "since May" in text
    assert "Ana: it leaks" in text


def test_an_encoded_message_is_read_as_its_text(tmp_path: Path) -> None:
    file = tmp_path / "mail.eml"
    file.write_bytes(
        b"From: Hedda Lund <h@quay.example>\r\nTo: o@quay.example\r\nSubject: The crane\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"The crane is too old f=C3=BCr us, and it will be=\r\n replaced.\r\n"
    )
    text = notes.read_file(file)
    assert "too old für us, and it will be replaced." in text
    assert notes.parse(text).speakers == ("Hedda Lund",)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


BAD_FILES: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    ("missing.txt", lambda p: None, "does not exist"),
    ("folder", lambda p: p.mkdir(), "is a folder"),
    ("empty.txt", lambda p: p.write_bytes(b""), "is empty"),
    ("blank.txt", lambda p: p.write_bytes(b" \r\n\t "), "is empty"),
    ("picture.txt", lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x01"), "not text"),
    ("binary.txt", lambda p: p.write_bytes(bytes(range(256)) * 20), "not text"),
    ("huge.txt", lambda p: p.write_bytes(b"a" * 10_000_001), "limit is 10 MB"),
    ("pipe.txt", _fifo, "not a regular file"),
    ("broken.pdf", lambda p: p.write_bytes(b"%PDF-1.7 nothing"), r"unheard\[docs\]|can't be converted"),
)


@pytest.mark.parametrize(("name", "make", "says"), BAD_FILES)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, name: str, make: Callable[[Path], object], says: str
) -> None:
    file = tmp_path / name
    make(file)
    with pytest.raises(InputError, match=says) as caught:
        notes.read_file(file)
    assert "\n" not in str(caught.value)


def test_documents_need_an_extra_and_the_message_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    file = tmp_path / "notes.docx"
    file.write_bytes(b"PK\x03\x04")
    monkeypatch.setitem(sys.modules, "markitdown", None)
    with pytest.raises(InputError, match=r"pip install 'unheard\[docs\]'"):
        notes.read_file(file)


@pytest.mark.parametrize(
    ("first", "title", "speakers"),
    [
        ("Minutes: Service desk weekly", "Service desk weekly", ("Tamsin", "Dario")),
        ("Title: Service desk weekly", "Service desk weekly", ("Tamsin", "Dario")),
        ("**Meeting:** Service desk weekly", "Service desk weekly", ("Tamsin", "Dario")),
        ("Minutes: Priya Raman", None, ("Tamsin", "Dario")),
    ],
)
def test_a_title_with_its_label_is_a_title_and_no_speaker(
    first: str, title: str | None, speakers: tuple[str, ...]
) -> None:
    read = notes.parse(f"{first}\nDate: 2026-05-03\n\nTamsin: Who closes up?\nDario: Not me.\nTamsin: I see.\n")
    assert (read.title, read.speakers, read.date) == (title, speakers, "2026-05-03")
