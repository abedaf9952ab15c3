"""Where the parts are put together, for the command line and the app; each loads when used."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from agent.domain import Answer, Capability, Scenario, Transcript
from agent.settings import Settings, load_settings

if TYPE_CHECKING:
    from agent.debrief import Debrief
    from agent.feedback import Feedback
    from agent.session import Critic, Session, Voice
    from agent.store import SqlStore
    from knowledge.answer import Answerer
    from knowledge.library import Library, Status
    from prompts import Rubric
    from prompts.own import LeftOut, OwnScenarios

Progress = Callable[[int, int], None]  # texts encoded, texts in all


class Engine:
    """The product without a face: conversations, their debriefs, and the material."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or load_settings()

    @cached_property
    def _ours(self) -> dict[str, Scenario]:
        from prompts import load_scenarios

        return load_scenarios()

    @cached_property
    def _own(self) -> "OwnScenarios":
        from prompts.own import OwnScenarios

        return OwnScenarios(self.settings.own_scenarios, self._ours.keys())

    @property
    def scenarios(self) -> dict[str, Scenario]:
        """All conversations, ours first. Raises ScenarioError where one of ours is wrong."""
        return {**self._ours, **self.own}

    @property
    def own(self) -> dict[str, Scenario]:
        """The conversations of the person's own folder, as it is now."""
        return self._own.read().scenarios

    @property
    def left_out(self) -> "tuple[LeftOut, ...]":
        """The person's own files that cannot be played, each with the reason."""
        return self._own.read().left_out

    @cached_property
    def rubric(self) -> "Rubric":
        """The moves and capabilities."""
        from prompts import load_rubric

        return load_rubric()

    @cached_property
    def store(self) -> "SqlStore":
        """The record. Raises StoreError when used and not readable."""
        from agent.store import SqlStore

        return SqlStore(self.settings.database)

    @cached_property
    def critic(self) -> "Critic":
        """The local critic."""
        from agent.local_critic import default_critic

        return default_critic()

    @cached_property
    def voice(self) -> "Voice":
        """The authored voice."""
        from agent.local_voice import AuthoredVoice

        return AuthoredVoice()

    @cached_property
    def library(self) -> "Library":
        """The indexed material."""
        from agent.encoder import default_encoder
        from knowledge.library import Library

        return Library(self.settings.library_dir, default_encoder())

    @cached_property
    def _answerer(self) -> "Answerer":
        from knowledge.answer import Answerer

        return Answerer(self.library)

    def scenario(self, name: str) -> Scenario:
        """Return a scenario by id. Raises NotFound with the ids there are."""
        from agent.errors import NotFound

        if name not in self.scenarios:
            there = ", ".join(self.scenarios)
            raise NotFound(f"There is no conversation {name!r}. There are: {there}.")
        return self.scenarios[name]

    def start(self, name: str, opening: int = 1) -> "Session":
        """Begin a conversation. Raises NotFound, StoreError."""
        from agent.session import Session

        scenario = self.scenario(name)
        self.voice.prepare(scenario)
        return Session.start(
            scenario,
            self.settings.owner,
            critic=self.critic,
            voice=self.voice,
            store=self.store,
            opening=opening,
        )

    def resume(self, transcript_id: str) -> "Session":
        """Go on with a conversation of this owner's. Raises NotFound, StoreError."""
        from agent.session import Session

        return Session.resume(
            transcript_id,
            self.settings.owner,
            critic=self.critic,
            voice=self.voice,
            store=self.store,
        )

    def debrief(self, transcript: Transcript) -> "Debrief":
        """Return what a conversation showed."""
        from agent.debrief import debrief

        return debrief(transcript, self.rubric, self._practised_by())

    def feedback(self, transcript: Transcript, n: int) -> "Feedback":
        """Return the words of the critique under reply `n` (0-based)."""
        from agent.feedback import feedback

        return feedback(transcript, n, self.rubric)

    def index(self, progress: Progress | None = None) -> "Status":
        """Build the index of the material where it is missing or stale; return its status."""
        from knowledge.sources import article

        sources = [article()]
        status = self.library.status(sources)
        if not status.stale:
            return status
        self.library.build(sources, progress)
        return self.library.status(sources)

    def ask(self, question: str, after: str | None = None) -> Answer:
        """Answer from the material; `after` is the earlier question a follow-up leans on."""
        self.index()
        return self._answerer.answer(question, after)

    def _practised_by(self) -> dict[Capability, tuple[str, ...]]:
        return {
            capability: tuple(s.id for s in self.scenarios.values() if capability in s.practises)
            for capability in Capability
        }
