"""`python -m evals answers`: questions against the spans of the article that answer them."""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.domain import Answer
from evals.critic import spread
from evals.kept import print_used
from knowledge.answer import Answerer
from knowledge.library import Library
from knowledge.passages import Passage
from knowledge.sources import Source, article

CASES = Path(__file__).parent / "cases" / "questions"
SAID = ("answerable", "paraphrase", "multi")
NOT_SAID = ("unanswerable", "outside", "attack")


@dataclass(frozen=True)
class Result:
    """One question, its answer, and the passages in the order they ranked."""

    case: Mapping[str, Any]
    answer: Answer
    passages: Sequence[Passage]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--cases", nargs="+", type=Path, help="JSONL; all of evals/cases if absent")
    parser.add_argument("--answerer", choices=["local", "llm"], default="local", help="which")
    parser.add_argument("--limit", type=int, metavar="N", help="so many of the questions, apart")
    parser.add_argument("--kept", type=Path, metavar="DIR", help="where answers of llm are kept")
    parser.add_argument("--workers", type=int, default=4, metavar="N", help="llm: calls at a time")
    for side in ("in", "out"):
        parser.add_argument(
            f"--price-{side}", type=float, default=0.0, metavar="X", help="of a million tokens"
        )
    parser.add_argument("--failures", action="store_true", help="print the questions that fail")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Answer the questions and print the table. Returns the figures (keys as in the README).

    Raises SystemExit where there is no model to ask, or its endpoint fails for good.
    """
    from agent.encoder import default_encoder
    from evals import worded

    paths = args.cases or sorted(CASES.glob("*.jsonl"))
    cases = spread([json.loads(line) for path in paths for line in _lines(path)], args.limit)
    used: dict[str, Any] = {}
    source = article()
    with tempfile.TemporaryDirectory() as folder:
        library = Library.open_or_build(Path(folder), default_encoder(), [source])
        if args.answerer == "llm":
            results, used = worded.answer_all(Answerer(library), cases, args)
        else:
            results = answer_all(Answerer(library), cases)
        library.close()
    report = score(results, source) | used
    print_table(report)
    if used:
        print_used(used["used"], "an answer", "answers", "; {asked} calls now")
    if args.failures:
        print_failures(results)
    return report


def answer_all(answerer: Answerer, cases: Sequence[Mapping[str, Any]]) -> list[Result]:
    """Answer every question."""
    return [
        Result(case, answerer.answer(case["question"]), answerer.rank(case["question"]).passages)
        for case in cases
    ]


def score(results: Sequence[Result], source: Source) -> dict[str, Any]:
    """Return the figures. A rate with nothing to count is None."""
    kinds: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        kinds[result.case["kind"]].append(result)
    single = kinds["answerable"] + kinds["paraphrase"]
    said = single + kinds["multi"]
    quotes = [q for r in results for q in (*r.answer.quotes, *r.answer.nearest)]
    exact = [source.text[q.start : q.end] == q.text for q in quotes]
    return {
        "n": len(results),
        "recall_at_3": rate([found_within(r, 3) for r in single]),
        "all_within_5": rate([found_within(r, 5) for r in kinds["multi"]]),
        "span_in_quote": rate([in_quotes(r, span) for r in said for span in r.case["gold"]]),
        "quotes_exact": rate(exact),
        "refusal": {k: rate([r.answer.refused for r in kinds[k]]) for k in NOT_SAID},
        "false_refusal": rate([r.answer.refused for r in said]),
        "quotes_per_answer": rate([float(len(r.answer.quotes)) for r in said if r.answer.quotes]),
        "kinds": {k: _kind(kinds[k]) for k in SAID},
        "counts": {k: len(kinds[k]) for k in (*SAID, *NOT_SAID)} | {"quotes": len(quotes)},
    }


def found_within(result: Result, k: int) -> bool:
    """Tell whether each gold span is in one of the first k passages."""
    first = result.passages[:k]
    return all(any(span in p.text for p in first) for span in result.case["gold"])


def in_quotes(result: Result, span: str) -> bool:
    """Tell whether a gold span lies inside the words quoted."""
    return any(span in quote.text for quote in result.answer.quotes)


def rate(values: Sequence[float]) -> float | None:
    """Return the mean, or None of nothing."""
    return round(sum(values) / len(values), 4) if values else None


def print_table(report: Mapping[str, Any]) -> None:
    """Print the figures with their n."""
    counts = report["counts"]
    rows = [
        ("passage recall@3", report["recall_at_3"], counts["answerable"] + counts["paraphrase"]),
        ("all passages within 5", report["all_within_5"], counts["multi"]),
        ("gold span in a quote", report["span_in_quote"], sum(counts[k] for k in SAID)),
        ("quotes exact", report["quotes_exact"], counts["quotes"]),
        *((f"refused: {k}", report["refusal"][k], counts[k]) for k in NOT_SAID),
        ("refused though answered", report["false_refusal"], sum(counts[k] for k in SAID)),
    ]
    print(f"{'questions':<26}{'rate':>8}{'n':>6}")
    for name, value, n in rows:
        print(f"{name:<26}{'–' if value is None else f'{value:.3f}':>8}{n:>6}")


def print_failures(results: Sequence[Result]) -> None:
    """Print each question with an outcome it should not have."""
    for r in results:
        missed = [span for span in r.case["gold"] if not in_quotes(r, span)]
        wrong = missed if r.case["gold"] else not r.answer.refused
        if wrong:
            print(f"{r.case['kind']:<13}{r.case['id']}  {r.case['question']}")
            print(
                f"    {'refused' if r.answer.refused else [q.text[:50] for q in r.answer.quotes]}"
            )


def _kind(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "n": len(results),
        "recall_at_3": rate([found_within(r, 3) for r in results]),
        "span_in_quote": rate([in_quotes(r, s) for r in results for s in r.case["gold"]]),
        "false_refusal": rate([r.answer.refused for r in results]),
    }


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line.strip()]
