"""From suites and cases to runs, verdicts and reports, with a subject whose findings the test decides."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from coach_eval.baselines import Baselines, means
from coach_eval.cli import app, write
from coach_eval.evaluation import Evaluation, Results
from coach_eval.reports.comment import LIMIT, MARKER, comment
from coach_eval.reports.junit import junit
from coach_eval.reports.page import page
from coach_eval.running import Journal
from coach_eval.schema import CaseChange, Run, Verdict
from typer.testing import CliRunner

from coach.errors import BudgetError, ModelUnreachableError, UnverifiableError
from coach.schema import Finding, Meeting, Review

SHIPPED = Path(__file__).parent.parent / "eval"
Rule = Callable[[str], list[str]]
"""Notes in, quotes of objections out."""


def everything(notes: str) -> list[str]:
    """A subject that finds what the cases of this module want found."""
    return [line.partition(": ")[2] for line in notes.splitlines() if line.startswith("Tom: I")]


class Scripted:
    """A subject that follows a rule; like the coach it answers with exact quotes."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.asked = rule, 0

    def review(self, notes: str, format: str | None) -> Review:
        self.asked += 1
        found = tuple(
            Finding(
                kind="unheard_objection",
                quote=quote,
                start=max(notes.find(quote), 0),
                end=max(notes.find(quote), 0) + len(quote),
                why="",
                ask="",
                confidence=1,
                source="test",
            )
            for quote in self.rule(notes)
        )
        meeting = Meeting(format="test", utterances=1, speakers=())
        return Review(engine="local", seconds=0, meeting=meeting, findings=found)

    def rewrite(self, sentence: str, subtype: str | None) -> str | None:
        return None


def note(number: int) -> str:
    return f"""cluster: n{number}
notes: |
  Ines: Point {number}, the night shift starts at ten.
  Tom: I will miss bus {number} then.
  Ines: Next point.
id: c{number}
critical: {str(number == 0).lower()}
required:
  - {{kind: unheard_objection, quote: "I will miss bus {number} then."}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "suites").mkdir()
    (tmp_path / "cases" / "notes").mkdir(parents=True)
    suite = "suite: notes\ncases: notes\ngates:\n  - metric: recall\n"
    (tmp_path / "suites" / "notes.yaml").write_text(suite)
    for number in range(12):
        (tmp_path / "cases" / "notes" / f"{number:02}.yaml").write_text(note(number))
    return tmp_path


def evaluation(root: Path, rule: Rule, **options: object) -> Evaluation:
    subject = Scripted(rule)
    return Evaluation(root=root, subjects=lambda case, repeat: subject, threads=1, **options)  # type: ignore[arg-type]


def run_of(root: Path, rule: Rule, **options: object) -> tuple[Run, Verdict]:
    made = evaluation(root, rule, **options)
    suite = made.suites()[0]
    run = made.run(suite)
    return run, made.verdict(suite, run)


def bless(root: Path, rule: Rule) -> None:
    run, _ = run_of(root, rule)
    Baselines(root / "baselines").bless(run)


def losing(count: int) -> Rule:
    """All but the findings of the last ``count`` notes."""
    lost = tuple(f"bus {number} " for number in range(12 - count, 12))
    return lambda notes: [quote for quote in everything(notes) if not any(word in quote for word in lost)]


def test_without_a_baseline_nothing_is_claimed(root: Path) -> None:
    run, verdict = run_of(root, everything)
    assert verdict.status == "unverifiable"
    assert "bless" in verdict.reasons[0]
    assert means(run)["recall"] == 1.0


@pytest.mark.parametrize(("lost", "status"), [(0, "unchanged"), (2, "inconclusive"), (6, "regressed")])
def test_a_run_is_judged_against_its_baseline(root: Path, lost: int, status: str) -> None:
    bless(root, everything)
    assert run_of(root, losing(lost))[1].status == status


def test_a_lost_critical_case_is_confirmed_by_fresh_repeats(root: Path) -> None:
    bless(root, everything)
    _, verdict = run_of(root, lambda notes: [] if "bus 0" in notes else everything(notes))
    assert verdict.status == "regressed"
    assert "critical case c0" in verdict.reasons[0]


def test_a_quote_that_is_not_in_the_notes_breaks_the_gate(root: Path) -> None:
    bless(root, everything)
    _, verdict = run_of(root, lambda notes: [*everything(notes), "nobody said this"])
    assert verdict.status == "regressed"
    assert "not in the notes" in verdict.reasons[0]


def test_a_changed_case_is_not_paired_with_its_former_self(root: Path) -> None:
    bless(root, everything)
    path = root / "cases" / "notes" / "03.yaml"
    path.write_text(path.read_text().replace("Next point.", "Next, please."))
    assert run_of(root, everything)[1].changed_cases == ("c3",)


def test_a_changed_scorer_judges_both_arms_again(root: Path) -> None:
    bless(root, everything)
    baseline = root / "baselines" / "notes.json"
    data = json.loads(baseline.read_text())
    data["digests"]["scorer"] = "an older one"
    for trial in data["trials"]:
        trial["score"]["metrics"]["recall"] = 0.0
    baseline.write_text(json.dumps(data))
    _, verdict = run_of(root, everything)
    assert verdict.rescored
    assert verdict.outcomes[0].before == 1.0


def test_an_outage_is_an_error_of_the_provider_and_not_a_zero(root: Path) -> None:
    def down(notes: str) -> list[str]:
        raise ModelUnreachableError("the endpoint does not answer")

    bless(root, everything)
    run, verdict = run_of(root, down)
    assert {trial.fault for trial in run.trials} == {"provider"}
    assert verdict.status == "unverifiable"


def test_an_unexpected_error_does_not_print_notes(root: Path) -> None:
    def broken(notes: str) -> list[str]:
        raise ValueError(notes)

    run, _ = run_of(root, broken)
    assert {trial.error for trial in run.trials} == {"unexpected ValueError"}


def test_a_spent_budget_stops_the_run_and_it_resumes_where_it_stopped(root: Path) -> None:
    asked: list[str] = []

    def until_five(notes: str) -> list[str]:
        asked.append(notes)
        if len(asked) == 5:
            raise BudgetError("the next call would pass the budget")
        return everything(notes)

    first, verdict = run_of(root, until_five)
    assert not first.complete
    assert verdict.status == "unverifiable"
    again, _ = run_of(root, until_five)
    assert again.complete
    assert len(asked) == 5 + 12 - 4


def test_a_half_written_journal_line_is_done_again(root: Path, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    run, _ = run_of(root, everything)
    journal.begin("heading", run.trials[:3])
    with (tmp_path / "j").open("a") as file:
        file.write('{"case": "c4", "clus')
    assert len(journal.done("heading")) == 3
    assert journal.done("another state of the code") == ()


@pytest.mark.parametrize("spoil", ["errors", "incomplete", "invariant"])
def test_only_a_whole_run_can_be_blessed(root: Path, spoil: str) -> None:
    def fails_once(notes: str) -> list[str]:
        if "bus 7" in notes:
            raise ModelUnreachableError("down")
        return everything(notes)

    run, _ = run_of(root, fails_once if spoil == "errors" else everything)
    if spoil == "incomplete":
        run = run.model_copy(update={"complete": False})
    if spoil == "invariant":
        run, _ = run_of(root, lambda notes: ["made up"])
    with pytest.raises(UnverifiableError):
        Baselines(root / "baselines").bless(run)
    assert not (root / "baselines").exists()


def test_a_run_of_other_cases_or_code_can_not_be_blessed(root: Path) -> None:
    made = evaluation(root, everything)
    suite = made.suites()[0]
    run = made.run(suite)
    made.whole(suite, run)
    (root / "cases" / "notes" / "00.yaml").write_text(note(0).replace("Next", "Now the next"))
    with pytest.raises(UnverifiableError, match="run it again"):
        made.whole(suite, run)


def test_blessing_adds_a_point_to_the_history(root: Path) -> None:
    bless(root, losing(6))
    bless(root, everything)
    history = Baselines(root / "baselines").history()
    assert [point.metrics["recall"] for point in history.blessings] == [0.5, 1.0]


# --- what is written ---------------------------------------------------------------------------------------------


def results_of(root: Path) -> Results:
    bless(root, everything)
    run, verdict = run_of(root, losing(6))
    return Results(runs=(run,), verdicts=(verdict,))


def test_junit_names_the_regression_and_every_case(root: Path) -> None:
    results = results_of(root)
    suite = ET.fromstring(junit(results.runs, results.verdicts)).find("testsuite")
    assert suite is not None
    assert suite.get("tests") == "13" and suite.get("failures") == "1"
    assert {case.get("name") for case in suite} == {"verdict", *(f"c{n}" for n in range(12))}


def test_junit_survives_control_characters(root: Path) -> None:
    results = results_of(root)
    dirty = results.runs[0].trials[0].model_copy(update={"error": "bad \x00\x0b bytes"})
    run = results.runs[0].model_copy(update={"trials": (dirty,)})
    assert ET.fromstring(junit([run], results.verdicts)).find(".//error") is not None


def test_the_comment_starts_with_its_marker_and_the_worst_suite(root: Path) -> None:
    results = results_of(root)
    fine = results.verdicts[0].model_copy(update={"suite": "fine", "status": "unchanged", "changes": ()})
    runs = (*results.runs, results.runs[0].model_copy(update={"suite": "fine"}))
    text = comment(runs, (fine, *results.verdicts))
    assert text.startswith(MARKER)
    assert text.index("🔴 regressed") < text.index("🟢 unchanged")
    assert "Smallest drop this suite could have seen" in text
    assert "I will miss bus 11 then." in text


def test_the_comment_stays_below_the_limit_and_says_what_it_left_out(root: Path) -> None:
    results = results_of(root)
    change = CaseChange(case="c", cluster="n", delta=-1, before={}, after={}, lost=("ü" * 500,))
    long = results.verdicts[0].model_copy(update={"changes": (change,) * 300})
    text = comment(results.runs, (long,))
    assert len(text.encode()) <= LIMIT
    assert "more cases that moved" in text


def test_words_of_a_case_cannot_become_markup(root: Path) -> None:
    results = results_of(root)
    nasty = "<script>alert(1)</script> @everyone [x](http://a) | `"
    change = CaseChange(case="c", cluster="n", delta=-1, before={}, after={}, lost=(nasty,))
    verdict = results.verdicts[0].model_copy(update={"changes": (change,)})
    text = comment(results.runs, (verdict,))
    assert "<script>" not in text and "@everyone" not in text and "[x](" not in text
    trial = results.runs[0].trials[0].model_copy(update={"items": (nasty,)})
    run = results.runs[0].model_copy(update={"trials": (trial,)})
    html = page([run], [verdict], Baselines(root / "baselines").history())
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_page_asks_nobody_for_anything(root: Path) -> None:
    results = results_of(root)
    bless(root, everything)
    html = page(results.runs, results.verdicts, Baselines(root / "baselines").history())
    assert "default-src 'none'" in html
    for way in ("http://", "https://", "src=", "@import", "url("):
        assert way not in html
    assert html.count('class="case"') == 12
    assert "<polyline" in html
    first = html.index('class="case"')
    assert "lost: " in html[first : html.index("</tr>", first)]


def test_results_can_be_read_back_and_written_again(root: Path, tmp_path: Path) -> None:
    results = results_of(root)
    write(results, root, json=tmp_path / "a.json", junit=tmp_path / "a.xml", markdown=tmp_path / "a.md")
    runner = CliRunner()
    again = runner.invoke(
        app, ["report", str(tmp_path / "a.json"), "--root", str(root), "--markdown", str(tmp_path / "b.md")]
    )
    assert again.exit_code == 0, again.output
    assert "regressed" in again.output
    assert (tmp_path / "a.md").read_text() == (tmp_path / "b.md").read_text()


def test_two_runs_are_compared_on_this_machine(root: Path, tmp_path: Path) -> None:
    from coach_eval.baselines import dump

    for name, rule in (("before", everything), ("after", losing(6))):
        (tmp_path / f"{name}.json").write_text(dump(run_of(root, rule)[0]))
    arguments = ["compare", str(tmp_path / "before.json"), str(tmp_path / "after.json"), "--root", str(root)]
    judged = CliRunner().invoke(app, arguments)
    assert judged.exit_code == 1
    assert "- unheard_objection: “I will miss bus 11 then.”" in judged.output


# --- what ships --------------------------------------------------------------------------------------------------


def test_what_ships_is_whole() -> None:
    """Sixty notes and more cases, a quarter clean, every subtype and need; the promise of the meetings suite."""
    from coach_eval.tasks.review import ReviewCase

    from coach.schema import CATEGORICAL_SUBTYPES, NEEDS, OBJECTION_SUBTYPES

    made = Evaluation(root=SHIPPED, keep=False)
    suite = made.suites(["meetings"])[0]
    cases = [case for case in made.cases(suite) if isinstance(case, ReviewCase)]
    assert len(cases) >= 60 and len({case.cluster for case in cases}) >= 30
    assert sum(case.expect_none for case in cases) >= len(cases) / 4
    gold = [one for case in cases for one in case.required]
    assert {name for one in gold for name in one.subtypes} == {*OBJECTION_SUBTYPES, *CATEGORICAL_SUBTYPES}
    assert {name for one in gold for name in one.needs} == set(NEEDS)


def test_every_shipped_suite_case_recording_and_baseline_is_valid() -> None:
    checked = CliRunner().invoke(app, ["check", "--root", str(SHIPPED)])
    assert checked.exit_code == 0, checked.output


def test_a_shipped_prompt_suite_replays_without_a_key_and_marks_its_origin() -> None:
    made = Evaluation(root=SHIPPED, keep=False, only=("clinic-portal", "shift-swap", "museum-loan"))
    run = made.run(made.suites(["unheard_objections"])[0])
    assert not [trial.error for trial in run.trials if trial.error]
    assert run.origins == ("authored",)
    assert any("nothing about how well a model reads" in notice for notice in run.notices)


def test_a_changed_prompt_makes_its_recordings_missing_and_never_green(tmp_path: Path) -> None:
    root = tmp_path / "eval"
    for name in ("suites", "cases"):
        shutil.copytree(SHIPPED / name, root / name)
    made = Evaluation(root=root, keep=False, only=("clinic-portal",))
    suite = made.suites(["unheard_objections"])[0]
    run = made.run(suite)
    assert [trial.fault for trial in run.trials] == ["missing"]
    Results(runs=(run,), verdicts=(made.verdict(suite, run),))
    assert made.verdict(suite, run).status == "unverifiable"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["run", "nowhere"], 2), (["schema", "review"], 0), (["schema"], 0), (["compare", "a.json", "b.json"], 2)],
)
def test_each_command_leaves_with_its_code(arguments: list[str], code: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coach", "eval", *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == (1 if code else 0)
