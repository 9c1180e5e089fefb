"""The shape of the source: who may import whom, how long things are, what is documented.

The order of the modules is written once, in ``pyproject.toml`` under ``[tool.ivpush-layout]``.
"""

from __future__ import annotations

import ast
import re
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from benchmarks.shape import skips_of_repository, wings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "ivpush"
ORDER: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
    "ivpush-layout"
]["order"]
MOST_MODULE_LINES = 500
MOST_FUNCTION_LINES = 60
MOST_FMT_SKIPS = 20
"""Of the whole repository. Lower it as marks go; it may only fall."""
CORE = ("errors", "clock", "contract/", "language/", "pack/", "coding/", "claim/", "engine")
"""The wings between reading and writing, where every value has a type."""
MOST_ANY = 0.02
"""Of the annotations of a core wing; pydantic and JSON ask for some."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules_in(source: Path) -> dict[str, Path]:
    """Module name (``pack``, ``readers.x12``, ``readers`` for its ``__init__``) to its file."""
    modules = {}
    for file in sorted(source.rglob("*.py")):
        parts = file.relative_to(source).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return modules


def rank(module: str, order: list[str]) -> int | None:
    """Where a module stands in the order; None: nowhere."""
    for place, entry in enumerate(order):
        folder = entry.removesuffix(".*")
        if module == folder or (entry != folder and module.startswith(f"{folder}.")):
            return place
    return None


def _targets(node: ast.AST, package: list[str]) -> Iterator[str]:
    """Dotted names that a statement may import, ``ivpush.`` in front; ``from a import b``: a.b."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else []
        start = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{start}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        first = node.args[0] if node.args else None
        if name in {"import_module", "__import__"} and isinstance(first, ast.Constant):
            named = str(first.value)
            yield f"ivpush{named}" if named.startswith(".") else named


def imports_of(file: Path, module: str, modules: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line and module of every import of our own: at the top, in functions, for type checkers.

    The door itself is the module ``""``; its constant ``__version__`` counts as nothing.
    """
    package = ["ivpush", *module.split(".")]
    if file.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        for target in _targets(node, package):
            first, _, rest = target.partition(".")
            if first != "ivpush" or rest == "__version__":
                continue
            while rest and rest not in modules:
                rest = rest.rpartition(".")[0]
            yield getattr(node, "lineno", 0), rest


def import_faults(source: Path, order: list[str]) -> list[str]:
    """Modules outside the order, upward imports, and circles inside one folder."""
    modules, faults = modules_in(source), []
    graph: dict[str, set[str]] = {}
    for module, file in modules.items():
        if not module:
            continue
        own = rank(module, order)
        if own is None:
            faults.append(f"{module}: is not in [tool.ivpush-layout] order; put it in its place")
            continue
        for line, target in imports_of(file, module, modules):
            other = rank(target, order) if target else len(order)
            if other is not None and other > own:
                faults.append(f"{module}:{line}: imports '{target or 'ivpush'}', which is below it")
            elif other == own and target != module:
                graph.setdefault(module, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        faults.append(f"modules import one another in a circle: {' -> '.join(error.args[1])}")
    return faults


def size_faults(source: Path) -> list[str]:
    """Modules and functions that are too long."""
    faults = []
    for module, file in modules_in(source).items():
        text = file.read_text("utf-8")
        if (lines := len(text.splitlines())) > MOST_MODULE_LINES:
            faults.append(f"{module}: has {lines} lines; split it")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, Function):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    faults.append(f"{module}.{node.name}: has {lines} lines; split it")
    return faults


def typing_faults(source: Path, core: Iterable[str]) -> list[str]:
    """Wings whose annotations say too often that anything goes, or that switch checks off."""
    faults = []
    for name, shape in wings(source).items():
        if name not in core:
            continue
        counts = shape.counts
        if counts["Any"] > MOST_ANY * counts["annotations"]:
            faults.append(f"{name}: has Any in {counts['Any']} of {counts['annotations']}")
        if counts["type: ignore"]:
            faults.append(f"{name}: has {counts['type: ignore']} type: ignore")
    return faults


def _public(tree: ast.Module | ast.ClassDef, name: str) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield f"{name}.{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from _public(node, f"{name}.{node.name}")


def _unannotated(function: Function) -> Iterator[str]:
    arguments = function.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    parameters += [starred for starred in (arguments.vararg, arguments.kwarg) if starred]
    for parameter in parameters:
        if parameter.annotation is None and parameter.arg not in {"self", "cls"}:
            yield parameter.arg
    if function.returns is None:
        yield "what it returns"


def naming_faults(source: Path) -> list[str]:
    """Public names without a docstring or an annotation."""
    faults = []
    for module, file in modules_in(source).items():
        tree = ast.parse(file.read_text("utf-8"))
        here = module or "__init__"
        if ast.get_docstring(tree) is None:
            faults.append(f"{here}: has no docstring")
        for name, node in _public(tree, here):
            if isinstance(node, Function | ast.ClassDef) and ast.get_docstring(node) is None:
                faults.append(f"{name}: has no docstring")
            if isinstance(node, Function):
                faults += [f"{name}: {bare} has no annotation" for bare in _unannotated(node)]
    return faults


FLAG = re.compile(r"(?<![\w-])--[a-z]")
SPEAKS_OF_FLAGS = (
    "commands",
    "authoring",
    "__main__",
    "testing.__main__",
    "testing.plugin",
    "testing.snapshots",
)
"""What is called from a terminal, by pytest too, and the pages for who writes rules."""


def flag_faults(source: Path) -> list[str]:
    """Texts of the library that speak of the command line, which its caller may not have used."""
    faults = []
    for module, file in modules_in(source).items():
        if module.startswith(SPEAKS_OF_FLAGS):
            continue
        tree = ast.parse(file.read_text("utf-8"))
        prose = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        faults += [
            f"{module}:{node.lineno}: {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in prose
            and FLAG.search(node.value)
        ]
    return faults


def test_the_library_names_arguments_and_no_flags() -> None:
    faults = flag_faults(SOURCE)
    assert not faults, "\n".join(faults)


def test_modules_import_only_from_above() -> None:
    faults = import_faults(SOURCE, ORDER)
    assert not faults, "\n".join(faults)


def test_the_library_never_reads_its_own_source() -> None:
    """Only the folder of rules is looked for beside the package; nothing opens a module.

    Descriptions in published schemas stand below the fields, and are read when one is asked for.
    """
    faults = [
        module
        for module, file in modules_in(SOURCE).items()
        if module not in {"pack.folder", "contract.described"}
        and re.search(r"__file__|importlib\.resources|\binspect\b", file.read_text("utf-8"))
    ]
    assert faults == []


def test_every_entry_of_the_order_names_a_module() -> None:
    modules = modules_in(SOURCE)
    assert [entry for entry in ORDER if entry.removesuffix(".*") not in modules] == []
    assert len(set(ORDER)) == len(ORDER)


def test_modules_and_functions_are_short() -> None:
    faults = size_faults(SOURCE)
    assert not faults, "\n".join(faults)


def test_the_formatter_is_kept_out_of_few_places() -> None:
    """A mark that packs lines hides a function that does too much."""
    skips = skips_of_repository(SOURCE)
    assert skips is not None
    assert skips <= MOST_FMT_SKIPS


def test_the_core_is_typed_to_the_end() -> None:
    assert set(CORE) <= wings(SOURCE).keys()
    faults = typing_faults(SOURCE, CORE)
    assert not faults, "\n".join(faults)


def test_public_names_are_documented_and_annotated() -> None:
    faults = naming_faults(SOURCE)
    assert not faults, "\n".join(faults)


def _planted(folder: Path, **texts: str) -> Path:
    for name, text in {"__init__": "", "upper": "", "lower": "", **texts}.items():
        file = folder / f"{name.replace('__in__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "import ivpush.lower",
        "from ivpush import lower",
        "from ivpush.lower import something",
        "from . import lower",
        "from .lower import something",
        "def late():\n    from ivpush import lower",
        "if TYPE_CHECKING:\n    from ivpush.lower import something",
        "importlib.import_module('ivpush.lower')",
        "from ivpush import Engine",
        "import ivpush",
    ],
)
def test_a_planted_upward_import_is_caught(tmp_path: Path, text: str) -> None:
    faults = import_faults(_planted(tmp_path, upper=text), ["upper", "lower"])
    assert len(faults) == 1 and "which is below it" in faults[0]


@pytest.mark.parametrize(
    "text",
    [
        "from ivpush.upper import something",
        "from . import upper",
        "import json",
        "from ivpush import __version__",
    ],
)
def test_a_downward_import_is_fine(tmp_path: Path, text: str) -> None:
    assert import_faults(_planted(tmp_path, lower=text), ["upper", "lower"]) == []


def test_a_module_outside_the_order_is_caught(tmp_path: Path) -> None:
    faults = import_faults(_planted(tmp_path), ["upper"])
    assert faults == ["lower: is not in [tool.ivpush-layout] order; put it in its place"]


def test_an_upward_import_from_within_a_folder_is_caught(tmp_path: Path) -> None:
    texts = {"readers__in____init__": "", "readers__in__x12": "from ..lower import a"}
    faults = import_faults(_planted(tmp_path, **texts), ["upper", "readers.*", "lower"])
    assert faults == ["readers.x12:1: imports 'lower', which is below it"]


def test_a_circle_inside_a_folder_is_caught(tmp_path: Path) -> None:
    texts = {
        "readers__in____init__": "from ivpush.readers import x12",
        "readers__in__x12": "from ivpush.readers.fhir import a",
        "readers__in__fhir": "from .x12 import b",
    }
    faults = import_faults(_planted(tmp_path, **texts), ["upper", "lower", "readers.*"])
    assert len(faults) == 1 and "in a circle" in faults[0]


def test_length_is_caught_just_past_the_bound(tmp_path: Path) -> None:
    body = "    pass\n"
    _planted(
        tmp_path,
        upper="def long():\n" + body * 60 + "\n" * 439,
        lower="def fits():\n" + body * 59 + "\n" * 440,
    )
    assert size_faults(tmp_path) == ["upper.long: has 61 lines; split it"]
    (tmp_path / "lower.py").write_text("\n" * 501, "utf-8")
    assert "lower: has 501 lines; split it" in size_faults(tmp_path)


def test_what_hides_a_type_is_caught(tmp_path: Path) -> None:
    plain = "".join(f"n{n}: int\n" for n in range(49))
    _planted(tmp_path, upper=plain + "rest: Any\n", lower=plain + "rest: list[Any]\nlast: Any\n")
    assert typing_faults(tmp_path, ("upper", "lower")) == ["lower: has Any in 2 of 51"]
    (tmp_path / "upper.py").write_text("low: int = 'a'  # type: ignore[assignment]\n", "utf-8")
    assert "upper: has 1 type: ignore" in typing_faults(tmp_path, ("upper",))


def test_a_flag_in_a_text_of_the_library_is_caught(tmp_path: Path) -> None:
    text = '"""As --payer does."""\nFAULT = "write --payer NAME"\n'
    _planted(tmp_path, lower=text, commands=text)
    assert flag_faults(tmp_path) == ["lower:2: 'write --payer NAME'"]


def test_missing_docstrings_and_annotations_are_caught(tmp_path: Path) -> None:
    text = '"""."""\nclass Open:\n    """."""\n    def act(self, what, *more: int): ...\n'
    _planted(tmp_path, __init__='"""."""', lower='"""."""\ndef _own(x): ...\n', upper=text)
    assert naming_faults(tmp_path) == [
        "upper.Open.act: has no docstring",
        "upper.Open.act: what has no annotation",
        "upper.Open.act: what it returns has no annotation",
    ]
