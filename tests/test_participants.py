"""Alignment and buy-in are told apart, and stay unknown unless the record says otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.notes import parse
from coach.participants import participants
from coach.schema import Attendee, Conversation, Participant, Sentence, Utterance

ROSTER = "Present: Ana, Ben, Cara\n\n"


def board(text: str) -> dict[str, Participant]:
    return {p.name: p for p in participants(parse(text))}


def after(words: str) -> Participant:
    """Where Ben stands after saying these words about Ana's proposal."""
    return board(f"Ana: I propose that we move the clinic to Fridays.\nBen: {words}\nAna: Next item, the parking.\n")[
        "Ben"
    ]


BUY_IN = [
    ("committed", "I'm in."),
    ("committed", "Count me in."),
    ("committed", "I fully support this."),
    ("committed", "I'll write the letter to the patients by Thursday."),
    ("committed", "Happy to run the first one."),
    ("committed", "Then I'm in."),
    ("lukewarm", "Fine, whatever you decide."),
    ("lukewarm", "I guess so."),
    ("lukewarm", "If we must."),
    ("lukewarm", "I won't stand in the way."),
    ("lukewarm", "I can live with it."),
    ("lukewarm", "I'll go along with it."),
    ("lukewarm", "It's up to you."),
    ("resistant", "I can't support that."),
    ("resistant", "I'm against moving it."),
    ("resistant", "I won't sign that."),
    ("resistant", "Count me out."),
    ("committed", "Good idea. I'll pack the optics in June."),
    ("committed", "I'm bringing the ladder on Saturday."),
    ("lukewarm", "I suppose it has to be."),
    ("lukewarm", "I'll do as I'm told."),
    ("resistant", "Honestly, I'd rather not."),
    ("resistant", "I can't do it with 300 students, and I won't sign up for that."),
    ("unknown", "I could not agree more."),
    ("unknown", "I'm for it too, but I can't take on another day."),
    ("unknown", "Gladly."),
    ("unknown", "I'd rather not spend a third of it in the first week."),
    ("unknown", "I'm taking it that you're all behind Fridays."),
    ("unknown", "Yes."),
    ("unknown", "Okay, thanks."),
    ("unknown", "Which Friday do you mean?"),
    ("unknown", "I'm in if the lab stays open."),
    ("unknown", "I'd be happy to take it on, but I have no hours left."),
    ("unknown", "I asked the drivers, and they're happy to do it this week."),
    ("unknown", "I'll see."),
    ("unknown", "I'm not in the building on Fridays."),
    ("unknown", "Are you in?"),
    ("unknown", 'Dora said "I\'m in" when I rang her.'),
    ("unknown", "I can record that."),
    ("unknown", "I guess the bus stops at nine."),
    ("unknown", "The clinic has four rooms."),
]


@pytest.mark.parametrize(("expected", "words"), BUY_IN)
def test_buy_in_follows_the_persons_own_words(expected: str, words: str) -> None:
    assert after(words).buy_in == expected


ALIGNMENT = [
    ("aligned", "I agree with that."),
    ("aligned", "I could not agree more."),
    ("aligned", "I'm for it too, but I can't take on another day."),
    ("aligned", "Yes. I'll draw up the roster this week."),
    ("not_aligned", "I don't agree."),
    ("not_aligned", "I see why, and I still think that it's wrong."),
    ("not_aligned", "I'm against moving it."),
    ("unknown", "That's a mistake of mine."),
    ("unknown", "I'm convinced that you'll love it."),
    ("aligned", "That makes sense to me."),
    ("aligned", "You're right."),
    ("aligned", "I see it the same way."),
    ("not_aligned", "I disagree."),
    ("not_aligned", "I see that differently."),
    ("not_aligned", "I'm not convinced."),
    ("not_aligned", "I have serious doubts about the lab."),
    ("unknown", "Yes."),
    ("unknown", "Agreed."),
    ("unknown", "I agree, but the lab is closed on Fridays."),
    ("unknown", "Does that make sense to you?"),
    ("unknown", "The figures are on page two."),
]


@pytest.mark.parametrize(("expected", "words"), ALIGNMENT)
def test_alignment_follows_the_persons_own_words(expected: str, words: str) -> None:
    assert after(words).alignment == expected


def test_alignment_and_buy_in_are_separate() -> None:
    ben = after("I see that differently. I'll write the letter by Thursday all the same, count me in.")
    assert (ben.alignment, ben.buy_in) == ("not_aligned", "committed")


@pytest.mark.parametrize(
    "claim",
    ["All agreed.", "Everyone is on board.", "Unanimous.", "Ben is in.", "Ben agreed to run it.", "Nothing? Carried."],
)  # fmt: skip
def test_what_others_claim_makes_nobody_committed(claim: str) -> None:
    people = board(f"{ROSTER}Ana: We move the clinic to Fridays.\nBen: Which room?\nAna: {claim}\n")
    assert {p.buy_in for p in people.values()} == {"unknown"}
    assert {p.alignment for p in people.values()} == {"unknown"}


def test_a_silent_attendee_is_listed_with_a_question_and_nothing_else() -> None:
    cara = board(f"{ROSTER}Ana: We move the clinic to Fridays.\nBen: I'm in.\nAna: All agreed.\n")["Cara"]
    assert (cara.spoke, cara.alignment, cara.buy_in, cara.evidence) == (False, "unknown", "unknown", ())
    assert cara.ask.startswith("Cara, ") and cara.ask.endswith("?")


@pytest.mark.parametrize(
    ("told", "alignment", "buy_in"),
    [
        ("Ben supports it and installs the lock on Saturday.", "aligned", "committed"),
        ("Ben was not convinced that it would hold, and declined to lend his own.", "not_aligned", "resistant"),
        ("Ben opposed section 4.", "not_aligned", "resistant"),
        ("Ben says it is fine with him if the others want to.", "unknown", "lukewarm"),
        ("Ben asked how anybody was supposed to refuse a parent.", "unknown", "unknown"),
        ('Ben read out the note: "The team is fully behind the new model."', "unknown", "unknown"),
        ("Ben said it'll be fine once they've played it a few times.", "unknown", "unknown"),
    ],
)
def test_what_notes_tell_of_a_person_is_no_more_than_they_say(told: str, alignment: str, buy_in: str) -> None:
    ben = board(f"{ROSTER}- Ana: the kiln gets a second lock\n- {told}\n")["Ben"]
    assert (ben.alignment, ben.buy_in) == (alignment, buy_in)


def test_a_no_to_a_proposal_that_asks_for_a_yes_is_a_different_view() -> None:
    people = board(
        "Ana: so we take the wall down, yes?\nBen: no. the wall keeps the wind off my beans\nCara: no worries\n"
    )
    assert people["Ben"].alignment == "not_aligned"
    assert people["Cara"].alignment == "unknown"


def test_who_was_absent_is_left_out() -> None:
    text = "Ana: We move to Fridays.\n"
    people = (Attendee(name="Ana"), Attendee(name="Dora", present=False))
    notes = parse(text).model_copy(update={"attendees": people})
    assert [p.name for p in participants(notes)] == ["Ana"]


def test_a_change_of_mind_on_the_same_item_counts() -> None:
    people = board(
        "Ana: I propose Fridays.\nBen: I can't support that.\nAna: The lab stays open until eight.\nBen: Then I'm in.\n"
    )
    assert people["Ben"].buy_in == "committed"
    assert [q.quote for q in people["Ben"].evidence if "support" in q.quote] == []


def test_the_note_takers_record_of_a_person_counts() -> None:
    people = board("Present: Ana, Ben, Cara\n\nAna proposed Fridays. Ben would not stand in the way. Cara objected.\n")
    assert people["Ben"].buy_in == "lukewarm"
    assert people["Cara"].buy_in == "resistant"
    assert people["Ben"].spoke and people["Cara"].spoke


@pytest.mark.parametrize(("expected", "words"), BUY_IN + ALIGNMENT)
def test_evidence_is_an_exact_slice_and_there_is_none_without_a_stance(expected: str, words: str) -> None:
    text = f"Ana: I propose Fridays.\nBen: {words}\n"
    ben = board(text)["Ben"]
    assert all(text[q.start : q.end] == q.quote for q in ben.evidence)
    assert bool(ben.evidence) == (ben.buy_in != "unknown" or ben.alignment != "unknown")
    assert ben.ask.startswith("Ben, ")


def test_the_question_quotes_what_the_person_said() -> None:
    assert "“Fine, whatever you decide”" in after("Fine, whatever you decide.").ask


def test_a_title_or_first_name_in_a_label_means_the_same_person() -> None:
    people = board("Attendees: Ana Brandt, Ben Okoro\n\nAna: We move to Fridays.\nBen: Count me in.\n")
    assert people["Ben Okoro"].buy_in == "committed"
    assert len(people) == 2


class Ear:
    """A reading with chosen probabilities, in place of the encoder's."""

    def __init__(self, said: tuple[Sentence, ...], **heard: float) -> None:
        self.sentences = said
        self.heard = heard

    def probability(self, head: str) -> object:
        import numpy as np

        return np.full(len(self.sentences), self.heard.get(head, 0.0), dtype=np.float32)


def test_with_a_reading_everyday_words_count_only_where_assent_is_heard() -> None:
    from coach.notes import sentences

    notes = parse("Ana: I propose Fridays.\nBen: I'll send it today.\n")
    said = tuple(sentences(notes))
    stance = {heard: participants(notes, Ear(said, assent=heard))[1].buy_in for heard in (0.1, 0.9)}  # type: ignore[arg-type]
    assert stance == {0.1: "unknown", 0.9: "committed"}


def test_with_a_reading_an_unheard_objection_shows_a_different_view() -> None:
    from coach.notes import sentences

    notes = parse("Ana: I propose Fridays.\nBen: The lab is shut on Fridays.\n")
    ear = Ear(tuple(sentences(notes)), objection=0.9, raise_objection=0.9)
    assert participants(notes, ear)[1].alignment == "not_aligned"  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from(["Ana", "Ben", "Notes", ""]), st.text(max_size=60)), max_size=8))
@settings(max_examples=40, deadline=None)
def test_any_conversation_has_a_board_with_exact_evidence(turns: list[tuple[str, str]]) -> None:
    text, utterances = "", []
    for speaker, words in turns:
        start = len(text)
        text += words + "\n"
        utterances.append(Utterance(speaker=speaker or None, start=start, said=start, end=start + len(words)))
    notes = Conversation(text=text, format="speaker-labels", utterances=tuple(utterances))
    for person in participants(notes):
        assert person.name in ("Ana", "Ben")
        assert all(text[q.start : q.end] == q.quote for q in person.evidence)


def test_whoever_proposes_is_asked_about_the_proposal_and_not_whether_they_back_it() -> None:
    from coach import acts

    conversation = parse(
        "Dana: I propose that we move all night shifts to the Leeds depot from May on.\nBen: Which depot is that?\n"
    )
    dana, ben = participants(conversation, acts.read(conversation))
    assert "I propose that we move all night shifts" in dana.ask and "back this" not in dana.ask
    assert "I propose" not in ben.ask
