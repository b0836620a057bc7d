"""The mechanics below the library: windows, terms, BM25 that grows, embedders."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach import notes
from coach.errors import ConfigError, LibraryError, PluginError
from coach.identities import Identities
from coach.library import Library
from coach.retrieval.bm25 import Bm25Index, Postings, query_terms, terms
from coach.retrieval.embedders import EMBEDDERS, as_embedder, load_embedder
from coach.retrieval.names import pseudonymised, pseudonyms
from coach.retrieval.passages import LONG, Line, Window, lines, read, unwound, windows
from coach.settings import load_settings

WORDS = st.sampled_from(["budget", "pager", "release", "hiring", "roof", "Person", "A", "B", "delay", "risk", "people"])
TEXTS = st.lists(st.lists(WORDS, max_size=20).map(" ".join), min_size=1, max_size=12)


@given(st.integers(1, 30))
def test_windows_cover_every_line_and_unwind_to_the_same_lines(count: int) -> None:
    said = tuple(Line("Person A" if n % 2 else None, f"line {n}") for n in range(count))
    cut = windows(said)
    assert unwound(cut) == said
    assert all(len(window.lines) == 4 for window in cut) or count < 4 or count % 2
    assert unwound([Window(w.first, read(w.text, w.speakers)) for w in cut]) == said


def test_no_lines_make_no_windows() -> None:
    assert windows(()) == ()


def test_long_turns_become_lines_between_sentences() -> None:
    speech = " ".join(f"This is sentence number {n} of a very long speech." for n in range(40))
    parts = lines(notes.parse(f"Ana: {speech}\nBen: Thank you."))
    assert len(parts) > 4
    assert all(len(part.text.split()) <= LONG and part.text.endswith(".") for part in parts)
    assert " ".join(part.text for part in parts if part.speaker == "Ana") == speech


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Person A told Person B2", ["person_a_", "told", "person_b_"]),
        ("Person E, Person S, Person AL", ["person_e_", "person_s_", "person_al_"]),
        ("@person-ab agrees with Plan B", ["person_ab_", "agre", "plan_b_"]),
        ("On Monday I left", ["monday", "left"]),
    ],
)
def test_a_pseudonym_is_one_term_whatever_its_spelling(text: str, expected: list[str]) -> None:
    (found,) = terms([text])
    assert [term for term in found if term != "person"] == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What did Person A say about the budget?", ["person_a_", "budget"]),
        ("Can you find the discussion about hiring in earlier meetings?", ["hire"]),
        ("Summarize the pager load", ["pager", "load"]),
        ("What was discussed?", ["discuss"]),
    ],
)
def test_questions_lose_their_boilerplate_unless_nothing_else_is_there(question: str, expected: list[str]) -> None:
    assert query_terms(question) == expected


@settings(max_examples=40, deadline=None)
@given(TEXTS, TEXTS, st.lists(WORDS, min_size=1, max_size=4).map(" ".join))
def test_growing_bm25_scores_what_bm25s_scores(first: list[str], second: list[str], question: str) -> None:
    import bm25s

    grown = Bm25Index.empty()
    for text in first:
        grown = grown.add([Postings.from_bytes(Postings.of([text]).to_bytes())])
    grown = grown.add([Postings.of(second)])
    query = list(dict.fromkeys(terms([question])[0]))
    tokens = terms(first + second)
    assert len(grown) == len(tokens)
    if not query or not any(tokens):
        assert not grown.scores(query).any()
        return
    reference = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    reference.index(tokens, show_progress=False)
    known = [term for term in query if term in reference.vocab_dict]
    expected = reference.get_scores(known) if known else np.zeros(len(tokens))
    assert np.allclose(grown.scores(query), expected, atol=1e-5)


def test_postings_hold_no_words() -> None:
    raw = Postings.of(["Person A fears the pager at night"])
    stored = b"".join(part.tobytes() for part in (raw.lengths, raw.rows, raw.ids, raw.counts))
    assert b"pager" not in stored and b"person" not in stored


@pytest.mark.parametrize("raw", [b"", b"bm25/0\0\0old", b"bm25/1\0\0broken"])
def test_postings_of_another_kind_are_refused(raw: bytes) -> None:
    with pytest.raises(LibraryError, match="made anew"):
        Postings.from_bytes(raw)


def test_many_small_adds_keep_few_segments() -> None:
    index = Bm25Index.empty()
    for n in range(60):
        index = index.add([Postings.of([f"release number {n}"])])
    assert len(index.segments) <= 8
    assert index.rows_with("releas").size == 60


def test_wordllama_gives_unit_vectors_and_leaves_the_logging_alone() -> None:
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    embedder = load_embedder(load_settings({}))
    vectors = embedder(["The pager wakes me every night", "I am on call too often", ""])
    assert vectors.shape == (3, 256) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 0], atol=1e-5)
    assert (root.level, root.handlers) == before


def test_the_encoder_that_ships_knows_the_same_in_other_words() -> None:
    embedder = load_embedder(load_settings({"COACH_EMBEDDER": "builtin"}))
    texts = [
        "We have no way back if the migration fails.",
        "What is the rollback plan for the migration?",
        "The cake was good.",
        "",
    ]
    vectors = embedder(texts)
    assert vectors.shape == (4, 384) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0], atol=1e-5)
    assert vectors[0] @ vectors[1] > embedder.perhaps > 0.2 > vectors[0] @ vectors[2]
    assert embedder([f"{texts[0]} {'And so on. ' * 500}\ud800"]).shape == (1, 384), (
        "long and broken texts are read, too"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fastembed", "pip install fastembed|has no files"),
        ("minilm", "no files on this machine"),
        ("openai", "OPENAI_API_KEY"),
    ],
)
def test_an_embedder_that_is_not_here_says_how_to_get_it(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_embedder(load_settings({"COACH_EMBEDDER": name}))


def test_an_unknown_embedder_is_named_with_those_there_are() -> None:
    with pytest.raises(PluginError, match="wordllama"):
        load_embedder(load_settings({"COACH_EMBEDDER": "word2vec"}))
    assert list(EMBEDDERS)[:5] == ["wordllama", "builtin", "fastembed", "minilm", "openai"]


def test_any_langchain_embeddings_is_an_embedder() -> None:
    from langchain_core.embeddings import DeterministicFakeEmbedding

    embedder = as_embedder(DeterministicFakeEmbedding(size=32))
    assert embedder(["one", "two"]).shape == (2, 32)
    assert np.isclose(np.linalg.norm(embedder.query("one")), 1)
    assert embedder.remote and as_embedder(embedder) is embedder


def test_the_openai_embedder_speaks_to_the_endpoint_in_the_settings() -> None:
    import json
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            data = [{"index": n, "embedding": [float(len(t)), 1.0]} for n, t in enumerate(asked["input"])]
            answer = json.dumps({"data": data[::-1], "model": asked["model"]}).encode()
            self.send_response(200 if asked["model"] == "tiny" else 404)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        base = f"http://127.0.0.1:{server.server_port}/v1"
        embedder = load_embedder(load_settings({"COACH_EMBEDDER": "openai:tiny", "OPENAI_BASE_URL": base}))
        assert embedder.name == "openai-tiny" and embedder.remote
        assert np.allclose(embedder(["abc", "a"]), [[3 / 10**0.5, 1 / 10**0.5], [1 / 2**0.5, 1 / 2**0.5]])
        other = load_embedder(load_settings({"COACH_EMBEDDER": "openai:huge", "OPENAI_BASE_URL": base}))
        with pytest.raises(Exception, match="gave no vectors"):
            other(["abc"])
    finally:
        server.shutdown()
        server.server_close()


def test_names_in_a_question_become_the_pseudonyms_in_use() -> None:
    known = Identities().add("Grace Okafor").add("Bob", same_as="Grace Okafor").add("grace@acme.example", "email")
    label = known.entities[0].label
    assert pseudonymised("What did Grace Okafor want?", known) == f"What did {label} want?"
    assert "acme" not in pseudonymised("mail to grace@acme.example", known)
    assert pseudonymised("by the grace of the council", known) == "by the grace of the council"
    assert pseudonyms("bob", known)[0] == label
    assert pseudonyms(label, known)[0] == label
    assert pseudonyms("Zebedee", known) == ()


def test_hundreds_of_equal_passages_hide_no_other(tmp_path: Path) -> None:
    """The graph of vectors alone loses some: of these, about one in four."""
    with Library(load_settings({"COACH_HOME": str(tmp_path)})) as library:
        for n in range(60):
            library.add(notes.parse(f"Meeting {n}\n\n" + "\n".join(["ben: i like it"] * 12)))
        others = [
            library.add(notes.parse("\n".join(f"ana: the numbat{n} plan has point {m * n}" for m in range(6))))
            for n in range(1, 21)
        ]
        for entry in others:
            for record in library._store.generation.of_meeting(entry.id):
                assert library.similar(record.text, 1)[0].scores["cosine"] > 0.99
