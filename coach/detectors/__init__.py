"""One module per kind of finding; ``DETECTORS`` holds them, and those that other packages announce."""

from __future__ import annotations

from coach.detectors.base import Candidate, Detector, ReplyAct, UptakeRecord
from coach.detectors.categorical_phrasing import CategoricalPhrasing
from coach.detectors.unaddressed_needs import UnaddressedNeeds
from coach.detectors.unheard_objections import UnheardObjections
from coach.registry import Registry

DETECTORS: Registry[Detector] = Registry("coach.detectors", needs=("kind", "source", "detect"))

for detector in (UnheardObjections(), UnaddressedNeeds(), CategoricalPhrasing()):
    DETECTORS.register(detector.kind)(detector)

__all__ = ["DETECTORS", "Candidate", "Detector", "ReplyAct", "UptakeRecord"]
