"""The comment on a pull request: Markdown below GitHub's limit, regressions first."""

from __future__ import annotations

from collections.abc import Sequence

from coach.render import plain_markdown
from coach_eval.schema import CaseChange, Run, Verdict

MARKER = "<!-- coach-eval -->"
"""The first line; the action finds its own comment by it and updates it in place."""
LIMIT = 64_000
"""Bytes. GitHub takes 65 536 characters."""
SIGNS = {"regressed": "🔴", "unverifiable": "🟣", "inconclusive": "🟡", "unchanged": "🟢", "improved": "🟢"}


def comment(runs: Sequence[Run], verdicts: Sequence[Verdict]) -> str:
    """The whole comment; cases beyond the limit are counted, not shown."""
    order = list(SIGNS)
    ranked = sorted(verdicts, key=lambda verdict: order.index(verdict.status))
    by_suite = {run.suite: run for run in runs}
    head = [MARKER, "## Coach evaluation", "", "| suite | verdict | cases | metrics |", "| --- | --- | --- | --- |"]
    for v in ranked:
        moved = "; ".join(f"{_text(o.metric)} {o.before:.3f} → {o.after:.3f} (p = {o.p:.3f})" for o in v.outcomes)
        head.append(f"| {v.suite} | {SIGNS[v.status]} {v.status} | {v.paired} | {moved} |")
    blocks = ["\n".join(head)]
    blocks += [_why(verdict, by_suite[verdict.suite]) for verdict in ranked]
    changes = [(v.suite, change) for v in ranked for change in v.changes]
    size = len("\n\n".join(blocks).encode())
    for shown, (suite, change) in enumerate(changes):
        block = _case(suite, change)
        size += len(block.encode()) + 2
        if size > LIMIT - 200:
            blocks.append(f"… and {len(changes) - shown} more cases that moved; the HTML report has them all.")
            break
        blocks.append(block)
    text = "\n\n".join(blocks) + "\n"
    # Reasons alone could be long; the marker and the table come first and always stay.
    return text if len(text.encode()) <= LIMIT else text.encode()[: LIMIT - 20].decode(errors="ignore") + "\n…\n"


def _why(verdict: Verdict, run: Run) -> str:
    lines = [f"**{verdict.suite}** at {_text(run.commit or 'no commit')}", ""]
    lines += [f"- {_text(reason)}" for reason in (*verdict.reasons, *run.notices)]
    drops = [outcome.detectable for outcome in verdict.outcomes if outcome.clusters]
    if drops:
        lines.append(f"- Smallest drop this suite could have seen nine times in ten: {max(drops):.3f}.")
    if verdict.calibration:
        c = verdict.calibration
        share = f"{c.false_alarms:.1%} of {c.replays} replays without a change"
        lines.append(f"- False alarms of this gate: {share} ({_text(c.noise)}).")
    for label, cases in (
        ("new cases", verdict.only_after),
        ("cases that are gone", verdict.only_before),
        ("changed cases, not paired", verdict.changed_cases),
    ):
        if cases:
            lines.append(f"- {label}: {len(cases)} ({_text(', '.join(cases[:8]))}{', …' if len(cases) > 8 else ''})")
    return "\n".join(lines)


def _case(suite: str, change: CaseChange) -> str:
    lines = [f"<details><summary><code>{suite}/{change.case}</code> {change.delta:+.2f}</summary>", ""]
    lines += [f"- lost: {_text(line)}" for line in change.lost]
    lines += [f"- gained: {_text(line)}" for line in change.gained]
    lines += [f"- error: {_text(line)}" for line in change.errors]
    return "\n".join([*lines, "", "</details>"])


def _text(words: str) -> str:
    """Words as words: no mark-up, no links, no mentions, no line breaks of their own."""
    return plain_markdown(words).replace("@", "@\u200b")
