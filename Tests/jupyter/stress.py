"""Mistreats the kernel: interrupts, crashes, kills, restarts, two clients, wrong signatures, floods.

    stress.py [ROUNDS]     100 by default; a table at the end, exit code 1 if anything went wrong

No round may lose a cell that had run, leave a process behind, or need a restart that nobody asked for.
"""

import os
import signal
import socket
import sys
import threading
import time

import jupyter_client

NAME = os.environ.get("TRIT_KERNEL", "trit")
DEAF = "var deaf = 0\nwhile true { deaf &+= 1; if deaf < 0 { print(deaf) } }"
POLITE = "import Glibc\nwhile true { try Interruption.check(); usleep(1000) }"
TRAP = "let nothing: [Int] = []\nprint(nothing[3])"
CRASH = "%%c\n#include <stddef.h>\n__attribute__((constructor)) static void fall(void) { *(volatile int *)NULL = 1; }"
EXIT = "import Glibc\nexit(3)"


def children(parent):
    """The processes below `parent`, with those below them."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    text = file.read()
            except OSError:
                continue
            found.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(name))
    below, waiting = set(), [parent]
    while waiting:
        for child in found.get(waiting.pop(), []):
            below.add(child)
            waiting.append(child)
    return below


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Kernel:
    def __init__(self):
        self.manager, self.client = jupyter_client.manager.start_new_kernel(kernel_name=NAME)
        self.seen = set()

    @property
    def process(self):
        return self.manager.provisioner.process.pid

    def run(self, code, timeout=60, client=None):
        outputs = []
        self.seen |= children(self.process)
        reply = (client or self.client).execute_interactive(
            code, timeout=timeout, output_hook=lambda message: outputs.append(message))
        self.seen |= children(self.process) | {self.process}
        return reply["content"], outputs

    def value(self, code, client=None):
        reply, outputs = self.run(code, client=client)
        assert reply["status"] == "ok", f"{code}: {reply.get('evalue')}"
        return [message["content"]["data"]["text/plain"] for message in outputs
                if message["msg_type"] == "execute_result"][-1]

    def interrupted(self, code, after, times=1):
        def stop():
            for _ in range(times):
                time.sleep(after)
                self.manager.interrupt_kernel()

        thread = threading.Thread(target=stop)
        thread.start()
        reply, _ = self.run(code)
        thread.join()
        return reply

    def leftovers(self, wait=5.0):
        """Processes of the kernel's that are still there."""
        until = time.time() + wait
        while time.time() < until and any(is_alive(process) for process in self.seen):
            time.sleep(0.05)
        return [process for process in self.seen if is_alive(process)]

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()


class Table:
    def __init__(self):
        self.rows = []
        self.faults = []

    def check(self, name, holds, detail=""):
        if not holds:
            self.faults.append(f"{name}: {detail}")
            print(f"FAULT {name}: {detail}", flush=True)

    def add(self, name, rounds, seconds):
        seconds.sort()
        self.rows.append((name, rounds, seconds[len(seconds) // 2], seconds[-1]))
        print(f"{name}: {rounds} rounds, median {seconds[len(seconds) // 2]:.2f} s, "
              f"most {seconds[-1]:.2f} s", flush=True)


def rounds_of(table, kernel, name, code, rounds, expected, interrupts=0):
    """Runs a cell that ends badly, and looks whether the state is still there."""
    seconds = []
    for number in range(rounds):
        start = time.time()
        reply = (kernel.interrupted(code, 0.3, interrupts) if interrupts else kernel.run(code)[0])
        seconds.append(time.time() - start)
        table.check(name, reply["status"] == "error" and reply["ename"] in expected,
                    f"round {number}: {reply['status']} {reply.get('ename')} {reply.get('evalue')}")
        state = kernel.value("(kept, kept.count)")
        table.check(name, state == "([1, 2, 3], 3)", f"round {number}: the state is {state}")
    table.add(name, rounds, seconds)


def clients(table, kernel, rounds):
    seconds = []
    for number in range(rounds):
        start = time.time()
        client = kernel.manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=20)
        value = kernel.value(f"kept.count + {number}", client=client)
        table.check("two clients", value == str(3 + number), value)
        client.stop_channels()
        seconds.append(time.time() - start)
    table.add("two clients", rounds, seconds)


def signatures(table, kernel, rounds):
    client = kernel.manager.client()
    client.session.key = b"wrong"
    client.start_channels()
    for _ in range(rounds):
        client.execute("kept = []")
    time.sleep(1)
    table.check("wrong signatures", not client.shell_channel.msg_ready(), "one was answered")
    table.check("wrong signatures", kernel.value("kept.count") == "3", "one was run")
    client.stop_channels()


def floods(table, kernel, rounds):
    """Bytes that are no ZMTP, halves of it, and connections that only stand there."""
    port = kernel.client.get_connection_info()["shell_port"]
    greeting = bytes([0xFF] + 8 * [0] + [0x7F, 3, 0]) + b"NULL".ljust(20, b"\0") + bytes(32)
    held = []
    for number in range(rounds):
        for junk in [b"GET / HTTP/1.1\r\n\r\n", greeting[:10 + number % 54], greeting + b"\xff" * 64,
                     greeting + b"\x02" + b"\x7f" * 8, greeting.replace(b"NULL", b"PLAI")]:
            try:
                peer = socket.create_connection(("127.0.0.1", port), timeout=5)
                peer.sendall(junk)
                held.append(peer)
            except OSError:
                pass
        if number % 10 == 9:
            table.check("floods", kernel.value("kept.count") == "3", f"round {number}")
    for peer in held:
        peer.close()


def output(table, kernel, rounds):
    seconds = []
    for number in range(rounds):
        start = time.time()
        reply, outputs = kernel.run('print(String(repeating: "x", count: 5_000_000))')
        size = sum(len(message["content"]["text"]) for message in outputs
                   if message["msg_type"] == "stream")
        table.check("5 MB of text", reply["status"] == "ok" and 500_000 < size < 5_000_000,
                    f"round {number}: {reply['status']} {size}")
        seconds.append(time.time() - start)
    table.add("5 MB of text", rounds, seconds)


def restarts(table, kernel, rounds):
    seconds = []
    for number in range(rounds):
        kernel.run("let before = 1")
        if number % 2:
            threading.Thread(target=lambda: kernel.client.execute(DEAF)).start()
            time.sleep(0.2)
        start = time.time()
        kernel.manager.restart_kernel(now=number % 4 == 3)
        kernel.client.wait_for_ready(timeout=30)
        seconds.append(time.time() - start)
        seen = {process for process in kernel.seen if process != kernel.process}
        time.sleep(0.3)
        left = [process for process in seen - children(kernel.process) if is_alive(process)]
        table.check("restarts", not left, f"round {number}: left behind {left}")
        kernel.seen = set()
        reply, _ = kernel.run("before")
        table.check("restarts", reply["status"] == "error", "state outlived a restart")
    table.add("restarts", rounds, seconds)


def kills(table, rounds):
    """The kernel is killed while a deaf cell runs: the process of the cell ends too."""
    for number in range(rounds):
        kernel = Kernel()
        kernel.run("1")
        kernel.client.execute(DEAF)
        time.sleep(1)
        kernel.seen |= children(kernel.process)
        os.kill(kernel.process, signal.SIGKILL)
        left = kernel.leftovers()
        table.check("kills", not left, f"round {number}: left behind {left}")
        kernel.client.stop_channels()
        kernel.manager.cleanup_resources()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    table = Table()
    kernel = Kernel()
    kernel.run("var kept = [1, 2, 3]")
    some = max(1, rounds // 10)
    rounds_of(table, kernel, "interrupts of a polite loop", POLITE, rounds, {"Interrupted"}, 1)
    rounds_of(table, kernel, "two interrupts of a deaf loop", DEAF, some, {"Interrupted"}, 2)
    rounds_of(table, kernel, "one interrupt of a deaf loop", DEAF, max(1, rounds // 20), {"Interrupted"}, 1)
    rounds_of(table, kernel, "traps", TRAP, rounds, {"Crash"})
    rounds_of(table, kernel, "crashes in C", CRASH, some, {"Crash"})
    rounds_of(table, kernel, "exit", EXIT, some, {"Exit"})
    clients(table, kernel, some)
    signatures(table, kernel, rounds)
    floods(table, kernel, rounds)
    output(table, kernel, some)
    restarts(table, kernel, rounds)
    kernel.run("1")
    kernel.end()
    left = kernel.leftovers()
    table.check("shutdown", not left, f"left behind {left}")
    kills(table, max(1, rounds // 20))
    print(f"\n{len(table.faults)} faults")
    sys.exit(1 if table.faults else 0)


if __name__ == "__main__":
    main()
