"""The default engine: a small encoder and rules on this machine. No key, no network, the same answer every time."""

from __future__ import annotations

from collections.abc import Sequence

from coach.engine import Watch
from coach.schema import Analysis, Conversation, Finding, Passage

THIN = 3
"""Fewer sentences than this are too few to tell what was taken up and what was not."""


class LocalEngine:
    """An :class:`coach.engine.Engine`. It reads the text as given, since nothing leaves the machine."""

    name = "local"

    def analyse(self, conversation: Conversation, earlier: Sequence[Passage], watch: Watch) -> Analysis:
        """Findings of every registered detector, ranked, what was heard, and where each attendee stands.

        A detector of a plug-in that raises is left out and named in ``notices``. ``earlier`` is not used: the local
        engine judges a meeting by its own record.
        """
        from coach import acts
        from coach.detectors import DETECTORS
        from coach.detectors.decision import once, quieten
        from coach.detectors.heard import heard
        from coach.participants import participants

        watch.progress(0.1, "Reading the notes")
        reading = acts.read(conversation)
        watch.check()
        findings: list[Finding] = []
        notices: list[str] = []
        named = DETECTORS.items()
        for done, (name, detector) in enumerate(named):
            watch.progress(0.6 + 0.3 * done / len(named), f"Looking for {name.replace('_', ' ')}")
            watch.check()
            try:
                findings.extend(Finding.model_validate(one) for one in detector.detect(conversation, reading))
            except Exception as error:
                if name not in DETECTORS.plugins:
                    raise
                notices.append(f"The plug-in {name} failed ({type(error).__name__}) and was left out of this review.")
        watch.progress(0.95, "Looking at who stands where")
        people = participants(conversation, reading)
        if len(reading.sentences) < THIN:
            notices.append("These notes are very short: there may be too little here to tell what was taken up.")
        ranked = quieten(once(sorted(findings, key=lambda finding: -finding.confidence)), len(reading.sentences))
        return Analysis(
            findings=ranked,
            heard=heard(conversation, reading, ranked),
            participants=people,
            notices=tuple(notices),
        )
