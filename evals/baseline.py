"""Today's figures beside those kept in `baseline.json`, and which fell by more than their noise.

The noise of a figure is one standard error of a rate at its n, sqrt(p (1 - p) / n), and at least
one case, 1 / n. Kappa and F1 are treated as rates, which is near enough to tell a fall from chance.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("baseline.json")
# command → figure → where its n stands in the report; "-" before a figure: less is better
FIGURES: Final[Mapping[str, Mapping[str, str]]] = {
    "critic": {
        "micro.f1": "n",
        "micro.p": "n",
        "macro_f1": "n",
        "quote_f1": "n",
        "overall.qwk": "n",
        "-false_praise.rate": "false_praise.n",
    },
    "counterpart": {
        "-all.yield": "all.of.yield",
        "-all.leak": "all.of.leak",
        "all.accept": "all.of.accept",
        "all.recover": "all.of.recover",
        "all.named_missing": "all.of.named_missing",
        "-all.stuck": "all.of.stuck",
        "-all.repeat": "all.of.repeat",
        "all.same_twice": "all.of.same_twice",
    },
    "answers": {
        "recall_at_3": "n",
        "all_within_5": "n",
        "span_in_quote": "n",
        "quotes_exact": "n",
        "refusal.unanswerable": "n",
        "refusal.outside": "n",
        "refusal.attack": "n",
        "-false_refusal": "n",
    },
}


@dataclass(frozen=True)
class Compared:
    """One figure then and now; `worse` is how far it fell, negative where it rose."""

    figure: str
    then: float
    now: float
    worse: float
    noise: float

    @property
    def fell(self) -> bool:
        """Tell whether the figure fell by more than its noise."""
        return self.worse > self.noise


def command_of(args: argparse.Namespace) -> str | None:
    """Return the name under which this run has a baseline: only runs over the standing cases do."""
    standing = {
        "critic": getattr(args, "cv", False),
        "counterpart": not getattr(args, "scenario", None)
        and getattr(args, "voice", "authored") == "authored",
        "answers": not getattr(args, "cases", None)
        and not getattr(args, "limit", None)
        and getattr(args, "answerer", "local") == "local",
    }
    return args.command if standing.get(args.command) else None


def figures_of(command: str, report: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the figures of a report that a baseline keeps: value and n; None is left out."""
    found = {}
    for name, counted in FIGURES[command].items():
        value = at(report, name.removeprefix("-"))
        if value is not None:
            found[name] = {"value": round(value, 4), "n": at(report, counted)}
    return found


def at(report: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path. Raises KeyError when the report has another form."""
    value: Any = report
    for key in path.split("."):
        value = value[key]
    return value


def compare(
    then: Mapping[str, Mapping[str, float]], now: Mapping[str, Mapping[str, float]]
) -> list[Compared]:
    """Return the figures of both; a figure that is gone counts as 0 (or 1 where less is better)."""
    rows = []
    for name, kept in then.items():
        less = name.startswith("-")
        value = now.get(name, {"value": float(less)})["value"]
        worse = (value - kept["value"]) * (1 if less else -1)
        spread = kept["value"] * (1 - kept["value"]) / kept["n"]
        noise = max(sqrt(max(0.0, spread)), 1 / kept["n"])
        rows.append(Compared(name.removeprefix("-"), kept["value"], value, worse, noise))
    return rows


def load() -> dict[str, dict[str, dict[str, float]]]:
    """Return the kept figures of each command; none at first."""
    kept: dict[str, dict[str, dict[str, float]]] = {}
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else kept


def keep(command: str, report: Mapping[str, Any]) -> None:
    """Make a report the baseline of its command."""
    kept = load() | {command: figures_of(command, report)}
    FILE.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")


def table(rows: list[Compared]) -> str:
    """Return the comparison as text, a figure a line."""
    lines = [
        f"{row.figure:24} {row.then:8.3f} {row.now:8.3f} {-row.worse:+8.3f} {row.noise:7.3f}"
        f"{'  FELL' if row.fell else ''}"
        for row in rows
    ]
    return "\n".join([f"{'figure':24} {'kept':>8} {'now':>8} {'better':>8} {'noise':>7}", *lines])
