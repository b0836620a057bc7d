"""Practice: who listens gets further than who argues or reassures, whatever the temperament and the engine."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.answers import PartnerReply
from coach.errors import InputError, LibraryError, ModelUnreachableError
from coach.identities import Identities
from coach.llm.base import Request
from coach.llm.scripted import ScriptedChatModel
from coach.rehearsal.debrief import height, make_debrief
from coach.rehearsal.ladder import HARDEST, RUNGS, Ladder, Status, Temperament, after
from coach.rehearsal.model import Asking, in_role
from coach.rehearsal.moves import DISMISSING, LISTENING, Move, find_moves
from coach.rehearsal.partner import LocalVoice, Scene, streamed
from coach.rehearsal.practices import Practices
from coach.rehearsal.session import Session
from coach.rehearsal.values import YOU, Point
from coach.render import debrief_html, debrief_markdown
from coach.settings import load_settings
from tests.rehearsals import MEETINGS, WAYS, rehearsal

AGREEABLE = "You're absolutely right, thank you! That is exactly it, I'm on board and have no more concerns."


def agreeable(request: Request) -> object:
    """A model that agrees to everything, and finds nothing but good listening in every turn."""
    if request.label.startswith("partner"):
        return PartnerReply(reply=AGREEABLE)
    turn = re.search(r"1\| (.+)", request.messages[-1][1])
    words = turn.group(1) if turn else ""
    return {"moves": [{"words": words, "move": move.value} for move in sorted(LISTENING)]}


def engine(name: str) -> tuple[object, ...]:
    if name == "local":
        return ()
    asking = Asking(ScriptedChatModel(agreeable), Identities)
    session = rehearsal(MEETINGS[0]).begin()
    return (asking.voice(session), asking.moves)


def heights(session: Session) -> tuple[int, ...]:
    return tuple(height(ladder) for ladder in session.ladders)


# --- the measures


@pytest.mark.parametrize("way", ("local", "agreeable model"))
@pytest.mark.parametrize("temperament", Temperament)
@pytest.mark.parametrize("meeting", MEETINGS)
def test_the_listener_ends_higher_on_every_ladder(meeting: str, temperament: Temperament, way: str) -> None:
    played = {name: rehearsal(meeting).play(name, temperament, *engine(way)) for name in WAYS}
    listened = heights(played["listener"])
    for other in ("rebutter", "reassurer"):
        assert all(a > b for a, b in zip(listened, heights(played[other]), strict=True)), other
    assert all(rung < height(Status.CONFIRMED) for rung in heights(played["rebutter"]))
    assert all(a >= b for a, b in zip(listened, heights(played["mixed"]), strict=True))


@pytest.mark.parametrize("temperament", Temperament)
@pytest.mark.parametrize("meeting", MEETINGS)
def test_a_rebutter_never_hears_agreement(meeting: str, temperament: Temperament) -> None:
    session = rehearsal(meeting).play("rebutter", temperament, *engine("agreeable model"))
    said = [t.text for t in session.turns if not t.mine]
    assert AGREEABLE not in said
    assert not any(re.search(r"what worries me|now you have it|i can (?:give it a )?try", text, re.I) for text in said)


@pytest.mark.parametrize("meeting", MEETINGS)
def test_twelve_turns_bring_no_reply_twice(meeting: str) -> None:
    for way in WAYS:
        session = rehearsal(meeting).begin(Temperament.BLUNT)
        for n in range(12):
            replies = rehearsal(meeting).replies[way]
            session = session.say(replies[n % len(replies)])
        said = [t.text for t in session.turns if not t.mine]
        assert len(said) == len(set(said)), way


SWAPS = {
    "planning-tool": {"Jonas": "Fatima", "Ines": "Oluwaseun", "Lena": "May"},
    "early-deliveries": {"Olu": "Will", "Mirko": "Grace", "Dani": "Yusuf"},
    "night-cover": {"Samira": "Björn", "Gareth": "Rose", "Beth": "Mark"},
    "freezer-move": {"Lindqvist": "Faith", "Oyelaran": "Smith", "Varga": "Long"},
    "reading-room": {"Ama": "Hans", "Bertil": "Joy", "Chidi": "Hope"},
    "choir-hall": {"Piet": "Mary", "Rosa": "Bill"},
}


@pytest.mark.parametrize("meeting", MEETINGS)
def test_other_names_change_nothing_but_the_names(meeting: str) -> None:
    """Whoever the names suggest, the ladder, the moves and the words of the replies are the same."""
    for way in WAYS:
        before = make_debrief(rehearsal(meeting).play(way)).model_dump_json()
        after_ = make_debrief(rehearsal(meeting, SWAPS[meeting]).play(way)).model_dump_json()
        for old, new in SWAPS[meeting].items():
            before = before.replace(old, new)
        assert json.loads(before) == json.loads(after_)


@pytest.mark.parametrize(
    ("his", "hers"),
    [
        ("So he is left alone with the phones at night.", "So she is left alone with the phones at night."),
        ("He's simply wrong about his wall.", "She's simply wrong about her wall."),
        ("What matters most to him about it?", "What matters most to her about it?"),
    ],
)
def test_he_and_she_make_the_same_moves(his: str, hers: str) -> None:
    one, other = (rehearsal("planning-tool").begin().say(text) for text in (his, hers))
    assert one.ladders == other.ladders
    assert [m.move for m in one.turns[-2].moves] == [m.move for m in other.turns[-2].moves]


# --- the ladder

moves_made = st.lists(st.sampled_from(list(Move)), max_size=5)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(RUNGS), st.integers(0, HARDEST), moves_made, st.booleans(), st.sampled_from(list(Temperament)))
def test_a_dismissal_lifts_nothing(
    status: Status, hardness: int, made: list[Move], on_topic: bool, temperament: Temperament
) -> None:
    before = Ladder(status, hardness)
    now = after(before, made, on_topic=on_topic, temperament=temperament)
    assert 0 <= now.hardness <= HARDEST
    if set(made) & DISMISSING:
        assert height(now) <= height(before)
        assert now.hardness > hardness or hardness == HARDEST
    if hardness:
        assert height(now) <= height(before)
    if not made:
        assert now == before


@settings(max_examples=150, deadline=None)
@given(st.lists(moves_made, max_size=8), st.sampled_from(list(Temperament)))
def test_nobody_confirms_without_being_said_back(turns: list[list[Move]], temperament: Temperament) -> None:
    ladder = Ladder()
    for made in turns:
        ladder = after(ladder, made, on_topic=True, temperament=temperament)
    if height(ladder) >= height(Status.CONFIRMED):
        assert any(Move.PARAPHRASE in made for made in turns)


# --- the attendee


@pytest.mark.parametrize("temperament", Temperament)
def test_the_need_is_told_only_after_exploring(temperament: Temperament) -> None:
    session = rehearsal("early-deliveries").begin(temperament)
    need = "nobody comes to harm"
    for reply in rehearsal("early-deliveries").replies["listener"]:
        session = session.say(reply)
        told = any(need in t.text for t in session.turns if not t.mine)
        assert told == (height(session.ladders[0]) >= height(Status.EXPLORED))


def test_only_their_own_words_are_quoted() -> None:
    """What others said in private stays with them: every quotation is one of this person's own."""
    for meeting in MEETINGS:
        made = rehearsal(meeting)
        own = " ".join(p.quote for person in made.brief.attendees if person.name == made.attendee for p in person.open)
        for way in WAYS:
            for turn in made.play(way).turns:
                for quoted in re.findall(r"“([^”]+)”", turn.text) if not turn.mine else ():
                    assert quoted.rstrip(".…").strip() in own


def test_a_guess_is_never_put_as_a_quote() -> None:
    session = rehearsal("choir-hall").begin()
    assert session.notices
    assert "said" not in session.turns[1].text
    assert "“" not in session.turns[1].text


SCENE = Scene(
    attendee="Mirko",
    temperament=Temperament.BLUNT,
    point=Point(attendee="Mirko", quote="I am alone in the dark in the back yard", need="safety"),
    status=Status.RAISED,
    event="hardened",
    move=Move.REBUT,
)

OUT_OF_ROLE = {
    "agrees": "Fair enough, I agree with you.",
    "is relieved": "I'm happy to do it then.",
    "confirms": "Exactly, that's it.",
    "tells the need too early": "What I need is a lamp.",
    "speaks as the user": "You: I see your point about the yard.",
    "is a model": "As an AI language model I have no yard.",
    "coaches": "Good listening! Now try an open question.",
    "labels the user": "You are so arrogant.",
    "thanks for a dismissal": "Thank you for explaining that.",
    "makes up a quote": "Last week you told me “the lamp is fine”.",
    "says nothing": "  ",
    "says too much": "word " * 90,
}


@pytest.mark.parametrize("case", OUT_OF_ROLE)
def test_a_model_that_leaves_its_role_is_not_heard(case: str) -> None:
    said = OUT_OF_ROLE[case]
    assert not in_role(said, SCENE)
    voice = Asking(ScriptedChatModel({"partner": {"reply": said}}), Identities).voice(
        rehearsal("early-deliveries").begin()
    )
    assert voice.reply(SCENE) == LocalVoice().reply(SCENE)


def test_a_model_lends_its_words_within_the_role() -> None:
    said = "No. I'm still out there alone in the dark."
    model = ScriptedChatModel({"partner": {"reply": said}})
    reply = Asking(model, Identities).voice(rehearsal("early-deliveries").begin()).reply(SCENE)
    assert (reply.text, reply.source) == (said, "scripted")
    assert "Mirko" not in model.sent


def test_a_model_that_fails_leaves_the_practice_going() -> None:
    asking = Asking(ScriptedChatModel(lambda request: ModelUnreachableError("down")), Identities)
    made = rehearsal("early-deliveries")
    failing = (asking.voice(made.begin()), asking.moves)
    assert made.play("listener", Temperament.RESERVED, *failing).turns == made.play("listener").turns


def test_the_attendee_labels_nobody() -> None:
    for meeting in MEETINGS:
        for way in WAYS:
            for turn in rehearsal(meeting).play(way, Temperament.BLUNT).turns:
                assert turn.mine or not re.search(r"\byou(?:'re| are) (?:a|an|so|just|not)\b", turn.text, re.I), (
                    turn.text
                )


def test_streaming_ends_with_the_whole_reply() -> None:
    parts = list(streamed("One more thing, if there is time."))
    assert parts[-1] == "One more thing, if there is time."
    assert all(later.startswith(earlier) for earlier, later in pairwise(parts))


# --- the session as a value


def test_rewinding_keeps_both_attempts() -> None:
    made = rehearsal("early-deliveries")
    first = made.play("rebutter")
    again = first.rewind(3)
    assert len(again.turns) == 2
    assert again.attempts == (first.turns,)
    assert first.attempts == ()
    for reply in made.replies["listener"]:
        again = again.say(reply)
    progress = make_debrief(again).progress
    assert [row.label for row in progress] == ["Attempt 1", "This attempt"]
    assert progress[0].rungs < progress[1].rungs


@pytest.mark.parametrize("turn", [0, 1, 2, 4, 99])
def test_only_ones_own_replies_can_be_taken_back(turn: int) -> None:
    with pytest.raises(InputError, match="choose from 3"):
        rehearsal("early-deliveries").begin().say("Hm.").rewind(turn)


@pytest.mark.parametrize(("text", "message"), [("", "say something"), ("  \n", "say something"), ("a" * 5000, "fewer")])
def test_a_reply_has_to_be_one(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rehearsal("early-deliveries").begin().say(text)


def test_nothing_is_said_after_the_end() -> None:
    ended = rehearsal("early-deliveries").begin().say("Hm.").end()
    with pytest.raises(InputError, match="has ended"):
        ended.say("What else?")
    assert not ended.rewind(3).ended


def test_a_paused_practice_is_there_again_and_sealed() -> None:
    settings_ = load_settings()
    session = rehearsal("early-deliveries").begin().say("What would you need from Hanne?")
    Practices(settings_).save(session)
    assert Practices(settings_).paused() == (session,)
    assert Practices(settings_).load(session.id[:6]) == session
    [path] = (settings_.home / "practices").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"Mirko" not in path.read_bytes()
    Practices(settings_).delete(session.id)
    assert Practices(settings_).all() == ()


@pytest.mark.parametrize("practice", ["", "nope", "../../x", "0123456789"])
def test_an_unknown_practice_is_one_clear_line(practice: str) -> None:
    with pytest.raises(LibraryError, match="coach rehearse --list"):
        Practices(load_settings()).load(practice)


def test_a_damaged_practice_hides_no_other() -> None:
    kept = Practices(load_settings())
    session = rehearsal("early-deliveries").begin()
    kept.save(session)
    (load_settings().home / "practices" / "ffff.practice").write_bytes(b"\0" * 40)
    assert kept.all() == (session,)


def test_a_nudge_follows_the_ladder() -> None:
    session, nudges = rehearsal("early-deliveries").begin(), []
    for reply in rehearsal("early-deliveries").replies["listener"]:
        nudges.append(session.nudge())
        session = session.say(reply)
    assert len(set(nudges)) == len(nudges)
    assert "end here" in session.nudge()


# --- the debrief


@pytest.mark.parametrize("meeting", MEETINGS)
@pytest.mark.parametrize("way", WAYS)
def test_every_claim_of_the_debrief_points_at_a_turn(meeting: str, way: str) -> None:
    session = rehearsal(meeting).play(way)
    debrief = make_debrief(session)
    mine = {t.turn for t in session.turns if t.mine}
    assert {r.turn for r in debrief.remarks} <= {t.turn for t in session.turns}
    assert {s.turn for o in debrief.objections for s in o.steps} <= mine
    assert debrief.best_turn is None or debrief.best_turn in mine
    assert debrief.redo is None or debrief.redo.turn in mine
    for told in debrief.objections:
        assert not told.steps or told.steps[-1].status is told.status
    for turn in debrief.turns:
        assert all(made.words in turn.text for made in turn.moves)
    counts = debrief.counts
    assert counts.listening + counts.dismissing == sum(counts.moves.values())
    assert len(debrief.ladder) == len(debrief.turns)


def test_the_debrief_is_kind_and_tentative() -> None:
    from coach.lexicon import cues, scope

    for meeting in MEETINGS:
        debrief = make_debrief(rehearsal(meeting).play("rebutter"))
        assert debrief.redo is not None
        told = [debrief.best_why, debrief.redo.suggestion, *(r.text for r in debrief.remarks)]
        for text in told:
            bare = re.sub(r"“[^”]*”", "", text)
            strong = [c for c in cues(bare) if c.kind == "categorical" and scope(bare, c) is None]
            assert not strong, (text, strong)
            assert not re.search(r"\byou (?:are|were|always|never|failed|should)\b", bare, re.I), text


def test_what_the_coach_suggests_would_have_worked() -> None:
    """The suggested words make a move that lifts the objection from where it stood, by the coach's own measure."""
    from coach.rehearsal.debrief import suggestion
    from coach.rehearsal.ladder import LIFTS
    from coach.rehearsal.moves import find_moves

    for meeting in MEETINGS:
        for point in rehearsal(meeting).begin().points:
            for status in RUNGS[:-1]:
                made = {m.move for m in find_moves(suggestion(point, Ladder(status)))}
                assert made & LIFTS[status], (status, suggestion(point, Ladder(status)), made)
                assert not made & DISMISSING, suggestion(point, Ladder(status))


def test_a_debrief_before_the_first_reply_says_so() -> None:
    debrief = make_debrief(rehearsal("early-deliveries").begin())
    assert debrief.best_turn is None
    assert debrief.redo is None
    assert any("nothing to tell" in notice for notice in debrief.notices)


def test_reports_draw_the_ladder_and_escape_what_was_said() -> None:
    session = rehearsal("early-deliveries").begin().say("<script>alert(1)</script> What do you need, [x](http://y)?")
    debrief = make_debrief(session)
    page = debrief_html(debrief)
    assert "<polyline" in page
    assert "<script" not in page
    assert "<script" not in debrief_markdown(debrief).replace("\\<", "")
    assert make_debrief(session).model_dump(mode="json", by_alias=True)["schema"] == "coach.debrief/1"


def test_the_user_is_called_you() -> None:
    assert rehearsal("early-deliveries").begin().turns[0].speaker == YOU == "you"


def test_saying_it_back_and_asking_whether_it_is_right_does_not_lead() -> None:
    moves = {found.move for found in find_moves("So for you the wall shows where others are stuck, is that right?")}
    assert {Move.PARAPHRASE, Move.CHECK_BACK} <= moves
    assert Move.LEADING_QUESTION not in moves
