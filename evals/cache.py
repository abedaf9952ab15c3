"""Answers of a model, kept by the hash of all it was asked: a run that broke off can go on."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from agent.domain import Usage
from agent.model import Completion, Message, Model

FOLDER: Final = Path(__file__).parents[1] / "build" / "evals" / "answers"


class CachedModel:
    """A model that is asked the same thing once. Safe to share between threads.

    `asked` and `found` count the answers that came from the model and from the folder; `used` is
    what those of the model took, as far as it says. An answer that was not read to its end, or that
    failed, is not kept.
    """

    def __init__(self, model: Model, folder: Path = FOLDER) -> None:
        self.name = model.name
        self.asked = self.found = 0
        self.used: list[Usage] = []
        self._model, self._folder, self._lock = model, folder, threading.Lock()

    def complete(
        self, messages: Sequence[Message], *, schema: type[BaseModel] | None = None, longest: int
    ) -> Completion:
        """Return the kept answer or ask for it; see `agent.model.Model`."""
        file = self._file(messages, schema, longest)
        if kept := self._kept(file):
            return Completion(kept["text"], Usage.model_validate(kept["usage"]))
        answer = self._model.complete(messages, schema=schema, longest=longest)
        self._keep(file, answer.text, answer.usage)
        return answer

    def stream(self, messages: Sequence[Message], *, longest: int) -> Iterator[str]:
        """Give the kept answer in one piece, or ask for it; see `agent.model.Model`."""
        file = self._file(messages, None, longest)
        if kept := self._kept(file):
            yield kept["text"]
            return
        pieces, began = [], time.perf_counter()
        for piece in self._model.stream(messages, longest=longest):
            pieces.append(piece)
            yield piece
        seconds = round(time.perf_counter() - began, 3)
        self._keep(file, "".join(pieces), Usage(tokens_in=None, tokens_out=None, seconds=seconds))

    def _file(
        self, messages: Sequence[Message], schema: type[BaseModel] | None, longest: int
    ) -> Path:
        held_to = schema.model_json_schema() if schema else None
        asked = json.dumps([self.name, list(messages), held_to, longest])
        return self._folder / f"{sha256(asked.encode()).hexdigest()}.json"

    def _kept(self, file: Path) -> dict[str, Any] | None:
        try:
            kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):  # a file cut off by a kill is asked anew
            return None
        with self._lock:
            self.found += 1
        return kept

    def _keep(self, file: Path, text: str, usage: Usage) -> None:
        with self._lock:
            self.asked += 1
            self.used.append(usage)
        file.parent.mkdir(parents=True, exist_ok=True)
        row = {"model": self.name, "text": text, "usage": usage.model_dump()}
        file.write_text(json.dumps(row), "utf-8")
