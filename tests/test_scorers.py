"""The critic's scorers, its command, and the data card."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import cohen_kappa_score

from evals import attacks, card, critic, scorers
from evals.__main__ import main

GOOD = frozenset({"care", "terms"})
REPLY = "I care about the crew. I will send the log by Friday."


def scored(
    gold: dict[str, str], found: dict[str, str], overall: tuple[int, int] = (2, 2)
) -> scorers.Scored:
    """Return a reply with gold and found moves, each with one quote."""

    def read(moves: dict[str, str], score: int) -> scorers.Reader:
        return scorers.Reader(score, {m: (scorers.span_of(REPLY, q),) for m, q in moves.items()})

    return scorers.Scored(REPLY, read(gold, overall[0]), read(found, overall[1]))


def case_with(*passes: tuple[int, dict[str, str]]) -> dict[str, Any]:
    """Return a labelled case from (overall, {move: quote}) of each pass."""
    labels = [
        {"pass": n, "overall": o, "moves": [{"move": m, "quote": q} for m, q in moves.items()]}
        for n, (o, moves) in enumerate(passes, 1)
    ]
    return {"id": "T-1", "scenario": "free", "history": [], "reply": REPLY, "labels": labels}


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    rng = random.Random(seed)
    gold = [rng.randrange(5) for _ in range(60)]
    found = [max(0, min(4, g + rng.choice((-2, -1, 0, 0, 1)))) for g in gold]
    theirs = cohen_kappa_score(gold, found, weights="quadratic", labels=range(5))
    assert scorers.qwk(gold, found) == pytest.approx(theirs)


def test_kappa_is_not_defined_where_nothing_varies() -> None:
    assert scorers.qwk([2, 2], [2, 2]) is None
    assert scorers.qwk([], []) is None


def test_a_move_is_gold_when_more_than_half_of_the_passes_have_it() -> None:
    care = {"care": "I care about the crew"}
    half = scorers.gold_of(case_with((3, care), (2, {})))
    most = scorers.gold_of(case_with((3, care), (2, {"care": "the crew"}), (2, {})))
    assert half.moves == {}
    assert most.moves == {"care": ((0, 21), (13, 21))}


def test_overall_is_the_median_a_half_rounded_down() -> None:
    assert scorers.gold_of(case_with((3, {}), (2, {}))).overall == 2
    assert scorers.gold_of(case_with((4, {}), (0, {}), (3, {}))).overall == 3


def test_a_quote_that_is_not_in_the_reply_is_refused() -> None:
    with pytest.raises(ValueError, match="not found"):
        scorers.gold_of(case_with((3, {"care": "I careabout"})))


def test_counts_give_precision_recall_and_f1() -> None:
    items = [
        scored({"care": "I care"}, {"care": "I care"}),
        scored({"care": "I care"}, {"terms": "by Friday"}),
    ]
    report = scorers.move_scores(items, ["care", "terms", "hype"])
    assert report["moves"]["care"] == {"p": 1, "r": 0.5, "f1": pytest.approx(2 / 3), "n": 2}
    assert report["micro"] == {"p": 0.5, "r": 0.5, "f1": 0.5}
    assert report["macro_f1"] == pytest.approx(2 / 3)  # only care has gold


def test_quotes_are_compared_by_words_for_moves_that_both_have() -> None:
    items = [
        scored({"care": "I care about", "terms": "by Friday"}, {"care": "I care about the crew."})
    ]
    assert scorers.quote_f1(items) == pytest.approx(2 * 3 / (3 + 5))


def test_false_praise_counts_only_weak_replies_and_only_good_moves_gold_lacks() -> None:
    items = [
        scored({}, {"care": "I care"}, (1, 1)),
        scored({"care": "I care"}, {"care": "I care"}, (0, 0)),
        scored({}, {"hype": "the log"}, (0, 0)),
        scored({}, {"care": "I care"}, (3, 3)),
    ]
    assert scorers.false_praise(items, GOOD) == {"rate": pytest.approx(1 / 3), "n": 3}


def test_bias_is_signed_found_minus_gold() -> None:
    items = [scored({}, {}, (1, 3)), scored({}, {}, (2, 2))]
    assert scorers.overall_scores(items)["bias"] == 1
    assert scorers.overall_scores(items)["exact"] == 0.5


def test_confidence_that_is_right_as_often_as_it_says_has_no_error() -> None:
    assert scorers.ece([(0.5, True), (0.5, False)]) == 0
    assert scorers.ece([(0.9, False)]) == pytest.approx(0.9)
    assert scorers.ece([]) == 0


def test_the_command_scores_a_file_and_prints_one_json_object_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(case_with((3, {"terms": "by Friday"}))) + "\n\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["critic", "--cases", str(file), "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["n"] == 1
    assert report["moves"]["terms"]["n"] == 1
    assert report["seen"] == 0
    assert {"micro", "macro_f1", "quote_f1", "overall", "false_praise", "possible", "ece"} <= set(
        report
    )


def test_a_line_that_is_no_case_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": 1}\n', "utf-8")
    with pytest.raises(SystemExit, match="line 1"):
        critic.load([file])


def test_the_stored_cross_validation_has_the_keys_of_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["critic", "--cv", "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(report["moves"]) == set(critic.MOVES)
    plainer = report["baselines"].values()
    assert all(model["micro"]["f1"] < report["micro"]["f1"] for model in plainer)


def test_every_attack_changes_the_reply_and_the_same_way_each_time() -> None:
    case = case_with((3, {})) | {"history": [{"who": "counterpart", "text": "Who did it?"}]}
    for name, change in attacks.ATTACKS.items():
        case["reply"] = "Somebody should certainly have telephoned before tomorrow morning, please."
        assert change(case) != case["reply"], name
        assert change(case) == change(case), name


def test_the_data_card_holds_the_counts_of_the_data() -> None:
    text = card.CARD.read_text("utf-8")
    assert card.current(text) == text
