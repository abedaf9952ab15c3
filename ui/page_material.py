"""Material: the documents that Ask quotes beside the article; add, replace, remove, read them."""

from collections.abc import Callable, Iterable

import streamlit as st

from agent import material
from agent.errors import NotFound
from knowledge.documents import MAX_BYTES
from knowledge.own import File, Outcome, Progress
from knowledge.shelf import OwnDocument
from ui import view, view_debrief
from ui.job import Job, current, start
from ui.page_article import run
from ui.shared import bring_into_view, engine, telling

KINDS = ("pdf", "docx", "pptx", "html", "htm", "md", "markdown", "txt")
INTRO = (
    "Ask quotes the article that comes with the app and the documents listed here. Everybody who "
    "uses this app on this computer asks the same material."
)
EMPTY = (
    "No documents of your own yet. Choose files above, press Add, and ask about them on the page "
    "Ask."
)
LIMITS = (
    "PDF, Word (.docx), PowerPoint (.pptx), HTML, Markdown or text; up to 50 MB and 2 million "
    "characters a file. The files stay on this computer."
)
FIXED = "The article of the Institute. It comes with the app and stays."
AROUND = 30  # passages shown before and after the quoted one
AT_MOST = 300  # passages of a document on one page


def main() -> None:
    """Show the documents, or one of them where the URL names it."""
    st.set_page_config(page_title="Material · Executive Rehearsal", layout="centered")
    with telling():
        name = st.query_params.get("id")
        if name:
            read(name)
        else:
            st.html(view.heading("Material", 1, INTRO))
            work()
            listed()


# --- what is going on --------------------------------------------------------------------------


def work() -> None:
    """Show how far the present work is, or what became of the last, and take more."""
    job = current()
    if job is not None and job.running:
        watched(job)
        return
    if job is not None and (job.outcomes or job.problem):
        told(job)
    uploaded()


@st.fragment(run_every=1.0)
def watched(job: Job) -> None:
    """Show how far it is, and the page anew when it is done."""
    if not job.running:
        st.rerun(scope="app")
    st.progress(job.share)  # its label would be read as Markdown, and a file's name is no markup
    st.html(view.paragraph(f"{job.says}. You may leave this page; the work goes on.", "quiet"))


def told(job: Job) -> None:
    """Say what became of each file."""
    if job.problem:
        st.html(view.notice(job.problem))
    for outcome in job.outcomes:
        st.html(view.notice(sentence(outcome), calm=outcome.done != "refused"))


def sentence(outcome: Outcome) -> str:
    """Return what became of a file in words."""
    done = {"added": "was added", "replaced": "was replaced by the new version"}
    if outcome.done in done:
        return f"“{outcome.title}” {done[outcome.done]}. {outcome.says}".rstrip()
    return outcome.says


# --- what a person can do ----------------------------------------------------------------------


def uploaded() -> None:
    """Take files."""
    st.html(view.paragraph(LIMITS, "quiet"))
    chosen = picked("Add files", "add", several=True)
    if st.button("Add", key="add_files", disabled=not chosen):
        begin(lambda progress: engine().material.add(chosen, progress=progress))


def picked(label: str, key: str, *, several: bool) -> list[File]:
    """Return the files a person chose; the box is empty again once work has begun."""
    turn = st.session_state.setdefault("uploads", 0)
    given = st.file_uploader(
        label,
        type=list(KINDS),
        accept_multiple_files=several,
        key=f"{key}_{turn}",
        max_upload_size=MAX_BYTES // 1_000_000,
    )
    found = given if isinstance(given, list) else [given] if given is not None else []
    return [File(one.name, one.getvalue, one.size) for one in found]


def begin(job: Callable[[Progress], Iterable[Outcome]]) -> None:
    """Start work that goes on while the page is drawn anew."""
    st.session_state["uploads"] = st.session_state.get("uploads", 0) + 1
    start(job)
    st.rerun()


def listed() -> None:
    """List the documents, the article first."""
    from knowledge.sources import article

    st.html(view.heading("What is asked"))
    counts = material.passages(engine().material.status())
    st.html(view.entry(article().title, FIXED))
    held = engine().material.read()
    for document in held.documents:
        one(document, counts.get(document.id, 0))
    for reason in held.left_out:
        st.html(view.notice(reason))
    if not held.documents:
        st.html(view.paragraph(EMPTY, "quiet"))


def one(document: OwnDocument, count: int) -> None:
    """Show a document and what can be done with it."""
    with st.container(border=True):
        st.html(view.entry(document.title, material.facts(document, count)))
        if document.remark:
            st.html(view.paragraph(document.remark, "quiet"))
        with st.container(horizontal=True):
            if st.button("Read", key=f"read_{document.id}"):
                st.query_params["id"] = document.id
                st.rerun()
            replace(document)
            remove(document)


def replace(document: OwnDocument) -> None:
    """Offer to put a new version in the place of a document."""
    with st.popover("Replace"):
        chosen = picked("The new version", f"new_{document.id}", several=False)
        if st.button("Replace it", key=f"replace_{document.id}", disabled=not chosen):
            begin(lambda progress: engine().material.add(chosen, document.id, progress))


def remove(document: OwnDocument) -> None:
    """Offer to take a document out."""
    with st.popover("Remove"):
        st.html(view.paragraph("Ask will not quote it any more. Your file is not touched."))
        if st.button("Remove it", key=f"remove_{document.id}"):
            begin(lambda progress: removed(document.id, progress))


def removed(name: str, progress: Progress) -> list[Outcome]:
    """Take a document out and say so."""
    gone = engine().material.remove(name, progress)
    return [Outcome(gone.file, "same", gone.id, gone.title, f"“{gone.title}” was removed.")]


# --- reading one -------------------------------------------------------------------------------


def read(name: str) -> None:
    """Show a document as it was read, with the words of ?from=&to= marked."""
    from knowledge.passages import passages

    documents = {d.id: d for d in engine().material.read().documents}
    if name not in documents:
        raise NotFound("This document is not in the material any more. Choose Material above.")
    document = documents[name]
    start_, end = run()
    found = passages(document.text, document.id)
    first = next((n for n, p in enumerate(found) if p.end > start_), 0) if start_ < end else 0
    shown = found[max(0, first - AROUND) :][:AT_MOST]
    st.html(view.heading(document.title, 1, f"As it was read from {document.file}."))
    if len(shown) < len(found):
        part = f"{len(shown)} of its {len(found)} passages, around the words that are quoted."
        st.html(view.paragraph(part, "quiet"))
    st.html(view_debrief.article(shown, start_, end))
    if start_ < end:
        bring_into_view()


if __name__ == "__main__":
    main()
