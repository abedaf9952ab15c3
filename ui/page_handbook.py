"""The handbook: the transition by the article's own words, to read, to print and to keep."""

import streamlit as st

from ui import view
from ui.shared import engine, telling

TO_PRINT = "Print this page from the browser, or keep it as a file. A place opens in a new tab."
# What surrounds the handbook in the app is left off the paper.
PRINTED = """
@media print{[data-testid=stHeader],[data-testid=stSidebar],.st-key-keep{display:none!important}
.stApp,.stApp *{color-scheme:light}html,body,.stApp{background:#fff!important}
.stApp [data-testid=stMainBlockContainer]{padding:0!important;max-width:none!important}}
"""


def main() -> None:
    """Show the handbook."""
    from knowledge.handbook import handbook
    from knowledge.handbook_page import CSS, body

    st.set_page_config(page_title="Handbook · Executive Rehearsal", layout="centered")
    with telling():
        rubric, scenarios = engine().rubric, engine().scenarios
        whole = body(handbook(), rubric, scenarios, view.address)
        st.html(f"<style>{CSS}{PRINTED}</style>{whole}")
        with st.container(key="keep"):
            st.html(view.paragraph(TO_PRINT, "quiet"))
            st.download_button(
                "Save as HTML", engine().handbook, "handbook.html", on_click="ignore"
            )
            st.page_link("page_rehearse.py", label="All conversations")


if __name__ == "__main__":
    main()
