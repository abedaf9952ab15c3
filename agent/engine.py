"""Where the parts are put together, for the command line and the app; each loads when used."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from agent.domain import Answer, Capability, Citation, Scenario, Transcript
from agent.settings import Settings, load_settings

if TYPE_CHECKING:
    from agent.debrief import Debrief
    from agent.feedback import Feedback
    from agent.llm_answerer import LLMAnswerer
    from agent.model import ChatModel
    from agent.session import Critic, Session, Voice
    from agent.store import SqlStore
    from knowledge.answer import Answerer
    from knowledge.library import Library, Status
    from knowledge.own import OwnMaterial
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
    def model(self) -> "ChatModel":
        """The language model. Raises NoModel with what to set."""
        from agent.model import model_of

        return model_of(self.settings)

    @cached_property
    def critic(self) -> "Critic":
        """What reads replies, as the settings say. Raises NoModel."""
        if self.settings.engine_of("critic") == "model":
            from agent.llm_critic import LLMCritic

            return LLMCritic(self.model, self.rubric)
        from agent.local_critic import default_critic

        return default_critic()

    @cached_property
    def voice(self) -> "Voice":
        """What says the counterpart's words, as the settings say. Raises NoModel."""
        from agent.local_voice import AuthoredVoice

        if self.settings.engine_of("voice") == "model":
            from agent.llm_voice import LLMVoice

            return LLMVoice(self.model, fallback=AuthoredVoice())
        return AuthoredVoice()

    @cached_property
    def library(self) -> "Library":
        """The indexed article."""
        from agent.encoder import default_encoder
        from knowledge.library import Library

        return Library(self.settings.library_dir, default_encoder())

    @cached_property
    def material(self) -> "OwnMaterial":
        """The documents of one's own and their index."""
        from agent.encoder import default_encoder
        from knowledge.own import OwnMaterial

        return OwnMaterial(self.settings.material_dir, default_encoder())

    @cached_property
    def answerer(self) -> "Answerer | LLMAnswerer":
        """What answers questions, as the settings say. Raises NoModel."""
        from knowledge.answer import Answerer

        local = Answerer(self.library, self.material.library)
        if self.settings.engine_of("answerer") == "model":
            from agent.llm_answerer import LLMAnswerer

            return LLMAnswerer(self.model, local)
        return local

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

    def transcript(self, name: str) -> Transcript:
        """Return a conversation of this owner's by its id, or the first characters of it.

        Raises NotFound where none or more than one begins so, StoreError.
        """
        from agent.errors import NotFound

        owner = self.settings.owner
        found = [s.id for s in self.store.summaries(owner) if name and s.id.startswith(name)]
        if len(found) > 1 and name not in found:
            raise NotFound(
                f"{len(found)} conversations begin with {name!r}. Give more of the id: "
                "`rehearsal list` shows them."
            )
        return self.store.load(owner, found[0] if len(found) == 1 else name)

    def debrief(self, transcript: Transcript) -> "Debrief":
        """Return what a conversation showed."""
        from agent.debrief import debrief

        return debrief(transcript, self.rubric, self._practised_by())

    def feedback(self, transcript: Transcript, n: int) -> "Feedback":
        """Return the words of the critique under reply `n` (0-based)."""
        from agent.feedback import feedback

        return feedback(transcript, n, self.rubric)

    def written(self, transcript: Transcript, form: str) -> str:
        """Return a conversation with its critiques and debrief as `html`, `md` or `json`."""
        from agent import export
        from agent.report import report

        result = self.debrief(transcript)
        words = [self.feedback(transcript, n) for n in range(len(transcript.exchanges))]
        if form == "json":
            return export.as_json(transcript, words, result)
        whole = report(transcript, words, result, self.rubric)
        return export.as_html(whole) if form == "html" else export.as_markdown(whole)

    def index(self, progress: Progress | None = None) -> "Status":
        """Build the indexes where they are missing or stale; return how they are then.

        While another process indexes documents of one's own, the index there is stays in use.
        """
        from knowledge.sources import article

        def told(what: str, done: int, of: int) -> None:
            if progress:
                progress(done, of)

        if self.library.status([article()]).stale:
            self.library.build([article()], progress)
        self.material.ready(told)
        return self.index_status()

    def index_status(self) -> "Status":
        """Tell how the index of the article and that of one's own documents are."""
        from knowledge.sources import article

        return self.library.status([article()]).and_of(self.material.status())

    def where(self, citation: Citation) -> tuple[str, str]:
        """Return the title of what is quoted, and the page or slide where it has them."""
        from knowledge.sources import article

        for source in (article(), *self.material.read().sources):
            if source.id == citation.source:
                return source.title, source.page_at(citation.start)
        return citation.source, ""

    def ask(self, question: str, after: str | None = None) -> Answer:
        """Answer from the material; `after` is the earlier question a follow-up leans on."""
        self.index()
        return self.answerer.answer(question, after)

    def practise(self, answer: Answer) -> tuple[str, ...]:
        """Return the ids of the conversations that practise an answer; none where none does."""
        from knowledge.links import practise

        return practise(answer, self.scenarios)

    def handbook(self) -> str:
        """Return the handbook as a page of HTML that needs nothing else. Raises ScenarioError."""
        from knowledge.handbook import handbook
        from knowledge.handbook_page import page

        return page(handbook(), self.rubric, self.scenarios)

    def _practised_by(self) -> dict[Capability, tuple[str, ...]]:
        return {
            capability: tuple(s.id for s in self.scenarios.values() if capability in s.practises)
            for capability in Capability
        }
