"""The last lock of the decoder's child: from here on the kernel answers only the system calls that computing needs.

What is left reads, writes and closes descriptors that are open already, asks for memory and the time, and ends. There
is no call to open, connect, start, signal, trace or rename anything. Known for x86-64; elsewhere this lock is missing
and the resource limits hold alone.
"""

import ctypes
import platform

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2  # linux/prctl.h, linux/seccomp.h
_AUDIT_ARCH_X86_64 = 0xC000003E  # linux/audit.h
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO with EPERM
_NUMBER_AT, _ARCH_AT = 0, 4  # offsets in struct seccomp_data, bytes

# Number of each call on x86-64, from the kernel's arch/x86/entry/syscalls/syscall_64.tbl.
_ALLOWED = {
    "read": 0, "write": 1, "close": 3, "lseek": 8, "pread64": 17, "pwrite64": 18,
    "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "mremap": 25, "madvise": 28,
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sigaltstack": 131, "restart_syscall": 219,
    "sched_yield": 24, "sched_getaffinity": 204, "futex": 202, "set_robust_list": 273, "rseq": 334,
    "getpid": 39, "gettid": 186, "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "getrandom": 318,
    "gettimeofday": 96, "clock_gettime": 228, "clock_nanosleep": 230, "exit": 60, "exit_group": 231,
}  # fmt: skip


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(_Instruction)))


def compute_only() -> bool:
    """Give up all system calls but those of computing, for good; False where that is not to be had."""
    if platform.machine() != "x86_64":
        return False
    instructions = _instructions()
    held = (_Instruction * len(instructions))(*instructions)
    program = _Program(len(instructions), held)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _instructions() -> list[_Instruction]:
    """Allow the calls of `_ALLOWED` on this architecture, refuse all others with EPERM."""
    numbers = list(_ALLOWED.values())
    checks = [_Instruction(_JUMP_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    return [
        _Instruction(_LOAD, 0, 0, _ARCH_AT),
        _Instruction(_JUMP_EQUAL, 0, len(numbers) + 1, _AUDIT_ARCH_X86_64),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
        *checks,
        _Instruction(_RETURN, 0, 0, _REFUSE),
        _Instruction(_RETURN, 0, 0, _ALLOW),
    ]
