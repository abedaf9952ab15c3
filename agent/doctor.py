"""What works here and what does not: `rehearsal doctor`."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import RehearsalError

if TYPE_CHECKING:
    from agent.engine import Engine

OWN: Final = "own scenarios"  # a file of one's own that is left out does not stop the main job
ANSWER: Final = 1_000  # tokens; a model that thinks first needs most of them
SHOWN: Final = 40  # characters of an answer

Check = Callable[[], object]


class Colour(BaseModel):
    """What a model is asked for, to see whether it can be held to a schema."""

    model_config = ConfigDict(extra="forbid")

    colour: str


def examine(engine: "Engine") -> dict[str, tuple[bool, str]]:
    """Return, for each part, whether it works and what there is to say of it."""
    return {name: _checked(check) for name, check in _checks(engine).items()}


def main_job(found: dict[str, tuple[bool, str]]) -> bool:
    """Tell whether the main job can run."""
    return all(works for name, (works, _) in found.items() if name != OWN)


def _checks(engine: "Engine") -> dict[str, Check]:
    from agent import authoring

    checks: dict[str, Check] = {
        "python": lambda: sys.version.split()[0],
        "scenarios": lambda: f"{len(engine.scenarios)} conversations, all valid",
        OWN: lambda: authoring.own(engine),
        "rubric": lambda: f"{len(engine.rubric.moves)} moves",
        "database": lambda: _database(engine),
        "critic": lambda: _critic(engine),
        "encoder": lambda: f"{len(engine.library.encoder.encode(['one']))} vector made",
        "index": lambda: f"{engine.index().passages} passages in {engine.settings.library_dir}",
    }
    if engine.settings.uses_model:
        checks |= {
            "model": lambda: _answers(engine),
            "model streams": lambda: _streams(engine),
            "model JSON": lambda: _keeps_to_a_schema(engine),
        }
    return checks


def _database(engine: "Engine") -> str:
    problems = engine.store.integrity()
    if problems:
        raise RehearsalError("; ".join(problems))
    return f"{engine.settings.database}: whole"


def _critic(engine: "Engine") -> str:
    if engine.settings.engine_of("critic") == "model":
        return engine.critic.name
    from agent.local_critic import default_critic

    differing, of = default_critic().differing()
    if differing:
        raise RehearsalError(
            f"it reads {differing} of {of} replies otherwise than when it was made. Install again."
        )
    return f"{engine.critic.name}: reads {of} replies as it did when it was made"


def _answers(engine: "Engine") -> str:
    model = engine.model
    said = model.complete([("user", "Answer with one word: ready.")], longest=ANSWER)
    counts = "does not count" if said.usage.tokens_out is None else "counts"
    left_out = ", ".join(sorted(model.refused))
    without = f"; it takes no {left_out}" if left_out else ""
    return (
        f"{model.name} says “{_short(said.text)}” in {said.usage.seconds:.1f} s and {counts} its "
        f"tokens{without}"
    )


def _streams(engine: "Engine") -> str:
    began = time.perf_counter()
    pieces, first = 0, 0.0
    for _ in engine.model.stream([("user", "Say good morning.")], longest=ANSWER):
        first = first or time.perf_counter() - began
        pieces += 1
    if pieces == 1:
        return f"an answer comes whole, after {first:.1f} s"
    return f"the first words after {first:.1f} s, {pieces} pieces in all"


def _keeps_to_a_schema(engine: "Engine") -> str:
    """Ask with a schema that the words do not mention."""
    said = engine.model.complete([("user", "Name one colour.")], schema=Colour, longest=ANSWER)
    try:
        Colour.model_validate_json(said.text)
    except ValidationError:
        return "it is not held to a JSON schema; the schema is in the prompt all the same"
    return "it is held to a JSON schema"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def _checked(check: Check) -> tuple[bool, str]:
    try:
        return True, str(check())
    except Exception as error:  # a doctor reports whatever is wrong
        return False, f"{error}"
