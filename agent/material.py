"""For those who add material of their own: index files and folders, list them, remove one."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.errors import IndexBusy, InputError
from agent.terminal import emit

if TYPE_CHECKING:
    from agent.engine import Engine
    from knowledge.library import Status
    from knowledge.own import File
    from knowledge.shelf import OwnDocument

THOUSAND: Final = 1000


def index(engine: "Engine", args: argparse.Namespace) -> int:
    """Add files, list or remove documents, say how the index is, or build it where it is stale."""
    _check(args)
    if args.list:
        return _list(engine, as_json=args.json)
    if args.remove is not None:
        return _remove(engine, args.remove, as_json=args.json)
    if args.paths:
        return _add(engine, args.paths, args.replace, as_json=args.json)
    return _status(engine, args)


def _check(args: argparse.Namespace) -> None:
    chosen = [bool(args.paths), args.list, args.remove is not None, args.status]
    if sum(chosen) > 1:
        raise InputError(
            "Of PATH, --list, --remove and --status only one can be done at a time. Nothing was "
            "done."
        )
    if args.replace is not None and len(args.paths) != 1:
        raise InputError("--replace needs the one file that takes the place. Nothing was done.")


def _status(engine: "Engine", args: argparse.Namespace) -> int:
    status = engine.index_status() if args.status else engine.index(progress)
    if args.json:
        emit(asdict(status))
    elif status.stale:
        print(f"The index is not up to date: {status.why_stale}. `rehearsal index` builds it.")
    else:
        documents = len(engine.material.read().documents)
        own = f" and {_n(documents, 'document')} of your own" if documents else ""
        print(f"The index is up to date: {status.passages} passages of the article{own}.")
    if not args.status and status.stale:
        raise IndexBusy("Another process is building the index. Try again when that is done.")
    return 0


# --- adding ------------------------------------------------------------------------------------


def _add(engine: "Engine", paths: Iterable[Path], in_place_of: str | None, *, as_json: bool) -> int:
    """Add files and folders; 1 when a file was refused, and the others are in all the same."""
    outcomes = engine.material.add(files(paths), in_place_of, told)
    for outcome in outcomes:
        if as_json:
            emit(asdict(outcome))
        elif outcome.done == "refused":
            print(f"Refused   {outcome.says}")
        elif outcome.done == "same":
            print(f"Unchanged {outcome.says}")
        else:
            says = f" {outcome.says}" if outcome.says else ""
            print(f"{outcome.done.capitalize():9} {outcome.id}  “{outcome.title}”.{says}")
    refused = sum(outcome.done == "refused" for outcome in outcomes)
    if not as_json:
        held = len(engine.material.read().documents)
        print(f"{_n(held, 'document')} of your own in the material; {refused} refused.")
    return 1 if refused else 0


def files(paths: Iterable[Path]) -> "Iterator[File]":
    """Give the files named and those in folders named, hidden ones left out.

    Of a folder only files of the kinds that are read are taken; a file that is named is always
    tried, so that it is said why it is not taken. Raises InputError.
    """
    from knowledge.documents import READERS

    for path in paths:
        if not path.is_dir():
            yield _file(path, path.name)
            continue
        inside = [p for p in _walk(path) if p.suffix.lower() in READERS]
        if not inside:
            kinds = ", ".join(READERS)
            raise InputError(f"{path}: no files of the kinds that are read ({kinds}) in it.")
        for found in inside:
            yield _file(found, found.relative_to(path).as_posix())


def _walk(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        kept = (name for name in names if not name.startswith((".", "~$")))
        found += [Path(place) / name for name in sorted(kept)]
    return [path for path in found if path.is_file()]


def _file(path: Path, name: str) -> "File":
    from knowledge.own import File

    try:
        size = path.stat().st_size
    except OSError:
        size = 0  # reading it will say what is wrong
    return File(name, path.read_bytes, size)


# --- the documents there are -------------------------------------------------------------------


def _list(engine: "Engine", *, as_json: bool) -> int:
    held = engine.material.read()
    count = passages(engine.material.status())
    for d in held.documents:
        if as_json:
            emit(row(d, count.get(d.id, 0)))
        else:
            print(f"{d.id:24} “{d.title}”\n{'':24} {facts(d, count.get(d.id, 0))}")
            if d.remark:
                print(f"{'':24} {d.remark}")
    for reason in held.left_out:
        if as_json:
            emit({"error": {"kind": "source", "message": reason}})
        else:
            print(f"Left out: {reason}")
    if not held.documents and not as_json:
        print("No documents of your own yet. `rehearsal index PATH` adds files or a folder.")
    return 0


def row(document: "OwnDocument", count: int) -> dict[str, Any]:
    """Return what is known of a document, without its text."""
    return document.model_dump(exclude={"text", "pages", "reader"}) | {"passages": count}


def passages(status: "Status") -> dict[str, int]:
    """Return the number of passages of each document by its id."""
    return {source.id: source.passages for source in status.sources}


def facts(document: "OwnDocument", count: int) -> str:
    """Return the line under a title: its file, passages, date and size."""
    day = datetime.fromisoformat(document.added_at).astimezone().strftime("%Y-%m-%d")
    return f"{document.file} · {_n(count, 'passage')} · added {day} · {size(document.size)}"


def size(count: int) -> str:
    """Return a number of bytes as it is read: 900 bytes, 12 kB, 3.4 MB."""
    if count < THOUSAND:
        return _n(count, "byte")
    if count < THOUSAND**2:
        return f"{count / THOUSAND:.0f} kB"
    return f"{count / THOUSAND**2:.1f} MB"


def _remove(engine: "Engine", name: str, *, as_json: bool) -> int:
    gone = engine.material.remove(name, told)
    if as_json:
        emit({"removed": gone.id, "title": gone.title})
    else:
        print(f"Removed {gone.id}  “{gone.title}”. Your file {gone.file} was not touched.")
    return 0


def _n(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


# --- how far it is -----------------------------------------------------------------------------


def told(what: str, done: int, of: int) -> None:
    """Show how far it is, on a terminal only."""
    if sys.stderr.isatty():
        end = "\n" if done == of else ""
        print(f"\r{what}: {done} of {of}", end=end, file=sys.stderr, flush=True)


def progress(done: int, of: int) -> None:
    """Show how far a build has come, on a terminal only."""
    told("Indexing the material", done, of)
