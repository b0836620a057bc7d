"""Each way of writing notes is recognised by its content and read with its speakers, times and topics."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from coach import notes
from coach.schema import Conversation


@dataclass(frozen=True)
class Sample:
    """A text, and who says what in it: ``turns`` are (speaker, how the words begin) of speech and narration."""

    format: str
    text: str
    turns: tuple[tuple[str | None, str], ...]
    seconds: tuple[float, ...] = ()
    sections: tuple[str | None, ...] = ()


SAMPLES = {
    "speaker labels": Sample(
        "speaker-labels",
        "Kite club, planning\n\nOda: The meadow is booked for May.\nDr. Venn: By whom? I was never asked.\n"
        "She paused and looked at the map.\nOda: By the town.\nJ. P. Roe: Then we share it.\n",
        (
            ("Oda", "The meadow"),
            ("Dr. Venn", "By whom"),
            ("Dr. Venn", "She paused"),
            ("Oda", "By the town"),
            ("J. P. Roe", "Then we"),
        ),
    ),
    "capitals": Sample(
        "speaker-labels",
        "MS QUILL: We close at noon.\nMR OTT: On Fridays too?\nMS QUILL: On Fridays too.\nMR OTT: I object.\n",
        (("MS QUILL", "We close"), ("MR OTT", "On Fridays"), ("MS QUILL", "On Fridays"), ("MR OTT", "I object")),
    ),
    "bold labels": Sample(
        "speaker-labels",
        "## Greenhouse\n\n**Pia (lead):** New glass in June.\n\n**Rolf:** Who waters meanwhile?\n\n**Pia:** I do.\n",
        (("Pia", "New glass"), ("Rolf", "Who waters"), ("Pia", "I do")),
        sections=("Greenhouse",) * 3,
    ),
    "lower-case labels": Sample(
        "speaker-labels",
        "kelp: the build is red\nmoss_: since when?\nkelp: since lunch\nmoss_: ok, looking\n",
        (("kelp", "the build"), ("moss_", "since when"), ("kelp", "since lunch"), ("moss_", "ok")),
    ),
    "initials among labels": Sample(
        "speaker-labels",
        "Ida: who reads the draft\nL. Saari: +1 from me\nIda: thanks, and the index\nL. Saari: next week\n",
        (("Ida", "who reads"), ("L. Saari", "+1"), ("Ida", "thanks"), ("L. Saari", "next week")),
    ),
    "a chair who speaks": Sample(
        "speaker-labels",
        "Chair (Capt. Moe): Item, uh, four. Ropes. The yard wants them gone.\nNuria: No, that was ours.\n"
        "Chair (Capt. Moe): Was it?\nNuria: In spring.\n",
        (("Chair", "Item"), ("Nuria", "No"), ("Chair", "Was it"), ("Nuria", "In spring")),
    ),
    "irc": Sample(
        "chat",
        "<KEV> draft four is out\n<MIN> thirty minutes is long on a train\n<KEV> floor, not default\n<MIN> ty\n",
        (("KEV", "draft"), ("MIN", "thirty"), ("KEV", "floor"), ("MIN", "ty")),
    ),
    "pasted chat with the time beside the name": Sample(
        "chat",
        "**Ikaika** 9:02 AM venue is with legal\n**Sol** 9:03 AM yesss\n**Ikaika** 10:40 AM 18-19 is free\n",
        (("Ikaika", "venue"), ("Sol", "yesss"), ("Ikaika", "18-19")),
        seconds=(0, 60, 5880),
    ),
    "chat with days": Sample(
        "chat",
        "[tue 08:14] **odhran**: new price list is up\n[tue 08:20] **beata**: the stall is cheaper\n"
        "[wed 09:00] **odhran**: they do no gears\n",
        (("odhran", "new price"), ("beata", "the stall"), ("odhran", "they do")),
    ),
    "zoom": Sample(
        "zoom",
        "[00:00:03] Ravi Nair: Can you hear me?\n[00:00:07] Dr. Sun: Yes.\n[00:01:10] Ravi Nair: The pump is late.\n",
        (("Ravi Nair", "Can you"), ("Dr. Sun", "Yes"), ("Ravi Nair", "The pump")),
        seconds=(3, 7, 70),
    ),
    "webvtt with voices": Sample(
        "webvtt",
        "WEBVTT\n\nNOTE recorded by phone\n\nintro-1\n00:00:01.000 --> 00:00:04.000\n"
        "<v Tove Berg>The ferry is cut.</v>\n\n"
        "00:00:04.500 --> 00:00:06.000\n<v.loud Idris>Cut?\nSince when?\n\n",
        (("Tove Berg", "The ferry"), ("Idris", "Cut?\nSince")),
        seconds=(1, 4.5),
    ),
    "webvtt without voices": Sample(
        "webvtt",
        "WEBVTT\n\n1\n00:01.000 --> 00:04.000\nTove: The ferry is cut.\n\n2\n"
        "00:04.500 --> 00:06.000\nIdris: Since when?\n\n"
        "3\n00:07.000 --> 00:08.000\nTove: Since Monday.\n",
        (("Tove", "The ferry"), ("Idris", "Since when"), ("Tove", "Since Monday")),
        seconds=(1, 4.5, 7),
    ),
    "webvtt with broken cues": Sample(
        "webvtt",
        "WEBVTT\n00:01.000 -> 00:0\nTove: The ferry is cut.\n2\n\n\n99\n00:04.5 --> \n"
        "Idris: Since when?\nno time here\n",
        (("Tove", "The ferry"), ("Idris", "Since when?\nno time")),
    ),
    "srt": Sample(
        "srt",
        "1\n00:00:02,000 --> 00:00:05,000\nAmal: The kiln is cold.\n\n2\n00:00:06,500 --> 00:00:09,000\nJo: Again?\n\n"
        "3\n00:00:10,000 --> 00:00:12,000\nAmal: Again.\n",
        (("Amal", "The kiln"), ("Jo", "Again?"), ("Amal", "Again.")),
        seconds=(2, 6.5, 10),
    ),
    "teams": Sample(
        "teams",
        "Harbour call-20260504\n\nLena Fisk started transcription\n\nLena Fisk   0:03\nShall we start?\n\n"
        "Omar Said   0:09\nOne moment.\nMy headset.\n\nLena Fisk   1:02:00\nDone, thanks.\n",
        (
            ("Lena Fisk", "Shall we"),
            ("Omar Said", "One moment"),
            ("Omar Said", "My headset"),
            ("Lena Fisk", "Done"),
        ),
        seconds=(3, 9, 9, 3720),
    ),
    "otter": Sample(
        "otter",
        "Lena Fisk  0:03\nShall we start?\n\nOmar Said  0:09\nOne moment.\n\nTranscribed by https://otter.ai\n",
        (("Lena Fisk", "Shall we"), ("Omar Said", "One moment"), ("Omar Said", "Transcribed")),
        seconds=(3, 9, 9),
    ),
    "google meet": Sample(
        "google-meet",
        "Roof garden (2026-05-04 10:00 GMT+2) - Transcript\nAttendees: Ines Roth, Paul Abt\nTranscript\n00:00:00\n"
        "Ines Roth: The soil is here.\nPaul Abt: All of it?\n00:05:00\nInes Roth: Half.\n"
        "Meeting ended after 00:07:12\n",
        (("Ines Roth", "The soil"), ("Paul Abt", "All of it"), ("Ines Roth", "Half"), ("Ines Roth", "Meeting ended")),
        seconds=(0, 0, 300, 300),
    ),
    "chat export": Sample(
        "chat-export",
        '[{"ts": "1772440440.1", "user": "U1", "text": "Rehearsal moves\\nto Sunday", "user_profile": {"name": "gro"}},'
        ' {"ts": "1772440500.1", "user": "U2", "text": "no!", "user_profile": {"name": "nils"}}]\n',
        (("gro", "Rehearsal moves"), ("gro", "to Sunday"), ("nils", "no!")),
        seconds=(0, 0, 60),
    ),
    "chat": Sample(
        "chat",
        "[19:02] Gro: Rehearsal moves to Sunday 🎻\n[19:04] Nils: 😬\n[19:10] Gro: 5 pm?\n",
        (("Gro", "Rehearsal"), ("Nils", "😬"), ("Gro", "5 pm")),
        seconds=(0, 120, 480),
    ),
    "chat with dates": Sample(
        "chat",
        "04.05.2026, 19:02 - Gro: Rehearsal moves\n04.05.2026, 19:04 - Nils: no!\n04.05.2026, 19:10 - Gro: 5 pm?\n",
        (("Gro", "Rehearsal"), ("Nils", "no!"), ("Gro", "5 pm")),
        seconds=(0, 120, 480),
    ),
    "terse bullets": Sample(
        "bullets",
        "crew mtg fri\nhere: Ada (chair), Bo, Cy\n\n- Ada: new rota from monday\n- Bo - nobody asked us\n"
        "- Cy asked if nights are shared. Ada: not yet. Discussed, Bo to draft\n- van needs tyres\n",
        (
            ("Ada", "new rota"),
            ("Bo", "nobody asked"),
            ("Cy", "Cy asked"),
            ("Ada", "not yet"),
            (None, "Discussed"),
            (None, "van needs"),
        ),
    ),
    "nested bullets": Sample(
        "bullets",
        "- Mika:\n  - the shed leaks\n  - wants a date\n- Jun:\n  - in May\n- Mika: fine\n",
        (("Mika", "the shed"), ("Mika", "wants a date"), ("Jun", "in May"), ("Mika", "fine")),
    ),
    "formal minutes": Sample(
        "minutes",
        "MINUTES of the Harbour Trust, 3 March 2026\n\nPresent: Mr D. Hale (Treasurer), Mrs F. Ade (Chair), Ms Roe\n"
        "Apologies: Dr Munro\n\n1. Finance\nThe Treasurer reported a deficit. Ms Roe asked how long it would last. "
        "It was agreed to wait.\n\n2. Moorings\nMrs Ade thought the fee too low.\n\nActions\n"
        "- Ms Roe to write to the bank\n",
        (
            ("Mr D. Hale", "The Treasurer reported"),
            ("Ms Roe", "Ms Roe asked"),
            (None, "It was agreed"),
            ("Mrs F. Ade", "Mrs Ade thought"),
            (None, "Ms Roe to write"),
        ),
        sections=("Finance", "Finance", "Finance", "Moorings", "Actions"),
    ),
    "markdown with a table": Sample(
        "markdown",
        "# Log\n\n## Decisions\n\n| No | Plan | Concern |\n|---|---|---|\n"
        "| 1 | Close the east gate | Ute: the buses stop there |\n"
        "| 2 | Paint the hall | Ute: which colour |\n\n## Rest\n\nNothing else came up.\n",
        (
            (None, "Close the east"),
            ("Ute", "the buses"),
            (None, "Paint the hall"),
            ("Ute", "which colour"),
            (None, "Nothing else"),
        ),
        sections=("Decisions",) * 4 + ("Rest",),
    ),
    "narrative": Sample(
        "narrative",
        "We met in the barn on Thursday, nine of us. Mirela asked why the gate was locked. It had "
        "always been so, said Henk. "
        "She wondered who had the key. Nobody knew.\n\nLater Henk offered to look for it. The rest went home.\n",
        (
            (None, "We met"),
            ("Mirela", "Mirela asked"),
            ("Henk", "It had always"),
            (None, "Nobody knew"),
            ("Henk", "Later Henk"),
            (None, "The rest"),
        ),
    ),
    "e-mail": Sample(
        "email",
        "From: Hedda Lund <hedda@quay.example>\nTo: Ola Berg <ola@quay.example>\nDate: Mon, 4 May 2026 09:00:00 +0200\n"
        "Subject: Re: the crane\n\nDear Ola,\n\n> Ola wrote: The crane is\n> too old for this.\n\nIt will do.\n\n"
        "And from Sif:\n\n> Who signs?\n\nI do.\n",
        (
            ("Hedda Lund", "Dear Ola"),
            ("Ola Berg", "The crane is\n> too old"),
            ("Hedda Lund", "It will do"),
            ("Sif", "Who signs"),
            ("Hedda Lund", "I do"),
        ),
        sections=("the crane",) * 5,
    ),
    "draft": Sample(
        "draft",
        "What I want to say on Friday (draft)\n\nDear all, the move is decided.\n\nAnyone who disagrees can leave.\n",
        ((None, "Dear all"), (None, "Anyone who")),
    ),
}


def turns(conversation: Conversation) -> list[tuple[str | None, str]]:
    return [(u.speaker, conversation.words(u)) for u in conversation.utterances if u.role in ("speech", "narration")]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_detected_as_its_format(name: str) -> None:
    assert notes.detect(SAMPLES[name].text) == SAMPLES[name].format


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_sample_gives_its_turns(name: str, line_end: str) -> None:
    sample = SAMPLES[name]
    conversation = notes.parse(sample.text.replace("\n", line_end))
    found = turns(conversation)
    assert [speaker for speaker, _ in found] == [speaker for speaker, _ in sample.turns]
    for (_, words), (_, begin) in zip(found, sample.turns, strict=True):
        assert words.replace("\r", "").startswith(begin)
    told = [u for u in conversation.utterances if u.role in ("speech", "narration")]
    if sample.seconds:
        assert tuple(u.seconds for u in told) == sample.seconds
    if sample.sections:
        assert tuple(u.section for u in told) == sample.sections


def test_every_format_that_ships_has_a_sample() -> None:
    assert {sample.format for sample in SAMPLES.values()} == set(notes.FORMATS)


def test_every_format_is_in_the_reference() -> None:
    from pathlib import Path

    page = (Path(__file__).parent.parent / "docs" / "reference" / "note-formats.md").read_text(encoding="utf-8")
    assert [name for name in notes.FORMATS if f"`{name}`" not in page] == []


def test_a_format_can_be_forced() -> None:
    assert notes.parse("Ana: hello\nBen: hi", format="narrative").format == "narrative"


@pytest.mark.parametrize("forced", list(notes.FORMATS))
@pytest.mark.parametrize("name", SAMPLES)
def test_every_format_reads_every_text_somehow(forced: str, name: str) -> None:
    text = SAMPLES[name].text
    conversation = notes.parse(text, format=forced)
    assert "".join(text[u.start : u.end] for u in conversation.utterances).split() or not text.strip()


LISTS = (
    ("Present: Ana Roth (chair), Ben Ott. Apologies: Cy Fu.\n\nAna: hi\nBen: hi\nAna: so\n",
     {"Ana Roth": (True, "chair", ("Ana",)), "Ben Ott": (True, None, ("Ben",)), "Cy Fu": (False, None, ())}),
    ("Delegates: KL (Kurt Lem), YS (Yuki Sato)\n\nKL: yes\nYS: no\nKL: why\n",
     {"Kurt Lem": (True, None, ("KL",)), "Yuki Sato": (True, None, ("YS",))}),
    ("# Council\n\n## Attendance\n\n- Members: TC, Eric Hu\n- Regrets: Oli\n\n## Roles\n\n"
     "- Facilitator: TC\n\n## Talk\n\nTC: go\n\nEric: ok\n",
     {"TC": (True, "facilitator", ()), "Eric Hu": (True, None, ("Eric",)), "Oli": (False, None, ())}),
    ("Eric Hu, Eric Ho and Ana were there.\nPresent: Eric Hu, Eric Ho, Ana\n\nEric: hi\nAna: hi\nEric: so\n",
     {"Eric Hu": (True, None, ()), "Eric Ho": (True, None, ()), "Ana": (True, None, ()), "Eric": (True, None, ())}),
    ("here: Hanne (chair), Olu, Dani // sorry: Katja\n\n- Dani - no\n- Olu: yes\n",
     {"Hanne": (True, "chair", ()), "Olu": (True, None, ()), "Dani": (True, None, ()), "Katja": (False, None, ())}),
    ("here: me (Joss), Nils taking notes\n\n- Joss: x y\n- Nils: z\n- Joss: w\n",
     {"Joss": (True, None, ()), "Nils": (True, "minutes", ())}),
)  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), LISTS)
def test_attendance_lists_give_presence_role_and_aliases(
    text: str, expected: dict[str, tuple[bool, str | None, tuple[str, ...]]]
) -> None:
    found = {a.name: (a.present, a.role, a.aliases) for a in notes.parse(text).attendees}
    assert found == expected


NOT_SPEAKERS = (
    "Link: https://example.org/a", "Labels: urgent", "Decision: we wait", "Action: Ana calls", "Note: see above",
    "Agenda: 1 roof, 2 rain", "Q: what now", "Time: 10:30", "https://example.org: down", "Next steps: none",
)  # fmt: skip


@pytest.mark.parametrize("line", NOT_SPEAKERS)
def test_a_field_is_not_a_speaker(line: str) -> None:
    text = f"Ana: The roof leaks.\nBen: Since when?\n{line}\nAna: Since May.\n{line}\nBen: I see.\n"
    assert notes.parse(text).speakers == ("Ana", "Ben")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Sync 2026-05-03\nAna: hi", "2026-05-03"),
        ("Sync, 3 May 2026\nAna: hi", "2026-05-03"),
        ("May 3rd, 2026\nAna: hi", "2026-05-03"),
        ("03.05.2026\nAna: hi", "2026-05-03"),
        ("25/12/2025\nAna: hi", "2025-12-25"),
        ("03/05/2026\nAna: hi", None),
        ("3 May\nAna: hi", None),
        ("31 February 2026\nAna: hi", None),
    ],
)
def test_the_date_is_read_as_far_as_the_notes_name_it(text: str, date: str | None) -> None:
    assert notes.parse(text).date == date


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Barn council\n\nAna: hi\nBen: hi\n", "Barn council"),
        ("Barn council, Tuesday\nPresent: Ana, Ben\n\nAna: hi\nBen: hi\n", "Barn council, Tuesday"),
        ("Ana: hi\nBen: hi\n", None),
    ],
)
def test_the_title_is_the_opening_line(text: str, title: str | None) -> None:
    assert notes.parse(text).title == title


def test_minutes_in_which_a_draft_is_read_are_no_draft() -> None:
    read = notes.parse(
        "Present: Mr Falk, Ms Ibarra\n\n1. Bylaws. Mr Falk read the draft. Ms Ibarra opposed section 4.\n"
    )
    assert read.format != "draft"
    assert [a.name for a in read.attendees] == ["Mr Falk", "Ms Ibarra"]


WORDS_THAT_ARE_NAMES = {
    "a label": ("Will: Hello.\nAna: Yes.\nWill: Fine, so.\nAna: What now?\n", ["Will", "Ana"]),
    "a full name": ("Ana Okafor: Can you?\nWill Stone: Yes.\nAna Okafor: Thanks.\n", ["Ana Okafor", "Will Stone"]),
    "a transcript": ("[00:00:04] Ana: Hello.\n[00:00:15] Will Stone: I could.\n", ["Ana", "Will Stone"]),
    "a bullet": ("Notes of Monday\n- Ana: we shipped\n- Will: agreed, for now\n", ["Ana", "Will"]),
    "a listed surname": (
        "Attendees: Susan Page, Tom Day\n\nSusan Page: Hello.\nTom Day: I am not sure.\nSusan: Why?\n",
        ["Susan Page", "Tom Day"],
    ),
    "a question is nobody's": ("Will asked whether we can. Will it do? Ana said that it will.", ["Will", "Ana"]),
    "a heading is nobody": ("Title: Spring release\n\nAna: Hello.\nBen: Yes.\nAna: Fine.\n", ["Ana", "Ben"]),
}  # fmt: skip


@pytest.mark.parametrize("case", WORDS_THAT_ARE_NAMES)
def test_words_that_are_names_are_told_by_where_they_stand(case: str) -> None:
    text, speakers = WORDS_THAT_ARE_NAMES[case]
    assert list(notes.parse(text).speakers) == speakers


@pytest.mark.parametrize("head", ["Title: Spring release", "**Meeting:** Spring release", "Subject: Spring release"])
def test_a_title_that_is_named_as_such_is_the_title(head: str) -> None:
    assert notes.parse(f"{head}\nDate: 2026-03-02\n\nAna: Hello.\nBen: Yes.\nAna: Fine.\n").title == "Spring release"
