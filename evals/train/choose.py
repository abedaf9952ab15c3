"""Chooses the numbers of `agent.decode.Decoding` on out-of-fold predictions.

Calibration is Platt scaling with slopes that all moves share and an intercept for each: slopes for
each move fitted too few examples and carried over worse. The upper threshold of a move is the
lowest at which its precision reaches PRECISION; the precision is drawn toward the calibrated one
as if by PRIOR more findings, for some moves have sixty examples in all. Where that would cost too
much recall (rare and hard moves) it is lowered until KEPT_RECALL of the recall at MIDDLE is kept.
The lower threshold is where F2, which weighs recall more, is best for all moves together.
"""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from agent import decode
from agent.domain import Move
from evals import scorers
from evals.train.data import MOVES

GOOD = frozenset(move.value for move in Move if move.good)
PRECISION, PRIOR, MIDDLE, KEPT_RECALL = 0.80, 20, 0.35, 0.75
GRID = tuple(round(0.2 + 0.025 * step, 3) for step in range(27))
FALSE_PRAISE, LARGEST_STEP = 0.10, 0.6
LOW = 1
TAGS, WIDENINGS = (0.2, 0.3, 0.4, 0.5), ("nothing", "clause", "sentence")

Case = dict[str, Any]


def choose(cases: list[Case], raws: list[decode.Raw]) -> dict[str, Any]:
    """Return the part of config.json that `Decoding.from_config` reads."""
    gold = [scorers.gold_of(case) for case in cases]
    present = np.array([[move in g.moves for move in MOVES] for g in gold])
    overall = np.array([g.overall for g in gold])
    weights = calibrated(raws, present)
    cuts = overall_cuts(raws, overall)
    confidence = np.stack(
        [decode.sigmoid((decode.features(raw) * weights).sum(axis=1)) for raw in raws]
    )
    upper = [upper_threshold(confidence[:, m], present[:, m]) for m in range(len(MOVES))]
    lower = lower_threshold(confidence, present)
    predicted = np.array([(decode.sigmoid(raw.overall) > cuts).sum() for raw in raws])
    upper_low = raised(confidence, present, overall, predicted, upper)
    quoting = quote_rules(cases, raws, gold)
    moves = {
        move: {
            "calibration": [round(float(w), 5) for w in weights[m]],
            "upper": upper[m],
            "upper_low": round(upper_low[m], 3),
            "lower": min(lower, upper[m]),
            "tag": quoting[m][0],
            "widen": quoting[m][1],
        }
        for m, move in enumerate(MOVES)
    }
    return {"low_overall": LOW, "overall_cuts": [round(float(c), 3) for c in cuts], "moves": moves}


def calibrated(raws: list[decode.Raw], present: np.ndarray) -> np.ndarray:
    """Return the calibration weights of each move, (moves, 4)."""
    x = np.stack([decode.features(raw) for raw in raws])[:, :, :3]
    x[:, [move not in GOOD for move in MOVES], 2] = 0  # only good moves lean on the overall
    own = np.broadcast_to(np.eye(len(MOVES)), (len(raws), len(MOVES), len(MOVES)))
    rows = np.concatenate([x, own], axis=2).reshape(-1, 3 + len(MOVES))
    model = LogisticRegression(C=0.3, max_iter=2000).fit(rows, present.ravel())
    weights = np.empty((len(MOVES), 4))
    weights[:, :3] = model.coef_[0][:3]
    weights[[move not in GOOD for move in MOVES], 2] = 0
    weights[:, 3] = model.coef_[0][3:] + model.intercept_[0]
    return weights


def overall_cuts(raws: list[decode.Raw], overall: np.ndarray) -> np.ndarray:
    """Return the cuts of the four cumulative probabilities: best kappa with little bias."""
    probability = np.stack([decode.sigmoid(raw.overall) for raw in raws])

    def worth(cuts: np.ndarray) -> float:
        found = (probability > cuts).sum(1)
        kappa = scorers.qwk(overall.tolist(), found.tolist()) or 0.0
        return kappa - abs(float((found - overall).mean())) / 4

    cuts = np.full(4, 0.5)
    for _ in range(2):
        for k in range(4):
            options = [np.where(np.arange(4) == k, cut, cuts) for cut in np.arange(0.3, 0.71, 0.02)]
            cuts = max(options, key=worth)
    return cuts


def upper_threshold(confidence: np.ndarray, present: np.ndarray) -> float:
    """Return the threshold at which one move is found."""
    kept = KEPT_RECALL * int(((confidence >= MIDDLE) & present).sum())
    chosen = GRID[0]
    for t in GRID:
        found = confidence >= t
        true, count = int((found & present).sum()), int(found.sum())
        if true < kept:
            break
        chosen = t
        expected = float(confidence[found].mean()) if count else 1.0
        if (true + PRIOR * expected) / (count + PRIOR) >= PRECISION:
            break
    return chosen


def lower_threshold(confidence: np.ndarray, present: np.ndarray) -> float:
    """Return the threshold, one for all moves, at which a move is possible."""

    def worth(t: float) -> float:
        found = confidence >= t
        true = int((found & present).sum())
        return f_beta(true / max(1, int(found.sum())), true / max(1, int(present.sum())), 2)

    return max(GRID, key=worth)


def f_beta(p: float, r: float, beta: float) -> float:
    """Return the F measure that weighs recall `beta` times."""
    return (1 + beta**2) * p * r / max(1e-9, beta**2 * p + r)


def raised(
    confidence: np.ndarray,
    present: np.ndarray,
    overall: np.ndarray,
    predicted: np.ndarray,
    upper: list[float],
) -> list[float]:
    """Return the thresholds for replies with a low predicted overall.

    Good moves need a confidence closer to 1, by the smallest step that brings false praise under
    its limit (or by the largest step).
    """
    good = np.array([move in GOOD for move in MOVES])
    limit = np.array(upper)
    raised_limit = limit
    for step in np.arange(0, LARGEST_STEP + 0.01, 0.05):
        raised_limit = np.where(good, limit + (1 - limit) * step, limit)
        needed = np.where((predicted <= LOW)[:, None], raised_limit, limit)
        wrong = ((confidence >= needed) & ~present & good).any(axis=1)
        if wrong[overall <= 1].mean() <= FALSE_PRAISE:
            break
    return [float(x) for x in raised_limit]


def quote_rules(
    cases: list[Case], raws: list[decode.Raw], gold: list[scorers.Reader]
) -> list[tuple[float, str]]:
    """Return for each move the token threshold and the widening with the best quote F1."""
    rules = []
    for m, move in enumerate(MOVES):
        which = [i for i, g in enumerate(gold) if move in g.moves]

        def worth(rule: tuple[float, str], m: int = m, which: list[int] = which) -> float:
            numbers = quoting_only(*rule)
            scores = []
            for i in which:
                reply = cases[i]["reply"]
                found = scorers.words_in(reply, decode.quotes(reply, raws[i], m, numbers))
                true = scorers.words_in(reply, gold[i].moves[MOVES[m]])
                scores.append(2 * len(found & true) / (len(found) + len(true)))
            return float(np.mean(scores))

        rules.append(max(((t, w) for t in TAGS for w in WIDENINGS), key=worth))
    return rules


def quoting_only(tag: float, widen: str) -> decode.Decoding:
    """Return numbers with one rule of quoting for every move, and nothing else set."""
    n = len(MOVES)
    zero, flat = np.zeros(n), np.full(n, tag)
    return decode.Decoding(
        MOVES, np.zeros((n, 4)), zero, zero, zero, LOW, np.zeros(4), flat, (widen,) * n
    )


def scored(case: Case, raw: decode.Raw, numbers: decode.Decoding) -> scorers.Scored:
    """Return a case decoded and passed through the rubric's rules: quotes and the cap of 2."""
    found, overall = decode.decode(case["reply"], raw, numbers)
    sure = {f.move for f in found if f.sure}
    quotes = {m: tuple((f.start, f.end) for f in found if f.move == m and f.sure) for m in sure}
    capped = overall if sure & GOOD else min(overall, 2)
    return scorers.Scored(
        reply=case["reply"],
        gold=scorers.gold_of(case),
        found=scorers.Reader(capped, quotes),
        possible=tuple(sorted({f.move for f in found if not f.sure} - sure)),
        confidence=tuple(sorted({(f.confidence, f.move) for f in found})),
    )


def chosen_off(
    cases: list[Case], raws: list[decode.Raw], parts: np.ndarray
) -> dict[int, decode.Decoding]:
    """Return for each part the numbers chosen on the other parts."""
    found = {}
    for part in np.unique(parts).tolist():
        other = np.flatnonzero(parts != part)
        config = choose([cases[i] for i in other], [raws[i] for i in other])
        found[part] = decode.Decoding.from_config(config)
    return found


def cross_fitted(
    cases: list[Case], raws: list[decode.Raw], parts: np.ndarray
) -> list[scorers.Scored]:
    """Return all cases scored with numbers that were chosen on the other parts."""
    off = chosen_off(cases, raws, parts)
    return [
        scored(case, raw, off[part])
        for case, raw, part in zip(cases, raws, parts.tolist(), strict=True)
    ]
