"""A model as judge: pinned, recorded, and advisory until people agree with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from coach_eval.cli import app
from coach_eval.evaluation import Evaluation
from coach_eval.judging import Agreement, Judge, Label, agreement, ask, kappa, load_judge, question, verdict
from coach_eval.schema import Digests, Run, Suite, Trial
from openai_server import says, serving
from typer.testing import CliRunner

from coach.errors import InputError
from coach.llm.base import Request
from coach.llm.scripted import ScriptedChatModel

JUDGE = Judge(judge="ours", suite="ours", model="judge-1", question="Is it open?")
SUITE = Suite(suite="ours", task="rewriting", cases="ours")
OPINION = '{"reason": "It asks.", "good": true}'


@pytest.mark.parametrize(
    ("both_yes", "only_first", "only_second", "both_no", "expected"),
    [
        (20, 5, 10, 15, 0.4),  # the worked example of Cohen's kappa in textbooks
        (25, 0, 0, 25, 1.0),
        (0, 25, 25, 0, -1.0),
        (45, 15, 25, 15, 0.1304),
        (50, 0, 0, 0, None),
        (0, 0, 0, 0, None),
    ],
)
def test_kappa_is_agreement_beyond_chance(
    both_yes: int, only_first: int, only_second: int, both_no: int, expected: float | None
) -> None:
    pairs = (
        [(True, True)] * both_yes
        + [(True, False)] * only_first
        + [(False, True)] * only_second
        + [(False, False)] * both_no
    )
    found = kappa(pairs)
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-4))


@pytest.mark.parametrize(
    ("labels", "wrong", "trusted"), [(49, 0, False), (50, 0, True), (50, 10, True), (50, 11, False), (0, 0, False)]
)
def test_a_judge_counts_from_fifty_labels_at_the_agreed_kappa(labels: int, wrong: int, trusted: bool) -> None:
    people = tuple(Label(item=f"item {n}", good=n % 2 == 0) for n in range(labels))
    said = {label.item: label.good != (n < wrong) for n, label in enumerate(people)}
    found = agreement(JUDGE.model_copy(update={"labels": people}), said)
    assert found.labels == labels
    assert found.trusted is trusted
    assert found.words().startswith("This judge counts" if trusted else "Advisory only")


def test_the_judge_is_asked_once_for_each_item_and_sees_no_name() -> None:
    def answer(request: Request) -> str:
        return f'{{"reason": "so", "good": {"true" if "?" in request.messages[-1][1] else "false"}}}'

    model = ScriptedChatModel(answer, name="judge-1")
    items = ["Henrietta: could we wait, Zoltan?", "Obviously not.", "Obviously not."]
    assert ask(JUDGE, items, model) == {items[0]: True, items[1]: False}
    assert len(model.requests) == 2
    assert "Henrietta" not in model.sent and "Zoltan" not in model.sent and "Is it open?" in model.sent


def test_the_random_delimiter_is_no_part_of_what_is_asked() -> None:
    assert question(JUDGE, "So?").digest() == question(JUDGE, "So?").digest()
    assert question(JUDGE, "So?").nonce != question(JUDGE, "So?").nonce


def run(*items: str) -> Run:
    trials = tuple(
        Trial(case=f"c{n}", cluster=f"c{n}", repeat=0, items=(item,), seen={}) for n, item in enumerate(items)
    )
    digests = Digests(suite="", scorer="", subject="", cases={t.case: "same" for t in trials})
    return Run(
        suite="ours", task="rewriting", engine="local", date="2026-01-01", repeats=1, complete=True, digests=digests,
        trials=trials,
    )  # fmt: skip


def test_a_fall_in_what_the_judge_accepts_is_a_regression_and_its_weight_is_said() -> None:
    before, after = run(*(f"good {n}" for n in range(12))), run(*(f"bad {n}" for n in range(12)))
    said = {item: item.startswith("good") for r in (before, after) for t in r.trials for item in t.items}
    found = verdict(SUITE, before, after, said, Agreement(labels=3, kappa=1.0))
    assert found.status == "regressed"
    assert found.reasons[0].startswith("Advisory only: 3 human labels")
    assert verdict(SUITE, before, before, said, Agreement(labels=3, kappa=1.0)).status != "regressed"


def folder(tmp_path: Path) -> Path:
    root = tmp_path / "eval"
    for name in ("suites", "cases/ours", "judges"):
        (root / name).mkdir(parents=True)
    (root / "suites/ours.yaml").write_text("suite: ours\ntask: rewriting\ncases: ours\ngates: [{metric: looser}]\n")
    (root / "cases/ours/a.yaml").write_text(
        "id: oven\ncluster: oven\nsentence: Obviously the oven is better.\nstrong: [obviously]\n"
    )
    (root / "judges/ours.yaml").write_text("judge: ours\nsuite: ours\nmodel: judge-1\nquestion: Is it open?\n")
    return root


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("judge: ours\nsuite: ours\nmodel: m\nquestion: q\nlables: []\n", "ours.yaml:5: unknown key 'lables'"),
        ("judge: other\nsuite: ours\nmodel: m\nquestion: q\n", "calls itself 'other'"),
        ("judge: ours\nsuite: ours\nmodel: m\n", "question"),
        (
            "judge: ours\nsuite: ours\nmodel: m\nquestion: q\nlabels: [{item: a, good: yes}, {item: a, good: no}]\n",
            "labelled twice",
        ),
    ],
)
def test_a_malformed_judge_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    root = folder(tmp_path)
    (root / "judges/ours.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        load_judge(root, "ours")


def test_an_unknown_judge_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose from ours"):
        load_judge(folder(tmp_path), "other")


def test_the_command_replays_asks_and_stays_advisory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(tmp_path)
    evaluation = Evaluation(root=root)
    suite = evaluation.suites()[0]
    evaluation.baselines.bless(evaluation.run(suite))
    command = ["judge", "ours", "--root", str(root)]
    unheard = CliRunner().invoke(app, command)
    assert unheard.exit_code != 0 and "no recording answers judge_ours" in str(unheard.exception)
    with serving(says(OPINION)) as server:
        for name, value in {
            "COACH_MODEL": "judge-1",
            "OPENAI_BASE_URL": server.url,
            "OPENAI_API_KEY": "key-9-q",
        }.items():
            monkeypatch.setenv(name, value)
        asked = CliRunner().invoke(app, [*command, "--record"])
        assert asked.exit_code == 0, asked.output
        assert len(server.bodies) == 1
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0
    assert "Advisory only: 0 human labels" in again.output
