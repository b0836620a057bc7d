"""Both engines on one page: what they agree on, and what only one of them sees."""

from __future__ import annotations

from coach.llm_engine.sifting import same_passage
from coach.schema import Analysis, Finding, Participant


def merge_engines(local: Analysis, llm: Analysis) -> Analysis:
    """One analysis from two: a passage that both raise is one finding, in the model's words, with both sources.

    Its confidence is that either is right, were they independent (noisy or). A doubtful one that both raise is no more
    doubtful. People stand where the model's quotes put them, else where the local ones do.
    """
    rest = list(local.findings)
    merged: list[Finding] = []
    agreed = 0
    for theirs in llm.findings:
        mine = next((f for f in rest if same_passage(f, theirs)), None)
        if mine is None:
            merged.append(theirs)
            continue
        rest.remove(mine)
        agreed += 1
        both = 1 - (1 - mine.confidence) * (1 - theirs.confidence)
        changes = {"confidence": both, "tier": "finding", "source": f"{theirs.source} + {mine.source}"}
        merged.append(theirs.model_copy(update=changes))
    merged.sort(key=lambda f: -f.confidence)
    alone = len(llm.findings) - agreed
    notice = (
        f"Both engines raise {agreed} of these passages; the model alone {alone}, the local engine alone {len(rest)}."
    )
    return Analysis(
        findings=(*merged, *rest),
        heard=local.heard,
        participants=_participants(local.participants, llm.participants),
        set_aside=llm.set_aside + local.set_aside,
        notices=(notice, *llm.notices, *local.notices),
        usage=llm.usage,
    )


def _participants(local: tuple[Participant, ...], llm: tuple[Participant, ...]) -> tuple[Participant, ...]:
    by_name = {p.name: p for p in llm if (p.alignment, p.buy_in) != ("unknown", "unknown")}
    known = [by_name.get(p.name, p) for p in local]
    return (*known, *(p for p in llm if p.name not in {q.name for q in local}))
