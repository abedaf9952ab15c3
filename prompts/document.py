"""A YAML file as data, with the line of the file that each place of it stands on. No I/O."""

from typing import Any, Final, NamedTuple

import yaml

LONGEST: Final = 1_000_000  # characters of one file
DEEPEST: Final = 20  # mappings and lists within each other; libyaml's own recursion has no bound


class Problem(NamedTuple):
    """What is wrong, and where: keys and numbers from 1, joined by dots (`lines.general.3`)."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


class Unreadable(Exception):
    """A text is not a YAML mapping. `line` is where, from 1, if that is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


class Document(NamedTuple):
    """The keys of a file, and the line (from 1) of each of its places."""

    data: dict[str, Any]
    lines: dict[str, int]

    def line(self, place: str) -> int | None:
        """Return the line of a place, or of the nearest place around it that is in the file."""
        while place and place not in self.lines:
            place = place.rpartition(".")[0]
        return self.lines.get(place)


def parse(text: str) -> Document:
    """Read the text of a file. Raises Unreadable."""
    if len(text) > LONGEST:
        raise Unreadable(f"the file has {len(text):,} characters; {LONGEST:,} at most are read")
    try:
        _refuse_depth(text)
        loader = _Loader(text)
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as problem:
        raise _unreadable(problem) from problem
    if not isinstance(data, dict):
        raise Unreadable("should be a mapping of keys")
    lines: dict[str, int] = {}
    _note(node, "", lines, set())
    return Document({str(key): value for key, value in data.items()}, lines)


def _refuse_depth(text: str) -> None:
    """Raise Unreadable for nesting that would crash the process (events come without recursion)."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = _line(event.start_mark)
            raise Unreadable(f"line {line}: more than {DEEPEST} levels within each other", line)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML that refuses a key given twice (the second would silently win)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _marked(key, "a key should be one word")
            if key.value in seen:
                raise _marked(key, f"{key.value!r} stands twice")
            seen.add(key.value)
        result: dict[Any, Any] = super().construct_mapping(node, deep)
        return result


def _marked(node: yaml.Node, reason: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=reason, problem_mark=node.start_mark)


def _unreadable(problem: Exception) -> Unreadable:
    mark = getattr(problem, "problem_mark", None)
    if isinstance(problem, yaml.MarkedYAMLError) and mark is not None:
        what = " ".join(filter(None, (problem.context, problem.problem)))
        return Unreadable(f"line {_line(mark)}: {what}", _line(mark))
    return Unreadable(" ".join(str(problem).split()) or type(problem).__name__)


def _line(mark: Any) -> int:
    return int(mark.line) + 1


def _note(node: yaml.Node, place: str, lines: dict[str, int], seen: set[int]) -> None:
    """Note the line of a node and of all within it; what an alias repeats is noted once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    lines.setdefault(place, _line(node.start_mark))
    before = f"{place}." if place else ""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{before}{key.value}"
            lines[name] = _line(key.start_mark)
            _note(value, name, lines, seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value, start=1):
            _note(item, f"{before}{number}", lines, seen)
