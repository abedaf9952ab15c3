"""Documents of each format, made with the libraries that people's programs are like."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import docx
import pptx
from pptx.util import Inches
from pypdf import PdfReader, PdfWriter
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

BODY = (
    "A delegation talk has three parts, and most people leave out the second one. Say what the "
    "result is, ask what the other person needs, and agree on a day when you both look at it."
)


def pdf(pages: Sequence[Sequence[tuple[str, str]]], footer: str = "") -> bytes:
    """Return a PDF; each page is a run of (style of reportlab, text)."""
    styles = getSampleStyleSheet()
    story: list[Any] = []
    for page in pages:
        story += [Paragraph(text, styles[style]) for style, text in page]
        story.append(PageBreak())
    out = io.BytesIO()

    def foot(canvas: Any, made: Any) -> None:
        if footer:
            canvas.drawString(60, 30, footer)
            canvas.drawRightString(540, 30, f"Page {made.page} of {len(pages)}")

    SimpleDocTemplate(out).build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def scan(pages: int = 2) -> bytes:
    """Return a PDF of pages with a drawing and no text."""
    out = io.BytesIO()
    canvas = Canvas(out)
    for _ in range(pages):
        canvas.rect(100, 100, 200, 300, fill=1)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def encrypted(data: bytes, password: str = "secret") -> bytes:
    """Return a PDF that opens with a password only."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def word(fill: Callable[[Any], None]) -> bytes:
    """Return a Word document."""
    document = docx.Document()
    fill(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def slides(texts: Sequence[tuple[str, Sequence[str], str]]) -> bytes:
    """Return a PowerPoint file; each slide has a title, points and notes."""
    deck = pptx.Presentation()
    for title, points, notes in texts:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text_frame.text = "\n".join(points)
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def slide_with_table() -> bytes:
    """Return a PowerPoint file whose slide has no title, a table and a grouped box."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    table = slide.shapes.add_table(1, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "Lead", "Monday"
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 100, 100).text_frame.text = "Grouped words stand here."
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()
