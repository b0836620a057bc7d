"""Reviews of every sample, side by side in async code: python examples/asynchronous.py"""

import asyncio

from coach import Coach
from coach.samples import samples


async def main() -> None:
    coach = Coach()
    meetings = samples()
    reviews = await asyncio.gather(*(asyncio.to_thread(coach.review, meeting.text) for meeting in meetings))
    for meeting, review in zip(meetings, reviews, strict=True):
        print(f"{meeting.name:24} {len(review.findings)} findings, {len(review.participants)} people")


asyncio.run(main())
