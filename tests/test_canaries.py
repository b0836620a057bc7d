"""One session through every room, everything logged, every second thing failing: then every byte it left is searched.

The session runs in a process of its own, with the umask that hides nothing: ``python tests/test_canaries.py HOME``.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NAMES = ("Zebedina", "Quillfeather", "Oswin", "Thrappleby", "zebedina.q@thrapple.example", "+44 20 7946 0991")
KEY = "sk-canary-5b1d9e7714aa02c3f6"
WORD = "xylographic"
"""Of the notes: fine in the library, nowhere else."""
NOTES = f"""Present: Zebedina Quillfeather, Oswin Thrappleby

Zebedina Quillfeather: From May the {WORD} press runs at night. Mail me at zebedina.q@thrapple.example.
Oswin Thrappleby: I doubt that. The night shift can't get home; call me on +44 20 7946 0991.
Zebedina Quillfeather: Next point. Everybody will obviously learn the {WORD} press.
"""
PLAN: dict[str, Any] = {
    "purpose": f"Agree on the {WORD} press",
    "stage": "action",
    "attendees": ["Oswin Thrappleby"],
    "opening": "Oswin, the press will obviously run at night.",
    "fears": ["Oswin says no"],
}


class BrokenError(Exception):
    """What nobody foresaw, with all that must not be told."""

    def __init__(self) -> None:
        super().__init__(f"{NOTES} {KEY}")


def session(home: Path) -> None:
    """Everything somebody does in a day, and everything that may go wrong; prints what was done."""
    import logging

    os.umask(0)
    from openai_server import Handler, says, serving

    from coach.monitoring import log_json, serve_metrics

    log_json()
    logging.getLogger().setLevel(logging.DEBUG)
    port = serve_metrics("127.0.0.1:0")

    def empty(handler: Handler, body: dict[str, Any]) -> None:
        shape = body["response_format"]["json_schema"]["schema"]["properties"]
        says(json.dumps({key: [] for key in shape}))(handler, body)

    def echoing(handler: Handler, body: dict[str, Any]) -> None:
        told = {"message": f"{json.dumps(body)} {handler.headers['authorization']} {NOTES}", "code": "x", "param": None}
        handler.json(400, {"error": told})

    with serving(empty) as server, serving(echoing) as rude:
        model = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "COACH_MODEL": "m", "COACH_HOME": str(home)}
        _good(model, home)
        assert server.bodies, "the model was asked"
        _bad({**model, "OPENAI_BASE_URL": rude.url})
        assert rude.bodies, "the rude one, too"
        assert not [name for name in NAMES if name in json.dumps(server.bodies + rude.bodies)]
    from urllib.request import urlopen

    sys.stderr.write(urlopen(f"http://127.0.0.1:{port}/metrics").read().decode())


def _good(model: dict[str, str], home: Path) -> None:
    from coach_eval.evaluation import Evaluation

    from coach.rehearsal.plan import make_plan
    from coach.settings import load_settings
    from coach.wiring import Coach

    coach = Coach(load_settings(model))
    assert coach.review(NOTES, engine="llm").engine == "llm"
    entry = coach.keep(NOTES, title="Oswin on the press", tags=["Zebedina"])
    assert coach.library.search("What did Oswin say of the night shift?")
    coach.library.describe(entry.id, title="Talk with Zebedina")
    for concern in coach.ledger.all():
        coach.ledger.mark(concern.id, "explored", note="Zebedina spoke with Oswin Thrappleby")
    practice = coach.rehearse(make_plan(PLAN), engine="local")
    coach.practices.save(coach.say(practice, "Oswin, what worries you about the night?"))
    coach.brief(make_plan(PLAN), engine="local")
    coach.library.export(home / "mine.json")
    coach.identities.rotate()
    coach.library.reindex()
    gone = coach.keep(NOTES + "Oswin Thrappleby: Fine.\n")
    coach.library.delete(gone.id)
    coach.library.purge()
    coach.close()
    root = home / "eval"
    for folder in ("suites", "cases/notes"):
        (root / folder).mkdir(parents=True)
    (root / "suites" / "ours.yaml").write_text(
        "suite: ours\ncases: notes\nengine: llm\nmodel: m\nprompt: unheard_objections\n"
        "findings: [unheard_objection]\nscorers: [spans, grounding]\ngates: [{metric: f1}]\n"
    )
    case = {"id": "a", "cluster": "a", "expect_none": True, "notes": NOTES}
    (root / "cases" / "notes" / "a.yaml").write_text(json.dumps(case))
    evaluation = Evaluation(root=root, mode="record", settings=load_settings(model))
    (run,) = (evaluation.run(suite) for suite in evaluation.suites(["ours"]))
    assert [trial.error for trial in run.trials] == [None], run.trials
    assert list((root / "recordings").rglob("*.json"))
    # The case is the user's own file, and no place of the coach's.
    (root / "cases" / "notes" / "a.yaml").unlink()


def _bad(model: dict[str, str]) -> None:
    """Each way in, with something breaking behind it."""
    import asyncio

    from mcp.shared.memory import create_connected_server_and_client_session

    from coach import cli
    from coach.errors import CoachError
    from coach.gate import Gate
    from coach.mcp_server import build_server
    from coach.settings import load_settings
    from coach.ui.faults import told
    from coach.wiring import Coach

    coach = Coach(load_settings(model))
    sys.stderr.write(f"{coach.settings!r} {coach.settings}\n")
    for work in (
        lambda: coach.review(NOTES, engine="llm"),
        lambda: coach.review(NOTES, format="papyrus"),
        lambda: coach.library.entry("Zebedina"[:3]),
        lambda: load_settings({**model, "OPENAI_BASE_URL": f"ftp://{KEY}@Oswin/"}),
        lambda: load_settings({**model, "COACH_DATABASE_URL": f"nosuch://{KEY}@h/x"}) and _opened(model),
    ):
        try:
            work()
        except CoachError as error:
            sys.stderr.write(f"refused: {type(error).__name__}\n")
            if "Zeb" not in str(error):
                sys.stderr.write(f"{error}\n")

    class Faulty(Coach):
        def review(self, text: str, **options: Any) -> Any:
            raise BrokenError

        def anonymise(self, text: str, **options: Any) -> Any:
            raise BrokenError

    async def called() -> None:
        for server in (build_server(Faulty(load_settings(model))), build_server(coach, write=True)):
            async with create_connected_server_and_client_session(server._mcp_server) as client:
                for tool, arguments in (
                    ("review_notes", {"text": NOTES}),
                    ("anonymise", {"text": NOTES}),
                    ("search_library", {"query": f"Oswin {KEY}", "k": 10**9}),
                    ("keep_notes", {"text": NOTES, "title": "Oswin Thrappleby"}),
                ):
                    await client.call_tool(tool, arguments)

    async def stumbling(scope: Any, receive: Any, send: Any) -> None:
        raise BrokenError

    async def asked() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": json.dumps({"text": NOTES}).encode(), "more_body": False}

        async def send(message: Any) -> None:
            return

        scope = {"type": "http", "method": "POST", "path": "/x", "headers": [], "query_string": b""}
        await Gate(stumbling)(scope, receive, send)

    asyncio.run(called())
    asyncio.run(asked())
    told(BrokenError())
    original, os.environ["COACH_HOME"] = Coach.review, model["COACH_HOME"]
    Coach.review = Faulty.review  # type: ignore[method-assign]
    sys.argv = ["coach", "review", str(Path(__file__))]
    with contextlib.suppress(SystemExit):
        cli.main()
    Coach.review = original  # type: ignore[method-assign]
    coach.close()


def _opened(model: dict[str, str]) -> None:
    from coach.settings import load_settings
    from coach.wiring import Coach

    Coach(load_settings({**model, "COACH_DATABASE_URL": f"nosuch://{KEY}@h/x"})).identities.load()


# --- what the session left -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The home after the session, and all that it wrote to its two streams."""
    home = tmp_path_factory.mktemp("canary") / "home"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("COACH_", "OPENAI_", "AZURE_"))
    }
    environment |= {"COACH_KEYRING": "off", "PYTHONPATH": str(Path(__file__).parent), "COACH_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, __file__, str(home)], env=environment, capture_output=True, text=True, timeout=300
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert "coach_faults_total" in said and '"event": "review"' in said, "figures and logs were on"
    assert "unexpected BrokenError" in said, "the command line broke, too"
    return home, said


def spellings(words: str) -> list[bytes]:
    """The ways in which words may lie in a file."""
    from base64 import b64encode

    ways = [words, words.lower(), words.upper(), words.encode().hex(), b64encode(words.encode()).decode().rstrip("=")]
    return [code for way in ways for code in (way.encode(), way.encode("utf-16-le"))]


def found(words: str, raw: bytes) -> bool:
    return any(spelling in raw for spelling in spellings(words))


@pytest.mark.parametrize("words", [*NAMES, KEY])
def test_no_file_holds_a_name_or_a_key(left: tuple[Path, str], words: str) -> None:
    home, _ = left
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {"library.db", "identities.db", "identities.key", "mine.json"} <= {path.name for path in files}
    assert any("practices" in path.parts for path in files) and any("recordings" in path.parts for path in files)
    assert [str(path.relative_to(home)) for path in files if found(words, path.read_bytes())] == []


@pytest.mark.parametrize("words", [*NAMES, KEY, WORD])
def test_nothing_that_is_logged_counted_or_printed_holds_a_name_a_key_or_a_note(
    left: tuple[Path, str], words: str
) -> None:
    assert not found(words, left[1].encode())


def test_the_words_of_the_notes_are_in_the_library_alone(left: tuple[Path, str]) -> None:
    home, _ = left
    holding = {path for path in home.rglob("*") if path.is_file() and found(WORD, path.read_bytes())}
    assert holding, "the library keeps what was said"
    elsewhere = [str(p.relative_to(home)) for p in holding if p.parts[len(home.parts)] not in LIBRARY]
    assert elsewhere == []


LIBRARY = ("library", "library.db", "library.db-wal", "mine.json")


def test_nobody_else_may_read_a_file_or_folder_even_under_an_open_umask(left: tuple[Path, str]) -> None:
    home, _ = left
    own = [home, *(path for path in home.rglob("*") if "eval" not in path.parts)]
    assert len(own) > 10
    open_to_others = {str(p.relative_to(home)): oct(p.stat().st_mode & 0o777) for p in own if p.stat().st_mode & 0o077}
    assert open_to_others == {}


if __name__ == "__main__":
    session(Path(sys.argv[1]))
