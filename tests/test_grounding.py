"""A quote is kept only if it is in the notes, word for word, and by the person named."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.grounding import NOT_SAID, NOT_THERE, fold, ground, ground_findings, ground_heard, occurrences
from coach.notes import parse
from coach.schema import Answer, Conversation, Finding, Heard, Quote, Utterance

FOUND = {
    "as it stands": ("We can't ship on Friday.", "can't ship", "can't ship"),
    "other apostrophe": ("We can\u2019t ship on Friday.", "can't ship", "can\u2019t ship"),
    "other quotation marks": ("He said \u201cno\u201d twice.", 'said "no" twice', "said \u201cno\u201d twice"),
    "wrapped line": ("I fear that\n   the date slips.", "fear that the date", "fear that\n   the date"),
    "no-break space": ("only 3\u00a0days left", "only 3 days left", "only 3\u00a0days left"),
    "zero-width space": ("the da\u200bte slips", "the date slips", "the da\u200bte slips"),
    "soft hyphen in the quote": ("the date slips", "the da\u00adte slips", "the date slips"),
    "decomposed notes": ("Jose\u0301 doubts it", "Jos\u00e9 doubts", "Jose\u0301 doubts"),
    "decomposed quote": ("Jos\u00e9 doubts it", "Jose\u0301 doubts", "Jos\u00e9 doubts"),
    "decomposed at the end": ("ask Jose\u0301", "ask Jos\u00e9", "ask Jose\u0301"),
    "Hangul letters": ("\u1112\u1161\u11ab 글 읽기", "\ud55c 글", "\u1112\u1161\u11ab 글"),
    "quoted by the model": ("I doubt it.", '"I doubt it."', "I doubt it."),
    "curly quoted by the model": ("I doubt it.", "\u201cI doubt it.\u201d", "I doubt it."),
    "inside quotation marks": ("she said 'not yet' again", "not yet", "not yet"),
    "possessive": ("the teams' plan", "the teams", "the teams"),
    "no spaces between words": ("我担心这个日期太早了", "这个日期太早", "这个日期太早"),
    "beyond the basic plane": ("\U0001f600 fine, \U0001f680 whatever", "\U0001f680 whatever", "\U0001f680 whatever"),
}
NOT_FOUND = {
    "one changed word": ("We will not ship on Friday.", "We will now ship on Friday."),
    "one left out": ("We will not ship on Friday.", "We will ship on Friday."),
    "cut before the contraction": ("I can't agree.", "I can"),
    "cut in a word": ("That is unfair.", "fair."),
    "cut at a hyphen": ("That is non-negotiable.", "negotiable"),
    "cut in a number": ("We need 3.5 people", "We need 3"),
    "other case": ("We will not.", "we will not."),
    "ellipsis": ("I fear that the date slips.", "I fear ... slips"),
    "other dash": ("fine \u2014 whatever", "fine - whatever"),
    "other number": ("at 10:30", "at 10:40"),
    "nothing": ("We will not.", ""),
    "marks only": ('"..."', '"..."'),
    "only spaces": ("a b", "   "),
    "longer than the notes": ("no", "no, never"),
}


@pytest.mark.parametrize("case", FOUND)
def test_finds_the_exact_slice(case: str) -> None:
    text, quote, expected = FOUND[case]
    place = ground(quote, text)
    assert place is not None
    assert text[slice(*place)] == expected


@pytest.mark.parametrize("case", NOT_FOUND)
def test_does_not_find(case: str) -> None:
    text, quote = NOT_FOUND[case]
    assert ground(quote, text) is None


def test_takes_the_place_nearest_to_where_it_was_said() -> None:
    text = "I doubt it. " * 5
    assert ground("I doubt it.", text) == (0, 11)
    assert ground("I doubt it.", text, near=30) == (24, 35)
    assert len(list(occurrences("I doubt it.", text))) == 5


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.data())
def test_whatever_is_found_is_the_same_text_and_the_whole_is_always_found(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    quote = text[start:end]
    place = ground(quote, text)
    if place is not None:
        assert fold(text[slice(*place)]).text.strip("\"' ") == fold(quote).text.strip("\"' ")
    whole = text.strip()
    if any(c.isalnum() for c in fold(whole).text):
        assert ground(whole, text) is not None


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ae\u0301\u0327 .\u2019'\u200b\n\u1112\u1161\u11ab\u212b", max_size=40))
def test_composition_of_notes_and_quote_does_not_matter(text: str) -> None:
    words = " ".join(text.split())
    assert ground(words, unicodedata.normalize("NFC", text)) is None or ground(words, text) is not None
    decomposed = unicodedata.normalize("NFD", text)
    place = ground(words, decomposed)
    if ground(words, text) is not None:
        assert place is not None
        assert fold(decomposed[slice(*place)]).text.strip("\"' ") == fold(words).text.strip("\"' ")


def notes(*turns: tuple[str | None, str]) -> Conversation:
    """A conversation of labelled turns, one a line."""
    text = ""
    utterances = []
    for speaker, words in turns:
        start = len(text)
        text += f"{speaker}: " if speaker else ""
        said = len(text)
        text += words
        utterances.append(
            Utterance(speaker=speaker, start=start, said=said, end=len(text), role="speech" if speaker else "narration")
        )
        text += "\n"
    return Conversation(text=text, format="speaker-labels", utterances=tuple(utterances))


def finding(quote: str, speaker: str | None, start: int = 0) -> Finding:
    return Finding(
        kind="unheard_objection", quote=quote, start=start, end=start, speaker=speaker, why="w", ask="a?",
        confidence=0.5, source="test",
    )  # fmt: skip


def test_a_finding_gets_its_exact_place_and_the_speaker_of_the_record() -> None:
    record = notes(("Ada", "I don\u2019t think this is safe."), ("Ben", "Noted."))
    (kept,), aside = ground_findings([finding("I don't think this is safe", None)], record)
    assert (kept.quote, kept.speaker) == ("I don\u2019t think this is safe", "Ada")
    assert record.text[kept.start : kept.end] == kept.quote
    assert aside == ()


@pytest.mark.parametrize(
    ("quote", "speaker", "reason"),
    [
        ("This was never said", "Ada", NOT_THERE),
        ("I doubt it. Ben: Noted.", "Ada", NOT_SAID),
        ("Ada: I doubt it.", "Ada", NOT_SAID),
        ("I doubt it.", "Ben", "The notes do not give these words to Ben."),
        ("Ada was not sure", "Cy", "The notes do not give these words to Cy."),
    ],
)
def test_sets_aside_with_the_reason(quote: str, speaker: str, reason: str) -> None:
    record = notes(("Ada", "I doubt it."), ("Ben", "Noted."), (None, "Ada was not sure about the date."))
    kept, (aside,) = ground_findings([finding(quote, speaker)], record)
    assert kept == ()
    assert aside.reason == reason


def test_narration_may_be_about_anybody_it_names() -> None:
    record = notes((None, "Ada was not sure about the date."))
    (kept,), _ = ground_findings([finding("Ada was not sure", "ada")], record)
    assert kept.speaker == "ada"


def test_the_same_words_by_two_people_are_given_to_the_one_named() -> None:
    record = notes(("Ada", "Not convinced."), ("Ben", "Not convinced."))
    (kept,), _ = ground_findings([finding("Not convinced.", "Ben", start=0)], record)
    assert kept.speaker == "Ben"
    assert kept.start > record.text.index("Ben")


TALK = "Ana: I fear that the date slips.\nBen: Then we move it.\nAna: That helps.\n\n# Later\n"


def span(quote: str) -> dict[str, str | int]:
    start = TALK.index(quote)
    return {"quote": quote, "start": start, "end": start + len(quote)}


FEAR = Heard(
    kind="objection", speaker="Ana", stage="integrated", confidence=0.9, source="local:heard@1",
    answer=Answer(**span("Then we move it."), speaker="Ben"), confirmation=Quote(**span("That helps.")),
    **span("I fear that the date slips."),
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({}, True),
        ({"confirmation": None}, True),
        ({"answer": FEAR.answer.model_copy(update={"speaker": None})}, True),
        ({"speaker": "Ben"}, False),
        ({"quote": "I fear that the date slides."}, False),
        ({"start": 6}, False),
        ({"answer": FEAR.answer.model_copy(update={"speaker": "Cleo"})}, False),
        ({"answer": FEAR.answer.model_copy(update={"speaker": "Ana"})}, False),
        ({"answer": FEAR.answer.model_copy(update={"start": 0, "end": 16})}, False),
        ({"answer": Answer(**span("# Later"))}, False),
        ({"confirmation": Quote(**span("Then we move it."))}, False),
        ({"confirmation": Quote(quote="That does it.", start=60, end=73)}, False),
    ],
)
def test_what_was_heard_is_said_only_with_exact_words_of_those_named(changes: dict[str, object], stays: bool) -> None:
    one = FEAR.model_copy(update=changes)
    assert [kept.id for kept in ground_heard([one], [], parse(TALK))] == (["h1"] if stays else [])


@pytest.mark.parametrize(
    ("kind", "stays"), [("unheard_objection", False), ("unaddressed_need", False), ("categorical_phrasing", True)]
)
@pytest.mark.parametrize("tier", ["finding", "look"])
def test_nothing_is_heard_that_a_finding_calls_unheard(kind: str, tier: str, stays: bool) -> None:
    there = finding("the date slips", "Ana", start=TALK.index("the date")).model_copy(
        update={"kind": kind, "tier": tier, "end": TALK.index(" slips") + 6}
    )
    assert bool(ground_heard([FEAR], [there], parse(TALK))) == stays
