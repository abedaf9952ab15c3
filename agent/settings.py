"""Everything that can be configured, in one place: environment variables `REHEARSAL_…`."""

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.errors import RehearsalError


class Settings(BaseSettings):
    """Where things are kept and where the app listens.

    `database_url` is any SQLAlchemy URL; without it the record is a SQLite file in `data_dir`.
    `scenarios_dir` holds conversations of your own, beside the ones that come with the product;
    without it they are in `data_dir` too.
    """

    model_config = SettingsConfigDict(env_prefix="REHEARSAL_", frozen=True, extra="ignore")

    data_dir: Path = Field(default_factory=lambda: user_data_path("executive-rehearsal", False))
    database_url: str | None = None
    scenarios_dir: Path | None = None
    host: str = "localhost"
    port: int = Field(default=8501, ge=1, le=65535)
    owner: str = Field(default="local", min_length=1, max_length=200)

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
        """The folder of the index of the material."""
        return self.data_dir.expanduser() / "library"


def load_settings() -> Settings:
    """Read the environment. Raises RehearsalError that names the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "REHEARSAL_" + str(first["loc"][0]).upper()
        message = f"The setting {name} is wrong: {first['msg']}. Nothing was started."
        raise RehearsalError(message) from error
