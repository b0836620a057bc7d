"""The engine behind a language model: pseudonymise, cut by topic, ask, ground, look twice, map back.

``engine`` conducts; ``parts`` cuts, ``asking`` asks, ``sifting`` keeps what is in the notes, ``standing`` says who
stands where, ``second_look`` asks again about what seems answered, ``agreement`` puts both engines on one page, and
``assisting`` answers single questions (other words for a sentence, likely objections to a plan).
"""

from coach.llm_engine.agreement import merge_engines
from coach.llm_engine.assisting import likely_objections, rewrites
from coach.llm_engine.engine import LLMEngine

__all__ = ["LLMEngine", "likely_objections", "merge_engines", "rewrites"]
