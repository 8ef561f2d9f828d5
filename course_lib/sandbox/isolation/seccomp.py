"""System calls that are refused, on the two kinds of machine that are common. (seccomp(2))"""

from __future__ import annotations

import ctypes
import platform
import struct

from .kernel import NO_NEW_PRIVILEGES, SECCOMP, prctl

# Per machine: its number in a filter, the system calls that are refused, those of which some
# arguments are, and those that change what the user owns: rights and times of files, and other
# processes. Those are refused where such things are in reach, as Landlock does not know them.
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
            "mq_open": 240,
        },
        {"clone": 56, "sendto": 44, "fcntl": 72, "prlimit64": 302},
        {
            "chmod": 90,
            "fchmod": 91,
            "chown": 92,
            "fchown": 93,
            "lchown": 94,
            "fchmodat": 268,
            "fchownat": 260,
            "truncate": 76,
            "utime": 132,
            "utimes": 235,
            "futimesat": 261,
            "utimensat": 280,
            "setxattr": 188,
            "lsetxattr": 189,
            "fsetxattr": 190,
            "removexattr": 197,
            "lremovexattr": 198,
            "fremovexattr": 199,
            "setpriority": 141,
            "sched_setparam": 142,
            "sched_setscheduler": 144,
            "sched_setaffinity": 203,
            "sched_setattr": 314,
            "ioprio_set": 251,
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
            "connect": 203,
            "bind": 200,
            "sendmsg": 211,
            "sendmmsg": 269,
            "flock": 32,
            "inotify_init1": 26,
            "fanotify_init": 262,
            "mq_open": 180,
        },
        {"clone": 220, "sendto": 206, "fcntl": 25, "prlimit64": 261},
        {
            "fchmod": 52,
            "fchmodat": 53,
            "fchownat": 54,
            "fchown": 55,
            "truncate": 45,
            "utimensat": 88,
            "setxattr": 5,
            "lsetxattr": 6,
            "fsetxattr": 7,
            "removexattr": 14,
            "lremovexattr": 15,
            "fremovexattr": 16,
            "setpriority": 140,
            "sched_setparam": 118,
            "sched_setscheduler": 119,
            "sched_setaffinity": 122,
            "sched_setattr": 274,
            "ioprio_set": 30,
        },
    ),
}
_ON_BOTH = {"io_uring_setup": 425, "open_tree": 428, "pidfd_getfd": 438, "memfd_secret": 447}
_OWNED_ON_BOTH = {"fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "file_setattr": 469}
_CLONE3 = 435  # its arguments cannot be seen: the C library then takes clone
_NEW_NAMESPACES = 0x7E020080
# F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW, F_SETLEASE, F_NOTIFY, F_SET_RW_HINT: on a file of a
# library, which all learners see, they would be a way to tell a neighbor something.
_LOCKS = (6, 7, 37, 38, 1024, 1026, 1036)
_X32 = 0x40000000
_FILTER = 2
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _GIVE = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _DIE, _NOT_PERMITTED, _NOT_THERE = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
Instruction = tuple[int, int, int, int]


def filter_system_calls(alone: bool) -> None:
    """Refuse the system calls of the table with EPERM, and those of other machines with death.

    Args:
        alone: nothing else that the user owns is in reach.
    """
    number, refused, in_part, on_owned = MACHINES[platform.machine()]
    calls = [*refused.values(), *_ON_BOTH.values()]
    if not alone:
        calls += [*on_owned.values(), *_OWNED_ON_BOTH.values()]
    steps: list[Instruction] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, number),
        (_GIVE, 0, 0, _DIE),
        (_LOAD, 0, 0, 0),
    ]
    for call in calls:
        steps += [(_EQUAL, 0, 1, call), (_GIVE, 0, 0, _NOT_PERMITTED)]
    if platform.machine() == "x86_64":  # the same calls have other numbers there
        steps += [(_AT_LEAST, 0, 1, _X32), (_GIVE, 0, 0, _NOT_PERMITTED)]
    steps += [(_EQUAL, 0, 1, _CLONE3), (_GIVE, 0, 0, _NOT_THERE)]
    steps += _unless(in_part["clone"], {16: _NEW_NAMESPACES})
    # A socket of a pair could send to anybody who has an address.
    steps += _unless(in_part["sendto"], {48: 0xFFFFFFFF, 52: 0xFFFFFFFF})
    # Limits of other processes than the one that asks.
    steps += _unless(in_part["prlimit64"], {16: 0xFFFFFFFF})
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
