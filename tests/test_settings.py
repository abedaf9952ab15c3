from pathlib import Path

import pytest

from agent.errors import RehearsalError
from agent.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"REHEARSAL_{name.upper()}", raising=False)


def test_the_record_is_a_file_in_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_DATA_DIR", "/somewhere")
    settings = load_settings()
    assert settings.database == Path("/somewhere/rehearsal.db")
    assert settings.library_dir == Path("/somewhere/library")


def test_a_url_takes_the_place_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_DATABASE_URL", "postgresql://somewhere/record")
    assert load_settings().database == "postgresql://somewhere/record"


def test_the_app_listens_on_this_machine_only_unless_told() -> None:
    assert load_settings().host in ("localhost", "127.0.0.1")


def test_nothing_is_created_by_reading_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load_settings().data_dir.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_PORT", "eighty")
    with pytest.raises(RehearsalError, match="REHEARSAL_PORT"):
        load_settings()
