"""The coach says what the record shows, asks one question about it, and is never categorical itself."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.detectors.base import Candidate, ReplyAct, UptakeRecord
from coach.lexicon import cues, load, scope
from coach.rewriting import question
from coach.schema import CATEGORICAL_SUBTYPES, NEEDS, OBJECTION_SUBTYPES, Conversation, Sentence
from coach.topics import about, to_you, topic
from coach.wording import Wording, explain, participant_question, snippet

NOTES = """Ben: The clinic moves to Fridays from June, the deadline is the audit.
Ana: I'm worried about the night shift, they come off at six.
Ben: The audit date is fixed.
Cara: The night shift has four people. Next item.
"""


def conversation(text: str = NOTES, form: str = "speaker-labels") -> Conversation:
    return Conversation(text=text, format=form)


def sentence(text: str, speaker: str | None = "Ben") -> Sentence:
    return Sentence(utterance=0, speaker=speaker, start=0, end=len(text), text=text)


def candidate(
    quote: str,
    *,
    kind: str = "unheard_objection",
    subtype: str | None = "ignored",
    need: str | None = None,
    speaker: str | None = "Ana",
    record: UptakeRecord | None = None,
) -> Candidate:
    start = max(NOTES.find(quote), 0)
    record = record or UptakeRecord()
    return Candidate(kind, subtype, need, (0,), start, start + len(quote), quote, speaker, 0.5, record)


SHIFT = "I'm worried about the night shift, they come off at six."
ANSWERED = {
    ReplyAct.BARE_OK: "Noted, thanks.",
    ReplyAct.ANOTHER_BENEFIT: "The audit date is fixed.",
    ReplyAct.DISMISSAL: "We've managed worse.",
    ReplyAct.PARKED: "Let's take that offline.",
    ReplyAct.SUBJECT_CHANGE: "The minutes of April, please.",
    ReplyAct.PARTIAL_ANSWER: "The first bus leaves at five.",
}


def every_wording() -> list[tuple[str, Wording]]:
    """One wording for each kind, subtype, need, answer and sort of record."""
    out = []
    plan = sentence("The clinic moves to Fridays from June.")
    records = [UptakeRecord(), UptakeRecord(proposal=plan, end_of_item=True, next_topic="Parking")]
    records += [
        UptakeRecord(proposal=plan, reply=sentence(text, who), reply_act=act, chair=chair, later_uptake=later)
        for act, text in ANSWERED.items()
        for who, chair, later in (("Ben", False, None), ("Ben", True, None), (None, False, sentence("Again.", "Cara")))
    ]
    for record in records:
        for speaker in ("Ana", None):
            for form in ("speaker-labels", "draft"):
                notes = conversation(form=form)
                for quote in (SHIFT, "That'd be my third."):
                    for subtype in OBJECTION_SUBTYPES:
                        found = candidate(quote, subtype=subtype, speaker=speaker, record=record)
                        out.append((f"{subtype} {record.reply_act}", explain(found, notes)))
                    for need in NEEDS:
                        found = candidate(
                            quote, kind="unaddressed_need", subtype=None, need=need, speaker=speaker, record=record
                        )
                        out.append((need, explain(found, notes)))
    for subtype in CATEGORICAL_SUBTYPES:
        for speaker in ("Ana", None):
            for quote in ("They move to the hall.", "The night shift moves to the hall."):
                found = candidate(quote, kind="categorical_phrasing", subtype=subtype, speaker=speaker)
                out.append((subtype, explain(found, conversation())))
    return out


def own_words(text: str) -> str:
    """What the coach says itself, without what it quotes."""
    return re.sub(r"“[^”]*”", "this", text)


def templates() -> list[str]:
    """Every sentence in the data, with harmless words in its slots."""

    def leaves(node: object) -> list[str]:
        if isinstance(node, str):
            return [node]
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
        return [leaf for child in children for leaf in leaves(child)]

    filled = []
    for template in leaves(load("wording.yaml")):
        slots = {name: "the ferry" for _, name, _, _ in Formatter().parse(template) if name}
        filled.append(template.format_map(slots | {"name": "Ana", "reply": "Ben"}))
    return (
        filled + [question("The ferry.", s) for s in CATEGORICAL_SUBTYPES] + leaves(load("rewrites.yaml")["questions"])
    )


@pytest.mark.parametrize("text", templates())
def test_no_sentence_of_the_coach_is_categorical_by_its_own_lexicon(text: str) -> None:
    assert [c.text for c in cues(text) if c.kind == "categorical" and scope(text, c) is None] == []


LABELS = re.compile(
    r"\b(?:lazy|defensive|resister|resistant|difficult|negative|aggressive|toxic|arrogant|stubborn|emotional|passive|"
    r"insecure|manipulat\w+|narcissis\w+|dishonest|because (?:he|she|they) (?:want|fear|feel)s?|wants to avoid|"
    r"in denial)\b"
)


@pytest.mark.parametrize("text", templates())
def test_no_sentence_of_the_coach_labels_a_person_or_names_a_motive(text: str) -> None:
    assert not LABELS.search(text.lower())


def test_every_finding_gets_a_reason_and_exactly_one_question() -> None:
    for label, wording in every_wording():
        assert wording.why.endswith((".", "”")), label
        assert wording.why[0].isupper() or wording.why[0] == "“", label
        assert wording.ask.count("?") >= 1 and wording.ask.endswith("?"), label
        assert own_words(wording.ask).count("?") <= 1, label
        for text in (wording.why, wording.ask):
            assert not re.search(r"[{}]|\s{2}|\bNone\b|\s[,.;?]|;\s*,|\.\.", text), (label, text)


def test_the_reason_names_who_said_what_about_what_and_what_came_back() -> None:
    record = UptakeRecord(reply=sentence("The audit date is fixed."), reply_act=ReplyAct.ANOTHER_BENEFIT, chair=True)
    why = explain(candidate(SHIFT, subtype="dismissed", record=record), conversation()).why
    assert "Ana" in why and "the night shift" in why and "Ben" in why and "The audit date is fixed" in why


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (ReplyAct.BARE_OK, "Noted, thanks"),
        (ReplyAct.PARKED, "offline"),
        (ReplyAct.PARTIAL_ANSWER, "leave open whether that was enough"),
        (ReplyAct.SUBJECT_CHANGE, "said “The minutes of April, please”"),
        (ReplyAct.DISMISSAL, "We've managed worse"),
    ],
)
def test_the_reason_says_what_the_answer_did(act: ReplyAct, expected: str) -> None:
    record = UptakeRecord(reply=sentence(ANSWERED[act]), reply_act=act)
    assert expected in explain(candidate(SHIFT, record=record), conversation()).why


def test_a_parked_point_without_an_owner_is_said_to_have_none() -> None:
    record = UptakeRecord(reply=sentence("Let's take that offline."), reply_act=ReplyAct.PARKED)
    why = explain(candidate(SHIFT, subtype="deferred", record=record), conversation()).why
    assert re.search(r"no owner|who takes it", why)


def test_nobody_is_said_to_have_passed_over_what_may_have_come_up_again() -> None:
    later = sentence("The minutes of April, please.")
    record = UptakeRecord(reply=later, reply_act=ReplyAct.SUBJECT_CHANGE, echoed=True)
    assert "what became of it" in explain(candidate(SHIFT, record=record), conversation()).why
    record = UptakeRecord(reply=later, reply_act=ReplyAct.SUBJECT_CHANGE)
    assert "what became of it" not in explain(candidate(SHIFT, record=record), conversation()).why


def test_silence_is_put_to_the_whole_room() -> None:
    record = UptakeRecord(proposal=sentence("The clinic moves to Fridays from June."))
    wording = explain(candidate("Hearing nothing, that's agreed.", subtype="silence", record=record), conversation())
    assert "each of" in wording.ask and "Ana" not in wording.ask
    assert "The clinic moves to Fridays from June" in wording.why


def test_lukewarm_assent_is_quoted_back_without_calling_it_anything() -> None:
    wording = explain(candidate("Fine, if we have to.", subtype="lukewarm"), conversation())
    assert "“Fine, if we have to”" in wording.ask
    assert "Ana" in wording.why


def test_words_that_the_notes_tell_of_somebody_are_put_to_that_person() -> None:
    found = candidate("Cara said that the phones would be unmanned.", speaker=None)
    wording = explain(found, conversation())
    assert wording.ask.startswith("Cara,")
    assert "Cara said that" not in wording.ask


def test_without_a_name_the_question_asks_who() -> None:
    assert re.match(r"Who\b", explain(candidate(SHIFT, speaker=None), conversation()).ask)
    assert "None" not in explain(candidate(SHIFT, speaker=None), conversation()).why


def test_a_draft_is_put_to_its_writer() -> None:
    notes = conversation("I want to say that we close on Mondays.", "draft")
    for kind, need in (("unheard_objection", None), ("unaddressed_need", "clarity")):
        wording = explain(candidate(SHIFT, kind=kind, need=need, speaker=None), notes)
        assert wording.why.startswith("Your draft")
        assert "Ana" not in wording.ask


@pytest.mark.parametrize(
    ("quote", "asked"),
    [
        ("Nobody will use the second boat.", ("who might see it", "whom have you heard")),
        ("The second boat never works.", ("when was it", "which occasions")),
    ],
)
def test_words_for_all_people_are_asked_who_and_others_when(quote: str, asked: tuple[str, ...]) -> None:
    found = candidate(quote, kind="categorical_phrasing", subtype="absolute")
    assert any(part in explain(found, conversation()).ask for part in asked)


def test_categorical_phrasing_gets_a_version_and_its_strong_word_quoted() -> None:
    found = candidate("Obviously the second boat is faster.", kind="categorical_phrasing", subtype="certainty")
    wording = explain(found, conversation())
    assert "“Obviously”" in wording.why
    assert wording.rewrite and "Obviously" not in wording.rewrite


def test_other_findings_get_no_version() -> None:
    assert explain(candidate(SHIFT), conversation()).rewrite is None


def test_the_same_passage_gets_the_same_words_and_others_vary() -> None:
    assert explain(candidate(SHIFT), conversation()) == explain(candidate(SHIFT), conversation())
    asks = {explain(candidate(f"That would be evening number {n}."), conversation()).ask[:30] for n in range(12)}
    assert len(asks) > 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm worried about the night shift.", "the night shift"),
        ("What happens to the school garden when it rains?", "the school garden"),
        ("Who covers the phones while we train?", "the phones"),
        ("nobody told us about the reorganisation", "the reorganisation"),
        ("My team is at its limit.", "my team"),
        ("I need someone to check the translations before they go out.", "the translations"),
        ("I'm exhausted.", None),
        ("That's the third time this month.", None),
        ("There is no sergeant in at weekends.", None),
        ("Version 4.2 broke again.", None),
    ],
)
def test_a_topic_is_found_where_its_edges_are_sure(text: str, expected: str | None) -> None:
    assert topic(text) == expected


def test_a_topic_that_is_not_feared_must_be_known_from_the_rest_of_the_notes() -> None:
    assert topic("He puts the headphones on.", "The shift plan was read out.") is None
    assert topic("He puts the headphones on.", "We pay for headphones.") == "the headphones"


def test_a_body_is_no_topic_unless_somebody_fears_for_it() -> None:
    around = "The Foundation is large. The Council meets."
    assert topic("The Foundation will not be supporting it next year?", around) is None
    assert topic("I'm worried about the Council.", around) == "the Council"


def test_a_need_that_would_be_a_guess_is_not_named() -> None:
    words = "I wasn't there, and I'm waiting to hear how it went."
    guess = explain(candidate(words, kind="unaddressed_need", subtype=None, need=None), conversation())
    named = explain(candidate(words, kind="unaddressed_need", subtype=None, need="workload"), conversation())
    assert "missing here" in named.why and "missing here" not in guess.why
    assert guess.ask and guess.ask != named.ask


def test_an_adverb_ends_a_topic() -> None:
    assert topic("It was just before the release rather than in May.", "We release in May.") == "the release"


def test_what_every_meeting_is_about_is_no_topic() -> None:
    assert topic("It is about the proposal.", "The proposal is on the table.") is None


def test_where_something_moves_is_no_topic() -> None:
    assert topic("It moves the Project forward.", "The Project is large. We look forward to it.") is None


@pytest.mark.parametrize(
    ("noun", "to_speaker", "to_others"),
    [
        ("my team", "your team", "their team"),
        ("our customers", "your customers", "their customers"),
        ("this plan", "the plan", "the plan"),
        ("your rota", "the rota", "the rota"),
        ("no desks", "desks", "desks"),
        ("three ramps", "three ramps", "three ramps"),
    ],
)
def test_a_topic_is_named_from_where_the_coach_stands(noun: str, to_speaker: str, to_others: str) -> None:
    assert (to_you(noun), about(noun)) == (to_speaker, to_others)


def test_a_snippet_is_on_one_line_and_cut_at_a_clause() -> None:
    assert snippet("Fine,\n  if we have to.") == "“Fine, if we have to”"
    assert snippet('He said "no" twice.') == "“He said ‘no’ twice”"
    assert snippet("Mm .") == "“Mm”"
    assert snippet("I [posted](https://chat.example/a_(b)) it there.") == "“I posted it there”"
    cut = snippet(
        "We had one evening for this in the week of half-term, and there were nine of us in a room for sixty people."
    )
    assert cut == "“We had one evening for this in the week of half-term…”"


@pytest.mark.parametrize(
    "stance", ["silent", "unknown", "lukewarm", "resistant", "not_aligned", "committed", "proposed", "absent"]
)
def test_a_participant_is_asked_by_name(stance: str) -> None:
    assert participant_question(stance, "Ana", "Fine, if we have to.").startswith("Ana, ")
    assert participant_question(stance, "Ana").endswith("?")


@given(
    st.text(min_size=1, max_size=150), st.sampled_from(OBJECTION_SUBTYPES), st.one_of(st.none(), st.text(max_size=20))
)
@settings(max_examples=60, deadline=None)
def test_any_passage_can_be_put_into_words(quote: str, subtype: str, speaker: str | None) -> None:
    record = UptakeRecord(reply=sentence(quote[::-1], speaker), reply_act=ReplyAct.SUBJECT_CHANGE)
    wording = explain(candidate(quote, subtype=subtype, speaker=speaker, record=record), conversation())
    assert wording.why and wording.ask.endswith("?")
