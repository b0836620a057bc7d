"""The verdict in the terminal: the worst cases first, with what each lost and gained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coach_eval.schema import Run, Verdict

if TYPE_CHECKING:
    from rich.console import Console

COLOURS = {
    "regressed": "red",
    "improved": "green",
    "unchanged": "green",
    "inconclusive": "yellow",
    "unverifiable": "magenta",
}


def show(console: Console, verdict: Verdict, run: Run, worst: int = 10) -> None:
    """Print a verdict: status, metrics, the ``worst`` cases and their findings."""
    from rich.markup import escape
    from rich.table import Table

    colour = COLOURS[verdict.status]
    head = f"[bold]{escape(verdict.suite)}[/bold]: [bold {colour}]{verdict.status}[/bold {colour}]"
    console.print(
        f"{head}  {verdict.paired} cases paired, {len(run.trials)} trials, {seconds(run):.1f} s in the engine"
    )
    for reason in verdict.reasons:
        console.print(f"  {escape(reason)}")
    for notice in run.notices:
        console.print(f"  [dim]{escape(notice)}[/dim]")
    if verdict.outcomes:
        table = Table("metric", "before", "after", "delta", "95 % interval", "p", "status", box=None, pad_edge=False)
        for o in verdict.outcomes:
            interval = f"{o.low:+.3f} … {o.high:+.3f}"
            numbers = (f"{o.before:.3f}", f"{o.after:.3f}", f"{o.delta:+.3f}", interval, f"{o.p:.3f}")
            table.add_row(escape(o.metric), *numbers, f"[{COLOURS[o.status]}]{o.status}[/]")
        console.print(table)
    for change in verdict.changes[:worst]:
        console.print(f"  [bold]{escape(change.case)}[/bold] {change.delta:+.2f}")
        for sign, style, lines in (
            ("-", "red", change.lost),
            ("+", "green", change.gained),
            ("!", "red", change.errors),
        ):
            for line in lines:
                console.print(f"    [{style}]{sign}[/{style}] {escape(line)}", highlight=False)
    if len(verdict.changes) > worst:
        console.print(f"  … and {len(verdict.changes) - worst} more cases that moved")
    console.print()


def summary(run: Run) -> str:
    """One line per kind of finding: precision, recall and F1 over the suite, repeats pooled; empty without counts."""
    counts = totals(run)
    lines = []
    for kind in dict.fromkeys(name.rpartition(".")[0] for name in counts):
        hit, missed, false = (counts.get(f"{kind}.{part}", 0) for part in ("hit", "missed", "false"))
        precision = hit / (hit + false) if hit + false else 1.0
        recall = hit / (hit + missed) if hit + missed else 1.0
        f1 = 2 * hit / (2 * hit + false + missed) if hit + false + missed else 1.0
        lines.append(
            f"{' '.join(kind.split())}: P {precision:.2f} R {recall:.2f} F1 {f1:.2f} "
            f"({hit} found, {missed} missed, {false} false)"
        )
    return "\n".join(lines)


def totals(run: Run) -> dict[str, int]:
    """The counts of all trials, added up, in order of name."""
    from collections import Counter

    added: Counter[str] = Counter()
    for trial in run.trials:
        if trial.score:
            added.update(trial.score.counts)
    return dict(sorted(added.items()))


def seconds(run: Run) -> float:
    """Time in the engine, added up over all trials."""
    return sum(trial.seconds for trial in run.trials)
