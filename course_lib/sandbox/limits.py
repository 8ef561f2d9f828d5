"""What a process for somebody's code may use, and how it takes that on. Standard library only."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Limits:
    """What one process may use.

    Time is the processor's: a busy or halted machine takes none from anybody. A process that
    uses no processor, as one that sleeps, is stopped by the clock on the wall, after ``patience``
    times as long.

    Attributes:
        memory: address space of a process, in bytes.
        processes: at once, threads included; each may use the memory above.
        file_size: of any file that it writes, in bytes.
        open_files: at once.
        load: seconds of processor time for the code that defines the function, imports included.
        grace: seconds beyond a call's own limit, for what a call costs here.
        total: seconds of processor time for all calls.
        patience: so many times longer than all these is waited, by the clock on the wall.
        start: seconds, by that clock, until a process is there; its failure is never the code's.
        submission: seconds of waiting for all answers of one submission, and of the grader's own
            processor time for them.
    """

    memory: int = 2 << 30
    processes: int = 40  # a pool of threads has 32 by itself where there are many cores
    file_size: int = 16 << 20
    open_files: int = 64
    load: float = 30.0
    grace: float = 1.0
    total: float = 300.0
    patience: float = 4.0
    start: float = 300.0
    submission: float = 600.0


def for_keras(limits: Limits) -> Limits:
    """For code that imports a framework, which reserves more, and computes in threads."""
    return replace(limits, memory=16 << 30, processes=512, grace=limits.grace + 30.0)


def take_on(limits: Limits, other_processes: int | None = None) -> tuple[list[str], list[str]]:
    """Take on the limits; afterwards nothing in this process can lift them, unless it is root.

    Args:
        limits: to be taken on.
        other_processes: how many processes of this user are not its; None if a limit on their
            number would not bind it, or would bind the user's other work.

    Returns:
        What holds here, and what this system lacks, in words.
    """
    set_alarm(limits)
    memory, size, cpu = limits.memory >> 20, limits.file_size >> 20, math.ceil(limits.total)
    words = (
        ("RLIMIT_AS", limits.memory, f"memory ({memory} MiB)"),
        ("RLIMIT_CPU", cpu, f"processor time ({cpu} s)"),
        ("RLIMIT_FSIZE", limits.file_size, f"file size ({size} MiB)"),
        ("RLIMIT_NOFILE", limits.open_files, f"open files ({limits.open_files})"),
        ("RLIMIT_CORE", 0, "no core dumps"),
    )
    holds: list[str] = []
    missing: list[str] = []
    for name, value, word in words:
        (holds if _limit(name, value) else missing).append(word)
    number = limits.processes + (other_processes or 0)
    counted = other_processes is not None and _limit("RLIMIT_NPROC", number)
    (holds if counted else missing).append(f"processes ({limits.processes})")
    return holds, missing


def set_alarm(limits: Limits) -> None:
    """If what has started this process is killed, nobody else ends code that sleeps for ever."""
    if hasattr(signal, "alarm"):
        signal.alarm(int(limits.patience * limits.total + limits.start) + 1)


def allow_processor_time(seconds: float) -> None:
    """From now on so much, in whole seconds: then the system ends this process by SIGXCPU."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        wanted = math.ceil(time.process_time() + seconds)
        if most != resource.RLIM_INFINITY:
            wanted = min(wanted, most)
        resource.setrlimit(resource.RLIMIT_CPU, (wanted, most))


def _limit(name: str, value: int) -> bool:
    try:
        import resource
    except ImportError:  # Windows
        return False
    with contextlib.suppress(AttributeError, ValueError, OSError):
        number = getattr(resource, name)
        _, most = resource.getrlimit(number)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(number, (value, value))
        return True
    return False


def silence() -> None:
    """The code may print and read as it likes: 0, 1 and 2 lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    if nowhere > 2:
        os.close(nowhere)
