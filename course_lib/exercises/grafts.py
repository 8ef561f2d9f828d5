"""Parts of right answers, put in the place of a part of a wrong one.

A part is an expression in the parameters of the exercise: what a right answer has given a name is
written out. Where the wrong answer has names of its own for what runs in a loop, those of the right
one are taken for them in the order in which they appear.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterable, Iterator, Sequence

from .edits import COMBINED, Edit
from .syntax import (
    NUMPY,
    ZEROS,
    Slot,
    called_name,
    names_in,
    parameters,
    read_once,
    slots,
    stored_names,
    words,
)

LARGEST = 40
"""A part of more nodes is no part, but a rewriting."""
LARGEST_CHANGE = 45
"""A part and what it replaces, names written out, of more nodes together are no small change."""
BOUNDS = words("maximum minimum clip")
BOUND = 4
"""A part that is bounded, too, has so many nodes more."""
MOST, MOST_ADDED = 0.75, 0.5
"""So much of a right answer is no part of it, in place of something or beside it."""


def grafts(
    function: ast.FunctionDef, right: Sequence[ast.FunctionDef], known: Collection[str]
) -> Iterator[Edit]:
    """Edits that put a part of a right answer into ``function``, the plainest first.

    Args:
        function: a wrong answer.
        right: right ones.
        known: names that mean the same in all of them: of functions and modules.
    """
    parts: dict[str, ast.expr] = {}
    wraps: dict[str, tuple[ast.Call, int]] = {}
    shares: dict[str, float] = {}
    for answer in right:
        for inlined in _closed(answer, function, known):
            _collect(inlined, function, known, parts, wraps, shares)
    small = [part for dump, part in parts.items() if shares.get(dump, 0) < MOST]
    terms = {part: None for dump, part in parts.items() if shares.get(dump, 0) < MOST_ADDED}
    places = [slot for slot in slots(function) if _is_value(slot) and not _is_whole(slot)]
    places.sort(key=lambda slot: -slot.node.lineno)
    breadths = _breadths(function, places)
    sizes = [(_size(part), part) for part in small]
    own = {ast.dump(slot.node) for slot in places}
    pairs = [(a + b, slot, part) for a, slot in breadths for b, part in sizes]
    pairs = [pair for pair in pairs if pair[0] <= LARGEST_CHANGE]
    needed = _needed(function, places)
    changing = {slot: _changing(slot) for slot in places}
    names = {part: names_in(part) for part in parts.values()}

    def leaves_its_loop(slot: Slot, part: ast.expr) -> bool:
        """Whether it would be the same in each round, where what stands there is not."""
        return bool(changing[slot]) and not changing[slot] & names[part]

    decided = {
        name
        for node in ast.walk(function)
        if isinstance(node, ast.If)
        for name in names_in(node.test)
    }
    for _, slot, part in sorted(pairs, key=lambda pair: pair[0]):
        compared = any(isinstance(outer, ast.Compare) for outer in slot.above)
        if isinstance(part, ast.Compare) and compared and not isinstance(slot.node, ast.Compare):
            continue  # a whole solution in one operand
        is_term = not isinstance(slot.node, ast.Name) or part in terms
        if called_name(part) == "range" and _is_number(slot):
            continue
        if not isinstance(slot.node, ast.Name) and _decides(part, decided):
            continue
        if needed[slot] - names[part] or leaves_its_loop(slot, part):
            continue
        if is_term and _is_edit(slot.node, part):
            yield Edit(slot.node, "the expression {}", (slot.with_(part),))
    for slot in places:
        for call, index in wraps.values():
            if called_name(call) == "range" and _is_number(slot):
                continue
            arguments = list(call.args)
            arguments[index] = slot.node
            others = [*call.args[:index], *call.args[index + 1 :]]
            plain = all(isinstance(other, ast.Constant) for other in others)
            plain = plain and not _is_zeros(call)  # which leaves nothing of it
            what = "a function missing around {}" if plain else "the expression {}"
            new = ast.Call(call.func, arguments, call.keywords)
            yield Edit(slot.node, what, (slot.with_(new),))
    places = [slot for slot in places if not _is_zeros(slot.node)]
    made_of = read_once(function)  # what a name lacks is looked for where it is assigned
    lines = {s.node: made_of[s.node].lineno - 0.5 for s in places if s.node in made_of}
    places.sort(key=lambda slot: -lines.get(slot.node, slot.node.lineno))
    nodes = (*terms, *(slot.node for slot in places))
    operands = {(n, op): _operands(n, op) for n in nodes for op, _ in COMBINED}
    for slot in places:
        for part in terms:
            if leaves_its_loop(slot, part):
                continue
            for op, what in COMBINED:
                if operands[slot.node, op] & operands[part, op]:
                    continue  # `1 - e - (0.5 - e)`
                if op is ast.Div and ast.dump(part) in own:
                    continue  # the answer multiplies by it elsewhere
                yield Edit(slot.node, what, (slot.with_(ast.BinOp(slot.node, op(), part)),))


def _is_whole(slot: Slot) -> bool:
    """Whether it is an array of which parts are taken: `x` in `x[i]` and in `enumerate(x)`."""
    if not isinstance(slot.node, ast.Name):
        return False
    taken = isinstance(slot.parent, ast.Subscript) and slot.name == "value"
    return taken or called_name(slot.parent) in ("enumerate", "zip")


def _needed(function: ast.FunctionDef, places: Sequence[Slot]) -> dict[Slot, set[str]]:
    """Names of the learner's own that a part must have, too, by the place where it is put.

    It is the list of which a slice is taken; what grows in a loop, behind it; what is given a new
    value; and what is filled entry by entry and read nowhere else: the lines above would be for
    nothing.
    """
    nodes = list(ast.walk(function))
    stored = [n.value for n in nodes if isinstance(n, ast.Subscript) and _is_stored(n)]
    filled = {n.id for n in stored if isinstance(n, ast.Name)} - {*parameters(function)}
    grown = [
        (name, loop)
        for loop in nodes
        if isinstance(loop, (ast.For, ast.While))
        for node in ast.walk(loop)
        if (name := _growing(node))
    ]
    assigned = {
        target.id
        for node in nodes
        for target in (node.targets if isinstance(node, ast.Assign) else ())
        if isinstance(target, ast.Name)
    }

    def read(inside: Iterable[ast.AST]) -> list[str]:
        names = [n for n in inside if isinstance(n, ast.Name) and not _is_stored(n)]
        return [name.id for name in names if name not in stored]

    everywhere = read(nodes)
    needed = {}
    for slot in places:
        here = read(ast.walk(slot.node))
        needed[slot] = {n for n in filled if n in here and here.count(n) == everywhere.count(n)}
        needed[slot] |= {n for n, loop in grown if n in here and loop not in slot.above}
        needed[slot] |= {n for n in assigned if n in here and _is_given_anew(n, slot)}
        match slot.node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice()) if name in assigned:
                needed[slot].add(name)
    return needed


def _growing(node: ast.AST) -> str:
    """The name to which something is added here: `x += …`, `x.append(…)`; "" if there is none."""
    match node:
        case ast.AugAssign(target=ast.Name(id=name)):
            return name
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(id=name), "append" | "extend"))):
            return name
    return ""


def _is_given_anew(name: str, slot: Slot) -> bool:
    """Whether it stands in `x = …`, where `x` is this name: what made it would be for nothing."""
    targets = [a.targets for a in slot.above if isinstance(a, ast.Assign)]
    return any(isinstance(t, ast.Name) and t.id == name for several in targets for t in several)


def _changing(slot: Slot) -> set[str]:
    """Names that get new values in a loop around it, if one of them stands in it; else none."""
    changing: set[str] = set()
    for outer in slot.above:
        for node in ast.walk(outer) if isinstance(outer, ast.For) else ():
            if isinstance(node, ast.Name | ast.Subscript) and _is_stored(node):
                changing |= names_in(node if isinstance(node, ast.Name) else node.value)
    return changing if changing & names_in(slot.node) else set()


def _decides(part: ast.expr, names: set[str]) -> bool:
    """Whether it is one thing or another by what the answer decides in lines of its own."""
    choices = [node for node in ast.walk(part) if isinstance(node, ast.IfExp)]
    return any(names_in(choice.test) & names for choice in choices)


def _is_stored(node: ast.Name | ast.Subscript) -> bool:
    return isinstance(node.ctx, ast.Store)


def _is_number(slot: Slot) -> bool:
    """Whether it is a number, to all appearance, where no `range` can stand."""
    if isinstance(slot.parent, (ast.For, ast.comprehension)):
        return False
    number = called_name(slot.node) in ("ceil", "floor", "round", "int", "len")
    return number or isinstance(slot.node, (ast.BinOp, ast.UnaryOp))


def _is_zeros(node: ast.expr) -> bool:
    """Whether it makes zeros, which are to be written over."""
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr in ZEROS


def _operands(node: ast.expr, op: type[ast.operator]) -> set[str]:
    """The terms or factors of it that are no numbers; the same ones of a part may cancel them."""
    alike = (ast.Add, ast.Sub) if op in (ast.Add, ast.Sub) else (ast.Mult, ast.Div)
    if isinstance(node, ast.BinOp) and isinstance(node.op, alike):
        return _operands(node.left, op) | _operands(node.right, op)
    return set() if isinstance(node, ast.Constant) else {ast.dump(node)}


def _breadths(function: ast.FunctionDef, places: Sequence[Slot]) -> list[tuple[float, Slot]]:
    """The sizes of what stands in places, names written out: they come after what they stand for.

    A parameter comes after the call or the product in which it stands, an index after what it is
    taken from, and what `np.maximum` bounds after the bounded.
    """
    written: dict[str, int] = {}

    def breadth(node: ast.AST) -> int:
        parts = [part for part in ast.walk(node) if isinstance(part, ast.expr)]
        return sum(written.get(part.id, 1) if isinstance(part, ast.Name) else 1 for part in parts)

    assigned = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    for statement in sorted(assigned, key=lambda node: node.lineno):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                written[target.id] = breadth(statement.value)
    found = []
    for slot in places:
        size = float(breadth(slot.node))
        if isinstance(slot.node, ast.Name) or slot.name == "slice":
            size = breadth(slot.parent) + 0.5
        bounds = [breadth(a) + BOUND + 0.5 for a in slot.above if called_name(a) in BOUNDS]
        found.append((max([size, *bounds]), slot))
    return found


_VALUES = (ast.BinOp, ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.UnaryOp, ast.Compare)


def _is_value(slot: Slot) -> bool:
    module = isinstance(slot.parent, ast.Attribute) and isinstance(slot.node, ast.Name)
    value = isinstance(slot.node, _VALUES) or _is_choice(slot)
    return value and slot.name != "func" and not module


def _is_choice(slot: Slot) -> bool:
    """Whether it is a number that comes out in one case: `0` in `x if x else 0`, `append(0)`."""
    if not isinstance(slot.node, ast.Constant) or type(slot.node.value) not in (int, float):
        return False
    match slot.parent:
        case ast.IfExp():
            return slot.name in ("body", "orelse")
        case ast.Call(func=ast.Attribute(attr="append")):
            return True
        case ast.Call(func=ast.Attribute(attr="where" | "get")):
            return bool(slot.index)
    return False


def _is_edit(own: ast.expr, part: ast.expr) -> bool:
    """Not where a smaller one does the same; for a name only what is made of it is put in."""
    name = own.operand if isinstance(own, ast.UnaryOp) else own
    if isinstance(name, ast.Name):
        return any(isinstance(n, ast.Name) and n.id == name.id for n in ast.walk(part))
    mine, others = list(ast.iter_child_nodes(own)), list(ast.iter_child_nodes(part))
    if type(own) is not type(part) or len(mine) != len(others):
        return True
    pairs = zip(mine, others, strict=True)
    different = [child for child, other in pairs if ast.dump(child) != ast.dump(other)]
    function = own.func if isinstance(own, ast.Call) else None
    match different:
        case []:
            return ast.dump(own) != ast.dump(part)
        case [child]:
            return child is function or not isinstance(child, _VALUES)
    return True


def _closed(
    answer: ast.FunctionDef, function: ast.FunctionDef, known: Collection[str]
) -> Iterator[list[ast.expr]]:
    """The expressions of a right answer, in the wrong one's names, what has a name written out."""
    renamed = dict(zip(parameters(answer), parameters(function), strict=False))
    inner, own = _locals(answer), _locals(function)
    ways = [renamed]
    if inner and len(inner) == len(own) and inner != own:
        ways.append({**dict(zip(inner, own, strict=True)), **renamed})
    for names in ways:
        tree = _Renamed({name: ast.Name(new, ast.Load()) for name, new in names.items()})
        body = [tree.visit(copy.deepcopy(statement)) for statement in answer.body]
        expressions = list(_written_out(body))
        for expression in expressions:
            if not hasattr(expression, "lineno"):
                ast.copy_location(expression, function)
            ast.fix_missing_locations(expression)
        yield expressions


def _locals(function: ast.FunctionDef) -> list[str]:
    return [name for name in stored_names(function) if name not in parameters(function)]


def _written_out(body: Sequence[ast.stmt]) -> Iterator[ast.expr]:
    known: dict[str, ast.expr] = {}
    for statement in body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                known[name] = _Renamed(known).visit(copy.deepcopy(value))
                yield known[name]
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                whole = _Renamed(known).visit(copy.deepcopy(value))
                yield whole
                for index, target in enumerate(targets):
                    if isinstance(target, ast.Name):
                        piece = ast.Subscript(whole, ast.Constant(index), ast.Load())
                        several = isinstance(whole, ast.Tuple) and len(whole.elts) == len(targets)
                        known[target.id] = whole.elts[index] if several else piece
            case ast.Return(value=ast.expr() as value) | ast.Expr(value=value):
                yield _Renamed(known).visit(copy.deepcopy(value))
            case _:
                for stored in ast.walk(statement):
                    match stored:
                        case (
                            ast.Name(id=name, ctx=ast.Store())
                            | ast.Subscript(value=ast.Name(id=name), ctx=ast.Store())
                        ):
                            known.pop(name, None)
                for inner in ast.walk(statement):
                    for part in ast.iter_child_nodes(inner):
                        if isinstance(part, ast.expr) and not isinstance(inner, ast.expr):
                            yield _Renamed(known).visit(copy.deepcopy(part))


class _Renamed(ast.NodeTransformer):
    """Names replaced by what they stand for; NumPy under its name here."""

    def __init__(self, names: dict[str, ast.expr]) -> None:
        self.names = names

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Without conversions: the wrong answer's arguments are arrays already."""
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Attribute(attr="asarray"), args=[ast.expr() as value]):
                return value
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        new = self.names.get(node.id)
        if node.id == "np":
            return ast.Name(NUMPY, node.ctx)
        if isinstance(node.ctx, ast.Store):
            return ast.Name(new.id, node.ctx) if isinstance(new, ast.Name) else node
        return node if new is None else new


def _collect(
    expressions: Sequence[ast.expr],
    function: ast.FunctionDef,
    known: Collection[str],
    parts: dict[str, ast.expr],
    wraps: dict[str, tuple[ast.Call, int]],
    shares: dict[str, float],
) -> None:
    names = {*parameters(function), *stored_names(function), *known, NUMPY}

    def is_closed(node: ast.AST) -> bool:
        bound = {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        } | {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        return all(
            n.id in names or n.id in bound for n in ast.walk(node) if isinstance(n, ast.Name)
        )

    last = expressions[-1:]
    for answer in last[0].elts if last and isinstance(last[0], (ast.Tuple, ast.List)) else last:
        for node in ast.walk(answer):  # with `float(…)` or so around it, it is the answer still
            if isinstance(node, ast.expr):
                share = _size(node) / _size(answer)
                shares[ast.dump(node)] = max(share, shares.get(ast.dump(node), 0))
    for expression in expressions:
        methods = [node.func for node in ast.walk(expression) if isinstance(node, ast.Call)]
        for node in ast.walk(expression):
            if any(node is method for method in methods):
                continue
            simple = isinstance(node, (ast.Constant, ast.Name, ast.Starred, ast.Slice, ast.Tuple))
            if not isinstance(node, ast.expr) or isinstance(getattr(node, "ctx", None), ast.Store):
                continue
            if any(map(_is_by_chance, ast.walk(node))):
                continue
            if isinstance(node, ast.Call):
                condition = isinstance(node.func, ast.Attribute) and node.func.attr == "where"
                for index in range(int(condition), min(len(node.args), 2)):
                    others = [*node.args[:index], *node.args[index + 1 :], *node.keywords]
                    is_most = last and sum(map(_size, others)) >= MOST_ADDED * _size(last[0])
                    if is_most or _has_module(node):
                        continue
                    if all(map(is_closed, [node.func, *others])):
                        key = f"{index} {ast.dump(node.func)} {list(map(ast.dump, others))}"
                        wraps.setdefault(key, (node, index))
            if simple or _is_module(node) or _size(node) > LARGEST or not is_closed(node):
                continue
            parts.setdefault(ast.dump(node), node)


def _has_module(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and not _is_module(node.func)


def _is_by_chance(node: ast.AST) -> bool:
    """Whether it holds whatever stood in memory before."""
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr in ("empty", "empty_like")


def _is_module(node: ast.AST) -> bool:
    """Whether it is a function of NumPy, or a module, not a value."""
    if isinstance(node, ast.Attribute):
        return _is_module(node.value)
    return isinstance(node, ast.Name) and node.id in (NUMPY, "math")


def _size(node: ast.AST) -> int:
    return sum(isinstance(part, ast.expr) for part in ast.walk(node))
