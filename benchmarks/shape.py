"""The shape of a package in figures, whole and by wing: ``python -m benchmarks.shape [SRC]``.

A wing is a folder directly under the package, or a module directly under it. Everything is read
from syntax trees and tokens; nothing is imported.

- Branches of a function: each ``if`` and ``elif``, conditional expression, ``for``, ``while``,
  ``except``, ``case``, each operand of ``and`` or ``or`` after the first, and each ``if`` of a
  comprehension. A nested function has its own and adds none to the one around it; a lambda adds.
- Length of a function: from ``def`` to its last line. p90 is the least value that nine in ten do
  not exceed.
- Public names: classes, functions and methods whose own name and whose classes' names begin with
  no ``_``, outside functions. Typed: every parameter but ``self`` and ``cls``, and the return.
- Private functions: the name begins with ``_``; those like ``__init__`` are counted apart too.
- True comments: all but ``fmt:``, ``noqa``, ``type:``, ``pragma``, ``#!`` and licence lines.
- Bound names: every target of an assignment, loop, ``with``, ``except`` or ``case``, and every
  parameter; those of comprehensions apart.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import statistics
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PALE = ("one", "made", "found", "those", "told")
"""Names that do not say what they hold."""
REPOSITORY = ("src", "tests", "benchmarks", "examples")
NO_TRUE_COMMENT = re.compile(
    r"#!|#\s*(fmt:|noqa|type:|pragma|spdx-|copyright|licen[cs]e)", re.IGNORECASE
)
MOST_POSITIONAL = MOST_UNPACKED = 4

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Function:
    """One function or method: where it stands, and how large it is."""

    name: str
    file: Path
    line: int
    length: int
    branches: int
    typed: bool


@dataclass(slots=True)
class Shape:
    """What is counted of one module, or of several together."""

    module_lengths: list[int] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    """Bound names outside comprehensions, with how often each is bound."""
    comprehension_names: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Shape) -> Shape:
        return Shape(
            module_lengths=self.module_lengths + other.module_lengths,
            functions=self.functions + other.functions,
            names=self.names + other.names,
            comprehension_names=self.comprehension_names + other.comprehension_names,
            counts=self.counts + other.counts,
        )

    @property
    def lines(self) -> int:
        """Lines of all modules."""
        return sum(self.module_lengths)

    @property
    def lengths(self) -> list[int]:
        """Lines of each function."""
        return [function.length for function in self.functions]

    @property
    def branches(self) -> list[int]:
        """Branches of each function."""
        return [function.branches for function in self.functions]

    @property
    def typed(self) -> int:
        """Functions that are typed throughout."""
        return sum(function.typed for function in self.functions)

    @property
    def private(self) -> int:
        """Functions whose name begins with ``_``."""
        return sum(function.name.startswith("_") for function in self.functions)

    @property
    def dunder(self) -> int:
        """Functions named like ``__init__``."""
        return sum(re.fullmatch("__.+__", function.name) is not None for function in self.functions)

    @property
    def pale(self) -> int:
        """Bindings of names that do not say what they hold."""
        return sum(self.names[name] for name in PALE)


# Measuring


def module_shape(file: Path) -> Shape:
    """The shape of one module."""
    text = file.read_text("utf-8")
    tree = ast.parse(text)
    shape = Shape([len(text.splitlines())])
    shape.counts += comment_counts(text)
    shape.counts += _documented(tree)
    unpackings, comprehension_targets = _unpackings(tree)
    shape.counts["wide unpackings"] += unpackings
    for node in ast.walk(tree):
        if isinstance(node, AnyFunction):
            shape.functions.append(_function(node, file))
        elif isinstance(node, ast.Call):
            shape.counts["long calls"] += len(node.args) > MOST_POSITIONAL
        for annotation in _annotations(node):
            shape.counts["annotations"] += 1
            shape.counts["Any"] += _has_any(annotation)
        for name in _bound(node):
            inside = node in comprehension_targets
            (shape.comprehension_names if inside else shape.names)[name] += 1
    return shape


def comment_counts(text: str) -> Counter[str]:
    """True comments, ``fmt: skip`` and ``type: ignore`` of a source text."""
    counts: Counter[str] = Counter()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            counts["comments"] += not NO_TRUE_COMMENT.match(token.string)
            counts["fmt: skip"] += re.search(r"#\s*fmt:\s*skip", token.string) is not None
            counts["type: ignore"] += re.search(r"#\s*type:\s*ignore", token.string) is not None
    return counts


def branches(function: AnyFunction) -> int:
    """The branches of a function, without those of the functions in it."""
    count = 0
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, AnyFunction):
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += len(node.ifs)
        else:
            count += isinstance(
                node,
                ast.If
                | ast.IfExp
                | ast.For
                | ast.AsyncFor
                | ast.While
                | ast.ExceptHandler
                | ast.match_case,
            )
    return count


def _function(node: AnyFunction, file: Path) -> Function:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    return Function(
        name=node.name,
        file=file,
        line=node.lineno,
        length=length,
        branches=branches(node),
        typed=_is_typed(node),
    )


def _parameters(node: AnyFunction | ast.Lambda) -> list[ast.arg]:
    args = node.args
    starred = [parameter for parameter in (args.vararg, args.kwarg) if parameter is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *starred]


def _is_typed(node: AnyFunction) -> bool:
    return node.returns is not None and all(
        parameter.annotation is not None or parameter.arg in {"self", "cls"}
        for parameter in _parameters(node)
    )


def _documented(tree: ast.Module) -> Counter[str]:
    counts: Counter[str] = Counter()
    waiting: list[ast.AST] = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, AnyFunction | ast.ClassDef):
            if node.name.startswith("_"):
                continue
            counts["public"] += 1
            counts["documented"] += ast.get_docstring(node) is not None
            if isinstance(node, AnyFunction):
                continue
        waiting += ast.iter_child_nodes(node)
    return counts


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
        yield node.annotation
    elif isinstance(node, AnyFunction) and node.returns is not None:
        yield node.returns


def _has_any(annotation: ast.expr) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id == "Any")
        or (isinstance(node, ast.Attribute) and node.attr == "Any")
        or (isinstance(node, ast.Constant) and re.search(r"\bAny\b", str(node.value)) is not None)
        for node in ast.walk(annotation)
    )


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _unpackings(tree: ast.Module) -> tuple[int, set[ast.AST]]:
    """How many targets have more than four names, and the nodes in comprehensions' targets."""
    wide, inside = 0, set[ast.AST]()
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            targets = [node.target]
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            targets = [node.optional_vars]
        for target in targets:
            if isinstance(target, ast.Tuple | ast.List):
                wide += _leaves(target) > MOST_UNPACKED
            if isinstance(node, ast.comprehension):
                inside.update(ast.walk(target))
    return wide, inside


def _leaves(target: ast.expr) -> int:
    if isinstance(target, ast.Tuple | ast.List):
        return sum(map(_leaves, target.elts))
    return 1


# The whole and its wings


def sources(folder: Path) -> list[Path]:
    """The modules under a folder."""
    return sorted(file for file in folder.rglob("*.py") if "__pycache__" not in file.parts)


def wings(package: Path) -> dict[str, Shape]:
    """The shape of each folder and module directly under a package, by its name."""
    shapes: dict[str, Shape] = {}
    for file in sources(package):
        first = file.relative_to(package).parts[0]
        name = first.removesuffix(".py") if first.endswith(".py") else f"{first}/"
        shapes[name] = shapes.get(name, Shape()) + module_shape(file)
    return shapes


def root_entries(package: Path) -> int:
    """Files and folders directly under a package."""
    return sum(entry.name not in {"__pycache__", "py.typed"} for entry in package.iterdir())


def skips_of_repository(package: Path) -> int | None:
    """``fmt: skip`` in all Python of the repository around a package; None: there is none."""
    for parent in package.resolve().parents:
        if (parent / "pyproject.toml").is_file():
            files = [file for folder in REPOSITORY for file in sources(parent / folder)]
            texts = (file.read_text("utf-8") for file in files)
            return sum(comment_counts(text)["fmt: skip"] for text in texts)
    return None


# Showing


def three(values: list[int]) -> str:
    """Median, p90 and maximum."""
    if not values:
        return "-"
    ninth = sorted(values)[-(-len(values) * 9 // 10) - 1]
    return f"{statistics.median(values):g} {ninth} {max(values)}"


def share(part: int, whole: int) -> str:
    """A part of a whole in percent."""
    return f"{100 * part / whole:.1f}%" if whole else "-"


def _pale_counts(names: Counter[str]) -> str:
    total = sum(names.values())
    pale = sum(names[name] for name in PALE)
    each = ", ".join(f"{name} {names[name]}" for name in PALE)
    return f"{share(pale, total)} ({each}; of {total})"


def summary(shape: Shape, package: Path) -> Iterator[tuple[str, str]]:
    """The figures of the whole, each with its title."""
    counts, functions = shape.counts, len(shape.functions)
    yield "modules", f"{len(shape.module_lengths)}"
    yield "lines", f"{shape.lines}"
    yield "module length: median, p90, maximum", three(shape.module_lengths)
    yield "functions", f"{functions}"
    yield "function length: median, p90, maximum", three(shape.lengths)
    yield "branches of a function: median, p90, maximum", three(shape.branches)
    documented = share(counts["documented"], counts["public"])
    yield "public names documented", f"{documented} of {counts['public']}"
    yield "functions typed", share(shape.typed, functions)
    yield "true comments in 100 lines", f"{100 * counts['comments'] / max(1, shape.lines):.2f}"
    any_share = share(counts["Any"], counts["annotations"])
    yield "annotations with Any", f"{any_share} ({counts['Any']} of {counts['annotations']})"
    yield "fmt: skip", f"{counts['fmt: skip']}"
    skips = skips_of_repository(package)
    if skips is not None:
        yield f"fmt: skip in {', '.join(REPOSITORY)}", f"{skips}"
    yield "type: ignore", f"{counts['type: ignore']}"
    private = f"{shape.private}, {shape.dunder} of them like __init__"
    yield "private functions", f"{share(shape.private, functions)} ({private})"
    yield "root entries", f"{root_entries(package)}"
    yield f"calls with more than {MOST_POSITIONAL} positional arguments", f"{counts['long calls']}"
    yield f"unpackings into more than {MOST_UNPACKED} names", f"{counts['wide unpackings']}"
    yield "bound names that say little", _pale_counts(shape.names)
    yield "the same in comprehensions", _pale_counts(shape.comprehension_names)


HEAD = (
    "wing",
    "modules",
    "lines",
    "module length",
    "functions",
    "length",
    "branches",
    "documented",
    "typed",
    "comments",
    "Any",
    "skip",
    "ignore",
    "private",
    "calls",
    "unpackings",
    "pale",
    "in compr.",
)


def _row(name: str, shape: Shape) -> tuple[str, ...]:
    counts, functions = shape.counts, len(shape.functions)
    inside = shape.comprehension_names
    return (
        name,
        f"{len(shape.module_lengths)}",
        f"{shape.lines}",
        three(shape.module_lengths),
        f"{functions}",
        three(shape.lengths),
        three(shape.branches),
        share(counts["documented"], counts["public"]),
        share(shape.typed, functions),
        f"{100 * counts['comments'] / max(1, shape.lines):.2f}",
        share(counts["Any"], counts["annotations"]),
        f"{counts['fmt: skip']}",
        f"{counts['type: ignore']}",
        share(shape.private, functions),
        f"{counts['long calls']}",
        f"{counts['wide unpackings']}",
        share(shape.pale, sum(shape.names.values())),
        share(sum(inside[name] for name in PALE), sum(inside.values())),
    )


def table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The rows in columns as wide as they need."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        right = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield "  ".join([name.ljust(widths[0]), *right])


def worst(shape: Shape, count: int, package: Path) -> Iterator[str]:
    """The longest functions, then those with the most branches."""
    for title, measure in (("lines", "length"), ("branches", "branches")):
        yield f"most {title}"
        ranked = sorted(shape.functions, key=lambda function: -getattr(function, measure))
        for function in ranked[:count]:
            place = f"{function.file.relative_to(package)}:{function.line}"
            yield f"  {getattr(function, measure):>5}  {place}  {function.name}"


def main() -> None:
    """Print the figures of the package that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.shape",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("package", type=Path, nargs="?", default=Path("src/ivpush"), metavar="SRC")
    parser.add_argument(
        "--worst",
        type=int,
        default=0,
        metavar="N",
        help="name the N longest functions and the N with the most branches",
    )
    options = parser.parse_args()
    shapes = wings(options.package)
    whole = sum(shapes.values(), Shape())
    for title, figures in summary(whole, options.package):
        print(f"{title:<50} {figures}")
    print()
    print("\n".join(table([HEAD, *(_row(name, shape) for name, shape in shapes.items())])))
    if options.worst:
        print()
        print("\n".join(worst(whole, options.worst, options.package)))


if __name__ == "__main__":
    main()
