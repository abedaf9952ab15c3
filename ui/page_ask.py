"""Ask: questions to the source material, answered in its own words."""

import streamlit as st

from agent.domain import Answer, Citation
from agent.errors import RehearsalError
from knowledge.sources import article
from ui import view
from ui.shared import engine, keep_text, show_kept

SUGGESTED = (
    "How does an executive's promise differ from a manager's?",
    "What are the common mistakes on the way?",
    "my boss never takes me to the big meetings",
)
LONGEST = 1_000


def ask(question: str) -> None:
    """Answer a question and keep it in this visit's list."""
    asked = st.session_state.setdefault("asked", [])
    after = asked[-1][0] if asked else None
    try:
        if len(question) > LONGEST:
            raise RehearsalError(f"A question has {LONGEST} characters at most. Shorten it.")
        with st.spinner("Reading the material …"):
            asked.append((question, engine().ask(question, after)))
    except RehearsalError as problem:
        keep_text("question", question, problem)


def show(question: str, answer: Answer, n: int) -> None:
    """Show a question and what the material says."""
    st.html(view.turn("You", question, own=True))
    st.html(view.turn("The material", answer.lead))
    if answer.refused and answer.nearest:
        st.caption("The nearest it does say:")
    for k, citation in enumerate(answer.quotes or answer.nearest):
        cite(citation, f"{n}_{k}")


def cite(citation: Citation, key: str) -> None:
    """Show quoted words; they open in their place."""
    st.html(view.quote(citation.text, citation.heading or citation.source))
    with st.expander("Open it in its place"):
        text = article().text
        start, end = max(0, citation.start - 600), min(len(text), citation.end + 600)
        st.html(view.page(text[start:end], citation.start - start, citation.end - start))


def main() -> None:
    """Show what was asked in this visit, and take a question."""
    st.title("Ask the material")
    st.write(
        "Answers are exact words of the article on the transition from manager to executive. "
        "Where it is silent, you are told so."
    )
    asked = st.session_state.get("asked", [])
    for n, (question, answer) in enumerate(asked):
        show(question, answer, n)
    show_kept("question")
    if not asked:
        st.caption("For example:")
        for example in SUGGESTED:
            if st.button(example, key=example):
                ask(example)
                st.rerun()
    text = st.chat_input("Your question")
    if text and text.strip():
        st.session_state.pop("kept_question", None)
        ask(text)
        st.rerun()


main()
