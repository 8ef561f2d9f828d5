"""What a learner's function is made of, as a syntax tree: expressions, and questions on them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

NUMPY = "__numpy__"
"""The name under which an edited function finds NumPy, whatever the learner calls it."""


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


BUILT_IN = words("sum max min any all abs round int float len sorted reversed list")

REDUCTIONS = words(
    "sum mean prod max min median var std any all argmax argmin cumsum amax amin norm argsort "
    "sort average flip concatenate stack repeat softmax split"
)

WITH_AXIS_IN_SECOND_PLACE = REDUCTIONS - {"average", "norm", "repeat", "split"}

ZEROS = words("zeros zeros_like empty empty_like")


@dataclass(frozen=True)
class Slot:
    """Where an expression stands: a field of its parent, or one of the field's list."""

    node: ast.expr
    parent: ast.AST
    name: str
    index: int | None
    above: tuple[ast.AST, ...]

    def with_(self, new: ast.AST) -> tuple[ast.AST, str, Any]:
        if self.index is None:
            return self.parent, self.name, new
        parts = list(getattr(self.parent, self.name))
        parts[self.index] = new
        return self.parent, self.name, parts


def slots(function: ast.FunctionDef) -> Iterator[Slot]:
    """All expressions of a function's body, outer ones first."""

    def inside(node: ast.AST, above: tuple[ast.AST, ...]) -> Iterator[Slot]:
        above = (*above, node)
        for name, value in ast.iter_fields(node):
            for index, part in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(part, ast.expr):
                    yield Slot(part, node, name, index, above)
                if isinstance(part, ast.AST):
                    yield from inside(part, above)

    for statement in function.body:
        yield from inside(statement, ())


def parameters(function: ast.FunctionDef) -> list[str]:
    """The names of its arguments, in order."""
    given = function.args
    return [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def names_in(node: ast.AST) -> set[str]:
    """Every name that stands in it."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def stored_names(function: ast.FunctionDef) -> list[str]:
    """Names that a function gives to something, in their order."""
    return list(
        dict.fromkeys(
            slot.node.id
            for slot in slots(function)
            if isinstance(slot.node, ast.Name) and isinstance(slot.node.ctx, ast.Store)
        )
    )


def returned_values(function: ast.FunctionDef) -> dict[ast.AST, ast.expr]:
    """Names that are returned, with what they are assigned; none that grow in a loop."""
    nodes = list(ast.walk(function))
    grown = {changed_name(node.target, True) for node in nodes if isinstance(node, ast.AugAssign)}
    for loop in nodes:
        for node in ast.walk(loop) if isinstance(loop, (ast.For, ast.While)) else ():
            if isinstance(node, ast.Assign):
                name = changed_name(node.targets[0], True)
                inside = ast.walk(node.value)
                if any(isinstance(part, ast.Name) and part.id == name for part in inside):
                    grown.add(name)
    assigned = [node for node in nodes if isinstance(node, ast.Assign)]
    assigned.sort(key=lambda node: node.lineno)
    values = {changed_name(node.targets[0], True): node.value for node in assigned}
    found: dict[ast.AST, ast.expr] = {}
    for node in nodes:
        if isinstance(node, ast.Return):
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for part in parts:
                if isinstance(part, ast.Name) and part.id in values and part.id not in grown:
                    found[part] = values[part.id]
    return found


def read_once(function: ast.FunctionDef) -> dict[ast.AST, ast.expr]:
    """Names that are assigned once and read once, in an expression, with what they are assigned."""
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    assigned = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    copied = [node.value for node in assigned]  # `y` in `x = y`
    found: dict[ast.AST, ast.expr] = {}
    for node in assigned:
        match node.targets:
            case [ast.Name(id=name) as target]:
                others = [n for n in names if n.id == name and n is not target]
                once = len(others) == 1 and isinstance(others[0].ctx, ast.Load)
                if once and others[0] not in copied:
                    found[others[0]] = node.value
    return found


def changed_name(target: ast.expr, in_place: bool) -> str:
    """The name of the array that an assignment changes, not of one that it replaces."""
    if isinstance(target, ast.Name):
        return target.id if in_place else ""
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def called_name(node: ast.AST) -> str:
    """The name of the function that a call calls, without its module; "" for anything else."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def of_numpy(name: str) -> ast.expr:
    """NumPy's function of this name, for an edited answer."""
    return ast.Attribute(ast.Name(NUMPY, ast.Load()), name, ast.Load())


def number_node(value: float) -> ast.expr:
    """A number as the parser makes it."""
    if value < 0:  # -1 is no constant in Python, but the negative of one
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def is_number(node: ast.expr) -> bool:
    """Whether it is one that is written into the code."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))


def is_built_in(call: ast.Call) -> bool:
    """Whether it is Python's `max`, say, and not NumPy's."""
    return isinstance(call.func, ast.Name) and call.func.id in BUILT_IN


def is_module(node: ast.AST) -> bool:
    """Whether it is NumPy, a part of it, or `math`."""
    if isinstance(node, ast.Attribute):  # `np.linalg`, `np.random`
        return is_module(node.value) and node.attr in ("linalg", "random")
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math", NUMPY)


def is_shape(node: ast.AST) -> bool:
    """Whether it is `x.shape`, or an entry of it."""
    if isinstance(node, ast.Subscript):
        return is_shape(node.value)
    return isinstance(node, ast.Attribute) and node.attr == "shape"


def is_count(node: ast.AST) -> bool:
    """Whether it says how many there are: `x.size`, `len(x)`, `x.shape[0]`."""
    size = isinstance(node, ast.Attribute) and node.attr == "size"
    return (
        size or called_name(node) == "len" or (isinstance(node, ast.Subscript) and is_shape(node))
    )


def is_equality(node: ast.AST) -> bool:
    """Whether it compares by `==` or `!=`."""
    return isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq))


def is_each_of_its_own(statement: ast.Assign) -> bool:
    """`x, y = f(x), f(y)`: each of several names is given to what is made of itself."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            return len(targets) == len(values) and all(
                isinstance(target, ast.Name) and target.id in names_in(value)
                for target, value in zip(targets, values, strict=True)
            )
    return False


def rounded_part(node: ast.Call) -> ast.expr | None:
    """What is cut off to whole numbers: `x` in `x.astype(int)` and in `int(x)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="astype"), args=[ast.Name(id="int")]):
            return value
        case ast.Call(func=ast.Name(id="int"), args=[value], keywords=[]):
            return value
    return None


def is_taken_away(slot: Slot) -> bool:
    """Whether a minus stands before it: `x` in `-x` and in `a - x`."""
    minus = isinstance(getattr(slot.parent, "op", None), (ast.USub, ast.Sub))
    return minus and slot.name in ("operand", "right")


def is_in_mask(slot: Slot) -> bool:
    """Whether entries are chosen by it: `y` in `x[y <= 0] = 0`."""
    match slot.above[-2:]:
        case ast.Subscript(), ast.Compare(left=left, comparators=[number]):
            return left is slot.node and is_number(number)
    return False


def is_term_of_sum(slot: Slot) -> bool:
    """Whether it is added with others, as `b` in `total += a + b`: a share of it, each time."""
    match slot.parent, slot.above[-2:-1]:
        case ast.BinOp(op=ast.Add() | ast.Sub()), (ast.AugAssign(op=ast.Add()),):
            return True
    return False


def is_in_loop(slot: Slot) -> bool:
    """Whether it is computed again and again."""
    return any(isinstance(outer, (ast.For, ast.While)) for outer in slot.above)


def in_power(node: ast.AST, above: Sequence[ast.AST]) -> bool:
    """Whether it is part of a power, or has one among its parts."""
    powers = [a for a in above if isinstance(a, ast.BinOp) and isinstance(a.op, ast.Pow)]
    inner = isinstance(node, ast.BinOp) and any(
        isinstance(part, ast.BinOp) and isinstance(part.op, ast.Pow)
        for part in ast.walk(node)
        if part is not node
    )
    return bool(powers) or inner


def is_axis(slot: Slot, above: Sequence[ast.AST]) -> bool:
    """Whether it says along which axis a call works, by its name or its place."""
    parent = slot.parent
    if isinstance(parent, (ast.Tuple, ast.UnaryOp)) and len(above) > 1:
        parent = above[-2]
    if isinstance(parent, ast.keyword):
        return parent.arg == "axis"
    if isinstance(parent, ast.Call) and called_name(parent) in WITH_AXIS_IN_SECOND_PLACE:
        if is_built_in(parent):
            return False
        method = isinstance(parent.func, ast.Attribute) and not is_module(parent.func.value)
        return parent is slot.parent and slot.index == (0 if method else 1)
    return False


def is_index(node: ast.expr, above: Sequence[ast.AST]) -> bool:
    """Whether a number says which entry: by itself, or added to others."""
    inside: ast.AST = node
    for outer in reversed(above):
        if isinstance(outer, ast.Slice):
            return True
        if isinstance(outer, ast.Subscript):
            return outer.slice is inside
        if not isinstance(outer, (ast.Tuple, ast.UnaryOp, ast.BinOp)):
            return False
        inside = outer
    return False


def given_name(slot: Slot) -> str:
    """The name that is given to an expression, as it is or as an array; "" if there is none."""
    match next(a for a in reversed(slot.above) if called_name(a) != "asarray"):
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return ""


def counts_of(node: ast.expr) -> list[ast.expr]:
    """How many there are of something, in an array: elements, rows, columns."""
    shape = ast.Attribute(node, "shape", ast.Load())
    return [
        ast.Attribute(node, "size", ast.Load()),
        ast.Call(ast.Name("len", ast.Load()), [node], []),
        *(ast.Subscript(shape, number_node(axis), ast.Load()) for axis in (1, -1)),
    ]


def other_indices(node: ast.expr) -> list[ast.expr]:
    """Off by one, from the other end, the other half, backwards."""
    one = ast.Constant(1)
    if isinstance(node, ast.Slice):
        lower, upper, step = node.lower, node.upper, node.step
        news = [ast.Slice(upper, lower, step), ast.Slice(lower, upper, number_node(-1))]
        for op in (ast.Add(), ast.Sub()):
            if lower is not None:
                news.append(ast.Slice(ast.BinOp(lower, op, one), upper, step))
            if upper is not None:
                news.append(ast.Slice(lower, ast.BinOp(upper, op, one), step))
        if lower is not None and upper is not None:
            news += [ast.Slice(lower, None, step), ast.Slice(None, upper, step)]
            news.append(ast.Slice(lower, ast.BinOp(lower, ast.Add(), upper), step))
        if lower is not None or upper is not None or step is not None:
            news.append(ast.Slice(None, None, None))
        if lower is None and upper is None:
            news += [ast.Slice(one, None, step), ast.Slice(None, number_node(-1), step)]
        return list(news)
    if isinstance(node, ast.Constant):
        return []
    return [ast.BinOp(node, op, one) for op in (ast.Add(), ast.Sub())]


def loaded(target: ast.expr) -> ast.expr:
    """What is written to, as it is read."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load())
    return target


def exchanged_letters(subscripts: str) -> list[str]:
    """What `einsum` may be meant to do: two letters of one array exchanged."""
    found = []
    for part in re.finditer("[A-Za-z]+", subscripts):
        for first, second in combinations(range(part.start(), part.end()), 2):
            letters = list(subscripts)
            letters[first], letters[second] = letters[second], letters[first]
            found.append("".join(letters))
    return found
