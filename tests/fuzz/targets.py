"""Every door by which text of others comes in, as a function of bytes.

A target may refuse with a :class:`CoachError` of one line, within the limits; everything else it raises is a fault that
somebody would have seen as a traceback. Hypothesis drives them in the suite (``tests/test_fuzz.py``), atheris for
longer (``make fuzz``).
"""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fuzz.draw import NUMBERS, Draw

from coach.errors import CoachError, InputError

SECONDS = 2.0
"""CPU time of one execution; more is a hang."""

WORDS = (
    "Ana: ", "Ben Ott: ", "**Cy:** ", "- ", "  - ", "> ", "# ", "## Item\n", "1. ", "| a | b |\n", "|---|---|\n",
    "\n", "\n\n", "\r\n", " ", "[00:01:02] ", "19:02 ", "Ana  0:15\n", "WEBVTT\n\n", "00:01.000 --> 00:02.000\n",
    "1\n00:00:01,000 --> 00:00:02,000\n", "<v Ana>", "</v>", "From: Ana\n", "To: Ben\n", "Subject: roof\n",
    "On Monday Ana wrote:\n", "Present: Ana (chair), Ben\n", "Apologies: Cy\n", "Ana asked why. ", "I am not sure. ",
    "We have to decide. ", "Nobody said anything. ", "Next item.\n", "It always fails! ", "e.g. ", "https://a.example ",
    "Decision: no\n", "---\n", "(laughs)\n", '"', "Mr. ", "J. P. ", "a@b.example ", "+44 20 7946 0000 ", "@ana ",
    '[{"ts": "1", "text": "', '"}]', "I need help. ", "Fine, whatever. ", "obviously ", "you must ", "Person A ",
    "Minutes of the board\n", "RESOLVED that ", "-- \n", "________\n", "NOTE x\n", "STYLE\n", "</", "<", "{", "\\u00e9",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A door: ``run`` takes any bytes; ``seeds`` are inputs that get through."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


class FaultError(AssertionError):
    """What a target may not do."""


def execute(target: Target, data: bytes) -> bool:
    """Whether the input was taken (``False``: refused in one line). Raises whatever is a fault."""
    began = time.thread_time()
    try:
        target.run(data)
        taken = True
    except CoachError as refusal:
        if len(str(refusal).strip().splitlines()) != 1:
            raise FaultError(f"a refusal is one line, not {str(refusal)!r}") from refusal
        str(refusal).encode()
        taken = False
    if (took := time.thread_time() - began) > SECONDS:
        raise FaultError(f"took {took:.1f} s of CPU")
    return taken


@contextmanager
def _file(name: str, data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        yield path


def _samples() -> list[str]:
    from coach.samples import samples

    return [sample.text for sample in samples()]


# --- notes -----------------------------------------------------------------------------------------------------------


def _text_of(draw: Draw) -> str:
    kind = draw.byte() % 4
    if kind == 0:
        return draw.rest().decode("utf-8", "replace")
    if kind == 1:
        return draw.rest().decode("utf-8", "surrogateescape")
    return "".join(draw.text(WORDS) for _ in range(4))


def _parse(data: bytes) -> None:
    from coach import notes
    from coach.notes.lines import BLANK

    draw = Draw(data)
    named = draw.choice((None, *notes.FORMATS))
    text = _text_of(draw)
    conversation = notes.parse(text, named)
    at = 0
    for utterance in conversation.utterances:
        assert at <= utterance.start <= utterance.said <= utterance.end
        assert not text[at : utterance.start].strip(BLANK)
        at = utterance.end
    for sentence in notes.sentences(conversation):
        assert text[sentence.start : sentence.end] == sentence.text


def _parse_seeds() -> list[bytes]:
    from coach import notes

    seeds = [b"\0\0" + text.encode() for text in _samples()]
    seeds += [
        bytes([n]) + b"\0" + text.encode()[:400]
        for n in range(1, len(tuple(notes.FORMATS)) + 1)
        for text in _samples()[:2]
    ]
    return seeds


SUFFIXES = (".txt", ".md", ".vtt", ".srt", ".eml", ".json", ".csv")


def _read_file(data: bytes) -> None:
    from coach import notes

    draw = Draw(data)
    with _file("notes" + draw.choice(SUFFIXES), draw.rest()) as path:
        notes.parse(notes.read_file(path))


def _read_file_seeds() -> list[bytes]:
    letter = (
        b"\4From: =?utf-8?q?Ana?= <a@b.example>\nTo: ben@b.example\nDate: Mon, 3 Mar 2026 10:00:00 +0100\n"
        b"Subject: roof\n"
        b"MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/plain; "
        b"charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nIt leaks=20again.=\n\n--x--\n"
    )
    base64 = (
        b"\4From: a@b.example\nSubject: x\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
        b"SXQgbGVha3M=\n"
    )
    return [
        letter, base64, b"\0" + "Ana: É\n".encode("utf-16"), b"\0" + "Ana: é so\n".encode("cp1252"),
        b"\0\xef\xbb\xbfAna: hi", *(bytes([5]) + chat for chat in _chats()),
    ]  # fmt: skip


CHAT_KEYS = (
    "ts", "text", "user", "username", "user_profile", "real_name", "display_name", "messages", "subtype", "from",
    "displayName", "createdDateTime", "originalarrivaltime", "MessageList", "conversations", "content", "body", "value",
    "type", "client_msg_id",
)  # fmt: skip


def _chats() -> list[bytes]:
    slack = [
        {
            "ts": "1700000000.1",
            "user": "U1",
            "user_profile": {"real_name": "Ana"},
            "text": "It leaks &amp; <@U2> \u00e9",
        },
        {"ts": "1700000009.1", "username": "Ben", "text": "Next\nitem", "client_msg_id": "1"},
    ]
    teams = {"value": [{"createdDateTime": "2026-03-02T09:14:00Z", "from": {"user": {"displayName": "Ana"}},
              "body": {"content": "<p>It leaks</p>"}}]}  # fmt: skip
    skype = {
        "conversations": [
            {"MessageList": [{"displayName": "Ana", "originalarrivaltime": "2026-03-02T09:14:00Z", "content": "hi"}]}
        ]
    }
    return [json.dumps(chat).encode() for chat in (slack, teams, skype)]


def _chat(data: bytes) -> None:
    from coach import notes
    from coach.notes.exports import as_chat

    draw = Draw(data)
    if draw.byte() % 2:
        text = draw.rest().decode("utf-8", "replace")
    else:
        text = json.dumps([draw.value(CHAT_KEYS, ("Ana", "1700000000.5", "2026-03-02T09:14:00Z", "hi", *WORDS))])
    written = as_chat(text)
    if written is not None:
        written.encode()
        notes.parse(written)
    if text.strip():
        notes.parse(text, "chat-export")


def _chat_seeds() -> list[bytes]:
    return [b"\1" + chat for chat in _chats()] + [bytes(range(n, n + 90)) for n in range(0, 160, 8)]


NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
WORD_PARTS = (
    "<w:p>", "</w:p>", "<w:r>", "</w:r>", "<w:t>Ana: It leaks.</w:t>", "<w:t>", "</w:t>", "<w:tbl>", "<w:tr>", "<w:tc>",
    "</w:tc>", "</w:tr>", "</w:tbl>", "<w:br/>", "<w:tab/>", '<w:pPr><w:numPr><w:ilvl w:val="9"/><w:numId w:val="1"/>'
    "</w:numPr></w:pPr>", "&lt;", "&#0;", "&a;", "<w:hyperlink>", "</w:hyperlink>", '<w:gridSpan w:val="99"/>',
    '<w:vMerge w:val="restart"/>', "<w:footnoteReference/>", '<w:sym w:char="F04A" w:font="x"/>', "<w:del>", "</w:del>",
    '<w:pStyle w:val="Heading1"/>', "<![CDATA[", "]]>", "<!--", "-->",
)  # fmt: skip


def word_file(document: bytes, others: dict[str, bytes] | None = None) -> bytes:
    """A .docx around the XML of its document."""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    parts = {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>'
        ).encode(),
        "_rels/.rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{relation}" Target="word/document.xml"/></Relationships>'
        ).encode(),
        "word/document.xml": document,
        **(others or {}),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _document(name: str, raw: bytes) -> None:
    """What the reader's own process does, here: a thousand processes for a thousand files would leave few of either."""
    from coach import notes
    from coach.notes import documents

    with _file(name, raw) as path:
        try:
            if name.endswith(".docx"):
                documents._refuse_bombs(path)
            text = documents.text_of(path)
        except CoachError:
            raise
        except Exception as error:  # noqa: BLE001
            raise InputError(f"can't be converted ({type(error).__name__})") from None
        notes.parse(notes.decode(text.encode("utf-8", "replace"), name))


def _docx(data: bytes) -> None:
    draw = Draw(data)
    kind = draw.byte() % 4
    if kind == 0:
        raw = draw.rest()
    elif kind == 1:
        raw = word_file(draw.rest())
    else:
        body = "".join(draw.choice(WORD_PARTS) for _ in range(draw.byte() % 48))
        raw = word_file(f'<w:document xmlns:w="{NAMESPACE}"><w:body>{body}</w:body></w:document>'.encode())
    _document("notes.docx", raw)


def _docx_seeds() -> list[bytes]:
    body = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in ("Ana: It leaks.", "Ben: Next."))
    document = f'<w:document xmlns:w="{NAMESPACE}"><w:body>{body}</w:body></w:document>'.encode()
    return [b"\0" + word_file(document), b"\1" + document]


def pdf_file(content: bytes, extra: bytes = b"") -> bytes:
    """A .pdf of one page with this content stream; ``extra`` goes into the stream's dictionary."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length " + str(len(content)).encode() + extra + b" >>\nstream\n" + content + b"\nendstream",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)


def _pdf(data: bytes) -> None:
    draw = Draw(data)
    raw = draw.rest() if draw.byte() % 2 else pdf_file(draw.rest())
    _document("notes.pdf", raw)


def _pdf_seeds() -> list[bytes]:
    content = b"BT /F1 12 Tf 50 700 Td (Ana: It leaks.) Tj 0 -20 Td (Ben: Next.) Tj ET"
    return [b"\1" + pdf_file(content), b"\0" + content]


# --- what is done with notes ---


@cache
def _coach() -> Any:
    from coach.settings import load_settings
    from coach.wiring import Coach

    home = Path(tempfile.mkdtemp(prefix="unheard-fuzz-"))
    return Coach(load_settings({}, home=home))


def _review(data: bytes) -> None:
    from coach import render

    draw = Draw(data)
    text = _text_of(draw)[:2_000]
    review = _coach().review(text, engine="local")
    for finding in review.findings:
        assert text[finding.start : finding.end] == finding.quote
    for report in (render.markdown(review), render.html(review, text), review.model_dump_json()):
        report.encode()


def _anonymise(data: bytes) -> None:
    from coach import notes
    from coach.anonymise import anonymise, leaks_in, restore
    from coach.identities import Identities

    text = _text_of(Draw(data))[:4_000]
    done = anonymise(notes.parse(text), Identities())
    restore(done.text, done.identities)
    leaks_in(done.text, done.identities)
    json.dumps(done.as_json(with_originals=True), ensure_ascii=False).encode()


def _sentence(data: bytes) -> None:
    from coach.rehearsal.moves import find_moves
    from coach.rewriting import question, rewrite

    text = _text_of(Draw(data))[:2_000]
    rewrite(text)
    question(text)
    find_moves(text)


def _text_seeds() -> list[bytes]:
    return [b"\0" + text.encode()[:1_500] for text in _samples()]


def _sentence_seeds() -> list[bytes]:
    from coach import notes

    return [b"\0" + s.text.encode() for text in _samples() for s in notes.sentences(notes.parse(text))[:8]]


# --- files of the coach's own formats ---

PLAN_KEYS = ("purpose", "stage", "attendees", "opening", "fears")
PLAN_WORDS = ("needs", "possibilities", "action", "Ana", "Ben, Cy", "We have to move.", "roof")
PLAN = b"purpose: Decide about the roof\nstage: action\nattendees: [Ana, Ben]\nopening: We have to move.\nfears: []\n"


def _yaml(draw: Draw, keys: tuple[str, ...], words: tuple[str, ...]) -> bytes:
    import yaml

    if draw.byte() % 2:
        return draw.rest()
    value = {key: draw.value(keys, words) for key in keys if draw.byte() % 4} or draw.value(keys, words)
    return yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass")


def _plan(data: bytes) -> None:
    from coach.rehearsal.plan import load_plan

    with _file("plan.yaml", _yaml(Draw(data), PLAN_KEYS, PLAN_WORDS)) as path:
        load_plan(path)


def _plan_seeds() -> list[bytes]:
    return [b"\1" + PLAN, b"\0\1\7\1\2\3\1\7\1\2\4", b"\1{purpose: &a [*a]}", b"\1? [a]\n: b\n", b"\1a: 2026-99-99\n"]


EVAL = Path(__file__).parents[2] / "eval"


def _suite_keys() -> tuple[str, ...]:
    from coach_eval.schema import Suite

    return tuple(Suite.model_fields)


def _suite(data: bytes) -> None:
    from coach_eval.files import load_suite

    with _file("x.yaml", _yaml(Draw(data), _suite_keys(), ("x", "review", "local", "llm", "meetings", "all"))) as path:
        load_suite(path)


def _suite_seeds() -> list[bytes]:
    return [b"\1" + path.read_bytes() for path in sorted((EVAL / "suites").glob("*.yaml"))]


@cache
def _tasks() -> tuple[Any, ...]:
    from coach_eval.tasks import TASKS

    return tuple(TASKS[name] for name in TASKS)


def _case_keys() -> tuple[str, ...]:
    keys = {key: None for task in _tasks() for key in task.case.model_fields}
    return (*keys, "cases")


def _cases(data: bytes) -> None:
    from coach_eval.files import load_cases
    from coach_eval.schema import Suite

    draw = Draw(data)
    task = draw.choice(_tasks())
    given = _yaml(draw, _case_keys(), ("Ana: It leaks.\nBen: Next.\n", "It leaks.", "dev", "unheard_objection", "x"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cases", "x", "one.yaml")
        path.parent.mkdir(parents=True)
        path.write_bytes(given)
        suite = Suite.model_validate({"suite": "x", "task": task.name, "cases": "x", **_suite_rest()})
        load_cases(Path(folder), suite, task)


@cache
def _suite_rest() -> dict[str, Any]:
    import yaml

    given = yaml.safe_load((EVAL / "suites" / "meetings.yaml").read_text())
    return {key: value for key, value in given.items() if key not in ("suite", "task", "cases")}


def _case_seeds() -> list[bytes]:
    names = [task.name for task in _tasks()]
    found = []
    for path in sorted((EVAL / "cases").glob("*/*.yaml")):
        if path.stat().st_size < 4_000:
            found += [bytes([n, 1]) + path.read_bytes() for n in range(len(names))]
    return found[:120]


def _json(draw: Draw, keys: tuple[str, ...], words: tuple[str, ...], schema: str) -> bytes:
    if draw.byte() % 2:
        return draw.rest()
    value = {key: draw.value(keys, words) for key in keys if draw.byte() % 4}
    return json.dumps({"schema": schema, **value}).encode()


def _recording(data: bytes) -> None:
    from coach_eval.recordings import Recording, Store

    draw = Draw(data)
    given = _json(draw, tuple(Recording.model_fields), ("stop", "length", "authored", "x"), "coach.recording/1")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ab", "x.json")
        path.parent.mkdir()
        path.write_bytes(given)
        store = Store(Path(folder))
        store.check()
        store.stale()


def _recording_seeds() -> list[bytes]:
    return [b"\1" + path.read_bytes() for path in sorted((EVAL / "recordings").rglob("*.json"))[:12]]


def _run(data: bytes) -> None:
    from coach_eval.files import load_run
    from coach_eval.schema import Run

    draw = Draw(data)
    given = _json(draw, tuple(Run.model_fields), ("x", "2026-03-02", "local"), str(Run.model_fields["schema_"].default))
    with _file("x.json", given) as path:
        load_run(path)


def _run_seeds() -> list[bytes]:
    return [b"\1" + path.read_bytes()[:60_000] for path in sorted((EVAL / "baselines").glob("*.json"))[:4]]


EXPORT = {
    "schema": "coach.library/1", "library": "k",
    "meetings": [{"id": "0123456789abcdef", "title": "Roof", "date": "2026-03-02", "format": "minutes",
                  "attendees": ["Person A"], "tags": ["x"], "lines": [{"speaker": "Person A", "text": "It leaks."}]}],
}  # fmt: skip
EXPORT_KEYS = ("id", "title", "date", "format", "attendees", "tags", "lines", "speaker", "text", "meetings", "library")


def _export(data: bytes) -> None:
    from coach.retrieval import transfer

    given = _json(Draw(data), EXPORT_KEYS, ("Person A", "2026-03-02", "It leaks."), "coach.library/1")
    with _file("x.json", given) as path:
        _, meetings = transfer.read(path)
    for entry, lines in meetings:
        entry.model_dump_json().encode()
        transfer.conversation(lines, entry.format)


def _export_seeds() -> list[bytes]:
    return [b"\1" + json.dumps(EXPORT).encode(), bytes(range(64))]


def _settings(data: bytes) -> None:
    from coach.settings import Settings, load_settings

    draw = Draw(data)
    names = [str(field.alias) for field in Settings.model_fields.values()]
    given = {draw.choice(names): draw.text(("openai", "llm", "http://127.0.0.1:1", "1", "x")) for _ in range(8)}
    chosen = load_settings(given)
    _ = (chosen.llm_configured, chosen.endpoint, chosen.on_this_machine)


def _users(data: bytes) -> None:
    from coach.ui.users import _read, hashed

    draw = Draw(data)
    lines = [
        draw.choice(("ada:", "", "#", "../x:")) + draw.choice((hashed_once(hashed), draw.text())) for _ in range(4)
    ]
    with _file("users", draw.choice(("\n".join(lines).encode("utf-8", "surrogatepass"), draw.rest()))) as path:
        path.chmod(0o600)
        _read(path)


@cache
def hashed_once(hashed: Callable[[str], str]) -> str:
    return hashed("correct horse")


def _answer(data: bytes) -> None:
    """What a model says, whatever it says, through the engine that asks it."""
    from coach.engine import Watch
    from coach.identities import Identities
    from coach.llm.base import Answer
    from coach.llm_engine import LLMEngine
    from coach.notes import parse
    from coach.settings import load_settings

    draw = Draw(data)
    keys = ("findings", "line", "quote", "speaker", "subtype", "why", "ask", "sure", "earlier", "record", "need",
            "rewrite", "participants", "name", "alignment", "buy_in", "evidence", "about")  # fmt: skip
    words = ("It leaks.", "Person A", "ignored", "likely", "workload", "absolute", "aligned", "committed", "1")

    def said(schema: dict[str, Any]) -> str:
        if draw.byte() % 8 == 0:
            return draw.bytes(200).decode("utf-8", "replace")
        return json.dumps(_fitting(draw, schema, schema.get("$defs", {}), keys, words))

    class Model:
        name = "fuzz"

        def complete(self, request: Any, watch: Watch) -> Answer:
            return Answer(said(request.schema or {}))

    engine = LLMEngine(Model(), load_settings({}, concurrency=1), identities=Identities)
    found = engine.analyse(parse("Ana: It leaks.\nBen: Next item.\nAna: We have to move.\n"), (), Watch())
    for finding in found.findings:
        finding.model_dump_json().encode()


def _fitting(draw: Draw, schema: dict[str, Any], shapes: dict[str, Any], keys: Any, words: Any) -> Any:
    """A value that mostly fits a JSON schema."""
    if draw.byte() % 32 == 31:
        return draw.value(keys, words, 2)
    if "$ref" in schema:
        schema = shapes[schema["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in schema:
        return _fitting(draw, draw.choice(schema["anyOf"]), shapes, keys, words)
    if "enum" in schema:
        return draw.choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if kind == "object":
        return {key: _fitting(draw, inner, shapes, keys, words) for key, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_fitting(draw, schema.get("items", {}), shapes, keys, words) for _ in range(draw.byte() % 4)]
    if kind in ("integer", "number"):
        return draw.byte() % 8 if draw.byte() % 4 else draw.choice(NUMBERS)
    return {"boolean": True, "null": None}.get(str(kind), draw.text(words))


# --- servers ---------------------------------------------------------------------------------------------------------

TOOLS = (
    "review_notes", "rewrite_tentatively", "anonymise", "search_library", "open_objections", "brief_meeting",
    "rehearse_turn", "keep_notes", "mark_objection", "nothing",
)  # fmt: skip
TOOL_KEYS = (
    "text", "format", "engine", "sentence", "query", "k", "attendee", "since", "until", "meeting", "plan", "practice",
    "say", "temperament", "end", "title", "date", "attendees", "tags", "concern", "status", "note", *PLAN_KEYS,
)  # fmt: skip
METHODS = (
    "tools/call", "tools/list", "resources/list", "resources/read", "prompts/get", "prompts/list", "ping", "initialize",
    "logging/setLevel", "completion/complete", "resources/subscribe", "notifications/cancelled", "x",
)  # fmt: skip


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@cache
def _mcp() -> Any:
    """The low-level server: what a transport hands it after reading JSON."""
    from coach.mcp_server import build_server

    return build_server(_coach(), write=False)


def _mcp_tool(data: bytes) -> None:
    """A tool called with any arguments: an answer, or a sentence that holds no traceback."""
    from mcp.types import CallToolRequest, CallToolRequestParams

    draw = Draw(data)
    name = draw.choice(TOOLS)
    words = (
        "Ana: It leaks.\nBen: Next.\n",
        "roof",
        "2026",
        "needs",
        "Ana",
        "reserved",
        "local",
        "coach://library",
        "1",
    )
    arguments = {key: draw.value(TOOL_KEYS, words, 3) for key in TOOL_KEYS if draw.byte() % 3 == 0}
    server = _mcp()._mcp_server
    handler = server.request_handlers[CallToolRequest]
    request = CallToolRequest(method="tools/call", params=CallToolRequestParams(name=name, arguments=arguments))
    result = _loop().run_until_complete(handler(request)).root
    for content in result.content:
        told = getattr(content, "text", "")
        told.encode()
        if result.isError and ("Traceback" in told or "unexpected " in told):
            raise FaultError(told)


def _tool_seeds() -> list[bytes]:
    import random

    dice = random.Random(1)
    return [bytes([n]) + dice.randbytes(160) for n in range(len(TOOLS)) for _ in range(6)]


@cache
def _mcp_app() -> Any:
    from coach.gate import Gate
    from coach.mcp_server import MOST_BYTES, build_server

    server = build_server(_coach(), token="t" * 32)
    server.settings.stateless_http = True
    server.settings.json_response = True
    app = Gate(server.streamable_http_app(), most_bytes=MOST_BYTES)
    running = server.session_manager.run()
    _loop().run_until_complete(running.__aenter__())
    return app, running


def _mcp_http(data: bytes) -> None:
    """An HTTP request to the MCP server."""
    draw = Draw(data)
    app, _ = _mcp_app()
    headers = [(b"host", b"127.0.0.1:8000"), (b"authorization", b"Bearer " + b"t" * 32)]
    headers.append((b"accept", draw.choice((b"application/json, text/event-stream", b"*/*", b""))))
    headers.append(
        (b"content-type", draw.choice((b"application/json", b"text/plain", b"\xff", b"application/json;x=" * 20)))
    )
    if draw.byte() % 4 == 0:
        headers.append(
            (draw.choice((b"mcp-session-id", b"mcp-protocol-version", b"last-event-id", b"origin")), draw.bytes(12))
        )
    if draw.byte() % 3:
        message = {"jsonrpc": draw.choice(("2.0", "1.0", "")), "id": draw.choice((1, "a", None, -1, 1.5, [], {}))}
        keys = ("name", "arguments", "uri", "cursor", "protocolVersion", "capabilities", "clientInfo", "_meta", "level")
        message |= {
            "method": draw.choice(METHODS),
            "params": draw.value((*keys, *TOOL_KEYS), (*TOOLS, "coach://notes/x"), 3),
        }
        body = json.dumps(message if draw.byte() % 5 else [message, message]).encode()
    else:
        body = draw.rest()
    status, answer = _asked(app, draw.choice(("POST", "POST", "POST", "DELETE", "PUT")), "/mcp", headers, body)
    _no_fault(status, answer)


def _asked(
    app: Any, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes, query: bytes = b""
) -> tuple[int, bytes]:
    """Status and body of an answer of an ASGI app in this process."""
    sent: list[dict[str, Any]] = []
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return given.pop() if given else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode("utf-8", "replace"), "root_path": "", "scheme": "http", "query_string": query,
        "headers": headers, "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8000), "state": {},
    }  # fmt: skip

    async def limited() -> None:
        async with asyncio.timeout(120):
            await app(scope, receive, send)

    _loop().run_until_complete(limited())
    status = next((m["status"] for m in sent if m["type"] == "http.response.start"), 0)
    return status, b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")


def _no_fault(status: int, answer: bytes) -> None:
    if status >= 500 or b"Traceback" in answer or b'File "/' in answer:
        raise FaultError(f"{status}: {answer[:300]!r}")


def _mcp_http_seeds() -> list[bytes]:
    import random

    dice = random.Random(2)
    plain = [json.dumps({"jsonrpc": "2.0", "id": 1, "method": m, "params": {}}).encode() for m in METHODS]
    return [b"\0\0\1\0" + body for body in plain] + [b"\0\0\1\1" + dice.randbytes(120) for _ in range(40)]


@cache
def _page() -> Any:
    from coach.ui import build_ui
    from coach.ui.sessions import gated

    page = build_ui(_coach())
    page.queue(max_size=200, default_concurrency_limit=8)
    from gradio.routes import App

    page.run_startup_events()
    page.is_running = True
    page.max_file_size = 20_000_000
    return App.create_app(page, mcp_server=False, app_kwargs={"middleware": gated(signing_in=False)})


PATHS = (
    "/gradio_api/call/review", "/gradio_api/queue/join", "/gradio_api/run/review", "/gradio_api/upload", "/login",
    "/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/component_server", "/gradio_api/run/predict", "/config",
    "/gradio_api/file=", "/gradio_api/proxy=", "/theme.css", "/gradio_api/info", "/gradio_api/stream/",
    "/gradio_api/heartbeat/", "/gradio_api/deep_link", "/gradio_api/upload_progress", "/gradio_api/api/review",
)  # fmt: skip
PAGE_KEYS = (
    "data", "fn_index", "session_hash", "event_data", "event_id", "trigger_id", "simple_format", "batched", "path",
    "meta", "_type", "url", "username", "password", "component_id", "fn_name", "orig_name",
)  # fmt: skip


KINDS = (b"application/json", b"text/plain", b"multipart/form-data; boundary=x", b"application/x-www-form-urlencoded")


def _page_http(data: bytes) -> None:
    """An HTTP request to the page."""
    draw = Draw(data)
    app = _page()
    path = draw.choice(PATHS)
    if path.endswith(("=", "/")):
        path += draw.text(("../../../etc/passwd", "/etc/passwd", "%2e%2e/", "http://127.0.0.1:1/", "x"))
    headers = [(b"host", b"127.0.0.1:7860")]
    headers.append((b"content-type", draw.choice(KINDS)))
    if draw.byte() % 3:
        body = json.dumps(
            draw.value(PAGE_KEYS, ("Ana: It leaks.", "gradio.FileData", "/etc/passwd", "s1", "x"), 4)
        ).encode()
    else:
        body = draw.rest()
    method = draw.choice(("POST", "POST", "POST", "GET", "DELETE"))
    if method == "GET" and ("heartbeat" in path or "upload_progress" in path):
        method = "POST"  # these answer for as long as the client listens
    status, answer = _asked(app, method, path, headers, body, draw.bytes(8).hex().encode())
    if b"Traceback" in answer or b'File "/' in answer or b"root:" in answer:
        raise FaultError(f"{method} {path} {status}: {answer[:300]!r}")


def _page_seeds() -> list[bytes]:
    import random

    dice = random.Random(3)
    return [bytes([n]) + dice.randbytes(120) for n in range(len(PATHS)) for _ in range(4)]


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("notes", _parse, _parse_seeds),
        Target("note files", _read_file, _read_file_seeds),
        Target("chat exports", _chat, _chat_seeds),
        Target("docx", _docx, _docx_seeds),
        Target("pdf", _pdf, _pdf_seeds),
        Target("reviews", _review, _text_seeds),
        Target("pseudonyms", _anonymise, _text_seeds),
        Target("sentences", _sentence, _sentence_seeds),
        Target("plans", _plan, _plan_seeds),
        Target("suites", _suite, _suite_seeds),
        Target("cases", _cases, _case_seeds),
        Target("recordings", _recording, _recording_seeds),
        Target("baselines", _run, _run_seeds),
        Target("library exports", _export, _export_seeds),
        Target("settings", _settings, lambda: [b"\0\1\2\3"]),
        Target("users", _users, lambda: [b"\0\0\0\0"]),
        Target("model answers", _answer, lambda: [bytes(range(n, n + 100)) for n in range(0, 150, 9)]),
        Target("mcp tools", _mcp_tool, _tool_seeds),
        Target("mcp http", _mcp_http, _mcp_http_seeds),
        Target("page http", _page_http, _page_seeds),
    )
}
