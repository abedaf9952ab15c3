"""`python -m evals retrieval`: a collection in BEIR layout through the library's own search."""

import argparse
import csv
import json
import math
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from knowledge.library import How, Library
from knowledge.sources import Source
from knowledge.vectors import Encoder

DEPTH = 10  # ranks that count
HOWS: tuple[How, ...] = ("words", "vectors", "fused")

Qrels = Mapping[str, Mapping[str, int]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--corpus", type=Path, required=True, help="corpus.jsonl: _id, title, text")
    parser.add_argument("--queries", type=Path, required=True, help="queries.jsonl: _id, text")
    parser.add_argument("--qrels", type=Path, required=True, help="tsv: query, document, grade")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Index the collection, search every judged query three ways, and print the table."""
    from agent.encoder import default_encoder

    qrels = read_qrels(args.qrels)
    queries = {q["_id"]: q["text"] for q in read_jsonl(args.queries) if q["_id"] in qrels}
    report = measure(sources_of(read_jsonl(args.corpus)), queries, qrels, default_encoder())
    print(f"{'':<10}{'nDCG@10':>9}{'recall@10':>11}   n = {len(queries)}")
    for how in HOWS:
        print(f"{how:<10}{report[how]['ndcg10']:>9.3f}{report[how]['recall10']:>11.3f}")
    print(f"a query {report['query_ms']['p50']:.1f} ms (p95 {report['query_ms']['p95']:.1f})")
    print(f"{report['passages_per_s']:.0f} passages a second, encoding included")
    return report


def measure(
    sources: Sequence[Source], queries: Mapping[str, str], qrels: Qrels, encoder: Encoder
) -> dict[str, Any]:
    """Return the figures; a document is found at the rank of its first passage."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder), encoder)
        begin = time.perf_counter()
        library.build(sources, _progress)
        count, elapsed = library.status().passages, time.perf_counter() - begin
        report: dict[str, Any] = {}
        times: list[float] = []
        for how in HOWS:
            runs = {q: documents(library, text, how, times) for q, text in queries.items()}
            report[how] = {
                "ndcg10": _mean([ndcg(runs[q], qrels[q]) for q in runs]),
                "recall10": _mean([recall(runs[q], qrels[q]) for q in runs]),
            }
        library.close()
    times.sort()
    report["query_ms"] = {"p50": _at(times, 0.5), "p95": _at(times, 0.95)}
    return report | {"passages_per_s": round(count / elapsed, 1), "n": len(queries)}


def documents(library: Library, query: str, how: How, times: list[float]) -> list[str]:
    """Return the ids of the documents found, best first; `times` takes a fused search's ms."""
    begin = time.perf_counter()
    hits = library.search(query, 3 * DEPTH, how)
    if how == "fused":
        times.append(1_000 * (time.perf_counter() - begin))
    return list(dict.fromkeys(hit.passage.source for hit in hits))[:DEPTH]


def ndcg(found: Sequence[str], grades: Mapping[str, int]) -> float:
    """Return nDCG at 10 with linear gain, as trec_eval has it. Järvelin and Kekäläinen 2002."""
    gained = sum(grades.get(d, 0) / math.log2(rank + 2) for rank, d in enumerate(found[:DEPTH]))
    ideal = sorted(grades.values(), reverse=True)[:DEPTH]
    best = sum(grade / math.log2(rank + 2) for rank, grade in enumerate(ideal))
    return gained / best if best else 0.0


def recall(found: Sequence[str], grades: Mapping[str, int]) -> float:
    """Return the share of the relevant documents among the first 10."""
    relevant = {d for d, grade in grades.items() if grade > 0}
    return len(relevant & set(found[:DEPTH])) / len(relevant) if relevant else 0.0


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read one object a line."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read judgements, with or without a header line: query → document → grade above 0."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter="\t"):
            if row and row[-1].lstrip("-").isdigit() and int(row[-1]) > 0:
                found[row[0]][row[-2]] = int(row[-1])
    return dict(found)


def sources_of(documents: Sequence[Mapping[str, Any]]) -> list[Source]:
    """Return the documents as sources: title, blank line, text."""
    return [
        Source(d["_id"], d.get("title", ""), "\n\n".join(filter(None, (d.get("title"), d["text"]))))
        for d in documents
    ]


def _progress(done: int, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {count}", end="", file=sys.stderr)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def _at(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 2) if ordered else 0.0
