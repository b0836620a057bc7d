"""Prompts are files with versions: complete, rendered without touching the data in them, and never edited once out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach import answers, schema
from coach.answers import SHAPES, inert
from coach.errors import ConfigError
from coach.fencing import fence, marked, new_nonce, note_lines, passage_lines, visible
from coach.prompts import active_versions, load_prompt, prompt_digests, prompts_root
from coach.schema import Conversation, Passage, Utterance

DIGESTS = Path(__file__).parent / "prompt_digests.json"
NAMES = tuple(active_versions())
FINDERS = ("unheard_objections", "unaddressed_needs", "categorical_phrasing")


def test_no_prompt_version_ever_changes() -> None:
    """A changed prompt is a new file vN.yaml; add its line to tests/prompt_digests.json."""
    assert json.loads(DIGESTS.read_text("utf-8")) == prompt_digests(), json.dumps(prompt_digests(), indent=2)


def test_every_folder_has_an_active_version_and_says_what_changed() -> None:
    assert set(NAMES) == {path.parent.name for path in prompts_root().glob("*/v*.yaml")}
    for name in NAMES:
        prompt = load_prompt(name)
        assert prompt.description
        assert prompt.change
        assert prompt.label == f"{name}@{prompt.version}"


@pytest.mark.parametrize("name", NAMES)
def test_values_reach_the_prompt_letter_for_letter(name: str) -> None:
    prompt = load_prompt(name)
    nasty = '"It\'s" <b>&amp;</b> {{{notes}}} {{#earlier}} {x} \\n'
    for small in (False, True):
        rendered = "\n".join(text for _, text in prompt.render(dict.fromkeys(prompt.variables, nasty), small=small))
        assert nasty in rendered
        assert "&quot;" not in rendered
        assert "&lt;" not in rendered


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_names_every_field_of_its_answer(name: str) -> None:
    prompt = load_prompt(name)
    system = prompt.messages[0][1]
    definitions = prompt.shape.model_json_schema()
    for part in (definitions, *definitions.get("$defs", {}).values()):
        for field in part.get("properties", {}):
            assert field in system, field


@pytest.mark.parametrize("name", FINDERS)
def test_a_finding_prompt_defines_every_label_and_allows_nothing(name: str) -> None:
    texts = "\n".join(text for _, text in load_prompt(name).messages)
    labels = {
        "unheard_objections": schema.OBJECTION_SUBTYPES,
        "unaddressed_needs": schema.NEEDS,
        "categorical_phrasing": schema.CATEGORICAL_SUBTYPES,
    }[name]
    for label in labels:
        assert f"- {label}:" in texts, label
    assert '{"findings": []}' in texts
    assert "letter for letter" in texts


def test_the_labels_of_answers_are_those_of_the_schema() -> None:
    assert get_args(answers.ObjectionSubtype) == schema.OBJECTION_SUBTYPES
    assert get_args(answers.CategoricalSubtype) == schema.CATEGORICAL_SUBTYPES
    assert get_args(answers.Need) == schema.NEEDS


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_what_strict_structured_output_allows(name: str) -> None:
    whole = SHAPES[name].model_json_schema()
    for part in (whole, *whole.get("$defs", {}).values()):
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert sorted(part["required"]) == sorted(part["properties"])
            assert not any("default" in field for field in part["properties"].values())


BROKEN = {
    "no such prompt": ("nothing", None, {}, "there is no prompt"),
    "no such version": ("one", 7, {}, "there is no prompts/one/v7.yaml"),
    "not YAML": ("one", None, {"one/v1.yaml": "a: [b"}, "not YAML near line"),
    "not a mapping": ("one", None, {"one/v1.yaml": "- a"}, "must be a YAML mapping"),
    "fields missing": ("one", None, {"one/v1.yaml": "description: d\ntypo: x"}, "unknown fields ['typo']"),
    "output unknown": (
        "one", None, {"one/v1.yaml": "{description: d, change: c, output: Nope, messages: []}"}, "output must be one of"
    ),
    "role unknown": (
        "one",
        None,
        {"one/v1.yaml": "{description: d, change: c, output: Rewrites, messages: [{boss: hi}]}"},
        "with a role of",
    ),
    "version not a number": ("one", None, {"active.yaml": "one: latest"}, "must read like"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_prompt_is_one_clear_line(case: str, tmp_path: Path) -> None:
    name, version, files, expected = BROKEN[case]
    root = tmp_path / "prompts"
    for path, text in {"active.yaml": "one: v1", **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_prompt(name, version, root)
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="rewrite@1 asks for context, nonce"):
        load_prompt("rewrite").render({"words": "w"})


def test_notes_become_numbered_lines_between_unguessable_delimiters() -> None:
    text = "# Plan\nAda: we\nship\u2028now\n"
    conversation = Conversation(
        text=text,
        format="markdown",
        utterances=(
            Utterance(start=0, said=2, end=6, role="heading"),
            Utterance(speaker="Ada", start=7, said=12, end=23, role="speech"),
        ),
    )
    lines = note_lines(conversation, range(2))
    assert lines == ("1| [topic] Plan", "2| Ada: we ship now")
    assert fence("NOTES", lines, "abcd") == "<<<NOTES abcd\n1| [topic] Plan\n2| Ada: we ship now\nNOTES abcd>>>"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_no_text_ever_starts_a_line_of_its_own(text: str) -> None:
    nonce = new_nonce(text)
    assert nonce not in text
    assert len(marked(1, text).splitlines()) == 1
    assert len(fence("NOTES", [marked(1, text)], nonce).splitlines()) == 3


def test_what_cannot_be_seen_does_not_reach_a_model() -> None:
    assert visible("a\u200bb\u202ec\U000e0041d\ufe0f e\u00ad\x07") == "abcd e"


def test_earlier_passages_carry_their_number_and_date() -> None:
    passage = Passage(id="p", meeting="m", date="2025-03-02", text="Person A: too soon\nPerson B: hm")
    assert passage_lines([passage]) == ("E1 2025-03-02| Person A: too soon", "E1 2025-03-02| Person B: hm")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("![x](http://evil.example/a?b)", "![x] (http: //evil.example/a?b)"),
        ("<img src=x onerror=alert(1)>", "\u2039img src=x onerror=alert(1)\u203a"),
        ("a\n\n# b\r\n\x00c\u202e", "a # b c"),
        ("w" * 900, "w" * 599 + "…"),
    ],
)
def test_model_text_is_shown_as_plain_text(said: str, shown: str) -> None:
    assert inert(said) == shown
