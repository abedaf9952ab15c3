"""Navigation, and what every page has."""

import streamlit as st

from ui.style import CSS

if __name__ == "__main__":
    st.html(CSS)
    pages = [
        st.Page("page_rehearse.py", title="Rehearse", default=True),
        st.Page(
            "page_conversation.py",
            title="Conversation",
            url_path="conversation",
            visibility="hidden",
        ),
        st.Page("page_ask.py", title="Ask", url_path="ask"),
        st.Page("page_material.py", title="Material", url_path="material"),
        st.Page("page_handbook.py", title="Handbook", url_path="handbook"),
        st.Page("page_article.py", title="The article", url_path="article"),
        st.Page("page_about.py", title="About", url_path="about"),
    ]
    st.navigation(pages, position="top").run()
