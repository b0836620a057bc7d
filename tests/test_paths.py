"""A name or an id is never a path: whatever is given for one, nothing outside is read, written or named."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coach.cli import main
from coach.errors import CoachError, InputError
from coach.settings import load_settings
from coach.wiring import Coach

CANARY = "canary-3c9e-outside-of-everything"
NOTES = "Marisol: From May the last boat leaves at eight.\nHenrik: The night nurses could not get home.\n"
SUITE = "suite: ours\ncases: ours\n"
CASE = f"id: a\ncluster: a\nexpect_none: true\nnotes: |\n  Ana: {CANARY}\n  Ben: Fine.\n"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a file of each kind that a name could stand for, each holding the canary."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("secret", "secret.yaml", "secret.json", "secret.practice", "secret.db", "secret.txt"):
        (folder / name).write_text(CASE)
    return folder


def names(outside: Path) -> list[str]:
    """What somebody may give for a name: ways to the file outside, and things that are a name of nothing."""
    up = "../" * 12 + str(outside / "secret").lstrip("/")
    return [
        up,
        str(outside / "secret.yaml"),
        "../secret",
        "..",
        "",
        "%2e%2e%2fsecret",
        "secret\n../secret",
        "a" * 5_000,
        "*",
    ]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command line, in this process."""
    monkeypatch.setattr(sys, "argv", ["coach", *words])
    try:
        main()
        code: Any = 0
    except SystemExit as left:
        code = left.code or 0
    said = capsys.readouterr()
    return int(code), said.out, said.err


DOORS: dict[str, list[str]] = {
    "library show": ["library", "show", "--", "NAME"],
    "library describe": ["library", "describe", "--title", "x", "--", "NAME"],
    "library delete": ["library", "delete", "--", "NAME"],
    "library undo": ["library", "undo", "--", "NAME"],
    "library purge": ["library", "purge", "--yes", "--", "NAME"],
    "library search": ["library", "search", "boat", "--meeting=NAME"],
    "library reindex": ["library", "reindex", "--embedder=NAME"],
    "library forget": ["library", "forget", "--yes", "--", "NAME"],
    "ledger show": ["ledger", "show", "--", "NAME"],
    "ledger mark": ["ledger", "mark", "--", "NAME", "explored"],
    "rehearse": ["rehearse", "--resume=NAME"],
    "samples": ["samples", "--", "NAME"],
    "format": ["review", "FILE", "--format=NAME"],
    "kind": ["review", "FILE", "--kind=NAME"],
    "eval run": ["eval", "run", "--root=ROOT", "--", "NAME"],
    "eval only": ["eval", "run", "--root=ROOT", "--only=NAME"],
    "eval record": ["eval", "record", "--root=ROOT", "--", "NAME"],
    "eval bless": ["eval", "bless", "--root=ROOT", "--", "NAME"],
    "eval check": ["eval", "check", "--root=ROOT", "--", "NAME"],
    "eval judge": ["eval", "judge", "--root=ROOT", "--", "NAME"],
    "eval schema": ["eval", "schema", "--", "NAME"],
    "eval add-case": ["eval", "add-case", "--root=ROOT", "--suite=NAME", "--notes=FILE", "--yes"],
    "eval add-case id": ["eval", "add-case", "--root=ROOT", "--suite=ours", "--notes=FILE", "--yes", "--id=NAME"],
}
FINE_WHEN_EMPTY = {"library search", "library reindex", "format", "eval add-case id"}
"""An empty filter is none, an empty embedder or format the usual one, and an empty id that of the file."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of evaluations with one suite of one case."""
    root = tmp_path / "eval"
    for folder in ("suites", "judges", "cases/ours"):
        (root / folder).mkdir(parents=True)
    (root / "suites" / "ours.yaml").write_text(SUITE)
    (root / "cases" / "ours" / "a.yaml").write_text(CASE.replace(CANARY, "The boat is late."))
    return root


@pytest.mark.parametrize("door", DOORS)
def test_no_name_on_the_command_line_is_a_path(
    door: str,
    outside: Path,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text(NOTES)
    monkeypatch.chdir(outside)
    before = snapshot(tmp_path)
    for name in names(outside):
        if not name and door in FINE_WHEN_EMPTY:
            continue
        given = [
            word.replace("NAME", name).replace("FILE", str(notes)).replace("ROOT", str(root)) for word in DOORS[door]
        ]
        code, out, err = run(monkeypatch, capsys, *given)
        assert code in (2, 3), (name, out, err)
        told = [line for line in err.splitlines() if line.startswith("coach: ")]
        assert len(told) == 1 and "unexpected" not in told[0], (name, err)
        assert CANARY not in out + err
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("cases", ["../../outside", "/", ".", "..", "ours/../../../outside", "a\\..\\b"])
def test_a_suite_takes_its_cases_from_its_own_folder(
    cases: str, outside: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "suites" / "ours.yaml").write_text(f"suite: ours\ncases: {json.dumps(cases)}\n")
    code, out, err = run(monkeypatch, capsys, "eval", "check", "--root", str(root))
    assert code == 2 and "ours.yaml:2" in err
    assert CANARY not in out + err


def test_a_run_that_names_a_path_becomes_no_baseline(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, capsys, "eval", "run", "--root", str(root))
    (last,) = (root / ".runs").glob("*.json")
    told = json.loads(last.read_text())
    last.write_text(json.dumps({**told, "suite": "../../outside/evil"}))
    before = snapshot(tmp_path)
    code, _, err = run(monkeypatch, capsys, "eval", "bless", "ours", "--root", str(root))
    assert code == 2 and "suite" in err
    assert snapshot(tmp_path) == before


OUTS = {
    "review --html": ["review", "FILE", "--html", "OUT"],
    "review --markdown": ["review", "FILE", "--markdown", "OUT"],
    "brief --html": ["brief", "PLAN", "--html", "OUT"],
    "brief --markdown": ["brief", "PLAN", "--markdown", "OUT"],
    "rehearse --html": ["rehearse", "PLAN", "--replies", "FILE", "--html", "OUT"],
    "rehearse --markdown": ["rehearse", "PLAN", "--replies", "FILE", "--markdown", "OUT"],
    "library export": ["library", "export", "OUT"],
    "eval --json": ["eval", "run", "--root", "ROOT", "--json", "OUT"],
    "eval --html": ["eval", "run", "--root", "ROOT", "--html", "OUT"],
    "eval --junit": ["eval", "run", "--root", "ROOT", "--junit", "OUT"],
}


@pytest.mark.parametrize("door", OUTS)
@pytest.mark.parametrize("place", ["FOLDER", "FILE/below", "/proc/nowhere/report", "/dev/full"])
def test_a_report_that_can_not_be_written_is_one_line_and_leaves_nothing(
    door: str,
    place: str,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if place == "/dev/full" and (door.startswith("eval") or door == "library export"):
        pytest.skip("these replace a file as a whole, and would replace a device")
    notes, plan, folder = tmp_path / "notes.txt", tmp_path / "plan.yaml", tmp_path / "folder"
    notes.write_text(NOTES)
    plan.write_text("purpose: Boats\nstage: needs\nattendees: [Henrik]\nopening: We must decide.\nfears: []\n")
    folder.mkdir()
    out = place.replace("FOLDER", str(folder)).replace("FILE", str(notes))
    swap = {"OUT": out, "FILE": str(notes), "PLAN": str(plan), "ROOT": str(root)}
    before = {path: data for path, data in snapshot(tmp_path).items() if ".runs" not in path}
    code, _, err = run(monkeypatch, capsys, *(swap.get(word, word) for word in OUTS[door]))
    told = [line for line in err.splitlines() if line.startswith("coach: ")]
    assert code == 2 and len(told) == 1 and "unexpected" not in told[0], err
    assert {path: data for path, data in snapshot(tmp_path).items() if ".runs" not in path} == before


# --- exports of libraries ---

EVIL_IDS = ("../../evil", "/etc/passwd", "..", "", "a" * 400, "x\ny", "g1", "coach", "\u202e0011", 7, None, ["a"], {})


@pytest.mark.parametrize("own", [True, False], ids=["with the key of this library", "of another library"])
@pytest.mark.parametrize("identifier", EVIL_IDS, ids=repr)
def test_an_export_with_ids_that_are_none_is_refused_and_changes_nothing(
    identifier: object, own: bool, tmp_path: Path
) -> None:
    coach = Coach()
    coach.keep(NOTES, title="Boats")
    path = tmp_path / "export.json"
    coach.library.export(path)
    document = json.loads(path.read_text())
    document["meetings"][0]["id"] = identifier
    document["library"] = document["library"] if own else "f" * 32
    path.write_text(json.dumps(document))
    before = coach.library.list(), sorted(str(p) for p in tmp_path.rglob("*"))
    with pytest.raises(InputError, match="not an export"):
        coach.library.import_(path)
    assert (coach.library.list(), sorted(str(p) for p in tmp_path.rglob("*"))) == before
    coach.close()


@pytest.mark.parametrize("key", ["title", "format", "tags", "attendees", "date", "deleted", "new", "passages", "home"])
def test_whatever_else_an_export_says_is_text_or_refused(key: str, tmp_path: Path) -> None:
    coach = Coach()
    coach.keep(NOTES, title="Boats")
    path = tmp_path / "export.json"
    coach.library.export(path, names=True)
    document = json.loads(path.read_text())
    evil = "../../../evil"
    document["meetings"][0][key] = [evil] if key in ("tags", "attendees") else evil
    document["meetings"][0]["lines"].append({"speaker": evil, "text": evil})
    path.write_text(json.dumps(document))
    before = sorted(tmp_path.rglob("*"))
    try:
        coach.library.import_(path)
    except CoachError as refused:
        assert "\n" not in str(refused)
    assert sorted(tmp_path.rglob("*")) == before
    assert not any(found.name == "evil" for found in coach.settings.home.parent.rglob("*"))
    coach.close()


def test_a_watched_folder_reads_and_writes_no_file_elsewhere(outside: Path, tmp_path: Path) -> None:
    from coach.watch import Folder

    folder = tmp_path / "vault"
    folder.mkdir()
    (folder / "plan.md").write_text(NOTES)
    (folder / "link.md").symlink_to(outside / "secret.txt")
    before = snapshot(outside)
    done = list(Folder(folder, lambda text: f"read {text}", existing=True, settle=0).look(4e9))
    assert [written.note.name for written in done] == ["plan.md"]
    assert CANARY not in "".join(path.read_text() for path in folder.glob("*.review.md"))
    assert snapshot(outside) == before
    assert (folder / "plan.md.review.md").stat().st_mode & 0o077 == 0


# --- the page's own interface ---


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a page for one user, and the folder of the coach."""
    import gradio as gr

    from coach.ui import build_ui, server

    home = tmp_path_factory.mktemp("page")
    made = build_ui(Coach(load_settings({}, home=home)))
    address = server.launch(made, port=0, wait=False)
    yield int(address.rstrip("/").rsplit(":", 1)[1]), home
    made.close()
    gr.close_all()


def send(port: int, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, {"Content-Type": kind})
    answer = connection.getresponse()
    read = b""
    if "event-stream" in str(answer.getheader("content-type")):
        while b"close_stream" not in read and (part := answer.read1(65_536)):
            read += part
    else:
        read = answer.read()
    connection.close()
    return answer.status, read.decode("utf-8", "replace")


def ways(target: Path) -> list[str]:
    plain = str(target)
    up = "../" * 12 + plain.lstrip("/")
    return [plain, up, up.replace("../", "..%2f"), plain.replace("/", "%2F"), "/" + plain, f"file://{plain}", f"./{up}"]


def test_the_page_hands_out_no_file_by_its_path(page: tuple[int, Path], outside: Path) -> None:
    port, home = page
    for target in (outside / "secret.txt", home / "identities.key", home / "library.db", Path("/etc/passwd")):
        for way in ways(target):
            for door in ("file=", "file/", "static/", "assets/", "svelte/", "custom_component/x/y/z/", "proxy="):
                status, told = send(port, "GET", f"/gradio_api/{door}{way}")
                assert CANARY not in told and "root:" not in told, (door, way)
                assert status != 200 or "<!doctype html>" in told.lower(), (door, way, told[:80])


def test_a_request_can_not_pass_a_file_of_the_server_off_as_an_upload(page: tuple[int, Path], outside: Path) -> None:
    port, home = page
    config = json.loads(send(port, "GET", "/config")[1])
    target = outside / "secret.txt"
    takes_files = {part["id"] for part in config["components"] if part["type"] in ("file", "uploadbutton")}
    doors = [d for d in config["dependencies"] if takes_files & set(d["inputs"]) or d["api_name"] == "review"]
    assert len(doors) >= 3, "review, notes from a file, library"
    for number, dependency in enumerate(doors):
        file = {"path": str(target), "orig_name": "a.txt", "meta": {"_type": "gradio.FileData"}}
        for shape in (file, [file]):
            session = f"s{number}{'l' if shape is not file else ''}"
            body = {"data": [shape] * len(dependency["inputs"]), "fn_index": dependency["id"], "session_hash": session}
            send(port, "POST", "/gradio_api/queue/join", json.dumps(body).encode())
            told = send(port, "GET", f"/gradio_api/queue/data?session_hash={session}")[1]
            assert "process_completed" in told, told
            assert CANARY not in told, dependency["api_name"]
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert CANARY.encode() not in kept


@pytest.mark.parametrize(
    "name", ["fine.txt", "../../../evil.txt", "/tmp/evil.txt", "..\\evil.txt", "%2e%2e%2fevil.txt", "a\x00b.txt"]
)
def test_an_upload_lands_in_the_folder_of_the_page(page: tuple[int, Path], name: str) -> None:
    import os

    port, home = page
    body = (
        f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        f"Content-Type: text/plain\r\n\r\n{CANARY}\r\n--x--\r\n"
    ).encode()
    status, told = send(port, "POST", "/gradio_api/upload", body, "multipart/form-data; boundary=x")
    folder = Path(os.environ["GRADIO_TEMP_DIR"]).resolve()
    assert status == 200 or name != "fine.txt"
    if status == 200:
        for written in json.loads(told):
            assert folder in Path(written).resolve().parents
            assert Path(written).stat().st_mode & 0o077 == 0 or folder.stat().st_mode & 0o077 == 0
    assert not (folder.parent / "evil.txt").exists() and not (home.parent / "evil.txt").exists()
