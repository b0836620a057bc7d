"""JUnit XML, as CI servers read it: one test per case, one for each suite's verdict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from coach_eval.schema import Run, Verdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(runs: Sequence[Run], verdicts: Sequence[Verdict]) -> str:
    """The report. Only the verdict can fail: a case that did not pass before either is no news."""
    by_suite = {verdict.suite: verdict for verdict in verdicts}
    root = ET.Element("testsuites", name="coach eval")
    for run in runs:
        verdict = by_suite[run.suite]
        bad = verdict.status in ("regressed", "unverifiable")
        errors = sum(trial.error is not None for trial in run.trials)
        suite = ET.SubElement(
            root,
            "testsuite",
            name=run.suite,
            tests=str(len(run.trials) + 1),
            failures=str(int(verdict.status == "regressed")),
            errors=str(errors + int(bad and verdict.status == "unverifiable")),
            time=f"{sum(t.seconds for t in run.trials):.3f}",
            timestamp=_clean(run.date),
        )
        gate = ET.SubElement(suite, "testcase", classname=run.suite, name="verdict")
        text = _clean("\n".join(verdict.reasons))
        if bad:
            tag = "failure" if verdict.status == "regressed" else "error"
            ET.SubElement(gate, tag, message=verdict.status, type=verdict.status).text = text
        else:
            ET.SubElement(gate, "system-out").text = text
        moved = {change.case: change for change in verdict.changes}
        for trial in run.trials:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=run.suite,
                name=_clean(f"{trial.case}[{trial.repeat}]" if run.repeats > 1 else trial.case),
                time=f"{trial.seconds:.3f}",
            )
            if trial.error:
                ET.SubElement(case, "error", message=_clean(trial.error), type=trial.fault or "engine")
            elif (change := moved.get(trial.case)) is not None:
                lines = [*(f"- {line}" for line in change.lost), *(f"+ {line}" for line in change.gained)]
                ET.SubElement(case, "system-out").text = _clean("\n".join(lines))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    """Without the control characters that XML 1.0 cannot hold, not even escaped."""
    return _NOT_XML.sub("�", text)
