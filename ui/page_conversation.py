"""One conversation, by the id in the URL: the brief, the talk, the critique, the debrief."""

import streamlit as st

from agent.domain import Citation, Transcript
from agent.errors import ConflictError, NotFound, RehearsalError
from agent.feedback import Feedback
from agent.session import LONGEST, Session
from ui import view
from ui.debrief import show as show_debrief
from ui.shared import engine, telling

BOX = "reply"  # the key of the input; what could not be taken is put back into it
WENT_ON = (
    "This conversation went on in another tab or window. It is shown here as it now stands. "
    "What you typed was not sent; it is back in the box below."
)
ENDED = "This conversation ended in another tab or window. What you typed was not sent:"


def converse(session: Session) -> None:
    """Show a conversation and take what the learner does next."""
    transcript = session.transcript
    scenario = transcript.scenario
    unsent = st.session_state.get(BOX) if transcript.over else None
    text = None if transcript.over else st.chat_input("Your reply", key=BOX)
    seen = st.session_state.get(_seen(transcript), len(transcript.exchanges))
    st.html(view.heading(scenario.title, 1))
    with st.expander("The brief", expanded=not transcript.exchanges):
        st.html(view.brief(scenario))
    controls(session, seen)
    talk(transcript)
    if text is not None:
        take(session, text, seen)
    st.session_state[_seen(transcript)] = len(transcript.exchanges)
    problem(transcript.id)
    if unsent:
        st.html(view.notice(f"{ENDED}\n{unsent}"))
    if transcript.over:
        show_debrief(transcript)


def _seen(transcript: Transcript) -> str:
    return f"seen_{transcript.id}"


def controls(session: Session, seen: int) -> None:
    """Show the switch of the stance line and the way to end."""
    if session.transcript.over:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle("Show where the other person is", value=True, key="show_stance")
        if session.transcript.exchanges:
            with st.popover("End the conversation"):
                name = session.transcript.scenario.persona.name
                asks = f"{name} decides on what has been said so far. Then you read the debrief."
                st.html(view.paragraph(asks))
                if st.button("End it now", type="primary"):
                    end(session, seen)


def talk(transcript: Transcript) -> None:
    """Show all that was said, each own reply with its critique."""
    name = transcript.scenario.persona.name
    st.html(view.turn(name, transcript.opening.say, live=not transcript.exchanges))
    last = len(transcript.exchanges) - 1
    for n, held in enumerate(transcript.exchanges):
        words = engine().feedback(transcript, n)
        st.html(view.marked_turn("You", held.critique, engine().rubric))
        newest = n == last
        st.html(view.critique(words, held.critique.overall, n + 1, why(words), shown=newest))
        st.html(view.turn(name, held.speech.text, live=newest))
        if newest and not transcript.over and st.session_state.get("show_stance", True):
            st.html(view.stance(name, held.state.stance))
    if transcript.ending:
        st.html(view.between("You ended the conversation"))
        st.html(view.turn(name, transcript.ending.speech.text, live=True))


def why(words: Feedback) -> Citation | None:
    """Return what the article says of the move spoken of, where it speaks of it."""
    from knowledge.links import link

    move = words.missed_move or words.strength_move
    return link(move) if move else None


def take(session: Session, text: str, seen: int) -> None:
    """Take one reply; whatever goes wrong, the typed text is put back."""
    name = session.transcript.scenario.persona.name.split()[0]
    st.html(view.turn("You", text[:LONGEST], own=True))
    try:
        with st.spinner(f"{name} is thinking about it"):
            session.reply(text, at=seen)
    except RehearsalError as wrong:
        said = WENT_ON if isinstance(wrong, ConflictError) else str(wrong)
        st.session_state[f"problem_{session.transcript.id}"] = said
        st.session_state["put_back"] = text
    else:
        st.session_state.pop(f"problem_{session.transcript.id}", None)
        st.session_state[_seen(session.transcript)] = len(session.transcript.exchanges)
    st.rerun()


def end(session: Session, seen: int) -> None:
    """End the conversation, unless it went on elsewhere meanwhile."""
    try:
        with st.spinner("Ending the conversation"):
            session.end(at=seen)
    except RehearsalError as wrong:
        st.session_state[f"problem_{session.transcript.id}"] = str(wrong)
    st.rerun()


def problem(transcript_id: str) -> None:
    """Show what went wrong with the last reply, until the next one is taken."""
    said = st.session_state.get(f"problem_{transcript_id}")
    if said:
        st.html(view.notice(said))


def main() -> None:
    """Show the conversation of the URL."""
    st.set_page_config(page_title="Conversation · Executive Rehearsal", layout="centered")
    if "put_back" in st.session_state:
        st.session_state[BOX] = st.session_state.pop("put_back")
    with telling():
        try:
            with st.spinner("Opening the conversation"):
                session = engine().resume(st.query_params.get("c", ""))
        except NotFound:
            missing = "There is no conversation at this address. Choose one on the first page."
            st.html(view.notice(missing))
            st.page_link("page_rehearse.py", label="All conversations")
            return
        converse(session)


if __name__ == "__main__":
    main()
