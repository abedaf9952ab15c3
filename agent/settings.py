"""Everything that can be configured, in one place: environment variables `REHEARSAL_…`."""

from pathlib import Path
from typing import Literal, Self

from platformdirs import user_data_path
from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.errors import RehearsalError

Kind = Literal["local", "model"]
Part = Literal["critic", "voice", "answerer"]


class Settings(BaseSettings):
    """Where things are kept and where the app listens.

    `database_url` is any SQLAlchemy URL; without it the record is a SQLite file in `data_dir`.
    `scenarios_dir` holds conversations of your own, beside the ones that come with the product;
    without it they are in `data_dir` too.

    `model` is the language model, `openai:` and its name; where it is and its key are
    `OPENAI_BASE_URL` and `OPENAI_API_KEY`, which the client reads. `critic`, `voice` and `answerer`
    say what does each part; unless told, the model where one is named. `model_timeout` is seconds
    to the first byte and for a whole answer. `model_tokens` (tokens) and `model_spend` (in the
    currency of `model_price_in` and `model_price_out`, per million tokens) are what one run of the
    program may use.
    """

    model_config = SettingsConfigDict(env_prefix="REHEARSAL_", frozen=True, extra="ignore")

    data_dir: Path = Field(default_factory=lambda: user_data_path("executive-rehearsal", False))
    database_url: str | None = None
    scenarios_dir: Path | None = None
    host: str = "localhost"
    port: int = Field(default=8501, ge=1, le=65535)
    owner: str = Field(default="local", min_length=1, max_length=200)
    model: str | None = Field(default=None, min_length=1, max_length=200)
    critic: Kind | None = None
    voice: Kind | None = None
    answerer: Kind | None = None
    model_timeout: float = Field(default=30, gt=0, le=3600)
    model_tokens: int | None = Field(default=None, ge=1)
    model_spend: float | None = Field(default=None, gt=0)
    model_price_in: float | None = Field(default=None, ge=0)
    model_price_out: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _spend_has_prices(self) -> Self:
        if self.model_spend is not None and None in (self.model_price_in, self.model_price_out):
            raise ValueError(
                "REHEARSAL_MODEL_SPEND needs REHEARSAL_MODEL_PRICE_IN and REHEARSAL_MODEL_PRICE_OUT"
            )
        return self

    def engine_of(self, part: Part) -> Kind:
        """Return what does a part; unless told, the model where one is named."""
        told: Kind | None = getattr(self, part)
        return told or ("model" if self.model else "local")

    @property
    def uses_model(self) -> bool:
        """Whether any part asks a model."""
        parts: tuple[Part, ...] = ("critic", "voice", "answerer")
        return any(self.engine_of(part) == "model" for part in parts)

    @property
    def database(self) -> str | Path:
        """The URL, or the path of the SQLite file."""
        return self.database_url or self.data_dir.expanduser() / "rehearsal.db"

    @property
    def own_scenarios(self) -> Path:
        """The folder of a person's own conversations; it may not be there yet."""
        return (self.scenarios_dir or self.data_dir / "scenarios").expanduser()

    @property
    def library_dir(self) -> Path:
        """The folder of the index of the article."""
        return self.data_dir.expanduser() / "library"

    @property
    def material_dir(self) -> Path:
        """The folder of the documents of one's own and their index."""
        return self.data_dir.expanduser() / "material"


def load_settings() -> Settings:
    """Read the environment. Raises RehearsalError that names the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "".join(f" REHEARSAL_{place}".upper() for place in first["loc"][:1])
        message = f"The setting{name} is wrong: {first['msg']}. Nothing was started."
        raise RehearsalError(message) from error
