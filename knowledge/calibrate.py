"""`python -m knowledge.calibrate QUESTIONS OWN`: fit the refusal models, write refusal.json.

OWN holds documents of other people's and questions to them (evals/cases/own). The model for
material without written questions is fitted on those, and on QUESTIONS put to these documents,
which they do not answer; its threshold is even odds.

The other one is of the article. Its rows: the development questions, each counted four times, and
the written questions of the article, each read by a router that was not given it (five folds). The
threshold is the one at which 5 % of all answerable questions are refused, the development ones
read by a model fitted without them.

Needs scikit-learn (the `dev` extra). Attacks are refused by rule and are not in the fit. The shares
printed are of the development questions, in cross-validation.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.encoder import default_encoder
from knowledge.library import Library
from knowledge.own import File, OwnMaterial
from knowledge.ranking import Ranker
from knowledge.refusal import features
from knowledge.sources import Source, article

FOLDS = 5
DEVELOPMENT_WEIGHT = 4.0  # of a development question; a written one counts 1
FALSE_REFUSALS = 0.05  # accepted on the answerable questions
EVEN = 0.5  # threshold without written questions; the classes are balanced in the fit
SETTINGS = Path(__file__).with_name("refusal.json")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Questions as the model reads them: features (n, f), answered (n,), weights (n,)."""

    names: tuple[str, ...]
    features: Floats
    answered: npt.NDArray[np.bool_]

    def __add__(self, other: "Rows") -> "Rows":
        both = np.concatenate([self.answered, other.answered])
        return Rows(self.names, np.vstack([self.features, other.features]), both)


def rows_of(ranker: Ranker, questions: Sequence[tuple[str, bool]]) -> Rows:
    """Read questions, each with whether the material answers it."""
    found = [features(ranker.rank(question)) for question, _ in questions]
    names = tuple(found[0])
    matrix = np.array([[f[name] for name in names] for f in found])
    return Rows(names, matrix, np.array([answered for _, answered in questions]))


def written_rows(library: Library, source: Source) -> Rows:
    """Read each written question with a router that was not given it."""
    items = [(a.question, True) for a in source.asked]
    items += [(question, False) for question in source.not_said]
    random.Random(0).shuffle(items)  # noqa: S311 (a fixed order, not a secret)
    folds = [items[n::FOLDS] for n in range(FOLDS)]
    rows = [rows_of(Ranker(library, frozenset(q for q, _ in f)), f) for f in folds]
    return sum(rows[1:], rows[0])


def fit(rows: Rows, weights: Floats) -> tuple[Floats, float]:
    """Return the coefficients (f,) and the intercept for raw features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(rows.features)
    model = LogisticRegression(C=0.3, class_weight="balanced")
    model.fit(scaler.transform(rows.features), rows.answered, sample_weight=weights)
    coefficients = model.coef_[0] / scaler.scale_
    return coefficients, float(model.intercept_[0] - coefficients @ scaler.mean_)


def calibrate(
    development: Rows, written: Rows | None, threshold: float | None = None
) -> dict[str, Any]:
    """Return a model, the shares it refuses in cross-validation, and its threshold.

    Without a threshold it is the one that refuses FALSE_REFUSALS of the answerable questions.
    """
    count = len(development.answered)
    held_out = np.zeros(count)
    order = np.random.default_rng(0).permutation(count)
    for fold in np.array_split(order, 2 * FOLDS):
        kept = np.setdiff1d(order, fold)
        part = replace(
            development, features=development.features[kept], answered=development.answered[kept]
        )
        coefficients, intercept = fit(*_joined(part, written))
        held_out[fold] = _probability(development.features[fold] @ coefficients + intercept)
    answered = development.answered
    coefficients, intercept = fit(*_joined(development, written))
    known = held_out[answered]
    if written is not None:
        scores = written.features[written.answered] @ coefficients + intercept
        known = np.concatenate([known, _probability(scores)])
    if threshold is None:
        threshold = float(np.quantile(known, FALSE_REFUSALS))
    pairs = zip(development.names, coefficients.round(4).tolist(), strict=True)
    return {
        "intercept": round(intercept, 4),
        "threshold": round(threshold, 4),
        "weights": dict(pairs),
        "cross_validation": {
            "false_refusal": round(float((held_out[answered] < threshold).mean()), 3),
            "refused": round(float((held_out[~answered] < threshold).mean()), 3),
            "n": count,
        },
    }


def _joined(development: Rows, written: Rows | None) -> tuple[Rows, Floats]:
    weights = np.full(len(development.answered), DEVELOPMENT_WEIGHT)
    if written is None:
        return development, weights
    return development + written, np.concatenate([weights, np.ones(len(written.answered))])


def _probability(scores: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-scores)))


def _of_article(questions: Sequence[tuple[str, bool]]) -> dict[str, Any]:
    source = article()
    with tempfile.TemporaryDirectory() as folder:
        library = Library.open_or_build(Path(folder), default_encoder(), [source])
        rows, written = rows_of(Ranker(library), questions), written_rows(library, source)
        library.close()
    return calibrate(rows, written)


def _of_own(own: Path, elsewhere: Sequence[tuple[str, bool]]) -> dict[str, Any]:
    """Fit on questions to these documents, and on those that only the article answers."""
    lines = (own / "questions.jsonl").read_text("utf-8").splitlines()
    items = [item for item in map(json.loads, lines) if item["set"] == "dev"]
    questions = [(item["question"], bool(item["gold"])) for item in items]
    questions += [(question, False) for question, _ in elsewhere]
    with tempfile.TemporaryDirectory() as folder:
        material = OwnMaterial(Path(folder), default_encoder())
        files = sorted((own / "documents").iterdir())
        material.add(File(path.name, path.read_bytes) for path in files)
        rows = rows_of(Ranker(material.library), questions)
        material.library.close()
    return calibrate(rows, None, EVEN)


def main() -> None:
    """Fit both models and write them beside the other settings of the answers."""
    parser = argparse.ArgumentParser(prog="python -m knowledge.calibrate", description=__doc__)
    parser.add_argument("questions", type=Path, help="development questions, JSONL")
    parser.add_argument("own", type=Path, help="folder: documents/, and questions.jsonl to them")
    args = parser.parse_args()
    lines = args.questions.read_text("utf-8").splitlines()
    items = [item for item in map(json.loads, lines) if item["kind"] != "attack"]
    questions = [(item["question"], bool(item["gold"])) for item in items]
    found = {"with_questions": _of_article(questions), "plain": _of_own(args.own, questions)}
    settings = json.loads(SETTINGS.read_text("utf-8")) | {"models": found}
    SETTINGS.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    summary = {name: model["cross_validation"] for name, model in found.items()}
    print(json.dumps(summary))  # noqa: T201 (a command)


if __name__ == "__main__":
    main()
