"""Where in a scenario file a line stands, from its id or its cue."""

from typing import Final

STAGE_LINES: Final = ("dodge", "reveal")  # written under the stage they belong to


def place_of(name: str) -> str:
    """Return the place of a line's id or of a cue: `opening.2` stands under `openings.2`."""
    kind, *rest = name.split(".")
    if kind == "opening":
        return ".".join(("openings", *rest))
    if kind in STAGE_LINES and rest:
        return ".".join(("concern", rest[0], kind, *rest[1:]))
    return f"lines.{name}"
