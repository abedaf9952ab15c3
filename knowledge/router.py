"""From a question to the sentences whose written questions resemble it.

Kernel ridge regression (Saunders, Gammerman and Vovk 1998) from question vectors to the runs that
answer them, solved in closed form when an index is opened: no weights to ship. Its rows are the
sentences, the written questions, and the questions that the material does not answer.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.build import sentence_texts
from knowledge.index import Index
from knowledge.passages import Span
from knowledge.sources import Source
from knowledge.vectors import Vectors

RIDGE = 0.3  # penalty on the squared weights; both chosen on the development questions
WIDTH = 3.0  # of the Gaussian kernel: exp(WIDTH * (cosine - 1))

NOT_SAID = -1  # the class of questions that the material does not answer

Classes = npt.NDArray[np.int64]
Key = tuple[str, int]  # a sentence: source id, offset of its first character


@dataclass(frozen=True, slots=True)
class Routed:
    """How a question compares with the written ones.

    `said` scores sentences (about 0 to 1); `balance` is above 0 where the question is more like
    those the material answers, below 0 where it is more like the others. `nearest_*` are cosines
    to single written questions, and `answer` the sentences that answer the nearest one.
    """

    said: dict[Key, float]
    balance: float
    nearest: dict[Key, float]
    nearest_said: float
    nearest_not_said: float
    answer: tuple[Key, ...]


class Router:
    """The written questions of an index; empty when its sources have none."""

    def __init__(self, index: Index, without: frozenset[str] = frozenset()) -> None:
        """Read the vectors of the index and solve for the weights.

        `without` leaves written questions out, to measure how others like them are read.
        """
        self._numbers: dict[tuple[Key, ...], int] = {}
        rows: list[tuple[str, int]] = []  # a text and its class; -1 is "not said"
        for source in index.sources():
            if source.asked:
                rows += self._rows_of(index, source)
                rows += [(question, NOT_SAID) for question in source.not_said]
        known = index.vectors([text for text, _ in rows if text not in without])
        kept = [(known[text], label) for text, label in rows if text in known]
        self._fitted: tuple[Vectors, Classes, Vectors] | None = None
        if kept:
            vectors = np.stack([vector for vector, _ in kept])
            labels = np.array([label for _, label in kept], dtype=np.int64)
            self._fitted = vectors, labels, self._solve(vectors, labels)

    def route(self, vector: Vectors) -> Routed | None:
        """Compare a question's vector, (width,); None when there are no written questions."""
        if self._fitted is None:
            return None
        vectors, labels, weights = self._fitted
        cosines, said = vectors @ vector, labels != NOT_SAID
        scores = kernel(cosines) @ weights
        nearest = np.full(len(self._numbers), -1.0, dtype=np.float32)
        np.maximum.at(nearest, labels[said], cosines[said])
        best = int(nearest.argmax())
        return Routed(
            said=self._by_sentence(scores[:-1]),
            balance=float(scores[-1]),
            nearest=self._by_sentence(nearest),
            nearest_said=float(nearest[best]),
            nearest_not_said=float(cosines[~said].max(initial=-1.0)),
            answer=list(self._numbers)[best],
        )

    def _rows_of(self, index: Index, source: Source) -> list[tuple[str, int]]:
        """Return the texts of a source with the class of each: its sentences, its questions."""
        found = index.passages_at(source.id, Span(0, len(source.text)))
        rows = [
            (text, self._class_of(((source.id, span.start),)))
            for passage in found
            for text, span in zip(sentence_texts(passage), passage.sentences, strict=True)
        ]
        for asked in source.asked:
            run = tuple(
                (source.id, sentence.start)
                for passage in found
                for sentence in passage.sentences
                if any(s.start < sentence.end and sentence.start < s.end for s in asked.spans)
            )
            if run:
                rows.append((asked.question, self._class_of(run)))
        return rows

    def _class_of(self, run: tuple[Key, ...]) -> int:
        if run not in self._numbers:
            self._numbers[run] = len(self._numbers)
        return self._numbers[run]

    def _solve(self, vectors: Vectors, labels: Classes) -> Vectors:
        """Return the dual weights, (rows, classes + 1); the last column is said or not said."""
        rows = np.arange(len(labels))
        targets = np.zeros((len(labels), len(self._numbers) + 1))
        said = labels != NOT_SAID
        targets[rows[said], labels[said]] = 1.0
        targets[:, -1] = np.where(said, 1.0, -1.0)
        targets[:, -1] -= targets[:, -1].mean()
        square = kernel(vectors @ vectors.T).astype(np.float64) + RIDGE * np.eye(len(labels))
        return np.linalg.solve(square, targets).astype(np.float32)

    def _by_sentence(self, scores: Vectors) -> dict[Key, float]:
        """Return for each sentence the best score of the runs it belongs to."""
        best: dict[Key, float] = {}
        for run, score in zip(self._numbers, scores.tolist(), strict=True):
            for key in run:
                best[key] = max(best.get(key, score), score)
        return best


def kernel(cosines: Vectors) -> Vectors:
    """Return the Gaussian kernel of vectors of length 1 from their cosines, 0 to 1."""
    near: Vectors = np.exp(np.float32(WIDTH) * (cosines - np.float32(1.0)))
    return near
