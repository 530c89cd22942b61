"""The house keeps its walls: import contracts, file sizes, and what starts without being asked."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 400
LONGEST_FUNCTION = 50


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--config", "importlinter.cfg"]
    return subprocess.run(
        [*command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_every_import_contract_is_kept() -> None:
    """Eight contracts, none broken."""
    ended = lint_imports(ROOT)

    assert ended.returncode == 0, ended.stdout
    assert "Contracts: 8 kept, 0 broken." in ended.stdout


def test_a_planted_import_of_the_network_breaks_the_contract(tmp_path: Path) -> None:
    """`import httpx` in core is found: the check can fail."""
    for name in ("core", "ports", "adapters", "apps", "scripts", "importlinter.cfg"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(tmp_path)], check=True)
    planted = tmp_path / "core" / "rng.py"
    planted.write_text(planted.read_text() + "\nimport httpx\n")

    ended = lint_imports(tmp_path)

    assert ended.returncode == 1
    assert "core.rng -> httpx" in ended.stdout


TOPS = ("core", "ports", "adapters", "apps", "scripts", "tests", "bench")


def test_no_file_is_two_things() -> None:
    """No Python file, product or test, is longer than the house allows."""
    files = [file for top in TOPS for file in (ROOT / top).rglob("*.py")]
    long = {
        str(file.relative_to(ROOT)): count
        for file in files
        if (count := len(file.read_text().splitlines())) > LONGEST_FILE
    }

    assert len(files) > 200
    assert long == {}


def test_no_function_is_two_things() -> None:
    """No function, product or test, has more lines than the house allows."""
    functions = [
        (f"{file.relative_to(ROOT)}: {node.name}", node.end_lineno - node.lineno + 1)
        for top in TOPS
        for file in (ROOT / top).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]

    assert len(functions) > 2000
    assert {name: lines for name, lines in functions if lines > LONGEST_FUNCTION} == {}
