"""Names, library and ledger on the command line: what a new user types, and the words that have to answer."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest
from commands import Commands

KICKOFF = """\
Title: Spring release
Date: 2026-03-02
Attendees: Robert Quill, Amara Okafor, Lena Fuchs, Will Stone

Robert: We promised the spring release to Northgate Logistics Ltd for the end of May.
Amara: Testing is far behind. I am worried that we release something that breaks on the first day.
Robert: Let's move on to the price list.
Lena: The pager woke me five nights this week, and nobody asked whether we can keep that up.
Robert: Noted. Bob here can send the plan around: r.quill@northmill.example or +44 20 7946 0958.
Will: Fine by me, I guess. The Falcon module will be late anyway.
"""
WEEKLY = """\
# Weekly

Amara Okafor: I still do not see how testing can be done by May.
Bob Quill: We always find a way.
Lena Fuchs: What happens if the migration fails? I have not seen a rollback plan.
Bob Quill: Good question. Will, can you write one until Friday?
Will Stone: Yes, I take that.
"""
ONCALL = """\
[00:00:04] Lena Fuchs: Again I was on call three weekends in a row. That is too much.
[00:00:15] Bob Quill: OK. Next, the office party.
[00:00:22] Will Stone: I could bring the music.
[00:00:30] Amara Okafor: Grace from support said customers ask about the release.
"""
DRUMS = """\
Kit: I carry the drums.
Marisa Lund: Thanks, Kit. I bring the lamps.
"""


@pytest.fixture
def coach(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(monkeypatch, capsys)


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the notes of three meetings, in which the commands are given."""
    for name, text in (("kickoff.txt", KICKOFF), ("oncall.txt", ONCALL), ("weekly.md", WEEKLY)):
        (tmp_path / "notes" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "notes" / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "notes"


def walk(coach: Commands, steps: tuple[tuple[str, int, str], ...], **found: str) -> None:
    """Gives one command after the other; each has to end with its code and say its words, in order, on either stream.

    ``{name}`` stands for what an earlier step found under ``(?P<name>…)``.
    """
    for line, code, words in steps:
        arguments = [part.strip("'") for part in re.findall(r"'[^']*'|\S+", line.format(**found))]
        done = coach(*arguments)
        said = done.out + done.err
        assert done.code == code, f"{line}: {said}"
        assert "Traceback" not in said
        assert not code or done.err.count("\n") == 1, f"{line}: {done.err}"
        match = re.search(words, said, re.S)
        assert match, f"{line}: {said}"
        found |= match.groupdict()


EMPTY = {
    "names": ("nobody is known yet: coach library add FILE",),
    "library list": ("nothing here yet: coach library add FILE",),
    "library list --deleted": ("nothing waits to be erased: coach library delete",),
    "library search pager": ("nothing here yet: coach library add FILE",),
    "library similar pager": ("nothing here yet: coach library add FILE",),
    "library purge": ("nothing to erase: coach library delete",),
    "ledger": ("nothing was raised so far: coach library add FILE",),
    "ledger feedback": ("nothing was marked yet: coach ledger mark",),
    "library erasures": ("nobody was forgotten yet",),
}


@pytest.mark.parametrize("command", EMPTY)
def test_an_empty_library_says_what_to_do(coach: Commands, command: str) -> None:
    done = coach(*command.split())
    assert done.code == 0 and done.out.startswith(EMPTY[command][0]), done


NAMES = (
    ("anonymise notes/kickoff.txt --check", 1, r"14 left in the text \(company, email, person, phone\): run coach an"),
    (
        "anonymise notes/kickoff.txt --preview",
        0,
        r"Person A3 +Bob +person +1\n.*Company A +Northgate Logistics Ltd +co",
    ),
    ("anonymise notes/kickoff.txt --preview", 0, r"Nothing is stored yet.*--hide.*--exempt.*--merge.*--split"),
    ("names", 0, "nobody is known yet"),
    ("anonymise notes/kickoff.txt --preview --hide Falcon=project", 0, r"Project A +Falcon +project +1"),
    ("anonymise notes/kickoff.txt --preview --exempt will", 0, r"\A(?!.* Will +person)"),
    ("anonymise notes/kickoff.txt --preview --split Bob", 0, r"Person E +Bob +person"),
    ("anonymise notes/kickoff.txt --preview --split Robert", 0, r"Person A +Robert +person +3"),
    ("anonymise notes/kickoff.txt --preview '--merge=Will Stone=Lena'", 0, r"Person D\d +Lena Fuchs +person"),
    ("anonymise notes/kickoff.txt --preview --hide Falke", 2, "“Falke” is not in the notes: copy it from there"),
    ("anonymise notes/kickoff.txt --preview --hide Falcon=bird", 2, "“bird” is no type of name: choose from person, "),
    ("anonymise notes/kickoff.txt --preview --merge Bob", 2, "write it as 'Robert Quill=Bob'"),
    ("anonymise notes/kickoff.txt --preview --split Zed", 2, "no such entity. Give a pseudonym"),
    ("names", 0, "nobody is known yet"),
    ("anonymise notes/kickoff.txt --hide Falcon=project --split Bob", 0, "Person E here can send.* The Project A mod"),
    ("names", 0, r"Person A +Robert, Robert Quill, r.quill@northmill.example\n.*Person E +Bob\n"),
    ("names merge 'Robert Quill' Bob", 0, r"Person A .* Bob\n"),
    ("names split 'Robert Quill' Bob", 0, r"Person A .*example\n.*Bob\n"),
    ("names exempt Falcon", 0, "“Falcon” is never hidden from now on: coach names add 'Falcon' undoes it"),
    ("names", 0, r"never hidden +falcon"),
    ("anonymise notes/kickoff.txt", 0, "The Falcon module"),
    ("names add Falcon --type project", 0, r"Project A +Falcon"),
    ("names add 'Blue Heron' --type ship", 2, "“ship” is no type of name"),
    ("names add Bobby --same-as 'Robert Quill'", 0, r"Person A .*Bobby"),
    ("names merge 'Robert Quill' Falcon", 2, "a person and a project can't be one"),
    ("names export who.json", 0, r"wrote \d+ names to who.json: unencrypted, so keep it as safe as the notes"),
    ("names export nowhere/who.json", 2, "cannot write nowhere/who.json"),
    ("names import who.json --yes", 0, r"\d+ names are known now"),
    ("names import notes/weekly.md --yes", 2, r"is not an export of identities .* Nothing was changed"),
    ("names import nothing.json", 2, "nothing.json: No such file"),
)


def test_names_are_shown_and_corrected_before_anything_is_stored(coach: Commands, notes: Path) -> None:
    walk(coach, NAMES)
    assert stat.S_IMODE((notes.parent / "who.json").stat().st_mode) == 0o600


def test_the_check_passes_what_was_anonymised_and_holds_back_names_that_nobody_knew(
    coach: Commands, notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (notes / "plain.txt").write_text("Marisa: Hello.\nTobias: Yes, Marisa.\nMarisa: Fine.\n", encoding="utf-8")
    assert coach("anonymise", "notes/plain.txt", "--check")[0] == 1
    (notes / "safe.txt").write_text(coach("anonymise", "notes/plain.txt").out, encoding="utf-8")
    assert coach("anonymise", "notes/safe.txt", "--check").out == "no name, address or number is left\n"
    assert coach("restore", "notes/safe.txt").out == (notes / "plain.txt").read_text(encoding="utf-8")
    monkeypatch.setenv("COACH_HOME", str(tmp_path / "elsewhere"))
    assert coach("anonymise", "notes/safe.txt", "--check").code == 0


LIBRARY = (
    ("library add notes --preview", 0, r"Person A3 +Bob .*Person A4 +Bob Quill .*Then coach library add without"),
    ("library add notes/kickoff.txt --hide Falcon=project", 0, r"1 meeting kept \(\d+ lines\); \d open concern"),
    ("library show {kickoff} --pseudonyms", 0, "The Project A module"),
    ("library add notes --tag release", 0, r"2 meetings kept \(9 lines\), 1 meeting here already; \d open concerns in"),
    ("library list", 0, r"(?P<weekly>\w{16})  no date +Weekly .*Amara Okafor.*#release"),
    ("library describe {weekly} --title 'Weekly of Amara' --date 2026-04-09 --tag weekly", 0, r"9 April 2026.*#weekly"),
    ("library describe {weekly} --date soon", 2, "date: not a date. Write it as 2026-05-03"),
    ("library list", 0, "Weekly of Amara Okafor.*Spring release"),
    ("library list --pseudonyms", 0, "Weekly of Person B"),
    ("library show {weekly}", 0, r"9 April 2026 .*\n\nAmara Okafor: I still do not see"),
    ("library show ffff", 2, "'ffff' is no meeting here: see coach library list"),
    ("library show f", 2, "'f' is too short: give four letters of it"),
    ("library search 'rollback plan' -k 1", 0, r"9 April 2026 · (?P<passage>\S+)\n.*   Robert: We.*  \| Lena Fuchs: W"),
    ("library search pager --attendee Lena -k 1", 0, r"  \| Lena Fuchs: (?:The pager|Again)"),
    ("library search 'the plan' --since 2026-04", 0, r"\A(?!.*Spring release).*Weekly"),
    ("library search 'the plan' --until 2026-03-02", 0, r"\A(?!.*Weekly).*Spring release"),
    ("library search 'the plan' --meeting {weekly}", 0, r"\A(?!.*Spring release).*Weekly"),
    ("library search 'the plan' --tag weekly", 0, r"\A(?!.*Spring release).*Weekly"),
    ("library search plan --pseudonyms --tag weekly", 0, "Person C: What"),
    ("library search plan --attendee Zed", 0, "nobody called Zed is known here: coach names lists who is"),
    ("library search plan --tag none", 0, "no meeting has the tag none: there are release, weekly"),
    ("library search plan --since 2027", 0, "nothing found: try other words, or leave a filter out"),
    ("library search plan --since soon", 2, "since: not a date"),
    ("library search plan --until 2026-13", 2, "until: not a date"),
    ("library search plan --until 2026-02-30", 2, "until: not a date"),
    ("library search plan --until 2026-12", 0, "Spring release"),
    ("library add missing.txt", 2, "^coach: missing.txt does not exist"),
    ("library add notes missing.txt", 2, "coach: 1 of 4 files were not kept: missing.txt does not exist"),
    ("library search plan --meeting ffff", 2, "see coach library list"),
    ("library similar {passage} -k 1", 0, r"cosine -?0\.\d\d\n"),
    ("library similar 'no way back if it breaks' -k 1", 0, r"\A(?:[^\n]+\n)+\n\Z"),
    ("library similar ffffffffffffffff-0000", 2, "is no passage here: coach library search shows"),
    ("library delete {weekly}", 0, "deleted .*Weekly of Amara.*coach library undo brings it back within ten minutes"),
    ("library list --deleted", 0, "Weekly of Amara"),
    ("library search rollback --tag weekly", 0, "nothing found|no meeting has the tag weekly"),
    ("library undo", 0, "back again: .*Weekly of Amara"),
    ("library undo", 2, "nothing to bring back"),
    ("library delete {weekly}", 0, "deleted"),
    ("library purge --yes", 0, "erased 1 meeting: no file of the library holds"),
    ("library undo {weekly}", 2, "what is erased is gone"),
    ("library purge {kickoff} --everything", 2, "name a meeting or give --everything, not both"),
    ("library export out.json", 0, "wrote 2 meetings and what was raised in them to out.json .only this library knows"),
    ("library export nowhere/out.json", 2, "nowhere/out.json: there is no such folder"),
    ("library import out.json", 0, "\n\n2 meetings here already; "),
    ("library import notes/weekly.md", 2, "is not an export of a library .* Nothing was changed"),
    ("library reindex", 0, "embedded 2 meetings anew with wordllama"),
    ("library reindex --embedder unheard-of", 2, "there is no 'unheard-of'.*choose from wordllama"),
    ("library forget Zed --yes", 2, "nobody of that name is known here: coach names lists who is"),
    ("library forget Lena --dry-run", 0, r"known as +Lena Fuchs, Lena\nlines +2 they said"),
    ("library forget Lena --yes", 0, "erased: no file of the coach holds it any more"),
    ("library erasures", 0, r"\d\d:\d\d UTC  2 meetings, 2 lines"),
    ("names", 0, r"\A(?!.*Lena)"),
)  # fmt: skip


def test_notes_are_kept_found_taken_out_and_moved(coach: Commands, notes: Path) -> None:
    first, *rest = LIBRARY
    walk(coach, (first, *rest[:1]))
    kickoff = json.loads(coach("library", "list", "--json").out)[0]["id"]
    walk(coach, tuple(rest[1:]), kickoff=kickoff)


CHANGES = "--hide Falcon=project '--merge=Will Stone=Kit' --split Robert"
SEVERAL = (
    ("library add notes --preview", 0, r"times +files\n.* Bob Quill +person +3 +2\n.* Lena Fuchs +person +3 +3\n"),
    ("library add notes --preview --hide Falcon=project", 0, r"Project A +Falcon +project +1 +1\n"),
    ("library add notes --preview --exempt lena --exempt 'lena fuchs'", 0, r"\A(?!.* Lena)"),
    ("library add notes --preview --hide Falke", 2, "“Falke” is not in the notes: copy it from there"),
    ("library add notes --preview '--merge=Kit=Will Stone'", 0, r"(Person [A-Z])\d? +Kit .*\1\d +Will Stone"),
    ("library add notes empty.txt --preview", 2, "Nothing is stored yet.*coach: 1 of 5 files can't be read: empty.txt"),
    ("library add empty.txt missing.txt --preview", 2, r"\Acoach: 2 of 2 files can't be read: "),
    ("library add notes --split Zed", 2, "no such entity"),
    ("names", 0, "nobody is known yet"),
    ("library list", 0, "nothing here yet"),
    (f"library add notes empty.txt {CHANGES}", 2, "4 meetings kept.*1 of 5 files were not kept: empty.txt"),
    ("names", 0, r"Person C +Robert\n.* Will Stone, .*Kit\n.*Project A +Falcon"),
    (f"library add notes {CHANGES} --jobs 2", 0, "4 meetings here already"),
    ("library search 'who carries the drums' --pseudonyms -k 1", 0, r"  \| Person F: I carry the drums"),
)  # fmt: skip


def test_names_in_several_notes_are_corrected_together_before_any_is_kept(coach: Commands, notes: Path) -> None:
    (notes / "drums.txt").write_text(DRUMS, encoding="utf-8")
    (notes.parent / "empty.txt").touch()
    walk(coach, SEVERAL)


def test_a_preview_of_several_notes_shows_what_becomes_of_them(coach: Commands, notes: Path) -> None:
    (notes / "drums.txt").write_text(DRUMS, encoding="utf-8")
    given = ["library", "add", "notes", *(part.strip("'") for part in re.findall(r"'[^']*'|\S+", CHANGES))]
    rows = json.loads(coach(*given, "--preview", "--json").out)
    coach(*given)
    said = "\n".join(
        line
        for entry in json.loads(coach("library", "list", "--json").out)
        for line in json.loads(coach("library", "show", entry["id"], "--json").out)
    )
    owners = {s: entry["pseudonym"] for entry in json.loads(coach("names", "--json").out) for s in entry["spellings"]}
    for row in (row for row in rows if row["type"] == "person"):
        assert re.sub(r"\d+$", "", row["pseudonym"]) == owners[row["original"]]
    falcon = next(row for row in rows if row["original"] == "Falcon")
    assert falcon["count"] == falcon["files"] == said.count("Falcon")


KEYS = (
    ("right", 0, "Amara Okafor"),
    ("gone", 2, "their key is gone. Nothing is lost: set COACH_KEY, unlock the keyring, or put identities.key back"),
    ("another", 2, "not the one the names were encrypted with. Nothing is lost: set COACH_KEY to the old key, or put"),
    ("damaged", 2, "identities.key: can't be read as a key. Put it back from a backup, or set COACH_KEY"),
    ("too short", 2, "COACH_KEY: too short. Use at least 16 characters"),
    ("right", 0, "Amara Okafor"),
)


def test_a_key_that_is_wrong_or_gone_loses_nothing_and_says_what_to_do(
    coach: Commands, notes: Path, a_home_of_its_own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coach("library", "add", "notes/weekly.md")
    file = a_home_of_its_own / "identities.key"
    right = file.read_text(encoding="ascii")
    for key, code, words in KEYS:
        file.unlink(missing_ok=True)
        if key in ("right", "another", "damaged"):
            file.write_text({"right": right, "another": "A" * 43 + "=", "damaged": "?"}[key], encoding="ascii")
            file.chmod(0o600)
        with monkeypatch.context() as patch:
            if key == "too short":
                patch.setenv("COACH_KEY", "short")
            for command in ("library list", "names", "library search plan", "ledger", "library add notes/oncall.txt"):
                done = coach(*command.split())
                assert done.code == code and (code == 0 or words in done.err), (key, command, done)
        if code == 0:
            assert words in coach("library", "list").out
    assert coach("library", "rotate-key").out == "rotated: the old key opens nothing any more\n"
    assert file.read_text(encoding="ascii") != right and "Amara Okafor" in coach("library", "list").out
    given = file.read_text(encoding="ascii").strip()
    monkeypatch.setenv("COACH_KEY", given)
    assert "give it as COACH_NEW_KEY" in coach("library", "rotate-key").err
    monkeypatch.setenv("COACH_NEW_KEY", "a passphrase that is long enough")
    assert "set COACH_KEY to the new key now" in coach("library", "rotate-key").out
    assert coach("library", "list").code == 2
    monkeypatch.setenv("COACH_KEY", "a passphrase that is long enough")
    assert "Amara Okafor" in coach("library", "list").out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("nothing is kept", "none yet: it is made with the first name"),
        ("a key, and nothing is kept", "COACH_KEY, not used yet"),
        ("as it was", r"\S+identities.key\Z"),
        ("gone", "their key is gone. Nothing is lost: set COACH_KEY, unlock the keyring, or put identities.key back"),
        ("of something else", r"identities.key: the identity key is not the one .* put identities.key back"),
        ("damaged", "identities.key: can't be read as a key. Put it back from a backup"),
        ("readable by others", r"was readable by others \(mode 644\).*coach library rotate-key"),
        ("in COACH_KEY", r"\ACOACH_KEY\Z"),
        ("too short", "COACH_KEY: too short"),
        ("another in COACH_KEY", "COACH_KEY: the identity key is not the one"),
        ("a rotation was killed", "a change of the key was interrupted: the next command"),
    ],
)
def test_the_doctor_says_how_it_stands_with_the_key_of_the_names(
    coach: Commands, notes: Path, a_home_of_its_own: Path, monkeypatch: pytest.MonkeyPatch, change: str, said: str
) -> None:
    file = a_home_of_its_own / "identities.key"
    if "nothing is kept" not in change:
        coach("names", "add", "Amara Okafor")
    right = file.read_text(encoding="ascii") if file.exists() else ""
    other = "A" * 43 + "="
    for name, text in (("of something else", other), ("damaged", "?"), ("a rotation was killed", other)):
        if change == name:
            file.write_text(text, encoding="ascii")
    if change == "a rotation was killed":
        file.with_name("identities.key.next").write_text(right, encoding="ascii")
    if change in ("gone", "in COACH_KEY"):
        file.unlink()
    file.exists() and file.chmod(0o644 if change == "readable by others" else 0o600)
    given = {"in COACH_KEY": right.strip(), "too short": "short", "another in COACH_KEY": other}
    given["a key, and nothing is kept"] = "a passphrase that is long enough"
    if change in given:
        monkeypatch.setenv("COACH_KEY", given[change])

    def files() -> dict[str, bytes]:
        found = [f for f in a_home_of_its_own.iterdir() if not f.name.endswith(("-wal", "-shm"))]
        return {f.name: b"" if f.suffix == ".db" else f.read_bytes() for f in found}  # SQLite moves its log by itself.

    before = files()
    done = coach("doctor", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)["name_key"]
    assert re.search(said, told) and "\n" not in told
    assert other not in done.out and not (right and right.strip() in done.out)
    assert files() == before


LEDGER = (
    ("ledger", 0, r"(?P<night>\w+)  Lena Fuchs: “The pager.*? coach ledger mark ID heard closes it"),
    ("ledger", 0, r"(?P<again>\w+)  Lena Fuchs: “Again I was"),
    ("ledger", 0, r"(?P<test>\w+)  Amara Okafor: “"),
    ("ledger --attendee Amara", 0, r"\A(?!.*Lena).*Amara"),
    ("ledger --attendee Zed", 0, "nobody called Zed is known here"),
    ("ledger merge {again} {night}", 0, r"2 March 2026: raised, 20 May 2026: \w.*, raised 2 times\)"),
    ("ledger show {again}", 0, r"2 March 2026 +· raised · Spring release · “[^”]*” · (?P<step>\w+)\n.*ledger split ID"),
    ("ledger show {night}", 2, "is no concern here: see coach ledger"),
    ("ledger merge {again} {test}", 2, "these concerns are of two people"),
    ("ledger split {again} {step}", 0, r"(?P<night>\w+)  Lena Fuchs: “The pager"),
    ("ledger split {again} nonsense", 2, "nothing to split"),
    ("ledger apart {again} {night}", 0, "Lena Fuchs: “Again"),
    ("ledger apart {again} {again}", 2, "this is one concern"),
    ("ledger apart {again} nobody", 2, "is no concern here"),
    ("ledger mark {again} heard --note 'Bob asked twice'", 0, "feels heard"),
    ("ledger show {again}", 0, "feels heard · (?:Robert|Bob) asked twice"),
    ("ledger mark {night} acknowledged --date 2026-06-01", 0, "1 June 2026: acknowledged"),
    ("ledger mark {night} solved", 2, "no such mark: choose from acknowledged"),
    ("ledger mark {test} not-an-objection --note 'was a joke'", 0, "no concern after all"),
    ("ledger feedback", 0, "“.*wrong: .*local:.*confidence 0.*was a joke"),
    ("ledger", 0, r"\A(?!.*Again I was).*The pager"),
    ("ledger --all", 0, r"Again I was.*feels heard"),
    ("ledger mark {test} reopened", 0, "raised again"),
    ("ledger feedback", 0, "nothing was marked yet|right"),
)  # fmt: skip


def test_concerns_are_merged_split_and_heard_and_move_with_the_meetings(
    coach: Commands, notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, date in (("kickoff.txt", "2026-03-02"), ("weekly.md", "2026-04-09"), ("oncall.txt", "2026-05-20")):
        coach("library", "add", f"notes/{name}", "--date", date)
    walk(coach, LEDGER)

    def told() -> list[str]:
        return sorted(re.sub(r"^\w+  ", "", line) for line in coach("ledger", "--all").out.splitlines())

    before = told()
    assert "real names in plain text" in coach("library", "export", "named.json", "--names").out
    coach("library", "export", "pseudonyms.json")
    assert coach("library", "import", "named.json").code == 0
    assert told() == before
    monkeypatch.setenv("COACH_HOME", str(tmp_path / "elsewhere"))
    assert "3 meetings kept" in coach("library", "import", "named.json").out
    assert told() == before
    monkeypatch.setenv("COACH_HOME", str(tmp_path / "strangers"))
    assert "no open concern in them" in coach("library", "import", "pseudonyms.json").out
    raw = json.loads((tmp_path / "named.json").read_text(encoding="utf-8"))
    raw["concerns"][0]["raised"] = "often"
    (tmp_path / "named.json").write_text(json.dumps(raw), encoding="utf-8")
    monkeypatch.setenv("COACH_HOME", str(tmp_path / "last"))
    assert "can't be read. Nothing was changed" in coach("library", "import", "named.json").err
    assert coach("library", "list").out.startswith("nothing here yet")
