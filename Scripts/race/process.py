"""Runs one measurement as a process of its own: its output, its wall time, its peak of memory, its end."""

import os
import signal
import subprocess
import tempfile
import time

LIMIT = 3600  # seconds; nothing that the race does takes so long


class Failed(Exception):
    """A process that did not end well; the text is its last words."""


class Result:
    def __init__(self, out, wall, peak_bytes):
        self.out, self.wall, self.peak_bytes = out, wall, peak_bytes


def last_words(error, code):
    """The line of standard error that says most, and how the process ended."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    told = [line for line in lines if "error" in line.lower() or "failed" in line.lower()]
    line = (told or lines or [""])[-1][:200]
    end = f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return f"{line} ({end})" if line else end


def run(command, environment=None, limit=LIMIT):
    """Runs `command` to its end. Peak memory is that of this one process (wait4), pages of mapped files included."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        start = time.perf_counter()
        try:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=error, env={**os.environ, **(environment or {})})
        except OSError as problem:
            raise Failed(f"{command[0]}: {problem.strerror}") from problem
        usage = status = None
        try:
            while True:
                pid, status, usage = os.wait4(child.pid, os.WNOHANG)
                if pid:
                    break
                if time.perf_counter() - start > limit:
                    child.kill()
                    os.wait4(child.pid, 0)
                    child.returncode = -signal.SIGKILL
                    raise Failed(f"no end after {limit} s")
                time.sleep(0.002)
        except KeyboardInterrupt:
            child.kill()
            os.wait4(child.pid, 0)
            child.returncode = -signal.SIGKILL
            raise
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status) if hasattr(os, "waitstatus_to_exitcode") else (
            -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
        out.seek(0)
        error.seek(0)
        text = out.read().decode("utf-8", "replace")
        if child.returncode != 0:
            words = error.read().decode("utf-8", "replace")
            raise Failed(last_words(words, child.returncode))
        # Kilobytes on Linux, bytes on macOS.
        scale = 1 if os.uname().sysname == "Darwin" else 1024
        return Result(text, wall, usage.ru_maxrss * scale)
