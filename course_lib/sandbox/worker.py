"""The side of the sandbox that runs somebody's code: one program, some calls, then it ends.

It gets the program and the arguments in one message each, and sends what came of the loading and
of every call. It knows no expected value and no verdict. `forkserver` forks it or, where that
cannot be, a new interpreter runs `main`. Standard library, NumPy and this package only, so that
nothing of the course is ever in the same memory.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import contextlib
import inspect
import linecache
import os
import re
import sys
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from . import calling, limits
from .limits import Limits
from .wire import Frames, Message, Other, TooLargeError, encode

Isolate = Callable[[Limits], tuple[list[str], list[str]]]
Segments = Sequence[tuple[str, str]]
REFUSED = "answers may not use the course's own functions"
RUN = "_run_file"
"""Name, among Python's own, of what runs a file in the notebook: with a path and its names."""
STATEMENT = 5.0
"""Seconds, by the clock on the wall, for a statement that may be passed over."""
PATIENCE = 4.0
"""So many times as long if it computes, but other processes do, too."""
_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_HINTS_UNREAD = __future__.annotations.compiler_flag
_LACKING = re.compile(
    r"NameError: name '(\w+)'|AttributeError: module '[\w.]+' has no attribute '(\w+)'"
    r"|ImportError: cannot import name '(\w+)'"
)
"""Errors that name what another statement was to bind."""
_MISSING_HERE = ("ImportError", "ModuleNotFoundError", "FileNotFoundError", "SystemExit")
_FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


class Served:
    """The messages of a process that serves.

    Args:
        requests, replies: file descriptors to read from and write to.
    """

    def __init__(self, requests: int, replies: int) -> None:
        self.requests = requests
        self.replies = replies
        self.frames = Frames(trusted=True)

    def receive(self) -> Message:
        while (message := self.frames.next()) is None:
            chunk = os.read(self.requests, 1 << 16)
            if not chunk:
                raise EOFError
            self.frames.feed(chunk)
        return message

    def send(self, message: Message) -> None:
        view = memoryview(encode(message))
        while view:
            view = view[os.write(self.replies, view) :]


class Worker(Served):
    """Serves one program.

    Attributes:
        function: that is called, once it is there.
        titles: of the statements, by the names of their files.
        lacking: names that nothing binds, because a statement failed that was passed over.
    """

    def __init__(self, requests: int, replies: int) -> None:
        super().__init__(requests, replies)
        self.function: Any = None
        self.titles: dict[str, str] = {}
        self.lacking: dict[str, calling.Outcome] = {}

    def serve(self, isolate: Isolate) -> None:
        """Load the program and make the calls.

        Args:
            isolate: takes on the limits, and says which hold and which are missing.
        """
        program = self.receive()
        allowed = Limits(**dict(program["limits"]))
        holds, missing = isolate(allowed)
        self.send({"kind": "ready", "holds": tuple(holds), "missing": tuple(missing)})
        limits.allow_processor_time(allowed.load)
        loaded = self._load(program)
        if program["forgiving"]:
            limits.set_alarm(allowed)  # the statements' time limits have used its timer
        self.send(loaded)
        if self.function is None:
            return
        number = 0
        for _ in range(program["frames"]):
            for arguments in self.receive()["calls"]:
                limits.allow_processor_time(program["seconds"] + allowed.grace)
                self._reply(number, self._call(arguments))
                number += 1

    def _load(self, program: Message) -> Message:
        """Run the program's statements in a new module."""
        sys.path.insert(0, "")  # as in a notebook; only now, for all that is on it may be read
        self._run_own_files()
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        namespace = module.__dict__
        name = program["name"]
        try:
            with calling.quiet():
                for other, segments in program["provided"]:
                    own: dict[str, Any] = {"__name__": other}
                    for _, source in segments:  # whose lines nobody is shown
                        exec(compile(source, f"<{other}>", "exec", dont_inherit=True), own)
                    namespace[other] = own[other]
                self._run(program["segments"], namespace, forgiving=program["forgiving"])
        except BaseException as error:
            failed = calling.raised(error, None, self.titles)
            return self._told(self._cause(failed), kind="loaded")
        if name in self.lacking and name not in namespace:
            return self._told(self._cause(self.lacking[name]), kind="loaded")
        function = namespace.get(name)
        if callable(function):
            self.function = function
            return {"kind": "loaded", "state": "returned", "instead": ""}
        return {"kind": "loaded", "state": "returned", "instead": type(function).__name__}

    def _run(self, segments: Segments, namespace: dict[str, Any], *, forgiving: bool) -> None:
        """Run statements, whose files' names and titles are kept.

        An import of what is not here is passed over: perhaps only a hint names it.
        """
        flags = _AWAIT
        for number, (title, source) in enumerate(segments):
            name = f"<{number}>"
            self.titles[name] = title
            lines = [f"{line}\n" for line in source.split("\n")]  # as Python counts them
            linecache.cache[name] = (len(source), None, lines, name)
            code = compile(source, name, "exec", flags, dont_inherit=True)
            flags |= code.co_flags & _FUTURE
            limit = calling.time_limit(STATEMENT if forgiving else None, PATIENCE)
            try:
                with limit:
                    _execute(code, namespace)
            except BaseException as error:
                imports = source.startswith(_IMPORTS) and _is_missing(error)
                if not forgiving and not imports and not self._comes_of_missing(error):
                    raise
                names = ["*"] if source.endswith("import *") else title.split(", ")
                self.pass_over(names, error)
                flags |= _HINTS_UNREAD if _is_missing(error) else 0

    def _run_own_files(self) -> None:
        """Have modules of the learner's own, and what `%run` runs, run by `_run_file`."""
        load = SourceFileLoader.exec_module

        def exec_module(loader: SourceFileLoader, module: types.ModuleType) -> None:
            if Path(loader.path).absolute().is_relative_to(Path.cwd()):
                _run_file(loader.path, module.__dict__, self.pass_over)
            else:
                load(loader, module)

        def run(path: str, namespace: dict[str, Any]) -> None:
            there = Path(path).is_file() or path.endswith(".py")
            _run_file(path if there else f"{path}.py", namespace, self.pass_over)

        SourceFileLoader.exec_module = exec_module  # type: ignore[method-assign, assignment]
        setattr(builtins, RUN, run)

    def pass_over(self, names: Iterable[str], error: BaseException, line: str = "") -> None:
        """Keep what a statement, of which this is a line, raised that was to bind these names."""
        failed = calling.raised(error, self, self.titles)
        failed = replace(failed, line=line or failed.line)
        for name in names:
            self.lacking.setdefault(name, failed)

    def _comes_of_missing(self, error: BaseException) -> bool:
        failed = calling.raised(error, None, self.titles)
        return self._cause(failed) is not failed

    def _cause(self, outcome: calling.Outcome) -> calling.Outcome:
        """What is missing where this runs, if that is why a name is; else the outcome itself."""
        found = outcome
        for _ in range(len(self.lacking)):
            lacks = _LACKING.match(found.error)
            names = (*filter(None, lacks.groups()), "*") if lacks else ()
            found = next((self.lacking[name] for name in names if name in self.lacking), found)
        if found is outcome or not found.error.startswith(_MISSING_HERE):
            return outcome
        return replace(found, printed=outcome.printed)

    def _call(self, arguments: tuple[Any, ...]) -> calling.Outcome:
        try:
            return self._cause(calling.call(self.function, arguments, titles=self.titles))
        except KeyboardInterrupt as error:  # nobody sits in front of it
            return calling.raised(error, self.function, self.titles)

    def _reply(self, number: int, outcome: calling.Outcome) -> None:
        try:
            self.send({**self._told(outcome, kind="value"), "call": number})
        except TooLargeError:
            large = f"{type(outcome.value).__name__} that is too large to be graded"
            outcome = calling.Outcome("returned", Other(large), printed=outcome.printed)
            self.send({**self._told(outcome, kind="value"), "call": number})

    def _told(self, outcome: calling.Outcome, kind: str) -> Message:
        of = ("value", "arguments") if outcome.state == "returned" else ("error", "line", "begun")
        told = {name: getattr(outcome, name) for name in (*of, "printed")}
        return {"kind": kind, "state": outcome.state, **told}


_IMPORTS = ("import ", "from ")


def _is_missing(error: BaseException | None) -> bool:
    """Whether a module, a file or the notebook is not here, or that has led to this error."""
    while error is not None:
        of_notebook = isinstance(error, NameError) and error.name == "get_ipython"
        if of_notebook or isinstance(error, FileNotFoundError):
            return True
        if isinstance(error, ImportError) and error.name is not None:  # the import itself says so
            return True
        error = error.__context__
    return False


def _run_file(path: str, namespace: dict[str, Any], pass_over: Callable[..., None]) -> None:
    """Run a file of the learner's own, as a module or in the notebook.

    It ran where it was written: what is not here is passed over, and what fails without it.
    """
    flags = 0
    lines = linecache.getlines(path)
    for node in ast.parse(Path(path).read_bytes(), path).body:
        code = compile(ast.Module([node], []), path, "exec", flags, dont_inherit=True)
        flags |= code.co_flags & _FUTURE
        try:
            exec(code, namespace)
        except (Exception, SystemExit) as error:
            if not flags & _HINTS_UNREAD and not _is_missing(error):
                raise
            flags |= _HINTS_UNREAD
            text = lines[node.lineno - 1].strip()[: calling.MAX_TEXT]
            line = f"line {node.lineno} of `{Path(path).name}`: {text}"
            pass_over(_bound(node), error, line)


def _bound(node: ast.stmt) -> Iterable[str]:
    """Names that a statement binds, and perhaps some more; "*" if it does not say."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.alias):
            yield inner.asname or inner.name.split(".")[0]
        elif isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield inner.name
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id


def _execute(code: types.CodeType, namespace: dict[str, Any]) -> None:
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, namespace)
        return
    import asyncio  # at the top of a cell there is `await`, as a kernel allows

    asyncio.run(eval(code, namespace))


class _NoCourse:  # a finder, without the base class, whose import takes long
    """Refuses the course's own package."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] == "course_lib":
            raise ImportError(REFUSED, name=name)


def hide_the_course() -> None:
    """The course's package can neither be imported nor found on the path."""
    sys.path[:] = [
        entry
        for entry in sys.path
        if not Path(entry, "course_lib").is_dir() or Path(entry, "numpy").is_dir()
    ]
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if not getattr(finder, "__module__", "").startswith("__editable__")
    ]
    sys.meta_path.insert(0, _NoCourse())


def serve(requests: int, replies: int, isolate: Isolate) -> None:
    """Serve one program, then end this process."""
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        Worker(requests, replies).serve(isolate)
    os._exit(0)  # threads of the code's must not keep the process


def main() -> None:
    """In an interpreter of its own, with pipes for standard input and output."""
    requests, replies = os.dup(0), os.dup(1)
    limits.silence()
    hide_the_course()
    serve(requests, replies, limits.take_on)
