"""Ask: questions to the source material, answered in its own words. The URL holds the questions."""

from urllib.parse import quote

import streamlit as st

from agent.domain import Answer
from agent.errors import IndexBusy, RehearsalError
from ui import view
from ui.shared import engine

SUGGESTED = (
    "How does an executive's promise differ from a manager's?",
    "What does the successful executive do?",
    "What are the common mistakes on the way?",
)
BOX = "question"
LONGEST_URL = 12_000  # characters; older questions leave the page before the URL grows past it


def asked() -> list[str]:
    """Return the questions of the URL, oldest first."""
    return list(st.query_params.get_all("q"))


def put(question: str) -> None:
    """Add a question to the URL."""
    kept = [*asked(), question]
    while len(kept) > 1 and sum(len(quote(q)) for q in kept) > LONGEST_URL:
        kept.pop(0)
    st.query_params["q"] = kept


def prepare() -> None:
    """Build the index of the material where it is missing, and say how far it is."""
    place = st.empty()

    def progress(done: int, total: int) -> None:
        share = done / total if total else 1.0
        place.progress(share, f"Indexing the material, {done} of {total} passages")

    with st.spinner("Opening the material"):
        engine().index(progress)
    place.empty()


def answered(question: str, after: str | None) -> Answer:
    """Return the answer; kept for this visit, since every click draws the page again."""
    kept: dict[tuple[str | None, str], Answer] = st.session_state.setdefault("answers", {})
    if (after, question) not in kept:
        with st.spinner("Reading the material"):
            kept[after, question] = engine().ask(question, after)
    return kept[after, question]


def show(question: str, answer: Answer) -> None:
    """Show a question and what the material says."""
    st.html(view.turn("You", question, own=True))
    st.html(view.turn("The material", answer.lead, live=True))
    for citation in answer.quotes or answer.nearest:
        st.html(view.cited(citation))


def suggest() -> None:
    """Offer questions to begin with."""
    st.html(view.paragraph("Type a question below, or begin with one of these.", "quiet"))
    for example in SUGGESTED:
        if st.button(example, key=example):
            put(example)
            st.rerun()


def take(text: str) -> None:
    """Ask a question; if it cannot be taken it is put back."""
    try:
        answered(text, asked()[-1] if asked() else None)
    except RehearsalError as wrong:
        st.session_state["ask_problem"], st.session_state["put_back_question"] = str(wrong), text
    else:
        st.session_state.pop("ask_problem", None)
        put(text)
    st.rerun()


def main() -> None:
    """Show the questions of the URL with their answers, and take another."""
    st.set_page_config(page_title="Ask · Executive Rehearsal", layout="centered")
    if "put_back_question" in st.session_state:
        st.session_state[BOX] = st.session_state.pop("put_back_question")
    text = st.chat_input("Your question", key=BOX)
    intro = (
        "The answer is the article's own words, with the place they stand. Where the article is "
        "silent, you are told so."
    )
    st.html(view.heading("Ask the material", 1, intro))
    try:
        prepare()
        talk()
    except IndexBusy:
        busy = "The material is being indexed by another window. Reload this page in a moment."
        st.html(view.notice(busy, calm=True))
    except RehearsalError as wrong:
        st.html(view.notice(str(wrong)))
    if text is not None:
        take(text)
    if st.session_state.get("ask_problem"):
        st.html(view.notice(st.session_state["ask_problem"]))


def talk() -> None:
    """Show what was asked, or what could be."""
    before = None
    for question in asked():
        show(question, answered(question, before))
        before = question
    if before is None:
        suggest()
    elif st.button("Start over", type="tertiary"):
        st.query_params.clear()
        st.rerun()


if __name__ == "__main__":
    main()
