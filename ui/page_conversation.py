"""One conversation, by the id in the URL: the brief, the talk, the critique, the debrief."""

import streamlit as st

from agent.domain import Citation, Transcript
from agent.errors import BackendError, ConflictError, NotFound, RehearsalError
from agent.feedback import Feedback
from agent.session import LONGEST, Session
from ui import view
from ui.debrief import show as show_debrief
from ui.sending import Sending, follow
from ui.shared import engine, telling

BOX = "reply"  # the key of the input; what could not be taken is put back into it
WENT_ON = (
    "This conversation went on in another tab or window. It is shown here as it now stands. "
    "What you typed was not sent; it is back in the box below."
)
ENDED = "This conversation ended in another tab or window, or here. What you typed was not sent:"
UNANSWERED = (
    "What you typed last has no answer yet: it broke off, or another tab is still waiting for one. "
    "It is back in the box below. Send it again, or change it first."
)
BOTH = (
    "You sent something more before the answer had come. Neither was stored; both are back in the "
    "box below."
)
BACK = "What you typed is back in the box below."


def converse(session: Session) -> None:
    """Show a conversation and take what the learner does next."""
    transcript = session.transcript
    scenario = transcript.scenario
    recover(transcript)
    unsent = st.session_state.get(BOX) if transcript.over else None
    text = None if transcript.over else st.chat_input("Your reply", key=BOX)
    seen = st.session_state.get(_seen(transcript), len(transcript.exchanges))
    st.html(view.heading(scenario.title, 1))
    with st.expander("The brief", expanded=not transcript.exchanges):
        st.html(view.brief(scenario))
    talk(transcript)
    if text is not None:
        take(session, text, seen)
    controls(session, seen)
    st.session_state[_seen(transcript)] = len(transcript.exchanges)
    problem(transcript)
    if unsent:
        st.html(view.notice(f"{ENDED}\n{unsent}"))
    if transcript.over:
        show_debrief(transcript)


def _seen(transcript: Transcript) -> str:
    return f"seen_{transcript.id}"


def _problem(transcript: Transcript) -> str:
    return f"problem_{transcript.id}"


def _settled(transcript: Transcript) -> str:
    """Name what is there unless a reply may have been broken off: by a click, reload or restart."""
    return f"settled_{transcript.id}"


def recover(transcript: Transcript) -> None:
    """Put what was typed and not answered back into the box, once, and say what happened."""
    if st.session_state.get(_settled(transcript)) and BOX in st.session_state:
        return  # the box is not there where another page was shown meanwhile
    st.session_state[_settled(transcript)] = True
    draft = engine().store.draft(transcript.owner, transcript.id)
    typed = st.session_state.get(BOX)
    if draft is None or typed == draft.text:
        return
    went_on = draft.at != len(transcript.exchanges)
    if typed is None:
        st.session_state[BOX] = draft.text
        st.session_state.setdefault(_problem(transcript), WENT_ON if went_on else UNANSWERED)
        return
    both = f"{draft.text}\n{typed}"
    engine().store.keep_draft(transcript.owner, transcript.id, draft.at, both)
    st.session_state["put_back"] = both
    st.session_state[_problem(transcript)] = BOTH
    st.rerun()


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
        score = view.score(held.critique.overall, engine().rubric)
        st.html(view.critique(words, score, n + 1, why(words), shown=newest))
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
    held = session.transcript
    st.html(view.turn("You", text[:LONGEST], own=True))
    st.session_state.pop(_problem(held), None)
    st.session_state.pop(_settled(held), None)
    try:
        follow(Sending(session, text, seen), held.scenario.persona.name, stopped=_problem(held))
    except RehearsalError as wrong:
        st.session_state[_problem(held)] = said_of(wrong)
        st.session_state["put_back"] = text
    else:
        st.session_state[_seen(held)] = len(session.transcript.exchanges)
    st.session_state[_settled(held)] = True
    st.rerun()


def said_of(wrong: RehearsalError) -> str:
    """Return what is shown of a reply that was not taken."""
    if isinstance(wrong, ConflictError):
        return WENT_ON
    return f"{wrong} {BACK}" if isinstance(wrong, BackendError) else str(wrong)


def end(session: Session, seen: int) -> None:
    """End the conversation, unless it went on elsewhere meanwhile."""
    try:
        with st.spinner("Ending the conversation"):
            session.end(at=seen)
    except RehearsalError as wrong:
        st.session_state[_problem(session.transcript)] = str(wrong)
    st.rerun()


def problem(transcript: Transcript) -> None:
    """Show what went wrong with the last reply, until the next one is taken."""
    said = st.session_state.get(_problem(transcript))
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
