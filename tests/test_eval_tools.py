"""The pytest plug-in, the action, mutation, blame, and cases out of use."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from coach_eval.blame import Hunk, _apply, _split
from coach_eval.calibration import calibrate
from coach_eval.cli import app
from coach_eval.evaluation import Evaluation
from coach_eval.feedback import Draft, draft_cases, save
from coach_eval.mutation import Rule, difference, rules
from coach_eval.sandbox import copy_of_coach
from coach_eval.schema import Digests, Gate, Run, Score, Suite, Trial
from coach_eval.verdict import judge
from typer.testing import CliRunner

from coach.errors import InputError

pytest_plugins = ["pytester"]
REPOSITORY = Path(__file__).parent.parent


# --- the pytest plug-in ------------------------------------------------------------------------------------------


def team(pytester: pytest.Pytester, test: str) -> pytest.RunResult:
    """A team's own folder with one suite about rewriting, and a test beside it."""
    root = pytester.mkdir("eval")
    (root / "suites").mkdir()
    (root / "cases" / "ours").mkdir(parents=True)
    (root / "suites" / "ours.yaml").write_text("suite: ours\ntask: rewriting\ncases: ours\ngates: [{metric: looser}]\n")
    (root / "cases" / "ours" / "a.yaml").write_text(
        "cases:\n"
        "  - {id: oven, cluster: oven, sentence: Obviously the second oven is better., strong: [obviously]}\n"
        "  - {id: train, cluster: train, sentence: The train leaves at 7:12., leave: true}\n"
    )
    pytester.makepyfile(test)
    pytester.makeini("[pytest]\naddopts = --strict-markers\n")
    loaded = any(p.name == "coach_eval" for p in _entry_points())
    return pytester.runpytest("-q", *([] if loaded else ["-p", "coach_eval.plugin"]))


def _entry_points() -> tuple[object, ...]:
    from importlib.metadata import entry_points

    return tuple(entry_points(group="pytest11"))


def test_a_team_keeps_one_test_per_case_beside_its_own_tests(pytester: pytest.Pytester) -> None:
    result = team(
        pytester,
        """
        import pytest

        @pytest.mark.coach_suite("ours")
        def test_each_case(coach_trial):
            assert coach_trial.score.passed, coach_trial.items
        """,
    )
    result.assert_outcomes(passed=2)


def test_a_suite_without_a_baseline_is_not_green(pytester: pytest.Pytester) -> None:
    result = team(
        pytester,
        """
        import pytest

        @pytest.mark.coach_suite("ours", only=["oven"])
        def test_nothing_got_worse(coach_verdict):
            assert coach_verdict.status == "unverifiable"
            assert "bless" in coach_verdict.reasons[0]
        """,
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("marker", ["", '@pytest.mark.coach_suite("ours", onyl=["oven"])'])
def test_a_test_that_is_marked_wrongly_says_how_to_mark_it(pytester: pytest.Pytester, marker: str) -> None:
    result = team(pytester, f"import pytest\n{marker}\ndef test_each_case(coach_trial):\n    pass\n")
    assert result.ret != 0
    assert "mark the test with @pytest.mark.coach_suite" in result.stdout.str() + result.stderr.str()


# --- the action --------------------------------------------------------------------------------------------------


def steps() -> list[dict[str, object]]:
    found: list[dict[str, object]] = yaml.safe_load((REPOSITORY / "action.yml").read_text())["runs"]["steps"]
    return found


def test_the_workflow_asks_for_no_secret_and_is_not_triggered_with_any() -> None:
    text = (REPOSITORY / "examples" / "workflows" / "coach-eval.yml").read_text()
    workflow = yaml.safe_load(text)
    assert list(workflow[True]) == ["pull_request"]  # YAML reads `on` as true
    assert not re.search(r"\$\{\{[^}]*secrets", text)
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}


def test_the_action_refuses_the_dangerous_trigger_before_anything_else() -> None:
    first = steps()[0]
    assert "pull_request_target" in str(first["if"])
    assert "exit 2" in str(first["run"])


def test_no_step_of_the_action_pastes_outside_text_into_a_script() -> None:
    assert not [step["name"] for step in steps() if "${{" in str(step.get("run", ""))]


@pytest.mark.parametrize(
    ("coach", "code"),
    [
        ("exit 0", "3"),  # nothing was written, so nothing was tried
        ("exit 1", "1"),
        ('printf "{}" > "$JSON"', "3"),
        ('printf \'{"repeat": 0}\' > "$JSON"', "0"),
    ],
    ids=["no results", "a regression", "no trials", "a trial"],
)
def test_the_action_fails_when_nothing_was_tried(tmp_path: Path, coach: str, code: str) -> None:
    """The real script of the step, with a stand-in for the command."""
    script = next(str(step["run"]) for step in steps() if step.get("id") == "judge")
    fake = tmp_path / "bin" / "coach"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/bash\nJSON="$REPORT/results.json"\n{coach}\n')
    fake.chmod(0o755)
    files = {name: str(tmp_path / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "REPORT")}
    environment = {
        **files,
        "PATH": f"{fake.parent}:{os.environ['PATH']}",
        "SUITES": "",
        "ROOT": "eval",
        "STRICT": "false",
    }
    subprocess.run(["bash", "-eo", "pipefail", "-c", script], env=environment, check=True, capture_output=True)
    assert f"code={code}\n" in (tmp_path / "github_output").read_text()


@pytest.mark.parametrize(
    ("existing", "method"),
    [("", "POST repos/o/r/issues/7/comments"), ("55", "PATCH repos/o/r/issues/comments/55")],
)
def test_the_comment_is_updated_in_place(tmp_path: Path, existing: str, method: str) -> None:
    script = next(str(step["run"]) for step in steps() if step.get("name") == "Comment")
    fake, body = tmp_path / "gh", tmp_path / "comment.md"
    writes = f'if [ "$2" = --silent ]; then echo "$4 $5" >> "{tmp_path}/said"; else echo "{existing}"; fi'
    fake.write_text(f"#!/bin/bash\n{writes}\n")
    fake.chmod(0o755)
    body.write_text("hello")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "REPO": "o/r", "NUMBER": "7", "BODY": str(body)}
    subprocess.run(["bash", "-eo", "pipefail", "-c", script], env=environment, check=True)
    assert (tmp_path / "said").read_text().strip() == method


# --- mutation and blame ------------------------------------------------------------------------------------------


def test_the_bullets_of_a_prompt_are_its_rules() -> None:
    suite = Evaluation(root=REPOSITORY / "eval", keep=False).suites(["unheard_objections"])[0]
    found = rules(REPOSITORY, suite)
    assert len(found) > 15
    lines = (REPOSITORY / found[0].file).read_text().splitlines()
    for rule in found:
        assert re.match(r"\s+(-|\d+\.) ", lines[rule.first - 1])
        assert all(line.strip() in rule.text for line in lines[rule.first - 1 : rule.last])


def test_the_lists_of_the_lexicon_are_the_rules_of_the_local_engine_and_leave_it_readable() -> None:
    suite = Suite(suite="meetings", cases="meetings")
    lists, entries = rules(REPOSITORY, suite), rules(REPOSITORY, suite, each_entry=True)
    assert 10 < len(lists) < len(entries)
    text = (REPOSITORY / lists[0].file).read_text()
    whole = yaml.load(text, Loader=yaml.CSafeLoader)
    for rule in lists:
        section, key = rule.text.split(" ")[0].split(".")
        without = yaml.load(rule.cut(text), Loader=yaml.CSafeLoader)
        assert without[section][key] == [] and whole[section][key]
        assert without.keys() == whole.keys()


def test_a_copy_of_the_coach_holds_its_code_and_prompts_and_is_gone_afterwards() -> None:
    with copy_of_coach() as copy:
        assert (copy / "coach" / "schema.py").is_file() and not (copy / "coach" / "schema.py").is_symlink()
        assert (copy / "prompts" / "active.yaml").is_file()
    assert not copy.exists()


def run(*values: tuple[str, float, tuple[str, ...]]) -> Run:
    trials = tuple(
        Trial(case=case, cluster=case, repeat=0, score=Score(metrics={"recall": value}), items=items)
        for case, value, items in values
    )
    return Run(
        suite="s", task="review", engine="local", date="", repeats=1, complete=True,
        digests=Digests(suite="", scorer="", subject=""), trials=trials,
    )  # fmt: skip


def test_a_rule_is_noticed_by_the_cases_whose_findings_move() -> None:
    before = run(("a", 1.0, ("x",)), ("b", 1.0, ("y",)), ("c", 1.0, ("z",)))
    after = run(("a", 0.0, ()), ("b", 1.0, ("y",)), ("c", 1.0, ("z", "also this")))
    assert difference(before, after) == (("a", -1.0), ("c", 0.0))


DIFF = """diff --git a/prompts/p/v1.yaml b/prompts/p/v1.yaml
index 1..2 100644
--- a/prompts/p/v1.yaml
+++ b/prompts/p/v1.yaml
@@ -1 +1 @@
-one
+ONE
@@ -3 +2,0 @@ two
-three
"""


def test_each_hunk_of_a_change_can_be_taken_back_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "prompts" / "p" / "v1.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("ONE\ntwo\n")
    first, second = _split(DIFF)
    assert (first.where, second.where) == ("prompts/p/v1.yaml:1", "prompts/p/v1.yaml:2")
    assert first.words == "-one\n+ONE"
    for hunk, text in ((first, "one\ntwo\n"), (second, "ONE\ntwo\nthree\n")):
        _apply(hunk, tmp_path, reverse=True)
        assert path.read_text() == text
        _apply(hunk, tmp_path, reverse=False)
        assert path.read_text() == "ONE\ntwo\n"


def test_the_words_of_a_hunk_are_short() -> None:
    assert len(Hunk("a:1", "+x\n" * 100).words.splitlines()) == 6
    assert str(Rule("a", 3, 3, "words")) == "a:3: words"


# --- calibration -------------------------------------------------------------------------------------------------


def noisy(rate: float, seed: int) -> Run:
    """Thirty notes, three repeats, each passing by chance."""
    import random

    dice = random.Random(seed)
    trials = []
    for case in range(30):
        for repeat in range(3):
            value = float(dice.random() < rate)
            score = Score(metrics={"recall": value}, passed=bool(value))
            trials.append(Trial(case=f"c{case}", cluster=f"c{case}", repeat=repeat, score=score))
    return run().model_copy(update={"repeats": 3, "trials": tuple(trials)})


def test_the_gate_rarely_cries_wolf_on_noise() -> None:
    suite = Suite(suite="s", cases="s", repeats=3, gates=(Gate(metric="recall"),))
    measured = calibrate(suite, noisy(0.6, 1), replays=60)
    assert measured.false_alarms <= 0.1
    assert judge(suite, noisy(0.9, 2), noisy(0.4, 3)).status == "regressed"


def test_a_run_without_noise_says_so() -> None:
    measured = calibrate(Suite(suite="s", cases="s", gates=(Gate(metric="recall"),)), run(("a", 1.0, ())))
    assert measured.false_alarms == 0 and measured.noise.startswith("none")


# --- cases out of use --------------------------------------------------------------------------------------------

NOTES = """Ottoline: We move to the new hall in May.
Baptiste: My wheelchair doesn't fit through that door.
Ottoline: Next point.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "suites").mkdir()
    (tmp_path / "cases" / "notes").mkdir(parents=True)
    (tmp_path / "suites" / "notes.yaml").write_text("suite: notes\ncases: notes\n")
    (tmp_path / "hall.txt").write_text(NOTES)
    return tmp_path


def test_notes_become_a_pseudonymised_case_only_when_somebody_has_read_it(root: Path) -> None:
    arguments = ["add-case", "--notes", str(root / "hall.txt"), "--suite", "notes", "--root", str(root)]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0
    assert "wheelchair" in shown.output and "Ottoline" not in shown.output and "Baptiste" not in shown.output
    assert not list((root / "cases" / "notes").iterdir())
    CliRunner().invoke(app, [*arguments, "--yes"])
    assert "Ottoline" not in (root / "cases" / "notes" / "hall.yaml").read_text()
    assert CliRunner().invoke(app, ["check", "--root", str(root)]).exit_code == 0


def test_a_case_is_neither_overwritten_nor_left_behind_broken(root: Path) -> None:
    (draft,) = draft_cases(root, "notes", notes=root / "hall.txt")
    save(draft)
    with pytest.raises(InputError, match="exists already"):
        save(draft)
    broken = Draft(root / "cases" / "notes" / "b.yaml", "id: b\ncluster: b\nnotes: x\n", "review")
    with pytest.raises(InputError):
        save(broken)
    assert not broken.path.exists()


def test_a_finding_that_somebody_rejected_becomes_a_case_that_forbids_it(root: Path) -> None:
    """The real library and ledger: keep notes, record a finding, mark it as wrong, draft."""
    from coach import notes
    from coach.ledger import Ledger
    from coach.library import Library
    from coach.schema import Finding, Meeting, Review
    from coach.settings import load_settings

    quote = "My wheelchair doesn't fit through that door."
    start = NOTES.index(quote)
    finding = Finding(
        kind="unheard_objection", quote=quote, start=start, end=start + len(quote), speaker="Baptiste",
        why="", ask="", confidence=0.9, source="local:unheard_objection@1",
    )  # fmt: skip
    review = Review(
        engine="local",
        seconds=0,
        meeting=Meeting(format="text", utterances=3, speakers=("Ottoline", "Baptiste")),
        findings=(finding,),
    )
    settings = load_settings()
    with Library(settings) as library:
        kept = library.add(notes.parse(NOTES))
    ledger = Ledger(settings)
    (concern,) = ledger.record(review, kept.id)
    ledger.mark(concern.id, "not_an_objection", note="They had talked about it the day before.")
    ledger.close()
    (draft,) = draft_cases(root, "notes", from_feedback=True)
    case = yaml.safe_load(draft.text)
    assert case["forbidden"][0]["quote"] == quote
    assert "Baptiste" not in draft.text and "Ottoline" not in draft.text
    assert save(draft).exists()


def test_a_finding_that_somebody_found_helpful_becomes_a_case_that_requires_it(root: Path) -> None:
    """The real library and ledger: a sentence put categorically, which no ledger follows, marked on its card."""
    from coach import notes
    from coach.ledger import Ledger
    from coach.library import Library
    from coach.schema import Finding
    from coach.settings import load_settings

    quote = "My wheelchair doesn't fit through that door."
    about: dict[str, Any] = {"why": "", "ask": "", "confidence": 0.9, "speaker": "Baptiste", "start": 0}
    right = Finding(kind="categorical_phrasing", subtype="absolute", quote=quote, end=len(quote), source="x@1", **about)
    wrong = right.model_copy(update={"quote": "doesn't fit", "kind": "unheard_objection", "subtype": "ignored"})
    settings = load_settings()
    with Library(settings) as library:
        kept = library.add(notes.parse(NOTES))
    ledger = Ledger(settings)
    assert ledger.judge(right, kept.id, "acknowledged") is None
    ledger.judge(wrong, kept.id, "not_an_objection")
    ledger.close()
    (draft,) = draft_cases(root, "notes", from_feedback=True)
    case = yaml.safe_load(draft.text)
    assert case["required"] == [{"kind": "categorical_phrasing", "quote": quote, "subtype": "absolute"}]
    assert [gold["quote"] for gold in case["forbidden"]] == ["doesn't fit"] and "expect_none" not in case
    assert save(draft).exists()


def test_without_feedback_there_is_nothing_to_draft(root: Path) -> None:
    with pytest.raises(InputError, match="no feedback"):
        list(draft_cases(root, "notes", from_feedback=True))
