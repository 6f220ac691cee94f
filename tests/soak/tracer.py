"""Runs a program and kills it on its K-th call that changes the disk or answers a client, counted over all threads.

`strace -e inject=…:when=K` counts in each thread for itself, so it cannot name the K-th step of a commit that several
threads share. This tracer counts once. Usage: tracer.py REPORT WITHIN -- program…; a line `K` in REPORT.arm arms it, SIGUSR1
makes it look. It writes the calls to REPORT, and ends with its program.
"""

import ctypes
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

SEIZE, INTERRUPT, SYSCALL, LISTEN, GET_SYSCALL_INFO = 0x4206, 0x4207, 24, 0x4208, 0x420E
OPTION_SYSGOOD, OPTION_CLONE = 1, 8
EVENT_STOP = 128
WALL = 0x40000000
ENTRY = 1
NUMBERS = {
    1: "write", 18: "pwrite64", 20: "writev", 296: "pwritev", 328: "pwritev2", 74: "fsync", 75: "fdatasync",
    82: "rename", 264: "renameat", 316: "renameat2", 87: "unlink", 263: "unlinkat", 77: "ftruncate",
    44: "sendto", 46: "sendmsg", 285: "fallocate", 86: "link", 265: "linkat", 83: "mkdir", 258: "mkdirat",
}
BY_NAME = {"rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "mkdir", "mkdirat"}
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long


class SyscallInfo(ctypes.Structure):
    _fields_ = [
        ("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32),
        ("ip", ctypes.c_uint64), ("sp", ctypes.c_uint64), ("nr", ctypes.c_uint64),
        ("args", ctypes.c_uint64 * 6), ("more", ctypes.c_uint64 * 2),
    ]


def ptrace(request, pid, address=0, data=0):
    return LIBC.ptrace(request, pid, address, data)


class Tracer:
    def __init__(self, report, within, command):
        self.report, self.within = pathlib.Path(report), within
        self.child = subprocess.Popen(command)
        self.calls, self.kill_at = [], 0
        self.is_armed = False
        signal.signal(signal.SIGUSR1, lambda *_: setattr(self, "is_armed", True))
        signal.signal(signal.SIGTERM, lambda *_: os.kill(self.child.pid, signal.SIGTERM))

    def run(self):
        while not self.is_armed:
            if self.child.poll() is not None:
                return self.child.returncode
            time.sleep(0.005)
        self.kill_at = int(self.report.with_suffix(".arm").read_text())
        self.attach()
        self.report.with_suffix(".attached").touch()
        self.trace()
        self.report.write_text(json.dumps(self.calls))
        return 0

    def attach(self):
        known = set()
        while True:
            tasks = {int(name) for name in os.listdir(f"/proc/{self.child.pid}/task")} - known
            if not tasks:
                return
            for task in tasks:
                known.add(task)
                if ptrace(SEIZE, task, 0, OPTION_SYSGOOD | OPTION_CLONE) == 0:
                    ptrace(INTERRUPT, task)

    def trace(self):
        while True:
            try:
                task, status = os.waitpid(-1, WALL)
            except ChildProcessError:
                return
            except InterruptedError:
                continue
            if not os.WIFSTOPPED(status):
                if task == self.child.pid:
                    return
                continue
            stopped_by, event = os.WSTOPSIG(status), status >> 16
            if stopped_by == signal.SIGTRAP | 0x80:
                self.look(task)
                stopped_by = 0
            elif event == EVENT_STOP and stopped_by in (signal.SIGSTOP, signal.SIGTSTP):
                ptrace(LISTEN, task)
                continue
            elif event:
                stopped_by = 0
            ptrace(SYSCALL, task, 0, stopped_by)

    def look(self, task):
        info = SyscallInfo()
        ptrace(GET_SYSCALL_INFO, task, ctypes.sizeof(info), ctypes.addressof(info))
        name = NUMBERS.get(info.nr) if info.op == ENTRY else None
        if name is None:
            return
        where = self.where(name, info)
        if where is None:
            return
        self.calls.append(f"{name} {where}")
        if len(self.calls) == self.kill_at:
            os.kill(self.child.pid, signal.SIGKILL)

    def where(self, name, info):
        """What the call touches, if that counts: the data folder, or a client's connection."""
        if name in BY_NAME:
            return "names"
        try:
            target = os.readlink(f"/proc/{self.child.pid}/fd/{info.args[0]}")
        except OSError:
            return None
        if target.startswith("socket:"):
            return "socket"
        if not target.startswith(self.within):
            return None
        inside = target[len(self.within) :]
        return "blob" if inside.startswith("blobs/") else inside


def main():
    if platform.machine() != "x86_64":
        sys.exit("the numbers of system calls are known for x86_64 only: not done")
    split = sys.argv.index("--")
    report, within = sys.argv[1:split]
    sys.exit(Tracer(report, within, sys.argv[split + 1 :]).run())


if __name__ == "__main__":
    main()
