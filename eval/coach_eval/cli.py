"""``coach eval``: run, record, compare, bless, report, and the tools around them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from coach_eval.evaluation import Evaluation, Results
    from coach_eval.schema import Run, Verdict

app = typer.Typer(
    name="eval",
    help="Did this change make the coach better or worse? A paired verdict with statistics, without an API key.",
    epilog="Exit codes: 0 no regression, 1 regression, 2 wrong use, 3 unverifiable, 4 budget, 5 provider outage.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class Split(StrEnum):
    """As in :class:`coach_eval.schema.Suite`, for the command line."""

    dev = "dev"
    holdout = "holdout"
    all = "all"


class Origin(StrEnum):
    """As in :data:`coach_eval.schema.Origin`, for the command line."""

    api = "api"
    server = "server"
    authored = "authored"


Suites = Annotated[list[str] | None, typer.Argument(help="Names of suites; all when none is given.")]
One = Annotated[str, typer.Argument(help="Name of a suite.")]
Root = Annotated[Path, typer.Option(help="Folder with suites/, cases/, recordings/ and baselines/.")]
Only = Annotated[list[str] | None, typer.Option("--only", help="Run only the case with this id; may be repeated.")]
MaxUsd = Annotated[float | None, typer.Option("--max-usd", min=0, help="Stop before a call that could pass this.")]
Threads = Annotated[int, typer.Option(min=1, max=64, help="Trials at a time.")]
JsonOut = Annotated[Path | None, typer.Option("--json", help="Write runs and verdicts as JSON.")]
JunitOut = Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML.")]
MarkdownOut = Annotated[Path | None, typer.Option("--markdown", help="Write a comment for a pull request.")]
HtmlOut = Annotated[Path | None, typer.Option("--html", help="Write one static HTML page.")]
Strictly = Annotated[bool, typer.Option("--strict", help="Exit 3 on an inconclusive verdict, too.")]
ROOT = Path("eval")


@app.command()
def run(
    suites: Suites = None,
    root: Root = ROOT,
    live: Annotated[bool, typer.Option("--live", help="Ask the model; nothing is recorded or replayed.")] = False,
    split: Annotated[Split | None, typer.Option(help="Only cases of this split.")] = None,
    only: Only = None,
    repeats: Annotated[int | None, typer.Option(min=1, max=50, help="Repeats instead of the suite's own.")] = None,
    threads: Threads = 2,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, help="Processes that replay; COACH_DASK names a cluster instead.")
    ] = 1,
    max_usd: MaxUsd = None,
    json: JsonOut = None,
    junit: JunitOut = None,
    markdown: MarkdownOut = None,
    html: HtmlOut = None,
    strict: Strictly = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
    keep_nothing: Annotated[bool, typer.Option("--keep-nothing", hidden=True)] = False,
) -> None:
    """Run suites and judge them against their baselines. Replays recordings; calls nothing unless --live."""
    from coach_eval.evaluation import Evaluation

    if live and jobs > 1:
        from coach.errors import InputError

        raise InputError("--jobs is for replays: a live run keeps its budget in one process, use --threads")
    evaluation = Evaluation(
        root=root,
        mode="live" if live else "replay",
        jobs=jobs,
        split=split.value if split else None,
        only=tuple(only or ()),
        repeats=repeats,
        threads=threads,
        max_usd=max_usd,
        keep=not keep_nothing,
    )
    results = _evaluate(evaluation, suites or [], quiet)
    write(results, root, json=json, junit=junit, markdown=markdown, html=html)
    _leave(results, strict)


@app.command()
def record(
    suites: Suites = None,
    root: Root = ROOT,
    origin: Annotated[
        Origin,
        typer.Option(help="api: a provider; server: your own model server; authored: written from the gold labels."),
    ] = Origin.api,
    only: Only = None,
    threads: Threads = 2,
    max_usd: MaxUsd = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would take, and call nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete recordings that no case asks for any more.")] = False,
) -> None:
    """Record what the model answers to every question that has no recording yet."""
    from coach_eval.evaluation import Evaluation
    from coach_eval.models import estimates, prune_recordings

    evaluation = Evaluation(
        root=root, mode="record", origin=origin.value, only=tuple(only or ()), threads=threads, max_usd=max_usd
    )
    chosen = [suite for suite in evaluation.suites(suites or []) if suite.engine == "llm"]
    if not chosen:
        typer.echo("No suite among these asks a model: there is nothing to record.")
        return
    if estimate:
        for suite in chosen:
            typer.echo(estimates(evaluation, suite))
        return
    results = _evaluate(evaluation, [suite.suite for suite in chosen], quiet=True)
    for suite, made in zip(chosen, results.runs, strict=True):
        errors = [trial.error for trial in made.trials if trial.error]
        pruned = prune_recordings(evaluation, suite) if prune and not errors else 0
        typer.echo(f"{suite.suite}: {len(made.trials)} trials, {len(errors)} errors, {pruned} recordings pruned")
        for error in dict.fromkeys(errors):
            typer.echo(f"  {error}")
    raise typer.Exit(max((_code(v, r, strict=False) for v, r in _pairs(results) if _faulty(r)), default=0))


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="A run, a baseline, or results with one suite.")],
    after: Annotated[Path, typer.Argument(help="The same suite, later.")],
    root: Root = ROOT,
    json: JsonOut = None,
    junit: JunitOut = None,
    markdown: MarkdownOut = None,
    html: HtmlOut = None,
    strict: Strictly = False,
) -> None:
    """Compare two runs on this machine, case by case."""
    from coach.errors import InputError
    from coach_eval.baselines import compare as judge
    from coach_eval.evaluation import Evaluation, Results
    from coach_eval.tasks import TASKS

    first, second = _one_run(before), _one_run(after)
    if first.suite != second.suite:
        raise InputError(
            f"{before} is of suite {first.suite!r}, {after} of {second.suite!r}: compare runs of one suite"
        )
    evaluation = Evaluation(root=root)
    suite = evaluation.suites([first.suite])[0]
    verdict = judge(suite, evaluation.cases(suite), TASKS[suite.task], first, second)
    results = Results(runs=(second,), verdicts=(verdict,))
    _show(results)
    write(results, root, json=json, junit=junit, markdown=markdown, html=html)
    _leave(results, strict)


@app.command()
def bless(suites: Suites = None, root: Root = ROOT) -> None:
    """Make the last run of each suite its baseline. Refuses a run that errored, is incomplete, or is out of date."""
    from coach.errors import UnverifiableError
    from coach_eval.calibration import calibrate
    from coach_eval.evaluation import Evaluation
    from coach_eval.files import load_run

    evaluation = Evaluation(root=root)
    ready = []
    for suite in evaluation.suites(suites or []):
        path = evaluation.last(suite.suite)
        if not path.exists():
            raise UnverifiableError(f"{suite.suite} has not run here: coach eval run {suite.suite}")
        last = load_run(path)
        evaluation.whole(suite, last)
        ready.append((suite, last))
    for suite, last in ready:
        typer.echo(f"blessed {evaluation.baselines.bless(last, calibrate(suite, last))}")


@app.command()
def judge(
    name: Annotated[str, typer.Argument(help="Name of a file in judges/.")],
    root: Root = ROOT,
    record: Annotated[bool, typer.Option("--record", help="Ask the judge's model what is not recorded yet.")] = False,
    max_usd: MaxUsd = None,
    json: JsonOut = None,
    strict: Strictly = False,
) -> None:
    """Ask a pinned model what it thinks of the last run and of the baseline. Advisory until people agree with it."""
    from coach_eval.evaluation import Evaluation, Results
    from coach_eval.judging import agreement, ask, items_of, load_judge, verdict
    from coach_eval.models import judge_model

    evaluation, chosen = Evaluation(root=root, max_usd=max_usd), load_judge(root, name)
    suite = evaluation.suites([chosen.suite])[0]
    before, after = evaluation.both(suite)
    items = items_of((before, after))
    said = ask(chosen, [*items, *(label.item for label in chosen.labels)], judge_model(evaluation, chosen, record))
    believed = agreement(chosen, said)
    typer.echo(believed.words())
    results = Results(runs=(after,), verdicts=(verdict(suite, before, after, said, believed),))
    _show(results)
    for item in items:
        if not said[item]:
            typer.echo(f"  not good: {item}")
    write(results, root, json=json)
    if believed.trusted:
        _leave(results, strict)


@app.command()
def report(
    results: Annotated[Path, typer.Argument(help="What coach eval run --json wrote.")],
    root: Root = ROOT,
    junit: JunitOut = None,
    markdown: MarkdownOut = None,
    html: HtmlOut = None,
) -> None:
    """Show earlier results again, or write them in other forms."""
    from coach_eval.evaluation import Results
    from coach_eval.files import read_json

    found = read_json(results, Results)
    _show(found)
    write(found, root, junit=junit, markdown=markdown, html=html)


@app.command()
def schema(
    task: Annotated[str, typer.Argument(help="suite, or a task: review, rewriting, participants …")] = "suite",
) -> None:
    """Print the JSON schema of suites or of a task's case files, for editors."""
    import json

    from coach_eval.files import case_schema
    from coach_eval.schema import Suite
    from coach_eval.tasks import TASKS

    found: dict[str, Any] = Suite.model_json_schema() if task == "suite" else case_schema(TASKS[task].case)
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False))


@app.command()
def check(suites: Suites = None, root: Root = ROOT) -> None:
    """Read every suite, case, recording and baseline, and say what is in them; nothing runs."""
    from collections import Counter

    from coach_eval.evaluation import Evaluation

    evaluation = Evaluation(root=root)
    for suite in evaluation.suites(suites or []):
        cases = evaluation.cases(suite)
        splits = Counter(case.split for case in cases)
        shares = ", ".join(f"{count} {name}" for name, count in sorted(splits.items()))
        notes = len({case.cluster for case in cases})
        typer.echo(f"{suite.suite}: {len(cases)} cases from {notes} notes ({shares}), {suite.repeats} repeats")


@app.command(name="add-case")
def add_case(
    from_feedback: Annotated[
        bool, typer.Option("--from-feedback", help="Make a case of a finding that somebody marked as wrong or right.")
    ] = False,
    notes: Annotated[Path | None, typer.Option(help="Make a case of these notes instead.")] = None,
    identifier: Annotated[str | None, typer.Option("--id", help="The id of the new case.")] = None,
    suite: Annotated[str, typer.Option(help="The suite that the case is for.")] = "meetings",
    root: Root = ROOT,
    yes: Annotated[bool, typer.Option("--yes", help="You have read the pseudonymised text: write it.")] = False,
) -> None:
    """Make a case out of notes or feedback: pseudonymised, shown to you first, and written only with --yes."""
    from coach_eval.feedback import draft_cases, save

    for draft in draft_cases(root, suite, notes=notes, identifier=identifier, from_feedback=from_feedback):
        typer.echo(draft.text)
        if yes:
            typer.echo(f"written {save(draft)}")
        else:
            typer.echo(
                "Nothing is written yet. Read it for names, complete the gold, then repeat with --yes.", err=True
            )


@app.command()
def mutate(
    suite: One = "meetings",
    root: Root = ROOT,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the model (prompts can't be mutated on recordings).")
    ] = False,
    each_entry: Annotated[
        bool, typer.Option("--each-entry", help="Every entry of the lexicon, not every list.")
    ] = False,
    match: Annotated[str, typer.Option(help="Only rules whose text or file holds this.")] = "",
    only: Only = None,
) -> None:
    """Take away each rule in turn, and list those that no case would miss."""
    from coach.errors import InputError
    from coach_eval.evaluation import Evaluation
    from coach_eval.mutation import Mutant
    from coach_eval.mutation import mutate as try_without

    evaluation = Evaluation(root=root.resolve(), mode="live" if live else "replay", only=tuple(only or ()))
    chosen = evaluation.suites([suite])[0]
    if chosen.engine == "llm" and not live:
        raise InputError(
            "a changed prompt has no recordings: mutate it with --live and a model, or choose a local suite"
        )

    def tell(mutant: Mutant) -> None:
        what = mutant.error or (f"{len(mutant.noticed)} cases notice" if mutant.noticed else "UNTESTED")
        typer.echo(f"{what:>20}  {str(mutant.rule)[:150]}")

    mutants = try_without(evaluation, chosen, each_entry=each_entry, match=match, told=tell)
    untested = sum(mutant.untested for mutant in mutants)
    typer.echo(f"{len(mutants)} rules, {untested} untested")


@app.command()
def blame(
    suite: One = "meetings",
    since: Annotated[str, typer.Option(help="The revision before the change.")] = "HEAD",
    root: Root = ROOT,
    live: Annotated[bool, typer.Option("--live", help="Ask the model.")] = False,
    only: Only = None,
) -> None:
    """Revert the hunks of a change one by one, and name the one that lost the findings."""
    from coach_eval.blame import blame as revert_each
    from coach_eval.blame import hunks
    from coach_eval.evaluation import Evaluation

    evaluation = Evaluation(root=root.resolve(), mode="live" if live else "replay", only=tuple(only or ()))
    chosen = evaluation.suites([suite])[0]
    for blamed in revert_each(evaluation, chosen, hunks(since)):
        typer.echo(f"{blamed.guilt:+.2f} without {blamed.hunk.where} {blamed.error}")
        typer.echo("".join(f"    {line}\n" for line in blamed.hunk.words.splitlines()), nl=False)
        for case, delta in blamed.moved:
            typer.echo(f"    {case} {delta:+.2f}")


def write(
    results: Results,
    root: Path,
    *,
    json: Path | None = None,
    junit: Path | None = None,
    markdown: Path | None = None,
    html: Path | None = None,
) -> None:
    """Write results in the forms that are asked for, each file whole or not at all."""
    from coach_eval.baselines import Baselines, dump
    from coach_eval.files import write_atomically
    from coach_eval.reports.comment import comment
    from coach_eval.reports.junit import junit as as_junit
    from coach_eval.reports.page import page

    if json:
        write_atomically(json, dump(results))
    if junit:
        write_atomically(junit, as_junit(results.runs, results.verdicts))
    if markdown:
        write_atomically(markdown, comment(results.runs, results.verdicts))
    if html:
        write_atomically(html, page(results.runs, results.verdicts, Baselines(root / "baselines").history()))


def _evaluate(evaluation: Evaluation, names: Sequence[str], quiet: bool) -> Results:
    from coach_eval.evaluation import Results

    suites = evaluation.suites(names)
    runs = tuple(evaluation.run(suite) for suite in suites)
    verdicts = tuple(evaluation.verdict(suite, run) for suite, run in zip(suites, runs, strict=True))
    results = Results(runs=runs, verdicts=verdicts)
    if not quiet:
        _show(results)
    return results


def _show(results: Results) -> None:
    from rich.console import Console

    from coach_eval.reports.table import show, summary

    console = Console()
    for verdict, made in _pairs(results):
        show(console, verdict, made)
        if lines := summary(made):
            console.print(lines + "\n", highlight=False)


def _pairs(results: Results) -> list[tuple[Verdict, Run]]:
    return list(zip(results.verdicts, results.runs, strict=True))


def _leave(results: Results, strict: bool) -> None:
    """Exit with the code of the worst suite; a regression outweighs everything, and nothing tried is nothing shown."""
    if not any(made.trials for made in results.runs):
        raise typer.Exit(3)
    codes = {_code(verdict, made, strict) for verdict, made in _pairs(results)}
    raise typer.Exit(next((code for code in (1, 4, 5, 3) if code in codes), 0))


def _code(verdict: Verdict, made: Run, strict: bool) -> int:
    faults = {trial.fault for trial in made.trials}
    if verdict.status == "regressed":
        return 1
    if verdict.status == "unverifiable":
        return 4 if "budget" in faults else 5 if "provider" in faults else 3
    return 3 if strict and verdict.status == "inconclusive" else 0


def _faulty(made: Run) -> bool:
    return not made.complete or any(trial.error for trial in made.trials)


def _one_run(path: Path) -> Run:
    """A run from its own file, a baseline, or results that hold one."""
    import json

    from coach.errors import InputError
    from coach_eval.evaluation import Results
    from coach_eval.files import load_run, read_json

    try:
        is_results = json.loads(path.read_text(encoding="utf-8")).get("schema") == "coach.eval-results/1"
    except (OSError, ValueError, AttributeError):
        is_results = False
    if not is_results:
        return load_run(path)
    runs = read_json(path, Results).runs
    if len(runs) != 1:
        raise InputError(f"{path} holds {len(runs)} suites: write results of one suite with --json to compare it")
    return runs[0]
