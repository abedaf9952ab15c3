"""What the commands write for a program to read: one JSON object a line."""

import json
from typing import Any


def emit(value: Any) -> None:
    """Print a value as one line of JSON at once, text as it is typed."""
    print(json.dumps(value, ensure_ascii=False), flush=True)
