"""The questions put to a model: `python -m evals answers --answerer llm`.

Answers are kept by all that was asked, so a run that was broken off goes on where it was.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from typing import Any

from agent.errors import BackendError
from agent.llm_answerer import LLMAnswerer
from evals.answers import Result
from evals.cache import FOLDER, CachedModel
from evals.kept import STOPS, counting, side_by_side, taken
from knowledge.answer import Answerer

Case = Mapping[str, Any]


def answer_all(
    local: Answerer, cases: Sequence[Case], args: argparse.Namespace
) -> tuple[list[Result], dict[str, Any]]:
    """Answer with the model of the settings, several questions at a time; return what it took.

    A question whose answer failed is in no figure. Raises SystemExit where every one would fail.
    """
    from agent.model import model_of
    from agent.settings import load_settings

    began = time.perf_counter()
    try:
        model = CachedModel(model_of(load_settings()), args.kept or FOLDER)
        answerer = LLMAnswerer(model, local)
        results, failures = _asked(answerer, cases, args.workers)
    except BackendError as error:
        raise SystemExit(f"{error} What was answered is kept; run it again to go on.") from error
    if not results and failures:
        raise SystemExit(f"No question could be answered: {failures[0]}")
    usages = [result.answer.usage for result in results if result.answer.usage]
    used = {
        "n": len(usages),
        "asked": model.asked,
        "failed": len(failures),
        "waited": round(time.perf_counter() - began, 1),
        **taken(usages, args.price_in, args.price_out),
    }
    return results, {"answerer": answerer.name, "used": used}


def _asked(
    answerer: LLMAnswerer, cases: Sequence[Case], workers: int
) -> tuple[list[Result], list[str]]:
    """Return the results in the order of the cases, and why others have none."""
    failures: list[str] = []

    def ask(case: Case) -> Result | None:
        question = case["question"]
        try:
            answer = answerer.answer(question)
        except STOPS:
            raise
        except BackendError as error:
            failures.append(f"{type(error).__name__}: {error}")
            return None
        return Result(case, answer, answerer.rank(question).passages)

    told = side_by_side(ask, cases, workers, counting("answered"))
    return [result for result in told if result], failures
