"""The fidelity table with the voice of a model: `python -m evals counterpart --voice llm`.

The critic is the local one, so the states can be compared with those of the authored voice.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

from agent.domain import Scenario
from agent.errors import RehearsalError
from evals.cache import FOLDER, CachedModel
from evals.counterpart import Played, figures, learners_for, play, print_ends, print_table

Job = tuple[Scenario, str, str, list[str], int]


def run(scenarios: Sequence[Scenario], args: argparse.Namespace) -> dict[str, Any]:
    """Play the learners once each with the model of the settings; print and return the table.

    Raises SystemExit where there is none, or its endpoint fails.
    """
    from agent.model import model_of
    from agent.settings import load_settings

    try:
        kept = CachedModel(model_of(load_settings()), args.kept or FOLDER)
    except RehearsalError as error:
        raise SystemExit(str(error)) from error
    by_scenario, voice = played(scenarios, kept, args.workers, args.scripts)
    everything = [*chain(*by_scenario.values())]
    report = {
        "all": figures(everything, []),
        "scenarios": {id_: figures(some, []) for id_, some in by_scenario.items()},
        "voice": voice,
    }
    print_table(report)
    print("\n" + "  ".join(f"{name} {value}" for name, value in voice.items()))
    if args.show:
        print_ends(everything)
    return report


def played(
    scenarios: Sequence[Scenario], model: CachedModel, workers: int, scripts: int | None
) -> tuple[dict[str, list[Played]], dict[str, Any]]:
    """Play the scripts (the first `scripts` of a kind) and return them by scenario, with figures.

    Raises SystemExit where the endpoint fails; what was answered is kept for the next run.
    """
    from agent.llm_voice import LLMVoice
    from agent.local_critic import LocalCritic
    from agent.local_voice import AuthoredVoice

    began = time.perf_counter()
    critic, voice = LocalCritic(), LLMVoice(model, AuthoredVoice())

    def hold(job: Job) -> Played:
        scenario, kind, script, replies, opening = job
        return Played(kind, script, play(scenario, replies, critic, voice, opening))

    jobs = [job for s in scenarios for job in jobs_of(s, learners_for(s.id), scripts)]
    try:
        with ThreadPoolExecutor(workers) as pool:
            done = list(pool.map(hold, jobs))
    except RehearsalError as error:
        raise SystemExit(f"{error} What was answered is kept; run it again to go on.") from error
    by_scenario = {s.id: [p for p in done if p.transcript.scenario.id == s.id] for s in scenarios}
    seconds = round(time.perf_counter() - began, 1)
    return by_scenario, {"name": voice.name, **spoken(done), **counts(model), "seconds": seconds}


def jobs_of(
    scenario: Scenario, learners: Mapping[str, Mapping[str, list[str]]], scripts: int | None
) -> list[Job]:
    """Return the conversations to hold in one scenario; the openings take turns."""
    openings = len(scenario.openings())
    return [
        (scenario, kind, script, replies, n % openings + 1)
        for kind, some in learners.items()
        for n, (script, replies) in enumerate(islice(some.items(), scripts))
    ]


def spoken(done: Sequence[Played]) -> dict[str, Any]:
    """Return how many speeches there are, and the share in which authored lines stand in."""
    speeches = [e.speech for p in done for e in p.transcript.exchanges]
    speeches += [p.transcript.ending.speech for p in done if p.transcript.ending]
    instead = sum(speech.instead is not None for speech in speeches)
    share = round(instead / len(speeches), 4) if speeches else None
    return {"speeches": len(speeches), "authored_instead": share}


def counts(model: CachedModel) -> dict[str, int]:
    """Return how many answers were asked for and how many were kept from before."""
    return {"asked": model.asked, "from_cache": model.found}
