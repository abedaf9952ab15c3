"""About: what is scored and how, where data lives, licence and source."""

import streamlit as st

from ui import view, view_debrief
from ui.shared import engine, telling

SCORED = (
    "Every finding is an exact run of your own words; what cannot be found in your reply is not "
    "counted. Length, fluency, confidence and vocabulary earn nothing. A reply with no good move "
    "scores 2 of 4 at most. The same conversation always gets the same score. The critic is a "
    "small model and errs; where it is not sure, it asks."
)
TRUST = (
    "What you say moves the other person's trust. What they are worried about comes out in layers, "
    "each when trust has reached it and you have said something they listen for. They decide when "
    "there is something to decide. The debrief shows each step."
)
LICENCE = (
    "The app is under the Apache License 2.0. The article, “The Manager to Executive Transition – "
    "Good Work to Great Value”, is the Institute for Generative Leadership's and is not covered by "
    "it."
)


def main() -> None:
    """Show the page."""
    st.set_page_config(page_title="About · Executive Rehearsal", layout="centered")
    st.html(view.heading("About", 1))
    st.html(view.heading("What is scored"))
    st.html(view.paragraph(SCORED))
    st.html(view.paragraph(TRUST))
    with telling():
        st.html(view.heading("The moves"))
        st.html(view_debrief.moves(engine().rubric))
        st.html(view.heading("Your data"))
        where = engine().settings.data_dir
        st.html(
            view.paragraph(
                f"Conversations are kept on this machine, in {where}. Nothing is sent anywhere. "
                "Questions to the material stand in the address of the page and are not stored."
            )
        )
    st.html(view.heading("Licence and source"))
    st.html(view.paragraph(LICENCE))
    st.page_link("page_article.py", label="Read the article")


if __name__ == "__main__":
    main()
