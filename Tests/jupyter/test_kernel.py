"""Jupyter's own conformance suite, and what it does not ask, against the installed kernel.

Run by `make test-jupyter`, which makes the environment that it needs.
"""

import os
import time
import unittest
from queue import Empty

import jupyter_kernel_test
from jupyter_kernel_test.msgspec_v5 import validate_message

NAME = os.environ.get("TRIT_KERNEL", "trit")


class Conformance(jupyter_kernel_test.KernelTests):
    """All samples that the suite takes but pagers and `clear_output`, which Swift cells do not have."""

    kernel_name = NAME
    language_name = "swift"
    file_extension = ".swift"
    code_hello_world = 'print("hello, world")'
    code_stderr = 'import Foundation\nFileHandle.standardError.write(Data("oops".utf8))'
    completion_samples = [
        {"text": "tritsOfM", "matches": {"tritsOfMine"}},
        {"text": "%%e", "matches": {"%%experiment"}},
        {"text": "%%c\nint x", "matches": set()},
    ]
    complete_code_samples = ["let a = 1", "print(1)", "func f() {\n}\n", ""]
    incomplete_code_samples = ["func f() {", "print("]
    invalid_code_samples = ["let = 3)", "%%python\nprint(1)"]
    code_generate_error = "struct E: Error {}\nthrow E()"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"a" + "b"', "result": "ab"},
        {"code": "6 * 7 // again", "result": "42"},
    ]
    code_display_data = [
        {"code": 'display(Table(["a"], [["1"]]))', "mime": "text/markdown"},
        {"code": 'display(Plot("squares").line([1.0, 2], [1.0, 4]))', "mime": "image/svg+xml"},
    ]
    code_history_pattern = '?a? + "[a-c]*'
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "display"

    def test_completion(self):
        self.execute_helper("let tritsOfMine = 3")
        super().test_completion()


class Messages(unittest.TestCase):
    """What the suite does not ask."""

    @classmethod
    def setUpClass(cls):
        cls.km, cls.kc = jupyter_kernel_test.start_new_kernel(kernel_name=NAME)

    @classmethod
    def tearDownClass(cls):
        cls.kc.stop_channels()
        cls.km.shutdown_kernel()

    def run_cell(self, code, metadata=None, timeout=30, **content):
        """Runs a cell: the content of the answer, and all messages about it until idle."""
        message = self.kc.session.msg(
            "execute_request",
            {"code": code, "silent": False, "store_history": True, "user_expressions": {},
             "allow_stdin": False, "stop_on_error": True, **content},
            metadata=metadata)
        self.kc.shell_channel.send(message)
        return self.collect(message["header"]["msg_id"], timeout)

    def collect(self, identity, timeout=30):
        messages = []
        while True:
            message = self.kc.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != identity:
                continue
            validate_message(message, message["msg_type"], identity)
            if message["msg_type"] == "status":
                if message["content"]["execution_state"] == "idle":
                    break
                continue
            messages.append(message)
        reply = self.kc.get_shell_msg(timeout=timeout)
        while reply["parent_header"]["msg_id"] != identity:
            reply = self.kc.get_shell_msg(timeout=timeout)
        # The protocol says 'aborted', as ipykernel does; the suite's schema knows only 'abort'.
        if reply["content"]["status"] != "aborted":
            validate_message(reply, reply["msg_type"], identity)
        return reply["content"], messages

    def ask(self, kind, content, channel="shell"):
        message = self.kc.session.msg(kind, content)
        target = getattr(self.kc, f"{channel}_channel")
        target.send(message)
        deadline = time.time() + 15
        while time.time() < deadline:
            reply = target.get_msg(timeout=15)
            if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
                return reply
        raise Empty

    def test_languages(self):
        reply, _ = self.run_cell("%%c\n#include <stdint.h>\nint32_t twice(int32_t x) { return 2 * x; }")
        self.assertEqual(reply["status"], "ok")
        _, messages = self.run_cell("%%swift\ntwice(21)")
        self.assertEqual(messages[-1]["content"]["data"]["text/plain"], "42")
        reply, _ = self.run_cell("%%python\nprint(1)")
        self.assertEqual(reply["status"], "error")
        self.assertIn("%%experiment", reply["evalue"])

    def test_lines_count_from_the_first_line_of_the_cell(self):
        reply, _ = self.run_cell("%%swift\n\nlet wrong: Int = true")
        self.assertIn(f"cell [{reply['execution_count']}]:3:", reply["evalue"])

    def test_a_cell_with_a_name_replaces_itself(self):
        self.run_cell("let named = 1", {"cellId": "a-1"})
        self.run_cell("let named = 2", {"cellId": "a-1"})
        _, messages = self.run_cell("named", {"cellId": "a-2"})
        self.assertEqual(messages[-1]["content"]["data"]["text/plain"], "2")

    def test_silence(self):
        before, _ = self.run_cell("1")
        reply, messages = self.run_cell("print(2)\n3", silent=True)
        self.assertEqual((reply["status"], messages), ("ok", []))
        self.assertEqual(reply["execution_count"], before["execution_count"])
        reply, messages = self.run_cell("print(2)", store_history=False)
        self.assertEqual(reply["execution_count"], before["execution_count"])
        self.assertEqual(messages[-1]["content"]["text"], "2\n")

    def test_cells_after_one_that_fails_are_aborted(self):
        messages = []
        for code in ["import Glibc\nusleep(300_000)\nstruct F: Error {}\nthrow F()", "1", "2"]:
            message = self.kc.session.msg(
                "execute_request", {"code": code, "silent": False, "stop_on_error": True})
            self.kc.shell_channel.send(message)
            messages.append(message["header"]["msg_id"])
        states = [self.collect(identity)[0]["status"] for identity in messages]
        self.assertEqual(states, ["error", "aborted", "aborted"])
        self.assertEqual(self.run_cell("3")[0]["status"], "ok")

    def test_updates(self):
        _, messages = self.run_cell('let shown = display("a")\nshown.update("b")')
        kinds = [message["msg_type"] for message in messages]
        self.assertEqual(kinds, ["execute_input", "display_data", "update_display_data"])
        names = {message["content"]["transient"]["display_id"] for message in messages[1:]}
        self.assertEqual(len(names), 1)

    def test_much_text_is_few_messages(self):
        _, messages = self.run_cell('for line in 0..<20_000 { print("line", line) }')
        streams = [message for message in messages if message["msg_type"] == "stream"]
        self.assertEqual(
            "".join(message["content"]["text"] for message in streams),
            "".join(f"line {line}\n" for line in range(20_000)))
        self.assertLess(len(streams), 100)

    def test_what_is_not_there_is_refused_politely(self):
        reply = self.ask("debug_request", {"command": "initialize"}, "control")
        self.assertEqual((reply["msg_type"], reply["content"]["status"]), ("debug_reply", "error"))
        self.assertEqual(self.ask("comm_info_request", {})["content"]["comms"], {})
        message = self.kc.session.msg(
            "comm_open", {"comm_id": "c1", "target_name": "nobody", "data": {}})
        self.kc.shell_channel.send(message)
        while True:
            answer = self.kc.get_iopub_msg(timeout=15)
            if answer["msg_type"] == "comm_close":
                break
        self.assertEqual(answer["content"]["comm_id"], "c1")

    def test_control_answers_while_a_cell_runs(self):
        message = self.kc.session.msg(
            "execute_request", {"code": "import Glibc\nsleep(2)\n1", "silent": False})
        self.kc.shell_channel.send(message)
        reply = self.ask("kernel_info_request", {}, "control")
        self.assertEqual(reply["content"]["status"], "ok")
        with self.assertRaises(Empty):
            self.kc.get_shell_msg(timeout=0.2)
        self.assertEqual(self.collect(message["header"]["msg_id"])[0]["status"], "ok")

    def test_an_error_names_itself_and_its_line(self):
        reply, messages = self.run_cell(
            'throw LabError(.badData, "rows do not fit", expected: "4", got: "3", advice: "cut")')
        self.assertEqual(reply["ename"], "LabError")
        trace = "\n".join(messages[-1]["content"]["traceback"])
        for part in ["rows do not fit", "expected: 4", "next: cut", f"cell [{reply['execution_count']}]:1"]:
            self.assertIn(part, trace)


if __name__ == "__main__":
    unittest.main()
