"""Plainer models on the same folds: what the fine-tuned network has to beat."""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from agent.encoder import default_encoder
from agent.windows import history_text
from evals import scorers
from evals.train import data

Case = dict[str, Any]


def baselines(cases: list[Case], folds: np.ndarray, which: list[int]) -> dict[str, Any]:
    """Return micro and macro F1 of a bag of words, and of the frozen sentence encoder.

    Each fold is read by a model fitted on all others; `which` cases count.
    """
    gold = np.array([[m in scorers.gold_of(c).moves for m in data.MOVES] for c in cases])
    vectors = encoded(cases)
    found = {"bag_of_words": np.zeros_like(gold), "frozen_encoder": np.zeros_like(gold)}
    for fold in np.unique(folds):
        inside = folds != fold
        words = bag(cases, inside)
        found["bag_of_words"][~inside] = linear(words, gold, inside, c=10)
        found["frozen_encoder"][~inside] = linear(vectors, gold, inside, c=3)
    return {name: scores(values[which], gold[which]) for name, values in found.items()}


def bag(cases: list[Case], inside: np.ndarray) -> csr_matrix:
    """Return tf-idf of the replies' words and pairs of words, its vocabulary from `inside`."""
    texts = np.array([case["reply"] for case in cases], dtype=object)
    vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    vectors.fit(texts[inside])
    return vectors.transform(texts)


def encoded(cases: list[Case]) -> csr_matrix:
    """Return the sentence vectors of each reply and of the turns before it, (n, 768)."""
    encoder = default_encoder()
    replies = np.asarray(encoder.encode([case["reply"] for case in cases]))
    before = np.asarray(encoder.encode([history_text(data.turns(case)) for case in cases]))
    return csr_matrix(hstack([csr_matrix(4 * replies), csr_matrix(4 * before)]))


def linear(x: csr_matrix, gold: np.ndarray, inside: np.ndarray, c: float) -> np.ndarray:
    """Return the moves that a logistic regression for each finds outside, fitted inside."""
    model = LogisticRegression(C=c, class_weight="balanced", max_iter=1000)
    columns = [
        model.fit(x[inside], gold[inside, m]).predict(x[~inside]) for m in range(gold.shape[1])
    ]
    return np.stack(columns, axis=1)


def scores(found: np.ndarray, gold: np.ndarray) -> dict[str, Any]:
    """Return the micro scores and the macro F1."""

    def prf(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
        return scorers.prf(int((a & b).sum()), int(a.sum()), int(b.sum()))

    rows = [prf(found[:, m], gold[:, m]) for m in range(gold.shape[1])]
    return {
        "micro": prf(found, gold),
        "macro_f1": round(float(np.mean([r["f1"] for r in rows])), 4),
    }
