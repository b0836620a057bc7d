"""The coach as parts of a LangChain chain: a review and a brief as Runnables and as tools.

The library is a retriever by itself: ``coach.library.as_retriever(attendee="Ana", k=4)``. Tools show pseudonyms by
default, as what they give back goes to a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coach.rehearsal.plan import Plan, make_plan
from coach.rehearsal.values import Brief
from coach.schema import Review

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool

    from coach.wiring import Coach

__all__ = ["brief_runnable", "brief_tool", "review_runnable", "review_tool"]


def review_runnable(coach: Coach, **options: Any) -> Runnable[str, Review]:
    """Notes in, :class:`~coach.schema.Review` out; ``options`` are those of :meth:`coach.wiring.Coach.review`."""
    from langchain_core.runnables import RunnableLambda

    def review(text: str) -> Review:
        return coach.review(text, **options)

    return RunnableLambda(review, name="review_notes")


def brief_runnable(coach: Coach, **options: Any) -> Runnable[Mapping[str, Any], Brief]:
    """A plan in (its keys are those of :class:`~coach.rehearsal.plan.Plan`), :class:`Brief` out."""
    from langchain_core.runnables import RunnableLambda

    def brief(plan: Mapping[str, Any]) -> Brief:
        return coach.brief(make_plan(plan), **options)

    return RunnableLambda(brief, name="brief_meeting")


def review_tool(coach: Coach, *, names: bool = False) -> BaseTool:
    """A tool that answers with the review as JSON, in pseudonyms unless ``names``. It stores nothing."""
    from langchain_core.tools import tool

    @tool
    def review_notes(text: str) -> str:
        """Point out unheard objections, unaddressed needs and categorical phrasing in meeting notes."""
        from coach.pseudonymous import in_pseudonyms

        review = coach.review(text)
        return (review if names else in_pseudonyms(review, coach.anonymise(text).identities)).model_dump_json()

    return review_notes


def brief_tool(coach: Coach, *, names: bool = False) -> BaseTool:
    """A tool that answers with the brief of a plan as JSON, in pseudonyms unless ``names``."""
    from langchain_core.tools import tool

    @tool(args_schema=Plan)
    def brief_meeting(**plan: Any) -> str:
        """What those who come to a meeting were never answered on, and how the planned opening may sound to them."""
        from coach.pseudonymous import in_pseudonyms

        brief = coach.brief(make_plan({key: _plain(value) for key, value in plan.items()}))
        return (brief if names else in_pseudonyms(brief, coach.identities.load())).model_dump_json()

    return brief_meeting


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
