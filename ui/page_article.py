"""The article: the whole text, with the words of ?from=&to= marked and brought into view."""

import streamlit as st

from ui import view, view_debrief
from ui.shared import bring_into_view, telling

WHOSE = (
    "An article of the Institute for Generative Leadership. The text is theirs and not covered by "
    "the licence of this app."
)


def run() -> tuple[int, int]:
    """Return the offsets of the URL; (0, 0) when there are none or they are not numbers."""
    start, end = (st.query_params.get(name, "") for name in ("from", "to"))
    whole = start.isascii() and start.isdigit() and end.isascii() and end.isdigit()
    return (int(start[:9]), int(end[:9])) if whole else (0, 0)


def main() -> None:
    """Show the article."""
    from knowledge.passages import passages
    from knowledge.sources import article

    st.set_page_config(page_title="The article · Executive Rehearsal", layout="centered")
    with telling():
        source = article()
        title, *rest = passages(source.text, source.id)
        st.html(view.heading(title.text, 1, WHOSE))
        start, end = run()
        st.html(view_debrief.article(rest, start, end))
        if start < end:
            bring_into_view()


if __name__ == "__main__":
    main()
