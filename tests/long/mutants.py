"""Small changes to a module, one at a time: each is a mistake that somebody could make, and that a test should notice."""

import ast
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

Change = Callable[[], None]

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.Pow: ast.Mult,
}  # fmt: skip
_CALLED = {"any": "all", "all": "any", "min": "max", "max": "min"}
_SIGNS = {
    "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Eq": "==", "NotEq": "!=", "Is": "is", "IsNot": "is not", "In": "in", "NotIn": "not in",
    "Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "BitOr": "|", "BitAnd": "&", "Pow": "**",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: in the function that begins at `start`, or of the constant `name` where there is none."""

    file: Path
    line: int
    what: str
    number: int
    start: int
    end: int
    name: str


def mutants(file: Path) -> Iterator[Mutant]:
    """All changes of a module, in the order of its text."""
    for number, (node, function, what, _) in enumerate(_changes(ast.parse(file.read_text("utf-8")))):
        if isinstance(function, ast.FunctionDef):
            start = min([function.lineno, *(one.lineno for one in function.decorator_list)])
            line = getattr(node, "lineno", None) or node.ifs[0].lineno  # a comprehension does not say its own
            yield Mutant(file, line, what, number, start, function.end_lineno or start, function.name)
        else:
            yield Mutant(file, node.lineno, what, number, node.lineno, node.lineno, _target(function))


def changed(mutant: Mutant) -> CodeType | Any:
    """The code of the changed function, or the changed value of the constant."""
    tree = ast.parse(mutant.file.read_text("utf-8"))
    for number, (_, function, _, change) in enumerate(_changes(tree)):
        if number == mutant.number:
            change()
            if not isinstance(function, ast.FunctionDef):
                return ast.literal_eval(function.value)
            break
    whole = compile(ast.fix_missing_locations(tree), str(mutant.file), "exec")
    return next(code for code in _codes(whole) if (code.co_name, code.co_firstlineno) == (mutant.name, mutant.start))


@cache
def functions(file: Path) -> tuple[tuple[int, int], ...]:
    """First and last line of every function that can be changed."""
    return tuple(sorted({(one.start, one.end) for one in mutants(file)}))


def _codes(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _codes(one)


def _changes(tree: ast.Module) -> Iterator[tuple[Any, Any, str, Change]]:
    """Changed node, its function or constant, what the change is, and the deed."""
    for holder in _holders(tree):
        if isinstance(holder, ast.FunctionDef):
            for statement in holder.body:
                for node in ast.walk(statement):
                    yield from ((node, holder, what, change) for what, change in [*_of_values(node), *_of_steps(node)])
        else:
            yield from ((holder, holder, what, change) for what, change in _of_values(holder.value))


def _holders(tree: ast.Module) -> Iterator[Any]:
    """Functions of the module and of its classes, and numbers with a name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (one for one in node.body if isinstance(one, ast.FunctionDef))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_number(node.value):
            yield node


def _target(node: ast.Assign) -> str:
    return ast.unparse(node.targets[0])


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _of_values(node: Any) -> Iterator[tuple[str, Change]]:
    """Another comparison, sign or number."""
    match node:
        case ast.Compare():
            for place, sign in enumerate(node.ops):
                other = _COMPARED[type(sign)]()
                yield _said(sign, other), lambda place=place, other=other: operator.setitem(node.ops, place, other)
        case ast.BoolOp():
            yield _swap(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And(), "and/or swapped")
        case ast.UnaryOp(op=ast.Not()):
            yield _swap(node, "operand", ast.UnaryOp(ast.Not(), node.operand), "not dropped")
        case ast.UnaryOp(op=ast.USub()):
            yield _swap(node, "op", ast.UAdd(), "minus dropped")
        case ast.Constant(value=bool()):
            yield _swap(node, "value", not node.value, f"{node.value} became {not node.value}")
        case ast.Constant(value=int() | float()):
            yield _swap(node, "value", node.value + 1, f"{node.value} became {node.value + 1}")
        case ast.BinOp() | ast.AugAssign() if type(node.op) in _COMPUTED:
            other = _COMPUTED[type(node.op)]()
            yield _swap(node, "op", other, _said(node.op, other))
        case ast.Call(func=ast.Name()) if node.func.id in _CALLED:
            yield _swap(node.func, "id", _CALLED[node.func.id], f"{node.func.id} became {_CALLED[node.func.id]}")


def _of_steps(node: Any) -> Iterator[tuple[str, Change]]:
    """Another way taken, or a step left out."""
    match node:
        case ast.If() | ast.IfExp() | ast.While() if not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield _swap(node, "test", ast.UnaryOp(ast.Not(), node.test), "condition turned round")
        case ast.comprehension(ifs=[ast.Call() | ast.Name() | ast.Attribute() as first, *_]):
            yield "condition turned round", lambda: operator.setitem(node.ifs, 0, ast.UnaryOp(ast.Not(), first))
        case ast.Return() if node.value is not None and not _says_nothing(node.value):
            yield _swap(node, "value", ast.Constant(None), "returned nothing")
        case ast.Expr(value=ast.Call()):
            yield _swap(node, "value", ast.Constant(None), "call left out")


def _says_nothing(value: ast.expr) -> bool:
    """None, False and empty text: None in their place changes nothing where only the truth is asked; a number is calculated with."""
    return isinstance(value, ast.Constant) and (value.value is None or value.value is False or value.value == "")


def _swap(node: Any, field: str, other: Any, what: str) -> tuple[str, Change]:
    return what, lambda: setattr(node, field, other)


def _said(before: Any, after: Any) -> str:
    return f"{_SIGNS[type(before).__name__]} became {_SIGNS[type(after).__name__]}"
