import json
from pathlib import Path

import pytest

from evals import __main__ as command
from evals import baseline


def figures(value: float, n: int = 100, name: str = "recall_at_3") -> dict[str, dict[str, float]]:
    return {name: {"value": value, "n": n}}


@pytest.mark.parametrize(("then", "now", "fell"), [(0.9, 0.88, False), (0.9, 0.86, True)])
def test_a_figure_fell_when_it_lost_more_than_one_standard_error(
    then: float, now: float, fell: bool
) -> None:
    assert baseline.compare(figures(then), figures(now))[0].fell is fell


def test_of_a_fault_less_is_better() -> None:
    name = "-all.yield"
    assert baseline.compare(figures(0.0, 108, name), figures(2 / 108, 108, name))[0].fell
    assert not baseline.compare(figures(0.05, 108, name), figures(0.0, 108, name))[0].fell


def test_a_figure_that_is_gone_counts_as_the_worst() -> None:
    assert baseline.compare(figures(0.9), {})[0].fell
    assert baseline.compare(figures(0.1, 100, "-all.yield"), {})[0].fell


def test_every_kept_figure_is_one_that_its_command_reports() -> None:
    kept = baseline.load()
    assert kept.keys() == baseline.FIGURES.keys()
    for name, rows in kept.items():
        assert rows.keys() <= baseline.FIGURES[name].keys()
        assert all(row["n"] > 0 and 0 <= row["value"] <= 1 for row in rows.values())


def test_the_gate_fails_a_run_whose_figures_fell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    higher = {"critic": figures(0.99, 5000, "micro.f1")}
    (tmp_path / "baseline.json").write_text(json.dumps(higher), "utf-8")
    monkeypatch.setattr(baseline, "FILE", tmp_path / "baseline.json")
    assert command.main(["critic", "--cv"]) == 0
    assert command.main(["critic", "--cv", "--gate"]) == 1
    assert "FELL" in capsys.readouterr().out
    assert command.main(["critic", "--cv", "--keep", "--gate"]) == 0


def test_only_a_run_over_the_standing_cases_has_a_baseline() -> None:
    with pytest.raises(SystemExit, match="standing cases"):
        command.main(["counterpart", "--scenario", "nowhere", "--gate"])
