"""What an answer consists of: its function and the statements that this needs, nothing else.

A notebook's plots, training runs and endless loops are not executed to grade a function. From
the function, the names that it reads are followed back to the top-level statements that bind
them. What a notebook binds in other ways is found by `Slices.straightforward`.
"""

from __future__ import annotations

import builtins
from bisect import insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from ..sandbox.run import Program, Segments
from .statements import CHECK, SLOW, Statement, statements

_FILLING = frozenset({"np", "numpy", "random"})  # whose functions fill what they are given
_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
OF_NOTEBOOKS: dict[str, Segments] = {
    "__IPYTHON__": (("__IPYTHON__", "__IPYTHON__ = True\n"),),
    "display": (("display", "def display(*values, **options): return None\n"),),
    "get_ipython": (
        (
            "get_ipython",
            "def get_ipython(): return ZMQInteractiveShell()\n"
            "class ZMQInteractiveShell:\n"
            "    user_ns = __import__('sys').modules['__main__'].__dict__\n"
            "    def __getattr__(self, name): return lambda *a, **k: None\n"
            "    def getoutput(self, *a, **k): return Output()\n"
            "    def ex(self, code, *a, **k): exec(code, self.user_ns)\n"
            "    run_cell = ex\n"
            "    def push(self, names, *a, **k):\n"
            "        if isinstance(names, dict): self.user_ns.update(names)\n"
            "    def ev(self, code): return eval(code, self.user_ns)\n"
            "class Output(list): n = s = ''\n",
        ),
    ),
}
"""What every notebook has, and no other Python; harmless where nobody looks."""
_BY_TEXT = frozenset({"globals", "eval", "exec", "vars", "locals", "setattr"})
OWN = "_own_{}"
"""Name of the course's own function where a notebook goes on with it."""


class Slices:
    """Cuts programs out of a notebook's statements.

    Args:
        found: all top-level statements, in order.
        failed: numbers of the cells whose statements are left out from the first that fails on.
    """

    def __init__(self, found: Sequence[Statement], failed: frozenset[int] = frozenset()) -> None:
        self.statements = tuple(found)
        self._failed = failed
        self._binding: dict[str, list[Statement]] = {}
        self._judged: list[tuple[Statement, str]] = []
        for statement in self.statements:
            self._judged += [
                (statement, name)
                for called, name in sorted(statement.judges)
                if self._is_check(called)
            ]
            handed_on = statement.hands_on
            kept = {handed_on[1]} if handed_on and self._is_check(handed_on[0]) else set()
            for name in statement.binds - kept:
                self._binding.setdefault(name, []).append(statement)
        self._functions = frozenset(name for s in self.statements for name in s.defines | s.imports)
        self._defined = frozenset(name for s in self.statements for name in s.defines)
        self._setting: dict[str, frozenset[str]] = {}
        for statement in self.statements:
            for name in statement.defines if statement.sets else ():
                self._setting[name] = self._setting.get(name, frozenset()) | statement.sets
        for statement in self.statements if self._setting else ():
            for name in {n for f in statement.now for n in self._setting.get(f, ())}:
                if name not in statement.binds:  # the function that it calls binds it
                    insort(self._binding.setdefault(name, []), statement, key=lambda s: s.order)
        self._stars = [statement for statement in self.statements if statement.star]

    def _is_check(self, called: str) -> bool:
        """Whether that is the course's `check`, as far as the statements go that are known by now.

        A learner may have a function of that name, too.
        """
        if called == f".{CHECK}":
            return True
        binding = self._binding.get(called)
        if not binding:
            return called == CHECK
        last = binding[-1]
        if called in last.of_course:
            return last.source.startswith("def ")
        # Their own name for it, or their own function that calls it.
        return any(other != called and self._is_check(other) for other in {CHECK} & last.reads)

    def answer(self, name: str) -> Statement | None:
        """The statement that defines the learner's function, or None.

        The last `def`, `lambda` or alias; only if there is none, another assignment
        (``f = partial(g)``), and at last an import: ``mse = mse(a, b)`` in a scratch cell does
        not make a number of the answer.
        """
        binding = self._binding.get(name, [])
        for chosen in (
            [s for s in binding if name in s.defines | s.aliases],
            [s for s in binding if name not in s.imports],
            binding,
        ):
            if chosen:
                return chosen[-1]
        return None

    def imported(self, among: Collection[str]) -> set[str]:
        """Which of the names ``among`` the notebook imports from the course anywhere."""
        return {n for n in among if any(n in s.of_course for s in self._binding.get(n, ()))}

    def lacking(self, lent: Mapping[str, Segments]) -> dict[str, Segments]:
        """Of what the course lends, what a kernel has from it: the last that binds the name, if
        anything does, is the import.
        """
        return {
            name: code
            for name, code in lent.items()
            if not (binding := self._binding.get(name)) or name in binding[-1].of_course
        }

    def as_checked(self, name: str) -> list[Slices]:
        """The notebook as it was each time that its check judged another definition, last first.

        Without such a check, as it was when the answer was defined.
        """
        answers = [s for s in self._binding.get(name, []) if name not in s.of_course]
        ends: dict[int, int] = {}
        other_names = {
            other
            for other, binding in self._binding.items()
            if other in binding[-1].aliases and name in binding[-1].now
        }
        for statement, judged in self._judged:
            if judged == name or judged in other_names:
                above = [s.order for s in answers if s.order <= statement.order]
                if above:  # it may decorate the answer
                    ends[above[-1]] = max(statement.order, above[-1] + 1)
        if not ends and answers:
            ends[0] = answers[-1].order + 1
        ends_down = sorted(ends.values(), reverse=True)
        return [Slices(self.statements[:end], self._failed) for end in ends_down]

    def program(self, name: str, stand_ins: Mapping[str, Segments] | None = None) -> Program:
        """The program of one answer.

        Args:
            name: of a function for which `answer` is not None.
            stand_ins: code that is provided for these names, where they are read, in place of what
                the notebook binds them to.
        """
        provided = {n: source for n, source in OF_NOTEBOOKS.items() if n not in self._binding}
        provided |= stand_ins or {}
        provided.pop(name, None)
        seen: set[str] = set()
        answer = self.answer(name)
        assert answer is not None
        chosen = self._reach(name, [answer], provided, seen)
        # Imports first: a notebook may have run its cells in another order.
        chosen.sort(key=lambda s: (not s.flag, not (s.imports or s.star), s.order))
        segments = tuple((name if s is answer else _title(s), s.source) for s in chosen)
        return Program(
            name,
            segments,
            provided=tuple((read, provided[read]) for read in sorted(seen & set(provided))),
            module=_module(chosen),
        )

    def straightforward(
        self,
        name: str,
        stand_ins: Mapping[str, Segments] | None = None,
        handed_out: Collection[str] = (),
        *,
        always: bool = False,
    ) -> Program | None:
        """All that the learner wrote up to here, in the order of the notebook, as a kernel has it.

        Of what was handed out there is only what the learner's statements read. Statements that
        fail are passed over, as a notebook goes on with its next cell. None if all that the learner
        wrote does what `program` knows of: definitions (of names that nobody else provides, each
        once, and not looked up by their text), imports, checks.

        Args:
            name: of a function for which `answer` is not None.
            stand_ins: see `program`; where the notebook's check hands on such a name, the check
                gives the course's own from there on.
            handed_out: sources of the statements that the learner found in the notebook.
            always: in that case, too.
        """
        of_notebooks = {n: s for n, s in OF_NOTEBOOKS.items() if n not in self._binding}
        provided = {**of_notebooks, **(stand_ins or {})}
        provided.pop(name, None)
        answer = self.answer(name)
        theirs = [s for s in self.statements if s is answer or s.source not in handed_out]
        failed = self._failed & {s.cell for s in theirs}
        orders = {s.order for s in theirs}
        by_text = any(_BY_TEXT & s.reads for s in theirs)  # and a text may need any import
        own = [
            s
            for s in self.statements
            if s.order in orders or s.cell in failed or (by_text and s.imports and not s.slow)
        ]
        plain = not (always or failed) and all(s is answer or self._is_known(s) for s in own)
        if plain and not self._is_odd(name, own, stand_ins or {}):
            return None
        seen: set[str] = set()
        lent: dict[str, Segments] = {}
        segments: list[tuple[str, str]] = []
        reached = self._reach(name, own, of_notebooks, seen)
        cell = -1
        for s in sorted(reached, key=lambda s: s.order):
            source, handed_on = s.source, s.hands_on
            if handed_on and handed_on[1] in provided:
                own_name = OWN.format(handed_on[1])
                code = provided[handed_on[1]]
                lent[own_name] = (*code, (own_name, f"{own_name} = {handed_on[1]}"))
                source = f"{handed_on[1]} = {own_name}"
            title = name if s is answer else _title(s)
            if s.cell == cell and cell in failed:  # the kernel went no further in it
                before, above = segments.pop()
                title, source = (name if name in (before, title) else before), f"{above}\n{source}"
            segments.append((title, source))
            cell = s.cell
        defined = {n for s in reached for n in s.defines}  # once they run a kernel has their own
        given = tuple((n, provided[n]) for n in sorted(seen & provided.keys() - defined))
        return Program(
            name,
            tuple(segments),
            provided=(*given, *lent.items()),
            module=_module(reached),
            forgiving=True,
        )

    def notes(self, name: str) -> list[str]:
        """A sentence on each decision that the learner should know of."""
        answer = self.answer(name)
        defined = [s for s in self._binding.get(name, []) if name in s.defines]
        defined = [s for s in defined if "raise NotImplementedError" not in s.source]  # handed out
        if answer is None or len(defined) < 2:
            return []
        return [
            f"`{name}` is defined {len(defined)} times; the last one (code cell {answer.cell}) was "
            "graded."
        ]

    def _is_odd(self, name: str, own: Iterable[Statement], stand_ins: Collection[str]) -> bool:
        """Whether `program` may choose otherwise than a kernel would."""
        several = [s for s in self._binding.get(name, []) if name in s.defines]
        named = any(stand_ins and s.defines & set(stand_ins) for s in own)
        looked_up = any(_BY_TEXT & (s.now | s.later) or "__main__" in s.source for s in own)
        return len(several) > 1 or named or looked_up

    def _is_known(self, statement: Statement) -> bool:
        """Whether it does nothing but bind names, in a way that can be seen."""
        s = statement
        checks = all(self._is_check(called) for called, _ in s.judges)
        if s.hands_on or (s.judges and not s.binds):
            return checks
        defines = s.source.startswith(("def ", "class ")) and not s.now
        return (bool(s.imports) and not s.star) or s.flag or defines

    def _reach(
        self, name: str, roots: Iterable[Statement], provided: Collection[str], seen: set[str]
    ) -> list[Statement]:
        """The statements that these need; names met on the way are put into ``seen``."""
        answer = self.answer(name)
        assert answer is not None
        pending = [*roots]
        # What Python is told of all that follows is told at the answer, too.
        pending += [s for s in self.statements[: answer.order] if s.flag]
        chosen = {statement.order: statement for statement in pending}
        while pending:
            statement = pending.pop()
            for read, at_once in [
                *((read, True) for read in sorted(statement.now)),
                *((read, False) for read in sorted(statement.later)),
            ]:
                seen.add(read)
                if read in provided or (read == name and not at_once):
                    continue
                for needed in self._resolve(read, statement, at_once, answer):
                    if needed.order not in chosen:
                        chosen[needed.order] = needed
                        pending.append(needed)
        return list(chosen.values())

    def _is_function(self, statement: Statement, name: str) -> bool:
        alias = name in statement.aliases and statement.now & self._functions
        return name in statement.defines or bool(alias)

    def _resolve(
        self, name: str, reader: Statement, at_once: bool, answer: Statement
    ) -> list[Statement]:
        """The statements that give ``name`` the value that ``reader`` will find.

        A statement that runs now finds what was bound before it. A function finds, when it is
        called, the last definition or import of a helper, but of plain data (which scratch cells
        further down bind again) the value at the answer.
        """
        binding = self._binding.get(name, [])
        if not at_once and reader in binding:  # it calls itself
            return [reader]
        binding = [s for s in binding if s is not reader]
        if not binding:
            return [] if name in _BUILTINS else self._stars
        if name in _BUILTINS and not self._is_rebound(name, reader if at_once else answer):
            return []
        lasting = [s for s in binding if self._is_function(s, name)]
        lasting = lasting or [s for s in binding if name in s.imports]
        if lasting and not at_once:
            return [lasting[-1]]
        anchor = reader.order if at_once else answer.order
        before = [s for s in binding if s.order < anchor]
        base = before[-1] if before else binding[0]
        if base in lasting:
            return [base]
        end = anchor if before else len(self.statements)
        after = [s.order for s in binding if s.order > base.order]
        end = min([end, *after])
        changes = [s for s in self.statements[base.order + 1 : end] if self._changes(s, name)]
        return [base, *changes]

    def _is_rebound(self, name: str, reader: Statement) -> bool:
        """Whether a name of Python's own means something else by then.

        A later ``sum = 0`` does not count, nor one that ``del sum`` has undone.
        """
        if any(name in s.defines | s.imports for s in self._binding[name]):
            return True
        before = [s for s in self.statements[: reader.order] if name in s.binds | s.deletes]
        return bool(before) and name in before[-1].binds

    def _changes(self, statement: Statement, name: str) -> bool:
        """Whether it changes the value that a name stands for, as far as can be seen."""
        return name in statement.updates or any(
            filled == name and (function in self._defined or function in _FILLING)
            for function, filled in statement.fills
        )


def with_judged(found: Sequence[Statement], names: Collection[str]) -> list[Statement]:
    """The statements, and one before each check of a function that nothing seems to define.

    A text that is executed, or `from module import *`, may define it.
    """
    if not any(s.star or _BY_TEXT & s.reads for s in found):
        return [*found]
    handed_on = {s.order for s in found if s.hands_on and s.hands_on[0].endswith(CHECK)}
    bound = {name for s in found if s.order not in handed_on for name in s.binds}
    written: list[Statement] = []
    for one in found:
        for called, name in sorted(one.judges):
            if called.endswith(CHECK) and name in {*names} - bound:
                written.extend(statements(one.cell, f"{name} = {name}", first=len(written)))
        written.append(replace(one, order=len(written)))
    return written


def _title(statement: Statement) -> str:
    return ", ".join(sorted(statement.binds)) or "your code"


def _module(found: Iterable[Statement]) -> str:
    slow = {module for statement in found for module in statement.slow}
    return next((module for module in SLOW.values() if module in slow), "numpy")
