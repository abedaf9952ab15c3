"""About: what is scored and how, where data lives, whose text the material is."""

import streamlit as st

from ui.shared import engine


def main() -> None:
    """Show the page."""
    st.title("About")
    st.write(
        "Every finding stands on an exact run of your words. Length, fluency, confidence and "
        "vocabulary earn nothing; a reply with no good move scores 2 of 4 at most. The same "
        "conversation always gets the same score. Everything runs on this machine: no key, no "
        "network."
    )
    st.header("What the coach listens for")
    for text in engine().rubric.moves.values():
        kind = "" if text.good else " (works against you)"
        st.text(f"{text.name}{kind}: {text.present}.")
    st.header("Your record")
    st.text(f"Conversations are kept in {engine().settings.data_dir}. They are yours.")
    st.header("The material")
    st.write(
        "“The Manager to Executive Transition – Good Work to Great Value”, an article of the "
        "Institute for Generative Leadership. The text is theirs; the licence of this project "
        "(Apache-2.0) does not cover it."
    )


main()
