"""The modules of this package as parsed source: what each defines, and what each name means."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from antiphon.errors import UserError

PACKAGE = "antiphon"
# Packages that come with NumPy and scikit-learn.
_ALLOWED = frozenset({"numpy", "scipy", "sklearn", "threadpoolctl", "joblib"})
DROPPED_DECORATORS = frozenset({("antiphon.active.base", "strategy")})


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """A definition at the top of a module."""

    module: str
    name: str


@dataclass(slots=True)
class Module:
    """A parsed module: what it defines, and what each imported name means."""

    name: str
    lines: list[bytes]
    definitions: dict[str, ast.stmt] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    submodules: dict[str, list[str]] = field(default_factory=dict)


@cache
def parse_module(name: str) -> Module:
    """Read a module of this package."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise UserError(f"The source of {name} is not there, so nothing can be exported.")
    source = Path(spec.origin).read_bytes()
    parsed = Module(name, source.split(b"\n"))
    for node in _top_level(ast.parse(source).body):
        if isinstance(node, ast.Import):
            for one in node.names:
                local = one.asname or root_of(one.name)
                parsed.imports[local] = (one.name, None)
                if not one.asname:
                    # "import a.b" and "import a.c" both bind a.
                    parsed.submodules.setdefault(local, []).append(one.name)
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                parsed.imports[one.asname or one.name] = (node.module or "", one.name)
        else:
            for defined in _defined(node):
                parsed.definitions[defined] = node
                parsed.order[defined] = node.lineno
    return parsed


def _top_level(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements at the top, and the imports in ``if TYPE_CHECKING``."""
    for node in body:
        if isinstance(node, ast.If):
            yield from (n for n in node.body if isinstance(n, ast.Import | ast.ImportFrom))
        else:
            yield node


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]


def resolve(module: str, name: str) -> Thing | tuple[str, str | None] | None:
    """Return the definition behind a name, or the import of another package, or None.

    An import is the module and the name in it, which is None for ``import module``.
    """
    parsed = parse_module(module)
    if name in parsed.definitions:
        return Thing(module, name)
    if name not in parsed.imports:
        return None
    source, attribute = parsed.imports[name]
    if root_of(source) != PACKAGE:
        return source, attribute
    if attribute is None or as_module(source, attribute) is not None:
        return None
    return resolve(source, attribute)


def as_module(source: str, attribute: str | None) -> str | None:
    """Return the full name if the import brings a module."""
    if attribute is None:
        return source
    if root_of(source) != PACKAGE or attribute in parse_module(source).definitions:
        return None
    full = f"{source}.{attribute}"
    try:
        return full if importlib.util.find_spec(full) is not None else None
    except ModuleNotFoundError:
        return None


def is_card(thing: Thing) -> bool:
    """Tell whether a definition is registered as a strategy."""
    node = parse_module(thing.module).definitions[thing.name]
    if not isinstance(node, ast.FunctionDef):
        return False
    calls = [d.func for d in node.decorator_list if isinstance(d, ast.Call)]
    imports = parse_module(thing.module).imports
    return any(isinstance(c, ast.Name) and imports.get(c.id) in DROPPED_DECORATORS for c in calls)


def root_of(module: str) -> str:
    """Return the package of a module."""
    return module.partition(".")[0]


def is_allowed(module: str) -> bool:
    """Tell whether a module is there wherever NumPy and scikit-learn are."""
    return root_of(module) in _ALLOWED or root_of(module) in sys.stdlib_module_names


def local_names(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """Return the names that a function binds, those of functions inside it included."""
    bound: set[str] = set()
    shared: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.arg):
            bound.add(child.arg)
        elif isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
            bound.add(child.id)
        elif isinstance(child, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler):
            if child is not node and child.name:
                bound.add(child.name)
        elif isinstance(child, ast.Import | ast.ImportFrom):
            bound.update(one.asname or root_of(one.name) for one in child.names)
        elif isinstance(child, ast.Global):
            shared.update(child.names)
    return bound - shared
