"""The app: navigation and what every page has. Run it with `rehearsal serve`."""

import streamlit as st

from ui import view

st.set_page_config(page_title="Executive Rehearsal", page_icon="🗣", layout="centered")
st.html(view.CSS)
page = st.navigation(
    [
        st.Page("page_rehearse.py", title="Rehearse", url_path="rehearse", default=True),
        st.Page("page_ask.py", title="Ask", url_path="ask"),
        st.Page("page_about.py", title="About", url_path="about"),
    ],
    position="top",
)
page.run()
