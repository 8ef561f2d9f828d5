"""System calls that are refused, on the two kinds of machine that are common. (seccomp(2))"""

from __future__ import annotations

import ctypes
import platform
import struct

from .kernel import NO_NEW_PRIVILEGES, SECCOMP, prctl

# Per machine: its number in a filter, the system calls that are refused, and those of which some
# arguments are.
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
            "connect": 42,
            "bind": 49,
            "sendmsg": 46,
            "sendmmsg": 307,
            "flock": 73,
            "inotify_init": 253,
            "inotify_init1": 294,
            "fanotify_init": 300,
        },
        {"clone": 56, "sendto": 44, "fcntl": 72},
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
            "connect": 203,
            "bind": 200,
            "sendmsg": 211,
            "sendmmsg": 269,
            "flock": 32,
            "inotify_init1": 26,
            "fanotify_init": 262,
        },
        {"clone": 220, "sendto": 206, "fcntl": 25},
    ),
}
_REFUSED_EVERYWHERE = {"io_uring_setup": 425, "open_tree": 428, "pidfd_getfd": 438}
_CLONE3 = 435  # its arguments cannot be seen: the C library then takes clone
_NEW_NAMESPACES = 0x7E020080
# F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW, F_SETLEASE, F_NOTIFY: on a file of a library, which
# all learners see, they would be a way to tell a neighbor something.
_LOCKS = (6, 7, 37, 38, 1024, 1026)
_X32 = 0x40000000
_FILTER = 2
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _GIVE = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _DIE, _NOT_PERMITTED, _NOT_THERE = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
Instruction = tuple[int, int, int, int]


def filter_system_calls() -> None:
    """Refuse the system calls of the table with EPERM, and those of other machines with death."""
    number, refused, in_part = MACHINES[platform.machine()]
    steps: list[Instruction] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, number),
        (_GIVE, 0, 0, _DIE),
        (_LOAD, 0, 0, 0),
    ]
    for call in (*refused.values(), *_REFUSED_EVERYWHERE.values()):
        steps += [(_EQUAL, 0, 1, call), (_GIVE, 0, 0, _NOT_PERMITTED)]
    if platform.machine() == "x86_64":  # the same calls have other numbers there
        steps += [(_AT_LEAST, 0, 1, _X32), (_GIVE, 0, 0, _NOT_PERMITTED)]
    steps += [(_EQUAL, 0, 1, _CLONE3), (_GIVE, 0, 0, _NOT_THERE)]
    steps += _unless(in_part["clone"], {16: _NEW_NAMESPACES})
    # A socket of a pair could send to anybody who has an address.
    steps += _unless(in_part["sendto"], {48: 0xFFFFFFFF, 52: 0xFFFFFFFF})
    steps += [(_EQUAL, 0, 1 + 2 * len(_LOCKS), in_part["fcntl"]), (_LOAD, 0, 0, 24)]
    for command in _LOCKS:
        steps += [(_EQUAL, 0, 1, command), (_GIVE, 0, 0, _NOT_PERMITTED)]
    steps.append((_GIVE, 0, 0, _ALLOW))
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *s) for s in steps))
    prctl(NO_NEW_PRIVILEGES, 1)
    prctl(SECCOMP, _FILTER, struct.pack("@HP", len(steps), ctypes.addressof(program)))


def _unless(call: int, bits: dict[int, int]) -> list[Instruction]:
    """Refuse a call if one of these bits is set; the key is the place of half an argument."""
    tests: list[Instruction] = []
    for place, mask in bits.items():
        tests += [(_LOAD, 0, 0, place), (_ANY_BIT, 0, 1, mask), (_GIVE, 0, 0, _NOT_PERMITTED)]
    tests.append((_LOAD, 0, 0, 0))
    return [(_EQUAL, 0, len(tests), call), *tests]
