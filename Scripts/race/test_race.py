"""The parts of the race that compute: order, budget, medians, shares, ratios, the table, GGUF's header.

    make test-race
"""

import os
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import engines
import gguf
import machine
import process
import schedule
import table
from contest import CONTESTANTS, Contestant, Test, shortened, tests

ONE, TWO = Test("decode", 1, 64), Test("decode", 2, 64)
A, B, C = (Contestant(name, "trit", "dummy", tier=tier) for name, tier in (("a", 0), ("b", 0), ("c", 1)))


class Order(unittest.TestCase):
    def test_everyone_begins_in_turn_and_every_second_round_goes_backwards(self):
        names = [[one for one in schedule.turn(["a", "b", "c"], number)] for number in range(4)]
        self.assertEqual(names, [["a", "b", "c"], ["a", "c", "b"], ["c", "a", "b"], ["c", "b", "a"]])

    def test_a_round_goes_test_by_test(self):
        plan = [(test.threads, one.name) for test, one in schedule.steps([A, B, C], [ONE, TWO], 0)]
        self.assertEqual(plan, [(1, "a"), (1, "b"), (1, "c"), (2, "a"), (2, "b"), (2, "c")])

    def test_small_rounds_leave_the_second_tier_out(self):
        self.assertEqual({one.name for _, one in schedule.steps([A, B, C], [ONE], 1, whole=False)}, {"a", "b"})

    def test_deep_tests_are_for_those_who_say_so(self):
        deep = Test("decode", 2, 32, 3500)
        self.assertFalse(A.runs(deep))
        self.assertTrue(Contestant("d", "ik", "x", deep=True).runs(deep))


class Budget(unittest.TestCase):
    walls = {("a", ONE.name): 10, ("b", ONE.name): 10, ("c", ONE.name): 100}

    def names(self, number, left, rounds=9, walls=None):
        plan = schedule.next_round([A, B, C], [ONE], number, rounds, left, self.walls if walls is None else walls)
        return None if plan is None else sorted(one.name for _, one in plan)

    def test_the_first_round_is_whole_and_always_runs(self):
        self.assertEqual(self.names(0, 0, walls={}), ["a", "b", "c"])

    def test_whole_and_small_rounds_take_turns(self):
        self.assertEqual(self.names(1, 1000), ["a", "b"])
        self.assertEqual(self.names(2, 1000), ["a", "b", "c"])

    def test_a_small_round_takes_the_place_of_a_whole_one_that_does_not_fit(self):
        self.assertEqual(self.names(2, 119), ["a", "b"])
        self.assertEqual(self.names(2, 120), ["a", "b", "c"])

    def test_the_end(self):
        self.assertIsNone(self.names(1, 19))
        self.assertIsNone(self.names(9, 1000))
        self.assertIsNone(schedule.next_round([], [ONE], 0, 9, 1000, {}))


def record(samples):
    columns = [ONE, TWO, Test("load", 2)]
    return table.summarise({
        "date": "2026-01-02 03:04 UTC", "cpu_title": "CPU, 2 cores", "slug": "cpu-2-cores", "busy": "", "rounds": 3,
        "shape": "tiny", "layers": 0, "cache_bytes_per_position": 100, "peak": {},
        "engines": {"TritLab": {"version": "1", "commit": "abc", "compiler": "Swift"}, "peer": {"absent": "not built"}},
        "tests": [{"name": t.name, "kind": t.kind, "threads": t.threads, "tokens": t.tokens, "depth": t.depth,
                   "unit": t.unit} for t in columns],
        "contestants": [
            {"name": "ours", "engine": "trit", "head": 6, "options": [], "weight_bytes": 1000, "absent": None},
            {"name": "theirs", "engine": "ik", "head": 6.56, "options": [], "weight_bytes": 2000, "absent": None},
            {"name": "gone", "engine": "mainline", "head": 6.56, "options": [], "weight_bytes": None,
             "absent": "not built"}],
        "samples": samples})


def sample(name, test, number, value, **more):
    return {"contestant": name, "test": test.name, "round": number, "value": value, **more}


class Figures(unittest.TestCase):
    def test_median(self):
        self.assertEqual(table.median([3, 1, 2]), 2)
        self.assertEqual(table.median([4, 1, 2, 3]), 2.5)
        self.assertIsNone(table.median([]))

    def test_ratios_are_of_one_round_and_above_one_where_ours_is_better(self):
        load = Test("load", 2)
        samples = [sample("ours", ONE, 0, 30), sample("theirs", ONE, 0, 20), sample("ours", ONE, 1, 10),
                   sample("ours", ONE, 2, 8), sample("theirs", ONE, 2, 4),
                   sample("ours", load, 0, 2), sample("theirs", load, 0, 1)]
        self.assertEqual(table.paired_ratios(samples, ONE.name, "ours", "theirs"), [1.5, 2])
        self.assertEqual(table.paired_ratios(samples, load.name, "ours", "theirs"), [0.5])

    def test_shares_are_bytes_a_second_over_the_roof(self):
        told = {"roof_per_second": 1e5, "roof_per_token": 1500, "bytes_per_token": 1500}
        made = record([
            sample("ours", ONE, 0, 40, more=told), sample("ours", ONE, 1, 60, more=told),
            sample("theirs", ONE, 0, 10), sample("theirs", ONE, 1, 30)])
        # Ours: 50 tokens/s of 1500 bytes over 100 kB/s. Theirs: 2000 bytes of weights, 100 for each of 32 positions.
        self.assertAlmostEqual(made["results"]["ours"][ONE.name]["roof_share"], 0.75)
        self.assertAlmostEqual(made["results"]["theirs"][ONE.name]["roof_share"], 20 * 5200 / 1e5)

    def test_figures_have_three_digits(self):
        self.assertEqual([table.figure(v, "tokens/s") for v in (136.4, 36.66, 3.456)], ["136", "36.7", "3.46"])
        self.assertEqual(table.figure(0.1749, "s"), "0.17 s")

    def test_threads_share_a_column_and_the_leader_is_bold(self):
        load = Test("load", 2)
        made = record([
            sample("ours", ONE, 0, 20), sample("theirs", ONE, 0, 21), sample("ours", TWO, 0, 40),
            sample("theirs", TWO, 0, 30, disturbed="busy"), sample("ours", load, 0, 0.1, peak_bytes=1100),
            sample("theirs", load, 0, 0.2)])
        lines = table.speed_table(made).split("\n")
        self.assertEqual(
            lines[0], "| | decode 64, 1 / 2 threads | load and one token, 2 threads | peak memory (over weights) |")
        self.assertEqual(lines[2], "| ours | 20.0 / **40.0** | **0.10 s** | 0.00 GB (1.10) |")
        self.assertEqual(lines[3], "| theirs | **21.0** / 30.0 (!) | 0.20 s | – |")
        self.assertEqual(lines[4], "| gone | absent: not built | | |")
        self.assertIn("| theirs | 0.95 (0.95–0.95) | 1.33 (1.33–1.33) | 2.00 (2.00–2.00) |", table.ratio_table(made))
        self.assertIn("| peer | absent: not built | | |", table.page(made))

    def test_json_reads_back(self):
        import json
        made = record([sample("ours", ONE, 0, 20)])
        self.assertEqual(json.loads(table.as_json(made)), json.loads(json.dumps(made)))

    def test_section_of_readme(self):
        made = record([sample("ours", ONE, 0, 20), sample("theirs", ONE, 0, 21),
                       sample("ours", TWO, 0, 20), sample("theirs", TWO, 0, 21)])
        text = f"a\n{table.BEGIN}\nold\n{table.END}\nz\n"
        new = table.replace_section(text, table.section([made], "plots/race"))
        self.assertTrue(new.startswith(f"a\n{table.BEGIN}\n| CPU |") and new.endswith(f"{table.END}\nz\n"))
        self.assertNotIn("old", new)
        self.assertIn("[all](plots/race/cpu-2-cores.md)", new)
        self.assertIn("**21.0** / **21.0**", new)
        self.assertEqual(table.replace_section(new, table.section([made], "plots/race")), new)
        self.assertIsNone(table.replace_section("no markers", "x"))


class Machine(unittest.TestCase):
    def test_generations(self):
        # CPUIDs of EPYC 7763, 9354, 9755 and Xeon 8375C (family, model).
        for vendor, family, model, name in (
                ("AuthenticAMD", 25, 0x01, "Zen 3"), ("AuthenticAMD", 25, 0x11, "Zen 4"),
                ("AuthenticAMD", 26, 0x02, "Zen 5"), ("GenuineIntel", 6, 0x6A, "Ice Lake"), ("GenuineIntel", 6, 1, "")):
            self.assertEqual(machine.generation(vendor, family, model), name)

    def test_names(self):
        cpu = machine.describe("vendor_id : GenuineIntel\ncpu family : 6\nmodel : 106\n"
                               "model name : Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz\n")
        cpu["cores"] = 2
        self.assertEqual(machine.title(cpu), "Intel Xeon Platinum 8375C, Ice Lake, 2 cores")
        self.assertEqual(machine.slug(cpu), "intel-xeon-platinum-8375c-ice-lake-2-cores")


class Process(unittest.TestCase):
    def test_output_and_memory(self):
        result = process.run([sys.executable, "-c", "x = b'x' * (64 << 20); print('done')"])
        self.assertEqual(result.out, "done\n")
        self.assertGreater(result.peak_bytes, 64 << 20)

    def test_ends_are_told(self):
        for code, text in (("import sys; print('error: no model', file=sys.stderr); sys.exit(3)",
                            "error: no model \\(exit code 3\\)"),
                           ("import os; os.abort()", "ended by SIGABRT")):
            with self.assertRaisesRegex(process.Failed, text):
                process.run([sys.executable, "-c", code])
        with self.assertRaisesRegex(process.Failed, "No such file"):
            process.run(["/no/such/program"])
        with self.assertRaisesRegex(process.Failed, "no end after"):
            process.run([sys.executable, "-c", "import time; time.sleep(60)"], limit=0.2)


def key(name, kind, raw):
    return struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", kind) + raw


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


class Header(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "a.gguf")
        keys = [key("general.architecture", 8, text("long-name")), key("long-name.block_count", 4, struct.pack("<I", 7)),
                key("tokens", 9, struct.pack("<IQ", 8, 2) + text("a") + text("bc")),
                key("scores", 9, struct.pack("<IQ", 6, 3) + b"\0" * 12)]
        tensor = text("t.weight") + struct.pack("<IQQIQ", 2, 4, 2, 0, 0)
        head = struct.pack("<4sIQQ", b"GGUF", 3, 1, len(keys)) + b"".join(keys) + tensor
        self.data = bytes(range(32))
        with open(self.path, "wb") as file:
            file.write(head + b"\0" * (-len(head) % 32) + self.data)

    def test_reads(self):
        header = gguf.Header(self.path)
        self.assertEqual(header.text("general.architecture"), "long-name")
        self.assertEqual(header.number("long-name.block_count"), 7)
        self.assertEqual(header.data_bytes, 32)

    def test_renames_and_keeps_the_data(self):
        target = os.path.join(self.folder.name, "b.gguf")
        gguf.rename_architecture(self.path, target, "x")
        header = gguf.Header(target)
        self.assertEqual((header.text("general.architecture"), header.number("x.block_count")), ("x", 7))
        with open(target, "rb") as file:
            whole = file.read()
        self.assertEqual((header.data % 32, whole[header.data:]), (0, self.data))
        self.assertEqual(header.records, gguf.Header(self.path).records)

    def test_damage_is_told(self):
        with open(self.path, "rb") as file:
            whole = file.read()
        for damaged in (b"GGML" + whole[4:], whole[:60], whole[:16] + b"\xff" * 8 + whole[24:],
                        whole[:24] + b"\xff" * 8 + whole[32:]):
            with open(self.path, "wb") as file:
                file.write(damaged)
            with self.assertRaises(ValueError):
                gguf.Header(self.path)


class Peers(unittest.TestCase):
    def test_llama_bench(self):
        # A row of llama-bench -o json, and the lines that some builds print around it.
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "llama-bench")
            with open(path, "w") as file:
                file.write('#!/bin/sh\necho "warning: something"\n'
                           'echo \'[{"build_commit": "1f86f05", "build_number": 3955, "n_prompt": 0, "n_gen": 64, '
                           '"avg_ts": 18.5, "samples_ts": [18.5]}]\'\n')
            os.chmod(path, 0o755)
            engine = engines.BitNet(path)
            engine.ready()
            one = next(one for one in CONTESTANTS if one.engine == "bitnet")
            self.assertEqual(engine.measure(one, ONE, "m.gguf")[0], 18.5)
            self.assertEqual(engine.version()["commit"], "1f86f05")

    def test_absence_is_told(self):
        for engine in (engines.BitNet(""), engines.BitNet("/no/such"), engines.Bindings("ik", "ik", "/no/such"),
                       engines.Trit("/no/such")):
            with self.assertRaises(engines.Absent):
                engine.ready()

    def test_every_contestant_has_an_engine_and_every_type_a_recipe(self):
        import models
        for one in CONTESTANTS:
            self.assertIn(one.engine, ("trit", "ik", "mainline", "bitnet"))
            self.assertTrue(one.model in models.MAINLINE_TYPES or one.model in
                            ("dummy", "i2_s-q6_k", "tq2_0", "iq2_bn_r4", "iq2_bn"), one.model)
        self.assertEqual(len({one.name for one in CONTESTANTS}), len(CONTESTANTS))

    def test_types_without_a_fast_kernel_run_fewer_tokens(self):
        slow = Contestant("s", "mainline", "q2_0", part=32)
        self.assertEqual(
            [shortened(t, slow).tokens for t in (Test("prefill", 1, 512), ONE, Test("decode", 1, 4), Test("load", 2))],
            [16, 8, 4, 1])
        self.assertEqual(shortened(ONE, A), ONE)

    def test_columns(self):
        self.assertEqual([t.name for t in tests([1, 2], 512, 64, 3500, 32)], [
            "prefill 512, 1 thread", "prefill 512, 2 threads", "decode 64, 1 thread", "decode 64, 2 threads",
            "decode 32 at context 3,500, 2 threads", "load and one token, 2 threads"])


if __name__ == "__main__":
    unittest.main()
