"""Rendered prompts, kept as they are: `<name>.v<version>.txt`."""

from collections.abc import Sequence
from pathlib import Path

from prompts.render import load

FOLDER = Path(__file__).parent


def kept(name: str, messages: Sequence[tuple[str, str]]) -> bool:
    """Tell whether a rendered prompt is what was kept for its version.

    A version nobody has kept yet is written, and the test fails this once: look at it and keep it.
    """
    text = "".join(f"=== {role} ===\n{said}\n" for role, said in messages)
    file = FOLDER / f"{name}.v{load(name).version}.txt"
    if not file.exists():
        file.write_text(text, "utf-8")
        return False
    return file.read_text("utf-8") == text
