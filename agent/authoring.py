"""For those who write conversations: list them, start one, and lint them, in a terminal."""

import argparse
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.errors import InputError, RehearsalError, ScenarioError
from agent.terminal import emit

if TYPE_CHECKING:
    from agent.engine import Engine
    from prompts.remarks import Remark

ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_ID: Final = 60
LONGEST_TITLE: Final = 80


def scenarios(engine: "Engine", args: argparse.Namespace) -> int:
    """List the conversations, and the files of one's own that are left out."""
    for s in engine.scenarios.values():
        if args.json:
            keys = {"id", "title", "purpose", "difficulty", "practises"}
            emit(s.model_dump(mode="json", include=keys))
        else:
            print(f"{s.id:24} {s.title}\n{'':24} with {s.persona.name}, {s.persona.role}")
    for file, reason in engine.left_out:
        if args.json:
            row = {"kind": ScenarioError.kind, "file": str(file), "message": reason}
            emit({"error": row})
        else:
            print(f"\nLeft out: {file}\n  {reason}\n  `rehearsal lint {file}` lists all of it.")
    return 0


# --- a file to start from ----------------------------------------------------------------------


def new_scenario(engine: "Engine", args: argparse.Namespace) -> int:
    """Write a file to start from into the folder of one's own conversations."""
    title = args.title or args.id.replace("-", " ").capitalize()
    _check_names(args.id, title, engine)
    folder = engine.settings.own_scenarios
    path = folder / f"{args.id}.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_starter(args.id, title))
    except FileExistsError:
        raise InputError(f"{path} is there already. It was not changed. Take another id.") from None
    except OSError as error:
        raise RehearsalError(f"{path} cannot be written: {error}. Nothing was kept.") from error
    print(f"{path}\nWrite in it, then: rehearsal lint {path}")
    return 0


def _check_names(id_: str, title: str, engine: "Engine") -> None:
    if not ID.fullmatch(id_) or len(id_) > LONGEST_ID:
        raise InputError(
            f"{id_!r} cannot be an id: it takes small letters, digits and single hyphens, "
            f"{LONGEST_ID} at most, such as ask-for-two-weeks. Nothing was written."
        )
    if not title.strip() or not title.isprintable() or len(title) > LONGEST_TITLE:
        raise InputError(
            f"The title should be one line of {LONGEST_TITLE} characters at most. Nothing was "
            "written."
        )
    if id_ in engine.scenarios:
        raise InputError(f"There is a conversation {id_!r}. Nothing was written. Take another id.")


def _starter(id_: str, title: str) -> str:
    from prompts import FOLDER

    text = (FOLDER / "starter.yaml").read_text("utf-8")
    # JSON text is YAML text; an id of digits alone would be a number without the quotes
    for name, value in (("ID_HERE", id_), ("TITLE_HERE", title)):
        text = text.replace(name, json.dumps(value, ensure_ascii=False), 1)
    return text


# --- lint --------------------------------------------------------------------------------------


def lint(engine: "Engine", args: argparse.Namespace) -> int:
    """Say all that is wrong, thin or too near in scenario files; 1 where something is wrong."""
    from agent.encoder import default_encoder
    from prompts.lint import lint as look
    from prompts.lint_words import load_style

    style, encode = load_style(), default_encoder().encode
    files = _files(args.files, engine)
    ids = _ids(files)
    levels: list[str] = []
    for path in files:
        taken = {id_ for other, id_ in ids.items() if other != path.resolve()}
        for remark in look(_text(path), encode, style, taken):
            levels.append(remark.level)
            _show(path, remark, args.json)
    if not args.json:
        errors = levels.count("error")
        print(f"{_n(files, 'file')}: {errors} to mend, {len(levels) - errors} to look at.")
    return 1 if "error" in levels else 0


def _files(named: Iterable[Path], engine: "Engine") -> list[Path]:
    """Return the files named, those in folders named, or all there are when none is named."""
    from prompts import FOLDER
    from prompts.own import scenario_files

    found: list[Path] = []
    for path in named:
        inside = scenario_files(path) if path.is_dir() else [path]
        if not inside:
            raise ScenarioError(f"{path}: no scenario files (*.yaml) in this folder.")
        found += inside
    if not found:
        found = scenario_files(FOLDER / "scenarios") + scenario_files(engine.settings.own_scenarios)
    return found


def _ids(files: Iterable[Path]) -> Mapping[Path, str]:
    """Return the ids that files hold: ours, and those of the files that are looked at."""
    from prompts import FOLDER, read
    from prompts.own import scenario_files

    found: dict[Path, str] = {}
    for path in (*scenario_files(FOLDER / "scenarios"), *files):
        try:
            found[path.resolve()] = str(read(path).data.get("id"))
        except ScenarioError:
            continue  # the lint of that file says what is wrong
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path} cannot be read: {error}. Nothing was changed.") from error


def _show(path: Path, remark: "Remark", as_json: bool) -> None:
    if as_json:
        emit({"file": str(path), **remark.model_dump(mode="json")})
        return
    place = f"{remark.place}: " if remark.place else ""
    print(f"{path}:{remark.line or 1}: {remark.level}: {place}{remark.reason}")


def _n(things: Iterable[object], word: str) -> str:
    number = len(list(things))
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def own(engine: "Engine") -> str:
    """Say how a person's own files are. Raises RehearsalError where some are left out."""
    if engine.left_out:
        raise RehearsalError("left out: " + "; ".join(map(str, engine.left_out)))
    folder = engine.settings.own_scenarios
    return f"{len(engine.own)} of your own in {folder}" + (
        "" if folder.is_dir() else " (not there)"
    )
