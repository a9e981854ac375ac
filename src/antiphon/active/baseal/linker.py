"""One self-contained Python file out of some functions and all that they use of this package.

The text is cut from the modules where it stands, so that an export never lags behind. Only what
is used is taken; an import of this package becomes the definition it stands for.
"""

from __future__ import annotations

import ast
import builtins
import symtable
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from antiphon.active.baseal.source import (
    DROPPED_DECORATORS,
    PACKAGE,
    Module,
    Thing,
    as_module,
    is_allowed,
    is_card,
    local_names,
    parse_module,
    resolve,
    root_of,
)
from antiphon.errors import UserError


@dataclass(frozen=True, slots=True)
class _Edit:
    """A span of a module's text and what to put there instead; ``thing`` is named in the end."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str = ""
    thing: Thing | None = None


def gather(
    roots: Sequence[Thing],
    replaced: Mapping[Thing, str] | None = None,
    named: Sequence[Thing] = (),
) -> str:
    """Return the source of the roots and of all they use, without any import of this package.

    Parameters
    ----------
    roots
        What the file must hold.
    replaced
        Other text for some definitions; ``{0}`` in it is the final name of ``named[0]``.
    named
        Further things the file must hold, to be used by those texts.

    Raises
    ------
    UserError
        If something needs a package that does not come with NumPy and scikit-learn.

    Notes
    -----
    Two definitions of one name in different modules are told apart by their module's name.
    Annotations that need another package become ``Any``. The decorator that registers a strategy
    is left out.
    """
    return _Linker(dict(replaced or {}), tuple(named)).link(roots)


class _Linker:
    def __init__(self, replaced: dict[Thing, str], named: tuple[Thing, ...]) -> None:
        self.replaced = replaced
        self.named = named
        self.edits: dict[Thing, list[_Edit]] = {}
        self.imports: dict[str, set[str]] = defaultdict(set)

    def link(self, roots: Sequence[Thing]) -> str:
        for root in [*self.named, *roots]:
            self.visit(root)
        names = self.final_names()
        parts = [self.import_block()]
        for module in self.module_order():
            parsed = parse_module(module)
            here = [thing for thing in self.edits if thing.module == module]
            for thing in sorted(here, key=lambda t: parsed.order[t.name]):
                if thing in self.replaced:
                    parts.append(self.replaced[thing].format(*(names[t] for t in self.named)))
                else:
                    parts.append(_apply(parsed, thing.name, self.edits[thing], names))
        text = _join([part.strip("\n") for part in parts if part.strip()])
        _check_names(text)
        return text

    def visit(self, thing: Thing) -> None:
        """Take a definition and, before it, what it uses."""
        if thing in self.edits:
            return
        parsed = parse_module(thing.module)
        self.edits[thing] = []
        if thing not in self.replaced:
            node = parsed.definitions[thing.name]
            self.edits[thing] = list(self.walk(parsed, node, frozenset()))

    def walk(self, parsed: Module, node: ast.AST, local: frozenset[str]) -> Iterator[_Edit]:
        """Yield the edits of a node and visit what it refers to."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from self.walk_function(parsed, node, local)
            return
        if isinstance(node, ast.ClassDef):
            yield from self.walk_decorators(parsed, node, local)
            for child in [*node.bases, *node.keywords, *node.body]:
                yield from self.walk(parsed, child, local)
            return
        if isinstance(node, ast.AnnAssign):
            yield from self.walk_annotation(parsed, node.annotation, local)
            for part in (node.target, node.value):
                if part is not None:
                    yield from self.walk(parsed, part, local)
            return
        if isinstance(node, ast.Import | ast.ImportFrom):
            return
        if isinstance(node, ast.Attribute):
            found = self.member(parsed, node, local)
            if found is not None:
                self.visit(found)
                yield _span(node, thing=found)
                return
        if isinstance(node, ast.Name) and node.id not in local:
            target = self.refer(parsed, node.id)
            if target is not None:
                yield _span(node, thing=target)
            return
        for child in ast.iter_child_nodes(node):
            yield from self.walk(parsed, child, local)

    def walk_function(
        self,
        parsed: Module,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
        local: frozenset[str],
    ) -> Iterator[_Edit]:
        arguments = node.args
        inner = local | local_names(node)
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                yield from self.walk(parsed, default, local)
        if isinstance(node, ast.Lambda):
            yield from self.walk(parsed, node.body, inner)
            return
        yield from self.walk_decorators(parsed, node, local)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
        for annotation in [*(a.annotation for a in every), node.returns]:
            if annotation is not None:
                yield from self.walk_annotation(parsed, annotation, local)
        for statement in node.body:
            yield from self.walk(parsed, statement, inner)

    def walk_decorators(
        self,
        parsed: Module,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
        local: frozenset[str],
    ) -> Iterator[_Edit]:
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            found = parsed.imports.get(called.id) if isinstance(called, ast.Name) else None
            if found in DROPPED_DECORATORS:
                # From the "@" to the end of the last line.
                start = (decorator.lineno, decorator.col_offset - 1)
                yield _Edit(start, ((decorator.end_lineno or 0) + 1, 0))
            else:
                yield from self.walk(parsed, decorator, local)

    def walk_annotation(
        self, parsed: Module, node: ast.expr, local: frozenset[str]
    ) -> Iterator[_Edit]:
        foreign = [
            name.id
            for name in ast.walk(node)
            if isinstance(name, ast.Name)
            and name.id in parsed.imports
            and root_of(parsed.imports[name.id][0]) != PACKAGE
            and not is_allowed(parsed.imports[name.id][0])
        ]
        if foreign:
            self.imports["typing"].add("Any")
            yield _span(node, text="Any")
            return
        yield from self.walk(parsed, node, local)

    def refer(self, parsed: Module, name: str) -> Thing | None:
        """Resolve a name: take the definition, or the import of another package."""
        found = resolve(parsed.name, name)
        if isinstance(found, Thing):
            self.visit(found)
            return found
        if found is not None:
            module, attribute = found
            for one in parsed.submodules.get(name, [module]):
                self.take_import(one, attribute, name)
        return None

    def member(self, parsed: Module, node: ast.Attribute, local: frozenset[str]) -> Thing | None:
        """Resolve ``module.thing`` of this package, and ``card.strategy`` of a strategy."""
        if not isinstance(node.value, ast.Name) or node.value.id in local:
            return None
        name = node.value.id
        if name in parsed.imports:
            module = as_module(*parsed.imports[name])
            if module is not None and root_of(module) == PACKAGE:
                found = resolve(module, node.attr)
                return found if isinstance(found, Thing) else None
        found = resolve(parsed.name, name)
        if isinstance(found, Thing) and node.attr == "strategy" and is_card(found):
            return found
        return None

    def take_import(self, module: str, attribute: str | None, name: str) -> None:
        if not is_allowed(module):
            raise UserError(
                f"{name!r} of the package {root_of(module)!r} is used, which does not come with "
                "NumPy and scikit-learn, so it cannot be exported."
            )
        if attribute is not None:
            alias = "" if attribute == name else f" as {name}"
            self.imports[module].add(f"{attribute}{alias}")
        else:
            alias = "" if root_of(module) == name else f" as {name}"
            self.imports[module].add(f"import {module}{alias}")

    def import_block(self) -> str:
        blocks: tuple[list[str], list[str]] = ([], [])
        for module in sorted(self.imports):
            block = blocks[root_of(module) not in sys.stdlib_module_names]
            names = sorted(self.imports[module])
            block.extend(name for name in names if name.startswith("import "))
            members = [name for name in names if not name.startswith("import ")]
            if members:
                block.append(f"from {module} import {', '.join(members)}")
        order = [sorted(block, key=lambda s: s.startswith("from")) for block in blocks]
        future = "from __future__ import annotations"
        return "\n\n".join("\n".join(block) for block in ([future], *order) if block)

    def final_names(self) -> dict[Thing, str]:
        """Give each definition the name it has, or a longer one where another has it already."""
        bound = [part.split()[-1] for block in self.imports.values() for part in block]
        taken = {root_of(name) for name in bound}
        names: dict[Thing, str] = {}
        for module in self.module_order():
            for thing in sorted(t for t in self.edits if t.module == module):
                name = thing.name
                if name in taken:
                    name = f"_{module.rpartition('.')[2]}_{name.lstrip('_')}"
                if name in taken:
                    raise UserError(
                        f"The name {name!r} would stand for two things in one file, so this cannot "
                        f"be exported; rename {thing.name!r} in {module}."
                    )
                taken.add(name)
                names[thing] = name
        return names

    def module_order(self) -> list[str]:
        """Return the modules so that each comes after those it imports."""
        wanted = {thing.module for thing in self.edits}
        seen: set[str] = set()
        order: list[str] = []

        def go(module: str) -> None:
            if module in seen:
                return
            seen.add(module)
            for source, attribute in parse_module(module).imports.values():
                if root_of(source) == PACKAGE:
                    go(as_module(source, attribute) or source)
            if module in wanted:
                order.append(module)

        for module in sorted(wanted):
            go(module)
        # Texts put in place of definitions refer to things of any module, so theirs come last.
        last = {thing.module for thing in self.replaced}
        return sorted(order, key=lambda module: module in last)


def _join(parts: Sequence[str]) -> str:
    """Set two empty lines around functions and classes, none between plain assignments."""
    text = parts[0]
    for before, after in pairwise(parts):
        plain = [not part.startswith(("def ", "class ", "@", "#")) for part in (before, after)]
        text += ("\n" if all(plain) and before is not parts[0] else "\n\n\n") + after
    return text + "\n"


def _span(node: ast.expr, *, text: str = "", thing: Thing | None = None) -> _Edit:
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return _Edit((node.lineno, node.col_offset), end, text, thing)


def _apply(parsed: Module, name: str, edits: Sequence[_Edit], names: Mapping[Thing, str]) -> str:
    """Return the text of a definition, its comments above included, after the edits."""
    node = parsed.definitions[name]
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(d.lineno for d in decorators)])
    while first > 1 and parsed.lines[first - 2].startswith(b"#"):
        first -= 1
    lines = parsed.lines[first - 1 : node.end_lineno]
    every = list(edits)
    final = names[Thing(parsed.name, name)]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and final != name:
        at = parsed.lines[node.lineno - 1].index(name.encode(), node.col_offset)
        every.append(_Edit((node.lineno, at), (node.lineno, at + len(name)), final))
    for edit in sorted(set(every), key=lambda e: e.start, reverse=True):
        text = edit.text if edit.thing is None else names[edit.thing]
        (row, column), (last, end) = edit.start, edit.end
        before = lines[row - first][:column]
        after = lines[last - first][end:] if last - first < len(lines) else b""
        lines[row - first : last - first + 1] = [before + text.encode() + after]
    return b"\n".join(lines).decode()


def _check_names(text: str) -> None:
    """Make sure that the file stands alone."""
    for node in ast.walk(ast.parse(text)):
        imported = [n.name for n in node.names] if isinstance(node, ast.Import) else []
        imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for module in imported:
            if root_of(module) == PACKAGE:
                raise UserError(f"{module} is imported within a function and cannot be exported.")
    top = symtable.symtable(text, "sampling.py", "exec")
    known = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()}
    known |= {symbol.get_name() for symbol in top.get_symbols() if symbol.is_imported()}
    known |= {symbol.get_name() for symbol in top.get_symbols() if symbol.is_namespace()}
    known |= set(dir(builtins)) | {"__name__", "__file__"}
    waiting = [top]
    while waiting:
        table = waiting.pop()
        waiting.extend(table.get_children())
        for symbol in table.get_symbols():
            # symtable takes a function called "top" for the module and its variables for global.
            bound = symbol.is_parameter() or symbol.is_assigned()
            free = table is top or (symbol.is_global() and not bound)
            if free and symbol.is_referenced() and symbol.get_name() not in known:
                raise UserError(f"{symbol.get_name()!r} was not found, so nothing can be exported.")
