"""Small edits of a function's syntax tree: slips of the hand and of the mind, undone one at a time.

Each edit says what it is about, never what it does, so that a learner can be told where to look.
None of them brings in a name of the learner's module, or a function that does more than compute.
"""

from __future__ import annotations

import ast
import copy
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .syntax import (
    BUILT_IN,
    REDUCTIONS,
    WITH_AXIS_IN_SECOND_PLACE,
    ZEROS,
    Slot,
    called_name,
    changed_name,
    counts_of,
    exchanged_letters,
    given_name,
    in_power,
    is_axis,
    is_built_in,
    is_count,
    is_each_of_its_own,
    is_equality,
    is_in_loop,
    is_in_mask,
    is_index,
    is_module,
    is_number,
    is_shape,
    is_taken_away,
    is_term_of_sum,
    loaded,
    of_numpy,
    other_indices,
    parameters,
    read_once,
    returned_values,
    rounded_part,
    slots,
    stored_names,
    words,
)

FIRST, LESS, LIKELY, POSSIBLE, LATER, LAST = range(6)
"""The order in which edits are tried: those that leave something out come before others."""


_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.MatMult, ast.FloorDiv, ast.Mod)
_COMMUTE = (ast.Add, ast.Mult)
_OF_BITS = (ast.BitAnd, ast.BitOr, ast.BitXor)
_LEAVES = (ast.Return, ast.Break, ast.Continue, ast.Raise)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_FAMILIES = tuple(
    words(family)
    for family in (
        "sum mean prod max min median cumsum var std average nansum nanmean count_nonzero",
        "any all",
        "argmax argmin argsort sort max min amax amin",
        "maximum minimum fmax fmin where clip",
        "log log2 log10 log1p",
        "exp expm1 exp2",
        "sqrt square abs fabs absolute",
        "abs sign",
        "sin cos tan tanh sinh cosh arctan",
        "zeros ones empty eye full identity",
        "zeros_like ones_like empty_like full_like",
        "floor ceil round rint trunc int float",
        "dot outer multiply matmul inner vdot",
        "vstack hstack stack concatenate array append",
        "inv pinv",
        "eig eigh eigvals eigvalsh",
        "greater less greater_equal less_equal",
        "logical_and logical_or logical_xor",
        "append extend",
    )
)
_BY_CHANCE = words("empty empty_like")
"""What they hold may be right by chance: nothing is replaced by them."""
_EXCEPTIONS = words("clip minimum maximum fmin fmax min max where")
"""With a number among their arguments they treat some numbers in another way than the rest."""
_BOUNDS = words("minimum maximum fmin fmax min max")
"""Of two arguments one may be meant to be a number."""
_STRICT = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_UNSIGNED = words("abs fabs absolute")
"""What is below 0 may be meant to become 0."""
_CLOSE = words("isclose allclose")
_ODD = words("expm1 exp2 log1p prod inner vdot fmax fmin")
_ALLOCATING = words("zeros ones empty full eye identity arange linspace tile repeat range")
_TYPED = words("zeros ones empty full zeros_like ones_like empty_like full_like")
COMBINED: tuple[tuple[type[ast.operator], str], ...] = (
    (ast.Mult, "what {} is multiplied or divided by"),
    (ast.Div, "what {} is multiplied or divided by"),
    (ast.Sub, "what is added to {}, or taken from it"),
    (ast.Add, "what is added to {}, or taken from it"),
)
BRACKETS = "the brackets in {}"
TERM = "a term of {}"
RESULT = "the name {}, which is returned"
ROUNDING_AND_START = "the rounding in {}, and from which number it counts"
HOW_OFTEN = "how often {} is added"
_SMALL = (1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12)


@dataclass(frozen=True)
class Edit:
    """One change of a tree: where, what about (a sentence's end with ``{}`` for code), and what."""

    node: ast.AST
    what: str
    changes: tuple[tuple[ast.AST, str, Any], ...]

    @contextmanager
    def made(self) -> Iterator[None]:
        """The tree is changed in here."""
        before = [(parent, name, getattr(parent, name)) for parent, name, _ in self.changes]
        for parent, name, value in self.changes:
            setattr(parent, name, value)
            for new in value if isinstance(value, list) else [value]:
                _put_at(new, self.node)
        try:
            yield
        finally:
            for parent, name, value in reversed(before):
                setattr(parent, name, value)

    @property
    def line(self) -> int:
        return getattr(self.node, "lineno", 1)

    def told(self) -> str:
        """What to look at: "the axis in `x.sum(axis=0)`"."""
        _, field, _ = self.changes[0]
        combined = any(self.what == what for _, what in COMBINED)
        what = "the condition {}" if field == "test" and combined else self.what
        return what.format(quoted(self.node))


MOST = 60
"""So many characters of the learner's code are quoted."""


def quoted(node: ast.AST) -> str:
    """The first line of its code, cut where it is long."""
    code = ast.unparse(_Bracketed().visit(copy.deepcopy(node))).split("\n")[0].replace("`", "")
    return f"`{code if len(code) <= MOST else code[: MOST - 1] + '…'}`"


class _Bracketed(ast.NodeTransformer):
    """Sums and products in brackets beside `^`, `&` and `|`, which come after them."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, (ast.BitXor, ast.BitAnd, ast.BitOr)):
            for side in ("left", "right"):
                operand = getattr(node, side)
                if isinstance(operand, ast.BinOp) and type(operand.op) is not type(node.op):
                    setattr(node, side, ast.Name(f"({ast.unparse(operand)})", ast.Load()))
        return node


def edits(function: ast.FunctionDef) -> list[Edit]:
    """All edits of a function, the likely ones first, and of these the last lines'."""
    found = _Finder(function)
    found.visit()
    return [edit for rank in found.ranks for edit in sorted(rank, key=found.order)]


@dataclass
class _Finder:
    function: ast.FunctionDef
    ranks: tuple[list[Edit], ...] = field(default_factory=lambda: ([], [], [], [], [], []))
    alike: dict[tuple[Any, ...], list[Edit]] = field(default_factory=dict)
    copied: dict[str, Edit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parameters = parameters(self.function)
        self.names = list(dict.fromkeys([*self.parameters, *stored_names(self.function)]))
        self.returned = returned_values(self.function)
        self.made_of = {**read_once(self.function), **self.returned}
        loops = (node for node in ast.walk(self.function) if isinstance(node, ast.For))
        self.counters = {loop.target.id for loop in loops if isinstance(loop.target, ast.Name)}
        self.summed: set[str] = set()
        """Helpers of which two results are added."""
        self.less_one: set[str] = set()
        """Names of a count less 1."""
        for node in ast.walk(self.function):
            match node:
                case ast.Assign(
                    targets=[ast.Name(id=one)],
                    value=ast.BinOp(op=ast.Sub(), right=ast.Constant(value=1)),
                ):
                    self.less_one.add(one)
                case ast.BinOp(
                    ast.Call(ast.Name(id=one)), ast.Add(), ast.Call(ast.Name(id=other))
                ) if one == other:
                    self.summed.add(one)

    def order(self, edit: Edit) -> float:
        """Last lines first; what a name lacks is looked for where it is assigned."""
        combined = any(edit.what == what for _, what in COMBINED)
        value = self.made_of.get(edit.node) if combined or edit.what == RESULT else None
        return -edit.line if value is None else 0.5 - value.lineno

    def visit(self) -> None:
        for slot in slots(self.function):
            self._expression(slot)
            self._term_of_use(slot)
        self._bodies(self.function)
        self.ranks[LIKELY].extend(self.copied.values())
        for several in self.alike.values():
            first, *others = several
            if others:
                again = " and ".join(dict.fromkeys(_again(first, edit) for edit in others))
                again = again.replace(" and again in", " and")
                what = f"{first.what}, and {again}"
                changes = tuple(change for edit in several for change in edit.changes)
                self.ranks[POSSIBLE].append(Edit(first.node, what, changes))

    def _term_of_use(self, slot: Slot) -> None:
        """A term of what is returned moved to where else it is used: `root(mean + epsilon)`."""
        for name, value in self.returned.items():
            match name, slot.node, value:
                case (
                    ast.Name(id=returned),
                    ast.Name(id=used, ctx=ast.Load()) as use,
                    ast.BinOp(left=rest, op=ast.Add(), right=ast.Name() as term),
                ) if used == returned and use.lineno > value.lineno and use is not name:
                    moved = slot.with_(ast.BinOp(use, ast.Add(), term))
                    what = f"a term of {{}}, which belongs in line {use.lineno}"
                    for statement in ast.walk(self.function):
                        if isinstance(statement, ast.Assign) and statement.value is value:
                            changes = ((statement, "value", rest), moved)
                            self.ranks[LATER].append(Edit(value, what, changes))

    def _set(
        self, rank: int, what: str, place: ast.AST, node: ast.AST, name: str, *values: Any
    ) -> None:
        """Changes of one field, which may be made wherever they can be made alike."""
        old = getattr(node, name)
        for value in values:
            edit = Edit(place, what, ((node, name, value),))
            self.ranks[rank].append(edit)
            kind = (type(node), name, *(_shape(part) for part in (old, value)))
            for together in (kind, (*kind, id(place))):
                self.alike.setdefault(together, []).append(edit)

    def _add(self, rank: int, what: str, slot: Slot, *news: ast.AST) -> None:
        for new in news:
            edit = Edit(slot.node, what, (slot.with_(new),))
            self.ranks[rank].append(edit)
            if what == TERM and isinstance(slot.node, ast.BinOp) and new is slot.node.left:
                number = slot.node.right
                if isinstance(number, ast.Constant):  # `a - 1` and `b - 1`
                    same = (what, type(slot.node.op), number.value)
                    self.alike.setdefault(same, []).append(edit)
            if what == BRACKETS or _is_exchange(slot.node, new):
                kind = (what, *(re.sub(r"id='\w+'", "", ast.dump(n)) for n in (slot.node, new)))
                self.alike.setdefault(kind, []).append(edit)

    # --- expressions ---------------------------------------------------------------------------

    def _expression(self, slot: Slot) -> None:
        node, above = slot.node, slot.above
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            if isinstance(node, ast.Subscript):
                self._subscript(slot, node)
            if isinstance(node, ast.Tuple):
                self._order(slot, node)
            return
        called = isinstance(slot.parent, ast.Call) and slot.name == "func"
        match node:
            case ast.BinOp():
                self._binary(slot, node, above)
            case ast.UnaryOp():
                self._unary(slot, node)
            case ast.Compare() | ast.BoolOp():
                self._truth(slot, node)
            case ast.IfExp():
                self._add(
                    LIKELY,
                    "the condition in {}",
                    slot,
                    ast.IfExp(node.test, node.orelse, node.body),
                    node.body,
                    node.orelse,
                )
            case ast.Constant():
                self._constant(slot, node, above)
            case ast.Call():
                self._call(slot, node)
            case ast.Subscript():
                self._subscript(slot, node)
            case ast.Tuple() | ast.List():
                self._several(slot, node)
            case ast.ListComp() | ast.GeneratorExp():
                self._comprehension(slot, node)
        if isinstance(node, (ast.Attribute, ast.Name)):
            self._named(slot, node, called)
        if slot.name == "test" or isinstance(node, (ast.Compare, ast.BoolOp)):
            self._add(LIKELY, "the condition {}", slot, ast.UnaryOp(ast.Not(), node))
        if not called and not isinstance(node, (ast.Constant, ast.Slice, ast.Tuple, ast.Starred)):
            self._around(slot)

    def _binary(self, slot: Slot, node: ast.BinOp, above: tuple[ast.AST, ...]) -> None:
        left, op, right = node.left, node.op, node.right
        allocated = any(called_name(a) in _ALLOCATING for a in above) or in_power(node, above)
        no_power = isinstance(left, ast.Constant) or allocated
        one = any(isinstance(part, ast.Constant) and part.value == 1 for part in (left, right))
        several = isinstance(left, ast.BinOp) or isinstance(right, ast.BinOp)
        before = f"before {_in_braces(quoted(right))} " if several else ""
        for other in (ast.Add, ast.Sub) if one else _ARITHMETIC:  # `n * 1` is `n`
            if not isinstance(op, other) and not (no_power and other is ast.Pow):
                rank = LATER if other in (ast.Mod, ast.FloorDiv) else LIKELY
                new = ast.BinOp(left, other(), right)
                self._add(rank, f"the operator {before}in {{}}", slot, new)
        if isinstance(op, _OF_BITS):
            others = [ast.BinOp(left, bits(), right) for bits in _OF_BITS if type(op) is not bits]
            negated = ast.UnaryOp(ast.Invert(), right)
            others.append(ast.BinOp(left, ast.BitAnd(), negated))
            self._add(LIKELY, "the operator in {}", slot, *others)
        if not isinstance(op, (*_COMMUTE, *_OF_BITS)):
            self._add(LIKELY, "the order in {}", slot, ast.BinOp(right, op, left))
        what = TERM if isinstance(op, (ast.Add, ast.Sub)) else "a factor of {}"
        what = "the power in {}" if isinstance(op, ast.Pow) else what
        for part, beside in ((left, right), (right, left)):
            excepts = isinstance(op, ast.Mult) and isinstance(beside, ast.Compare)
            self._add(FIRST if excepts else LESS, what, slot, part)
        brackets: list[ast.expr] = []
        if isinstance(left, ast.BinOp):
            brackets.append(ast.BinOp(left.left, left.op, ast.BinOp(left.right, op, right)))
            if isinstance(left.left, ast.BinOp):  # a + b - c / d, of which all but a is meant
                inner = ast.BinOp(ast.BinOp(left.left.right, left.op, left.right), op, right)
                brackets.append(ast.BinOp(left.left.left, left.left.op, inner))
        if isinstance(right, ast.BinOp):
            brackets.append(ast.BinOp(ast.BinOp(left, op, right.left), right.op, right.right))
        if isinstance(left, ast.UnaryOp):
            brackets.append(ast.UnaryOp(left.op, ast.BinOp(left.operand, op, right)))
        for part, beside, first in ((left, right, True), (right, left, False)):
            if isinstance(part, ast.Call) and part.args:
                inside = part.args[0]
                new = ast.BinOp(inside, op, beside) if first else ast.BinOp(beside, op, inside)
                call = ast.Call(part.func, [new, *part.args[1:]], part.keywords)
                self._add(POSSIBLE, BRACKETS, slot, call)
        self._add(LIKELY, BRACKETS, slot, *brackets)

    def _unary(self, slot: Slot, node: ast.UnaryOp) -> None:
        operand = node.operand
        sign = isinstance(node.op, ast.USub)
        self._add(LIKELY, "the sign of {}" if sign else "the condition {}", slot, operand)
        if isinstance(operand, ast.BinOp):
            inner = ast.UnaryOp(node.op, operand.left)
            moved = ast.BinOp(inner, operand.op, operand.right)
            self._add(LIKELY, BRACKETS, slot, moved)

    def _truth(self, slot: Slot, node: ast.Compare | ast.BoolOp) -> None:
        if isinstance(node, ast.BoolOp):
            union = isinstance(node.op, ast.Or)
            what = "the `or` in {}" if union else "the `and` in {}"
            other = ast.And() if union else ast.Or()
            self._add(LIKELY, what, slot, ast.BoolOp(other, node.values))
            for value in node.values:
                left = [v for v in node.values if v is not value]
                self._add(LESS, what, slot, ast.BoolOp(node.op, left) if left[1:] else left[0])
            return
        own = type(node.ops[0])
        for op in _COMPARISONS:
            if op is own:
                continue
            rank = FIRST if op is _STRICT.get(own) else LIKELY
            if own in (ast.Eq, ast.NotEq) and op in _STRICT:  # may hold always, or never
                rank = LATER
            turned = ast.Compare(node.left, [op(), *node.ops[1:]], node.comparators)
            self._add(rank, "the comparison {}", slot, turned)

    def _constant(self, slot: Slot, node: ast.Constant, above: tuple[ast.AST, ...]) -> None:
        value, parent = node.value, slot.parent
        if isinstance(value, bool):
            what = (
                "`keepdims` in {}" if getattr(parent, "arg", "") == "keepdims" else "the value {}"
            )
            place = next(a for a in reversed((*above, node)) if isinstance(a, ast.expr))
            self._set(LIKELY, what, place, node, "value", not value)
            return
        if isinstance(value, str) and isinstance(parent, ast.Return):
            self._set(FIRST, "the value {}", node, node, "value", 0, 1)
        if isinstance(value, str) and called_name(parent) == "einsum":
            what = "the letters in {}"
            self._set(LIKELY, what, parent, node, "value", *exchanged_letters(value))
        if not isinstance(value, (int, float)):
            return
        if is_axis(slot, above):
            whole = next(a for a in reversed(above) if isinstance(a, ast.Call))
            news = [a for a in (0, 1, -1, 2, None) if a != value]
            self._set(LIKELY, "the axis in {}", whole, node, "value", *news)
            for pair in _PAIRS:
                edit = Edit(whole, "the axis in {}", (slot.with_(_pair(pair)),))
                self.ranks[LIKELY].append(edit)
            return
        index = is_index(node, above)
        equals = is_equality(parent)
        near: list[float] = [0, 1, 2, -1, value + 1, value - 1, 3]
        if not index and not equals:  # `x != 0.5` may hold always
            near += [0.5, 2 * value, value / 2, 4]
            near += [1 / value, value * 10, value / 10] if value else []
            near += _SMALL if abs(value) < 0.1 and isinstance(value, float) else []
            near += [1e30, math.inf] if abs(value) >= 10 and isinstance(value, float) else []
            beside = isinstance(parent, ast.Tuple)  # `a, b = 0, 0`
            start = isinstance(above[-2] if beside else parent, ast.Assign)
            near += [math.inf, -math.inf] if start else []
        alone: tuple[float, ...] = (value, -value)
        if isinstance(parent, ast.BinOp) and not index:  # to leave a part out is said otherwise
            alone += (0,) if isinstance(parent.op, (ast.Add, ast.Sub)) else (0, 1)
        others = [new for new in dict.fromkeys(near) if new not in alone]
        outer = (a for a in reversed(above) if isinstance(a, ast.expr))
        no_place = (ast.Tuple, ast.Slice, ast.UnaryOp)
        place = next((a for a in outer if not isinstance(a, no_place)), node)
        what = f"the {'index' if index else 'number'} {ast.unparse(node)} in {{}}"
        what = "the number {}" if place is node else what
        rank = POSSIBLE if equals or called_name(parent) in _CLOSE else LIKELY
        self._set(rank, what, place, node, "value", *others)
        self._set(LATER, what, place, node, "value", -value)

    def _call(self, slot: Slot, node: ast.Call) -> None:
        name = called_name(node)
        arguments, keywords = node.args, node.keywords
        condition = arguments[:1] if name == "where" else []  # is no value
        for index in range(len(condition), len(arguments) - 1):
            swapped = list(arguments)
            swapped[index : index + 2] = swapped[index + 1], swapped[index]
            call = ast.Call(node.func, swapped, keywords)
            rank = LATER if name == "zip" else LIKELY
            self._add(rank, "the order of the arguments in {}", slot, call)
        method = isinstance(node.func, ast.Attribute) and not is_module(node.func.value)
        if method and isinstance(node.func, ast.Attribute) and len(arguments) == 1:
            other = ast.Attribute(arguments[0], node.func.attr, ast.Load())
            swapped_call = ast.Call(other, [node.func.value], keywords)
            self._add(LIKELY, "the order in {}", slot, swapped_call)
        if name in _TYPED and not any(k.arg == "dtype" for k in keywords):
            for kind in ("float", "int"):
                keyword = ast.keyword("dtype", ast.Name(kind, ast.Load()))
                typed = ast.Call(node.func, arguments, [*keywords, keyword])
                self._add(LIKELY, "the type of {}", slot, typed)
        places = 0 if method else 1
        if name in REDUCTIONS and not is_built_in(node):
            if name in WITH_AXIS_IN_SECOND_PLACE and len(arguments) > places:
                self._add(
                    LIKELY,
                    "the axis in {}",
                    slot,
                    ast.Call(node.func, arguments[:places], keywords),
                )
            elif not any(k.arg == "axis" for k in keywords):
                axes: list[ast.expr] = [*map(ast.Constant, (0, 1, -1)), *map(_pair, _PAIRS)]
                kept = ast.keyword("keepdims", ast.Constant(True))
                added = [
                    [*keywords, ast.keyword("axis", new), *m] for new in axes for m in ([], [kept])
                ]
                self._set(LIKELY, "the axis in {}", node, node, "keywords", *added)
            if not any(k.arg == "keepdims" for k in keywords):
                added = [[*keywords, ast.keyword("keepdims", ast.Constant(True))]]
                self._set(LIKELY, "the shape of {}", node, node, "keywords", *added)
        if name in ("std", "var") and not any(k.arg == "ddof" for k in keywords):
            added = [[*keywords, ast.keyword("ddof", ast.Constant(1))]]
            self._set(LIKELY, "by what {} divides", node, node, "keywords", *added)
        if name == "norm" and len(arguments) == 1 and not any(k.arg == "ord" for k in keywords):
            added = [[*keywords, ast.keyword("ord", ast.Constant(kind))] for kind in (1, 2)]
            self._set(LIKELY, "which norm {} is", node, node, "keywords", *added)
        if name == "norm" and len(arguments) > 1:
            self._set(LIKELY, "which norm {} is", node, node, "args", arguments[:1])
        for index, given in enumerate(keywords):
            left = [*keywords[:index], *keywords[index + 1 :]]
            what = "the axis in {}" if given.arg == "axis" else f"`{given.arg}` in {{}}"
            self._set(LIKELY, what, node, node, "keywords", left)
            for argument in self.parameters[:2] if given.arg == "dtype" else ():
                same = ast.Attribute(ast.Name(argument, ast.Load()), "dtype", ast.Load())
                self._set(LIKELY, what, node, node, "keywords", [*left, ast.keyword("dtype", same)])
        if name == "range":
            self._range(slot, node)
        if name == "floor":  # where an interval has its upper end, not its lower one
            below = ast.BinOp(ast.Call(of_numpy("ceil"), arguments, []), ast.Sub(), ast.Constant(1))
            self._add(LIKELY, ROUNDING_AND_START, slot, below)
        if name in _UNSIGNED and len(arguments) == 1:
            cut = ast.Call(of_numpy("maximum"), [arguments[0], ast.Constant(0)], [])
            self._add(LIKELY, "the function in {}", slot, cut)
        rounded = rounded_part(node)
        if rounded is not None and not isinstance(slot.parent, ast.BinOp):
            up = ast.Call(of_numpy("ceil"), [rounded], [])
            below = ast.BinOp(up, ast.Sub(), ast.Constant(1))
            for number, what in ((below, ROUNDING_AND_START), (up, "the rounding in {}")):
                whole = ast.Call(ast.Attribute(number, "astype", ast.Load()), arguments, [])
                new = whole if name == "astype" else ast.Call(node.func, [number], [])
                self._add(LIKELY, what, slot, new)
        if name in _BOUNDS and len(arguments) == 2:
            for index, operand in enumerate(arguments):
                for bound in () if is_number(operand) else (0, 0.5, 1):
                    bounded = [*arguments[:index], ast.Constant(bound), *arguments[index + 1 :]]
                    self._add(LATER, "the bound in {}", slot, ast.Call(node.func, bounded, []))
        inner = arguments[0] if arguments else None
        if method and isinstance(node.func, ast.Attribute):
            self._add(LESS, "the call {}", slot, node.func.value)
        if inner is not None and not isinstance(inner, ast.Starred):
            excepts = name in _EXCEPTIONS and any(map(is_number, arguments))
            rank = FIRST if excepts else LESS
            values = [a for a in arguments[len(condition) :] if not (excepts and is_number(a))]
            what = "whether it needs {}" if len(arguments) > 1 else "the function in {}"
            self._add(rank, what, slot, *values)
            self._add(POSSIBLE, "the function in {}", slot, *condition)
            if isinstance(inner, ast.BinOp):
                moved = ast.Call(node.func, [inner.left, *arguments[1:]], keywords)
                out = ast.BinOp(moved, inner.op, inner.right)
                behind = ast.Call(node.func, [inner.right, *arguments[1:]], keywords)
                back = ast.BinOp(inner.left, inner.op, behind)
                self._add(POSSIBLE, BRACKETS, slot, out, back)
            if isinstance(inner, ast.UnaryOp):
                moved = ast.Call(node.func, [inner.operand, *arguments[1:]], keywords)
                self._add(LIKELY, BRACKETS, slot, ast.UnaryOp(inner.op, moved))
            if isinstance(inner, ast.Call) and inner.args:
                deep = ast.Call(node.func, [inner.args[0], *arguments[1:]], keywords)
                turned = ast.Call(inner.func, [deep, *inner.args[1:]], inner.keywords)
                self._add(POSSIBLE, "the order of the functions in {}", slot, turned)

    def _range(self, slot: Slot, node: ast.Call) -> None:
        arguments = node.args
        one = ast.Constant(1)
        news: list[list[ast.expr]] = []
        for index, argument in enumerate(arguments):
            for op in (ast.Add(), ast.Sub()):
                changed = list(arguments)
                changed[index] = ast.BinOp(argument, op, one)
                news.append(changed)
        turned: list[ast.expr] = [ast.Call(ast.Name("reversed", ast.Load()), [node], [])]
        if len(arguments) == 1:
            news.append([one, arguments[0]])
            down = ast.UnaryOp(ast.USub(), one)
            back: list[ast.expr] = [ast.BinOp(arguments[0], ast.Sub(), one), down, down]
            turned.append(ast.Call(node.func, back, []))
        else:
            news.append(arguments[1:2])
        calls = [ast.Call(node.func, new, []) for new in news]
        self._add(LIKELY, "the bounds of {}", slot, *calls)
        self._add(LIKELY, "the direction of {}", slot, *turned)

    def _subscript(self, slot: Slot, node: ast.Subscript) -> None:
        inside, index = node.value, node.slice
        load = node.ctx
        if isinstance(load, ast.Load):
            self._add(LESS, "the index in {}", slot, inside)
        news: list[ast.expr] = []
        if isinstance(index, ast.Tuple):
            for at in range(len(index.elts) - 1):
                swapped = list(index.elts)
                swapped[at : at + 2] = swapped[at + 1], swapped[at]
                news.append(ast.Tuple(swapped, ast.Load()))
            for at, part in enumerate(index.elts):
                for new in other_indices(part):
                    parts = list(index.elts)
                    parts[at] = new
                    news.append(ast.Tuple(parts, ast.Load()))
            if len(index.elts) == 2:
                news += index.elts
        else:
            news += other_indices(index)
            whole = ast.Slice()
            if not isinstance(index, ast.Constant):
                news += [ast.Tuple([whole, index], ast.Load())]
        subscripts = [ast.Subscript(inside, new, load) for new in news]
        self._add(LIKELY, "the index in {}", slot, *subscripts)

    def _several(self, slot: Slot, node: ast.Tuple | ast.List) -> None:
        self._order(slot, node)
        for index in range(len(node.elts)):
            left = [*node.elts[:index], *node.elts[index + 1 :]]
            self._add(POSSIBLE, "the number of values in {}", slot, type(node)(left, ast.Load()))
        if isinstance(slot.parent, ast.Return):
            other = ast.List if isinstance(node, ast.Tuple) else ast.Tuple
            self._add(LIKELY, "the type of {}", slot, other(node.elts, ast.Load()))

    def _order(self, slot: Slot, node: ast.Tuple | ast.List) -> None:
        rank = LIKELY
        if isinstance(node.ctx, ast.Store) and isinstance(slot.parent, ast.Assign):
            one_by_one = isinstance(slot.parent.value, ast.Tuple)  # `x, y = a, b`
            rank = LESS if one_by_one else LATER if is_shape(slot.parent.value) else LIKELY
        if isinstance(slot.parent, ast.Assign) and is_each_of_its_own(slot.parent):
            rank = LAST
        if called_name(slot.parent) == "append" and all(isinstance(n, ast.Name) for n in node.elts):
            rank = LAST  # a row in the order that is asked for, rather
        for first in range(len(node.elts)):
            for second in range(first + 1, len(node.elts)):
                swapped = list(node.elts)
                swapped[first], swapped[second] = swapped[second], swapped[first]
                self._add(rank, "the order in {}", slot, type(node)(swapped, node.ctx))

    def _comprehension(self, slot: Slot, node: ast.ListComp | ast.GeneratorExp) -> None:
        first, *others = node.generators
        for index in range(len(first.ifs)):
            left = [*first.ifs[:index], *first.ifs[index + 1 :]]
            new = ast.comprehension(first.target, first.iter, left, 0)
            self._add(LESS, "the condition in {}", slot, type(node)(node.elt, [new, *others]))

    def _named(self, slot: Slot, node: ast.Attribute | ast.Name, called: bool) -> None:
        own = node.attr if isinstance(node, ast.Attribute) else node.id
        if called or isinstance(node, ast.Attribute):
            # `np.sum`, `x.sum`; of Python's own functions only those that are there everywhere.
            for family in _FAMILIES:
                others = sorted(family - {own} - _BY_CHANCE) if own in family else []
                if isinstance(node, ast.Attribute):
                    plain, odd = set(others) - _ODD, set(others) & _ODD
                    self._set(LIKELY, "the function {}", node, node, "attr", *sorted(plain))
                    self._set(LAST, "the function {}", node, node, "attr", *sorted(odd))
                    continue
                self._set(LIKELY, "the function {}", node, node, "id", *(BUILT_IN & set(others)))
                theirs = [of_numpy(other) for other in others if other not in BUILT_IN]
                self._add(LIKELY, "the function {}", slot, *theirs)
        if isinstance(node, ast.Attribute):
            if own == "T":
                self._add(LIKELY, "the transpose {}", slot, node.value)
            if own in ("size", "shape", "ndim"):
                self._add(LIKELY, "the count {}", slot, *counts_of(node.value))
            return
        if called:
            return
        rank = LESS if is_in_mask(slot) else POSSIBLE
        for name in self.names:
            if name != own and not _is_nothing(slot, node, name):
                # For an argument in place of a result, see what the result is made of first.
                late = node in self.returned and name in self.parameters
                what = RESULT if late else "the name {}"
                place: ast.AST = node
                if isinstance(slot.parent, ast.Call) and called_name(slot.parent) == "len":
                    place, what = slot.parent, "the count {}"
                self._set(LAST if late else rank, what, place, node, "id", name)
        if isinstance(slot.parent, ast.Call) and own not in self.counters:
            counted = (
                ast.BinOp(ast.Name(n, ast.Load()), ast.Add(), ast.Constant(1))
                for n in self.counters
            )
            self._add(LATER, "the name {}", slot, *counted)

    def _around(self, slot: Slot) -> None:
        """What may be missing around an expression: sign, transpose, factor, function, term."""
        node = slot.node
        if isinstance(node, ast.Call) and called_name(node) == "len" and node.args:
            self._add(LIKELY, "the count {}", slot, *counts_of(node.args[0]))
        names = [ast.Name(name, ast.Load()) for name in self.names]
        if not isinstance(node, ast.Name):
            self._add(LAST, "the expression {}", slot, *names)
        if isinstance(slot.parent, ast.Subscript) and slot.name == "slice":
            return
        if isinstance(slot.parent, ast.Attribute) and isinstance(node, ast.Name):
            others = [name for name in names if name.id != node.id]
            if called_name(slot.above[-2]) in REDUCTIONS:  # `x.sum(axis=0)`, without a mask
                products = [ast.BinOp(node, ast.Mult(), other) for other in others]
                self._add(LAST, COMBINED[0][1], slot, *products)
        if isinstance(slot.parent, (ast.Attribute, ast.For, ast.comprehension)) or (
            is_module(node) or isinstance(slot.parent, ast.Expr)
        ):
            return
        if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.List)):
            self._add(POSSIBLE, "the type of {}", slot, ast.Call(of_numpy("array"), [node], []))
            return
        given = isinstance(node, ast.Name) and node.id in self.parameters
        if given and isinstance(slot.parent, ast.Assign):  # it only gets another name there
            self._copy(slot)
            return
        if called_name(node) in ZEROS:  # whose numbers are to be written over
            infinite = [ast.BinOp(node, op(), ast.Constant(math.inf)) for op in (ast.Add, ast.Sub)]
            self._add(LATER, "the numbers that {} is filled with", slot, *infinite)
            return
        if not isinstance(node, ast.UnaryOp):
            self._add(POSSIBLE, "the sign of {}", slot, ast.UnaryOp(ast.USub(), node))
        transposed = ast.Attribute(node, "T", ast.Load())
        product = isinstance(slot.parent, ast.BinOp) and isinstance(slot.parent.op, ast.MatMult)
        self._add(
            POSSIBLE
            if product or called_name(slot.parent) in ("dot", "matmul", "outer")
            else LATER,
            "the order of the axes of {}",
            slot,
            transposed,
        )
        two, one = ast.Constant(2), ast.Constant(1)
        factor, added = COMBINED[0][1], COMBINED[-1][1]
        self._add(
            POSSIBLE if self._is_in_sums(slot) else LATER,
            factor,
            slot,
            ast.BinOp(two, ast.Mult(), node),
            ast.BinOp(node, ast.Div(), two),
            ast.BinOp(ast.Constant(-2), ast.Mult(), node),
        )
        counts = [c for name in self.parameters[:4] for c in counts_of(ast.Name(name, ast.Load()))]
        top = isinstance(slot.parent, (ast.Return, ast.Assign, ast.AugAssign, ast.Tuple, ast.BinOp))
        if top and not is_term_of_sum(slot):
            for count in counts:
                self._add(LATER, factor, slot, ast.BinOp(node, ast.Mult(), count))
                if is_count(node):  # one by the other is 1
                    continue
                self._add(LATER, factor, slot, ast.BinOp(node, ast.Div(), count))
                double = ast.BinOp(two, ast.Mult(), node)
                self._add(LAST, factor, slot, ast.BinOp(double, ast.Div(), count))
        below_zero = isinstance(node, ast.UnaryOp)  # of which roots and logarithms are NaN
        root = [] if below_zero else [ast.Call(of_numpy("sqrt"), [node], [])]
        if called_name(node) not in ("sin", "cos"):  # whose squares are waves, too
            self._add(LATER, "the power of {}", slot, ast.BinOp(node, ast.Pow(), two), *root)
        functions = ["abs", "exp", "log", "sum", "mean", "tanh", "sign", "array", "cumsum"]
        if below_zero:
            functions.remove("log")
        if is_equality(slot.parent):  # `exp(x) != 0` holds always
            functions.remove("exp")
        made: list[ast.expr] = [ast.Call(of_numpy(name), [node], []) for name in functions]
        made += [ast.Call(ast.Name(n, ast.Load()), [node], []) for n in ("int", "float", "list")]
        made += [ast.Call(ast.Name(n, ast.Load()), [node], []) for n in ("tuple",)]
        made += [
            ast.Call(of_numpy(name), [node, ast.Constant(value)], [])
            for name, value in (("maximum", 0), ("maximum", 1), ("minimum", 1))
            if not is_equality(slot.parent)
        ]
        parent = slot.parent
        if isinstance(getattr(parent, "op", None), ast.Div) and slot.name == "right":
            made.append(ast.Call(of_numpy("maximum"), [node, ast.Constant(1e-30)], []))
        if is_count(node):  # of which there is nothing to compute; it may be 0
            made = [new for new in made if called_name(new) == "maximum"]
        if not is_shape(node):
            self._add(LATER, "a function missing around {}", slot, *made)
        # `a - (1 - x)` is `a + x - 1`, and what a loop runs over has its signs elsewhere.
        if not is_taken_away(slot) and called_name(parent) not in ("zip", "enumerate"):
            left = ast.BinOp(one, ast.Sub(), node)
            self._add(LATER, "whether {0} or 1 − {0} is meant", slot, left)
        shared = isinstance(getattr(parent, "op", None), ast.FloorDiv) and is_count(node)
        # Of a count that is divided, the rounding is amiss, rather.
        changed = [] if shared else [ast.BinOp(node, op, one) for op in (ast.Sub(), ast.Add())]
        if isinstance(node, ast.Name):
            mean = ast.Call(of_numpy("mean"), [node], [])
            changed.append(ast.BinOp(node, ast.Sub(), mean))
        # The error of a mean is `s / sqrt(n)`: what is amiss is in `s`, rather.
        divides = any(isinstance(getattr(a, "op", None), ast.Div) for a in slot.above[-2:-1])
        of_error = called_name(parent) == "sqrt" and divides and isinstance(node, ast.Name)
        # A count less 1 belongs in the deviation, and what is amiss is in the root.
        less_one = isinstance(node, ast.Name) and node.id in self.less_one
        divisor = isinstance(getattr(parent, "op", None), ast.Div) and slot.name == "right"
        late = divisor if less_one else of_error
        self._add(LAST if late else LATER, added, slot, *changed)
        whole, none = ast.Slice(), ast.Constant(None)
        column = ast.Subscript(node, ast.Tuple([whole, none], ast.Load()), ast.Load())
        last = ast.Subscript(node, ast.Tuple([ast.Constant(...), none], ast.Load()), ast.Load())
        row = ast.Subscript(node, ast.Tuple([none, whole], ast.Load()), ast.Load())
        self._add(LATER, "the shape of {}", slot, column, last, row)
        of_whole = isinstance(parent, ast.Subscript) and slot.name == "value"  # `x` in `x[:]`
        self._copy(slot)
        for other in names:
            if isinstance(node, ast.Name) and node.id == other.id:
                continue
            for op, what in COMBINED:
                if of_whole and what == added:  # rather `x[i] - y` than `(x - y)[i]`
                    continue
                if op is ast.Div and is_term_of_sum(slot):
                    if not is_in_loop(slot):
                        continue
                    what = HOW_OFTEN
                self._add(LAST, what, slot, ast.BinOp(node, op(), other))
            less = ast.BinOp(node, ast.Mult(), ast.BinOp(one, ast.Sub(), other))
            self._add(LAST, factor, slot, less)

    def _copy(self, slot: Slot) -> None:
        node, parent = slot.node, slot.parent
        # To write into a copy that has no name is to leave the line out.
        written = isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Store)
        of_whole = isinstance(parent, ast.Subscript) and slot.name == "value"
        if not isinstance(node, (ast.Name, ast.Subscript)) or written or of_whole:
            return
        second = "a second name" if isinstance(node, ast.Name) else "a view"
        what = f"what {{}} is: {second}, or an array of its own"
        if target := given_name(slot):
            second = "a second name for" if isinstance(node, ast.Name) else "a view of"
            of = _in_braces(quoted(node.value if isinstance(node, ast.Subscript) else node))
            what = f"what `{target}` is: {second} {of}, or an array of its own"
        copied = ast.Call(ast.Attribute(node, "copy", ast.Load()), [], [])
        self._add(LIKELY, what, slot, copied)

    def _is_in_sums(self, slot: Slot) -> bool:
        """Whether a helper returns it, the results of which are added: what both lack, it lacks."""
        helpers = [a.name for a in slot.above if isinstance(a, ast.FunctionDef)]
        return isinstance(slot.parent, ast.Return) and bool(self.summed & {*helpers})

    # --- statements ----------------------------------------------------------------------------

    def _bodies(self, node: ast.AST) -> None:
        for name in ("body", "orelse"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                self._body(node, name, body)
                for statement in body:
                    self._bodies(statement)

    def _body(self, node: ast.AST, name: str, body: Sequence[ast.stmt]) -> None:
        for index, statement in enumerate(body):
            before, after = list(body[:index]), list(body[index + 1 :])

            def put(what: str, *new: ast.stmt, rank: int = LIKELY) -> None:
                changed = (node, name, [*before, *new, *after])  # noqa: B023
                self.ranks[rank].append(Edit(statement, what, (changed,)))  # noqa: B023

            if isinstance(statement, (ast.For, ast.While, ast.If)):
                self._moved(node, name, body, index, statement)
            match statement:
                case ast.Break():
                    put("what {} ends", ast.Continue())
                case ast.Continue():
                    put("what {} ends", ast.Break())
                case ast.If(orelse=[]) if len(body) > 1:  # an exception that none asked for
                    put("whether it needs {}", rank=FIRST)
                    put("the condition in {}", *statement.body, rank=FIRST)
                case ast.AugAssign(target=target, op=own_op, value=value):
                    for op in _ARITHMETIC:
                        if not isinstance(own_op, op):
                            put("the operator in {}", ast.AugAssign(target, op(), value))
                    plain = ast.BinOp(loaded(target), own_op, value)
                    put("what {} changes in place", ast.Assign([target], plain))
                    put("the assignment {}", ast.Assign([target], value))
                    self._copied_first(statement, changed_name(target, True))
                case ast.Assign(targets=[ast.Name() | ast.Subscript() as target], value=value):
                    for op in (ast.Add, ast.Sub, ast.Mult):
                        put("the assignment {}", ast.AugAssign(target, op(), value))
                    self._copied_first(statement, changed_name(target, False))
                    self._renamed(statement, target)
            # Behind a line that leaves, this one would not run: that is to leave it out.
            if (
                after
                and not isinstance(statement, ast.Return)
                and not isinstance(after[0], _LEAVES)
            ):
                block = any(hasattr(s, "body") for s in (statement, after[0]))
                what = f"the order of {{}} and the next {'block' if block else 'line'}"
                if not block and statement.end_lineno != statement.lineno:
                    what = f"the order of this statement and the next, in line {after[0].lineno}"
                order = (node, name, [*before, after[0], statement, *after[1:]])
                self.ranks[POSSIBLE].append(Edit(statement, what, (order,)))
            if len(body) > 1 and not isinstance(statement, ast.Return):
                put("whether it needs {}", rank=LESS)

    def _renamed(self, statement: ast.stmt, target: ast.expr) -> None:
        """Another name to the left, in this line or wherever the name stands."""
        if not isinstance(target, ast.Name):
            return
        same = [n for n in ast.walk(self.function) if isinstance(n, ast.Name) and n.id == target.id]
        for other in self.names:
            if other not in (target.id, "_"):
                for nodes in ([target], same):
                    changes = tuple((node, "id", other) for node in nodes)
                    edit = Edit(statement, "the name to the left in {}", changes)
                    self.ranks[LATER].append(edit)

    def _copied_first(self, statement: ast.stmt, name: str) -> None:
        """With a copy of an argument made at the beginning; told of what changes it first."""
        first_line = self.copied[name].line if name in self.copied else math.inf
        if name in self.parameters and statement.lineno < first_line:
            load = ast.Name(name, ast.Load())
            copied = ast.Call(ast.Attribute(load, "copy", ast.Load()), [], [])
            first = ast.Assign([ast.Name(name, ast.Store())], copied)
            change = (self.function, "body", [first, *self.function.body])
            self.copied[name] = Edit(statement, "what {} changes in place", (change,))

    def _moved(
        self, node: ast.AST, name: str, body: Sequence[ast.stmt], index: int, outer: Any
    ) -> None:
        """The last line of a block moved behind it, and the line behind it moved into it."""
        before, after = list(body[:index]), list(body[index + 1 :])
        branches = isinstance(outer, ast.If) and outer.orelse  # the line moves over the `else`
        level = "the place of {}" if branches else "the indentation of {}"
        if len(outer.body) > 1 or isinstance(outer.body[-1], ast.Return):
            last = outer.body[-1]
            inner = list(outer.body[:-1]) or [ast.Pass()]
            changes = ((outer, "body", inner), (node, name, [*before, outer, last, *after]))
            self.ranks[LIKELY].append(Edit(last, level, changes))
        if len(outer.body) > 1:
            first = outer.body[0]
            changes = (
                (outer, "body", list(outer.body[1:])),
                (node, name, [*before, first, outer, *after]),
            )
            self.ranks[LIKELY].append(Edit(first, "the place of {}", changes))
        if after and not isinstance(after[0], ast.Return):
            changes = (
                (outer, "body", [*outer.body, after[0]]),
                (node, name, [*before, outer, *after[1:]]),
            )
            self.ranks[LIKELY].append(Edit(after[0], level, changes))
        if before:
            changes = (
                (outer, "body", [before[-1], *outer.body]),
                (node, name, [*before[:-1], outer, *after]),
            )
            self.ranks[LIKELY].append(Edit(before[-1], "the place of {}", changes))
        if isinstance(outer, ast.If):
            plain = (node, name, [*before, *outer.body, *after])
            self.ranks[LESS].append(Edit(outer, "the condition in {}", (plain,)))
            if outer.orelse:
                plain = (node, name, [*before, *outer.orelse, *after])
                self.ranks[LESS].append(Edit(outer, "the condition in {}", (plain,)))
        if isinstance(outer, ast.For):
            turned = ast.Call(ast.Name("reversed", ast.Load()), [_as_list(outer.iter)], [])
            slot = Slot(outer.iter, outer, "iter", None, ())
            self._add(LIKELY, "the direction of {}", slot, turned)


_PAIRS = ((0, 1), (1, 2), (0, 2), (2, 3))


def _is_nothing(slot: Slot, node: ast.Name, name: str) -> bool:
    """Whether with that name a difference or a quotient would be one of a thing with itself."""
    around = next((a for a in reversed(slot.above) if isinstance(a, ast.BinOp)), None)
    if around is None or not isinstance(around.op, (ast.Sub, ast.Div)):
        return False
    own, node.id = node.id, name
    left, right = ast.dump(around.left), ast.dump(around.right)
    node.id = own
    return left == right


def _is_exchange(old: ast.AST, new: ast.AST) -> bool:
    """Whether `x[a, b]` becomes `x[b, a]`."""
    match old, new:
        case (
            ast.Subscript(slice=ast.Tuple(elts=[ast.Name() as a, ast.Name() as b])),
            ast.Subscript(slice=ast.Tuple(elts=[c, d])),
        ):
            return a is d and b is c and a.id != b.id
    return False


def _again(first: Edit, other: Edit) -> str:
    """Where the change is made once more; another expression of a number is quoted, too."""
    if other.line == first.line:
        return "again in the same line"
    is_number = first.what.startswith(("the number ", "the index "))
    if is_number and quoted(other.node) != quoted(first.node):
        return f"in line {other.line} that in {_in_braces(quoted(other.node))}"
    return f"again in line {other.line}"


def _in_braces(text: str) -> str:
    """A text that is said as it is where ``{}`` stands for code."""
    return text.replace("{", "{{").replace("}", "}}")


def _shape(value: Any) -> str:
    """What a field holds, to be compared."""
    parts = value if isinstance(value, list) else [value]
    return " ".join(ast.dump(p) if isinstance(p, ast.AST) else repr(p) for p in parts)


def _pair(axes: tuple[int, int]) -> ast.expr:
    return ast.Tuple(list(map(ast.Constant, axes)), ast.Load())


def _as_list(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("list", ast.Load()), [node], [])


def _put_at(new: object, old: ast.AST) -> None:
    """New nodes, which have old ones below, stand where an old one does."""
    if isinstance(new, ast.AST) and not hasattr(new, "lineno"):
        if "lineno" in new._attributes:
            ast.copy_location(new, old)
        for part in ast.iter_child_nodes(new):
            _put_at(part, old)
