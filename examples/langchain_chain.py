"""Question -> passages of the library -> prompt -> model, and the coach as a tool: python examples/langchain_chain.py

The model is scripted, so that the chain runs without a key; put ChatOpenAI or any other in its place. It works on a
library of its own in a temporary folder.
"""

import tempfile
from pathlib import Path

from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough

from coach import Coach
from coach.langchain import review_runnable, review_tool
from coach.samples import samples
from coach.settings import load_settings

with tempfile.TemporaryDirectory() as home:
    coach = Coach(load_settings(home=Path(home)))
    meeting = samples()[0]
    coach.keep(meeting.text)

    prompt = ChatPromptTemplate.from_template("Passages of earlier meetings:\n{passages}\n\nQuestion: {question}")
    model = FakeListChatModel(responses=["Somebody was worried; it may be worth asking them about it first."])
    chain = (
        {"passages": coach.library.as_retriever(k=3), "question": RunnablePassthrough()}
        | prompt
        | model
        | StrOutputParser()
    )
    print("Answer:", chain.invoke("What worried people about the tool?"))

    review = review_runnable(coach, engine="local").invoke(meeting.text)
    print("Findings:", [finding.kind for finding in review.findings])
    print("Tool:", review_tool(coach).invoke({"text": meeting.text})[:60], "…")
    coach.library.close()
