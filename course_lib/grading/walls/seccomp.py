"""System calls that are refused, on the two kinds of machine that are common. (seccomp(2))"""

from __future__ import annotations

import ctypes
import platform
import struct

from .kernel import NO_NEW_PRIVILEGES, SECCOMP, prctl

# Per machine: its number in a filter, then the system calls that are refused.
MACHINES = {
    "x86_64": (
        0xC000003E,
        {
            "pivot_root": 155,
            "socket": 41,
            "ptrace": 101,
            "process_vm_readv": 310,
            "process_vm_writev": 311,
            "mount": 165,
            "umount2": 166,
            "unshare": 272,
            "setns": 308,
            "add_key": 248,
            "request_key": 249,
            "keyctl": 250,
            "bpf": 321,
            "perf_event_open": 298,
            "userfaultfd": 323,
            "shmget": 29,
            "semget": 64,
            "msgget": 68,
            "memfd_create": 319,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "pivot_root": 41,
            "socket": 198,
            "ptrace": 117,
            "process_vm_readv": 270,
            "process_vm_writev": 271,
            "mount": 40,
            "umount2": 39,
            "unshare": 97,
            "setns": 268,
            "add_key": 217,
            "request_key": 218,
            "keyctl": 219,
            "bpf": 280,
            "perf_event_open": 241,
            "userfaultfd": 282,
            "shmget": 194,
            "semget": 190,
            "msgget": 186,
            "memfd_create": 279,
        },
    ),
}
_REFUSED_EVERYWHERE = {"io_uring_setup": 425, "open_tree": 428, "pidfd_getfd": 438}
_X32 = 0x40000000
_FILTER = 2


def filter_system_calls() -> None:
    """Refuse the system calls of the table with EPERM, and those of other machines with death."""
    number, refused = MACHINES[platform.machine()]
    calls = [*refused.values(), *_REFUSED_EVERYWHERE.values()]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    steps = [(load, 0, 0, 4), (equal, 1, 0, number), (give, 0, 0, 0x80000000), (load, 0, 0, 0)]
    tests = [(equal, call) for call in calls]
    if platform.machine() == "x86_64":  # the same calls have other numbers there
        tests.append((at_least, _X32))
    steps += [(kind, len(tests) - place, 0, value) for place, (kind, value) in enumerate(tests)]
    steps += [(give, 0, 0, 0x7FFF0000), (give, 0, 0, 0x00050001)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *s) for s in steps))
    prctl(NO_NEW_PRIVILEGES, 1)
    prctl(SECCOMP, _FILTER, struct.pack("@HP", len(steps), ctypes.addressof(program)))
