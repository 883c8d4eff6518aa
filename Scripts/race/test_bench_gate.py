"""The verdicts of Scripts/bench-gate.sh, on programs that print the speeds they are told to."""

import os
import stat
import subprocess
import tempfile
import unittest

GATE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench-gate.sh")

# Prints the next line of FILE.speeds as JSON lines, one for each number in it: trit bench with as many tests.
PROGRAM = """#!/usr/bin/env bash
count=$(cat "$0.count" 2>/dev/null || echo 0)
echo $((count + 1)) >"$0.count"
line=$(sed -n "$((count % $(wc -l <"$0.speeds") + 1))p" "$0.speeds")
threads=1
[ "$line" = fail ] && { echo "trit: error: no such model" >&2; exit 1; }
for speed in $line; do
  echo "{\\"n_prompt\\":0,\\"n_gen\\":64,\\"n_depth\\":0,\\"n_threads\\":$threads,\\"avg_ts\\":$speed,\\"disturbed\\":null}"
  threads=$((threads + 1))
done
"""


class BenchGate(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def program(self, name, speeds):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(PROGRAM)
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        with open(path + ".speeds", "w") as file:
            file.write("".join(f"{line}\n" for line in speeds))
        return path

    def gate(self, old, new, pairs="15"):
        done = subprocess.run(
            [GATE, self.program("old", old), self.program("new", new), "builtin:storyteller", pairs],
            capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def test_slower(self):
        code, out, _ = self.gate(["100"], ["94", "95", "96"])
        self.assertEqual(code, 1)
        self.assertIn("new / old 0.950, 95 % 0.940 to 0.960, 15 pairs: SLOWER", out)

    def test_no_slower(self):
        code, out, _ = self.gate(["100"], ["98", "99", "100"])
        self.assertEqual(code, 0)
        self.assertIn("no slower", out)

    def test_cannot_tell_asks_for_more_pairs(self):
        code, out, _ = self.gate(["100"], ["90", "110", "97"])
        self.assertEqual(code, 2)
        self.assertIn("cannot tell", out)
        self.assertIn("PAIRS=30", out)

    def test_interval_is_the_fourth_of_fifteen(self):
        # P(X ≤ 3) = 0.0176 and P(X ≤ 4) = 0.0592 for 15 fair coins: the 4th and the 12th hold 96.5 %.
        code, out, _ = self.gate(["100"], [str(100 + i) for i in range(1, 16)])
        self.assertEqual(code, 0)
        self.assertIn("new / old 1.080, 95 % 1.040 to 1.120", out)

    def test_every_team_is_judged_by_itself(self):
        code, out, _ = self.gate(["100 200"], ["100 150"])
        self.assertEqual(code, 1)
        self.assertIn("tg64, 1 threads        new / old 1.000", out)
        self.assertIn("tg64, 2 threads        new / old 0.750", out)

    def test_a_run_that_fails_is_no_verdict(self):
        code, _, error = self.gate(["100"], ["fail"])
        self.assertEqual(code, 3)
        self.assertIn("the new build failed", error)
        self.assertIn("no such model", error)

    def test_arguments(self):
        self.assertEqual(self.gate(["100"], ["100"], pairs="14")[0], 64)
        self.assertEqual(self.gate(["100"], ["100"], pairs="many")[0], 64)
        done = subprocess.run([GATE, "", "trit"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 64)
        self.assertIn("OLD", done.stderr)


if __name__ == "__main__":
    unittest.main()
