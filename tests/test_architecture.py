"""The arrows between modules, read from the source: a wrong import fails here."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "knowledge", "prompts", "ui", "evals")
PURE = ("domain", "rubric", "counterpart", "trust", "debrief", "words", "errors")
HEAVY = {"chromadb", "langchain", "langchain_core", "openai", "streamlit", "alembic", "sqlalchemy"}
HEAVY |= {"onnxruntime", "tokenizers", "torch", "sklearn"}


def imported(path: Path, *, inside: bool = True) -> set[str]:
    """Return the modules a file imports; those inside functions too unless told otherwise."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = ast.walk(tree) if inside else iter(tree.body)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def tops(path: Path, *, inside: bool = True) -> set[str]:
    return {name.split(".")[0] for name in imported(path, inside=inside)}


def files(package: str) -> list[Path]:
    return [p for p in sorted((ROOT / package).rglob("*.py")) if "migrations" not in p.parts]


@pytest.mark.parametrize("name", PURE)
def test_the_core_imports_only_itself_the_standard_library_and_pydantic(name: str) -> None:
    path = ROOT / "agent" / f"{name}.py"
    ours = {m for m in imported(path) if m.startswith("agent.")}
    pure = {f"agent.{p}" for p in PURE}
    assert all(any(m == p or m.startswith(f"{p}.") for p in pure) for m in ours), ours
    allowed = {*sys.stdlib_module_names, "pydantic", "agent", "prompts"}
    assert tops(path) <= allowed, tops(path) - allowed


@pytest.mark.parametrize("name", PURE)
def test_the_core_has_no_clock_no_chance_and_no_files(name: str) -> None:
    banned = {"random", "time", "datetime", "os", "pathlib", "io", "secrets", "uuid", "socket"}
    assert not tops(ROOT / "agent" / f"{name}.py") & banned


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("agent", {"ui", "evals", "tests", "streamlit"}),
        ("knowledge", {"ui", "evals", "tests", "streamlit"}),
        ("prompts", {"ui", "evals", "tests", "knowledge"}),
        ("ui", {"evals", "tests"}),
        ("evals", {"ui", "tests"}),
    ],
)
def test_no_arrow_points_outward(package: str, never: set[str]) -> None:
    for path in files(package):
        if path.name in {"cli.py", "speed.py"}:  # they start the app they are about
            continue
        assert not tops(path) & never, path


def test_only_the_page_code_and_its_server_know_streamlit() -> None:
    for package in ("agent", "knowledge", "prompts", "evals"):
        for path in files(package):
            assert "streamlit" not in tops(path), path


def test_only_training_knows_torch() -> None:
    for package in PACKAGES:
        for path in files(package):
            if "train" not in path.parts:
                assert not tops(path) & {"torch", "onnx"}, path


def test_the_session_knows_neither_engine_nor_store() -> None:
    ours = {m for m in imported(ROOT / "agent" / "session.py") if m.startswith("agent")}
    known = {"agent", "agent.domain", "agent.errors", "agent.rubric", "agent.counterpart"}
    assert {m for m in ours if m.count(".") == 1} <= known


def test_the_command_line_starts_without_anything_heavy() -> None:
    code = (
        "import sys; from agent import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if '.' not in m), file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(ast.literal_eval(run.stderr.strip().splitlines()[-1]))
    assert not loaded & HEAVY
