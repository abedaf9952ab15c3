"""The baseline of the critic: bag of words (TF-IDF) and logistic regression, on the same folds."""

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from evals import scorers
from evals.train.choose import GOOD
from evals.train.data import MOVES

CUT = 0.5  # of the probability at which a move is found


def scored(cases: list[dict[str, Any]], folds: np.ndarray) -> list[scorers.Scored]:
    """Return all cases read by models fitted on the other folds. The baseline quotes nothing."""
    gold = [scorers.gold_of(case) for case in cases]
    replies = [case["reply"] for case in cases]
    result: list[scorers.Scored | None] = [None] * len(cases)
    for fold in np.unique(folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        x = words.fit_transform([replies[i] for i in train])
        y = words.transform([replies[i] for i in test])
        found = np.stack([probability(x, y, [m in gold[i].moves for i in train]) for m in MOVES])
        score = LogisticRegression(C=3.0, class_weight="balanced", max_iter=2000)
        overall = score.fit(x, [gold[i].overall for i in train]).predict(y)
        for column, i in enumerate(test):
            moves = {m: () for m, p in zip(MOVES, found[:, column], strict=True) if p >= CUT}
            capped = int(overall[column]) if moves.keys() & GOOD else min(int(overall[column]), 2)
            result[i] = scorers.Scored(replies[i], gold[i], scorers.Reader(capped, moves))
    return [item for item in result if item is not None]


def probability(x: Any, y: Any, present: list[bool]) -> np.ndarray:
    """Return the probability of one move for the rows of `y`, fitted on `x`."""
    model = LogisticRegression(C=3.0, class_weight="balanced", max_iter=2000).fit(x, present)
    return np.asarray(model.predict_proba(y)[:, 1])
