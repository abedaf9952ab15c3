"""Ask: questions to the source material, answered in its own words. The URL holds the questions."""

from urllib.parse import quote

import streamlit as st

from agent.domain import Answer, Citation
from agent.errors import IndexBusy, RehearsalError
from knowledge.sources import ARTICLE
from ui import view
from ui.shared import begin, engine

SUGGESTED = (
    "How does an executive's promise differ from a manager's?",
    "What does the successful executive do?",
    "What are the common mistakes on the way?",
)
INTRO = (
    "The answer is the words of the article, or of documents you added, with the place they "
    "stand. Where they are silent, you are told so."
)
WORDED = (
    "A language model words the answer; under it are the words of the article, or of documents you "
    "added, that it rests on. Where they are silent, you are told so."
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
    kept: dict[tuple[str | None, ...], Answer] = st.session_state.setdefault("answers", {})
    key = (after, question, engine().library.current(), engine().material.library.current())
    if key not in kept:
        with st.spinner("Reading the material"):
            kept[key] = engine().ask(question, after)
    return kept[key]


def show(question: str, answer: Answer, turn: int) -> None:
    """Show a question, what the material says, and the conversations that practise it."""
    st.html(view.turn("You", question, own=True))
    st.html(view.turn(speaker(answer), answer.lead, live=True))
    for citation in answer.quotes or answer.nearest:
        st.html(view.cited(citation, where(citation)))
    offer(answer, turn)


def speaker(answer: Answer) -> str:
    """Return whose words the answer is in."""
    if answer.answerer and not answer.refused:
        return f"The material, worded by {answer.answerer.split()[0]}"
    return "The material"


def where(citation: Citation) -> str:
    """Return the title and the page of a document of one's own; nothing for the article."""
    if citation.source == ARTICLE:
        return ""
    title, page = engine().where(citation)
    return f"“{title}”, {page}" if page else f"“{title}”"


def offer(answer: Answer, turn: int) -> None:
    """Offer to begin a conversation that practises an answer, where there is one."""
    scenarios = [engine().scenarios[name] for name in engine().practise(answer)]
    if not scenarios:
        return
    st.html(view.offered("Practise it:", scenarios))
    with st.container(horizontal=True):
        for scenario in scenarios:
            label = f"Begin with {scenario.persona.name.split()[0]}"
            if st.button(label, key=f"begin_{turn}_{scenario.id}"):
                begin(scenario.id)


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
    by_model = engine().settings.engine_of("answerer") == "model"
    st.html(view.heading("Ask the material", 1, WORDED if by_model else INTRO))
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
    for turn, question in enumerate(asked()):
        show(question, answered(question, before), turn)
        before = question
    if before is None:
        suggest()
    elif st.button("Start over", type="tertiary"):
        st.query_params.clear()
        st.rerun()


if __name__ == "__main__":
    main()
