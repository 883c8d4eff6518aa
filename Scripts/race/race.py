#!/usr/bin/env python3
"""Races `trit` against llama.cpp, ik_llama.cpp and bitnet.cpp on one shape, in turns, and writes the table.

    make race                                 # the 2B-4T shape, under ten minutes once all is prepared
    Scripts/race/race.py --quick              # two layers and few tokens: tries the harness, records nothing
    Scripts/race/race.py --readme             # the section of README from the pages that are there

README.md beside this file says what it needs and how long it takes. Exit 0: a table was written; 1: nothing was
measured, or no peer took part; 64: wrong arguments.
"""

import argparse
import datetime
import json
import os
import signal
import sys
import time

import machine
import schedule
import table
from contest import CONTESTANTS, Absent, Sample, Shape, shortened, tests
from engines import BitNet, Bindings, Trit
from models import Models
from process import Failed

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PAGES = "plots/race"
# Cores that other programs may use on a machine that counts as quiet.
QUIET = 0.2


def say(text):
    print(f"race: {text}", file=sys.stderr, flush=True)


def numbers(text):
    values = [int(part) for part in text.split(",")]
    if not values or any(value < 1 or value > 1024 for value in values) or values != sorted(set(values)):
        raise argparse.ArgumentTypeError(f"'{text}' is no rising list of thread counts, as 1,2")
    return values


def count(least, most):
    def parse(text):
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{value} is not in {least}…{most}")
        return value
    parse.__name__ = f"number in {least}…{most}"
    return parse


def arguments(words):
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.error = lambda text: (parser.print_usage(sys.stderr), say(text), sys.exit(64))
    parser.add_argument("--trit", default=os.path.join(ROOT, ".build", "release", "trit"), help="the command")
    parser.add_argument("--home", default=os.environ.get("RACE_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tritlab", "race"),
        help="where install.sh built the peers, and the models lie (RACE_HOME)")
    parser.add_argument("--threads", type=numbers, default=[1, cores] if cores > 1 else [1], help="default: 1,all cores")
    parser.add_argument("--rounds", type=count(1, 1000), default=9, help="at most (default: 9)")
    parser.add_argument(
        "--minutes", type=count(1, 100000), default=9,
        help="no round begins that would end later; the first always runs, and preparation is not counted (default: 9)")
    parser.add_argument("--depth", type=count(0, 4000), default=3500, help="the large context; 0 leaves it out")
    parser.add_argument("--only", action="append", metavar="TEXT", help="contestants whose names hold TEXT, repeatable; the pages go to --home")
    parser.add_argument("--all", action="store_true", help="the rarer types too (IQ2_BN, TQ1_0)")
    parser.add_argument("--prepare", action="store_true", help="make the models and caches, and race not")
    parser.add_argument("--busy", action="store_true", help="record figures of a machine that others use, marked so")
    parser.add_argument("--quick", action="store_true", help="two layers, few tokens; the pages go to --home")
    parser.add_argument("--output", help=f"folder of the pages (default: {PAGES}, and README's section follows)")
    parser.add_argument("--readme", action="store_true", help="only write README's section again")
    return parser.parse_args(words)


def refresh_readme():
    """README's section from the records in the tree."""
    folder, records = os.path.join(ROOT, PAGES), []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.endswith(".json"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                records.append(json.load(file))
    path = os.path.join(ROOT, "README.md")
    with open(path, encoding="utf-8") as file:
        text = table.replace_section(file.read(), table.section(records, PAGES))
    if text is None:
        say(f"README.md has no place for the section; it goes between {table.BEGIN} and {table.END}")
        return
    table.write(path, text)


class Race:
    def __init__(self, options):
        self.options = options
        self.shape = Shape(layers=2) if options.quick else Shape()
        self.trit = Trit(options.trit)
        self.engines = {
            "trit": self.trit, "ik": Bindings("ik", "ik_llama.cpp", options.home),
            "mainline": Bindings("mainline", "llama.cpp", options.home),
            "bitnet": BitNet(os.environ.get("RACE_BITNET_BENCH", "")),
        }
        self.models = Models(
            os.path.join(options.home, "models", self.shape.folder), self.shape, options.trit, self.engines, say)
        if not self.known():
            say(f"no contestant's name holds {' or '.join(options.only)}; they are "
                + ", ".join(one.name for one in CONTESTANTS))
            sys.exit(64)
        depth = min(options.depth, 128) if options.quick else options.depth
        self.tests = tests(options.threads, 64, 8, depth, 8) if options.quick else tests(
            options.threads, 512, 64, depth, 32)
        self.contestants = self.known()
        self.absent, self.engine_absent, self.samples = {}, {}, []

    def known(self):
        """The contestants that the options name."""
        only = self.options.only
        return [one for one in CONTESTANTS if (
            any(text in one.name for text in only) if only else self.options.all or one.tier < 2)]

    def tidy(self, text):
        """A reason as the pages print it, without the folders of this machine."""
        for folder, name in ((self.options.home, "RACE_HOME"), (ROOT, "."), (os.path.expanduser("~"), "~")):
            text = text.replace(folder.rstrip("/"), name)
        return text.replace("|", "/").replace("\n", " ")

    def prepare(self):
        """Finds out who takes part, and makes the models and filled caches that are not there yet."""
        for key, engine in self.engines.items():
            try:
                engine.ready()
            except Absent as reason:
                self.engine_absent[key] = self.tidy(str(reason))
                say(f"{engine.name} is absent: {reason}")
        if "trit" in self.engine_absent:
            sys.exit(1)
        for one in self.contestants:
            if one.engine in self.engine_absent:
                self.absent[one.name] = self.engine_absent[one.engine]
                continue
            try:
                path = self.models.path(one.model)
                deep = [test for test in self.tests if test.depth and one.runs(test)]
                if deep:
                    self.engines[one.engine].prepare(path, deep, self.options.threads[-1])
            except Absent as reason:
                self.absent[one.name] = self.tidy(str(reason))
                say(f"{one.name} is absent: {reason}")

    def run(self):
        """The rounds. Returns how many were whole."""
        start, walls, done = time.monotonic(), {}, 0
        while True:
            present = [one for one in self.contestants if one.name not in self.absent]
            left = 60 * self.options.minutes - (time.monotonic() - start)
            plan = schedule.next_round(present, self.tests, done, self.options.rounds, left, walls)
            if plan is None:
                return done
            for index, (test, one) in enumerate(plan):
                if one.name in self.absent:
                    continue
                began = time.monotonic()
                try:
                    value, peak, disturbed, more = self.engines[one.engine].measure(
                        one, shortened(test, one), self.models.path(one.model))
                except (Failed, Absent) as problem:
                    # One that fails once would fail again: out, with the reason, and its figures with it.
                    self.absent[one.name] = self.tidy(f"{test.name}: {problem}")
                    self.samples = [sample for sample in self.samples if sample.contestant != one.name]
                    say(f"{one.name} is out: {test.name}: {problem}")
                    continue
                wall = time.monotonic() - began
                walls[(one.name, test.name)] = wall
                self.samples.append(Sample(one.name, test.name, done, value, wall, peak, disturbed, more))
                say(f"round {done + 1}, {index + 1} of {len(plan)}: {test.name}: {one.name}: "
                    f"{table.figure(value, test.unit)}" + (" (!)" if disturbed else ""))
            done += 1

    def record(self, rounds, cpu, busy, peak):
        """All that the pages are made of."""
        weights = {}
        for one in self.contestants:
            if one.name not in self.absent and one.engine != "trit":
                weights[one.name] = self.models.data_bytes(one.model)
        for sample in self.samples:
            if sample.more.get("weight_bytes"):
                weights[sample.contestant] = sample.more["weight_bytes"]
        engines = {}
        for key, engine in self.engines.items():
            if key in self.engine_absent:
                engines[engine.name] = {"absent": self.engine_absent[key]}
            elif any(one.engine == key for one in self.contestants):
                engines[engine.name] = engine.version() if any(
                    one.engine == key and one.name not in self.absent for one in self.contestants) else {
                        "absent": "none of its types ran"}
        return table.summarise({
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "cpu": cpu, "cpu_title": machine.title(cpu), "slug": machine.slug(cpu), "busy": busy, "peak": peak,
            "shape": self.shape.preset, "layers": self.shape.layers, "rounds": rounds,
            "cache_bytes_per_position": self.models.cache_bytes_per_position(), "engines": engines,
            "tests": [{"name": t.name, "kind": t.kind, "threads": t.threads, "tokens": t.tokens, "depth": t.depth,
                       "unit": t.unit} for t in self.tests],
            "contestants": [
                {"name": one.name, "engine": one.engine, "head": one.head, "options": list(one.options),
                 "weight_bytes": weights.get(one.name), "absent": self.absent.get(one.name)}
                for one in self.contestants],
            "samples": [vars(sample) for sample in self.samples],
        })


def main(words):
    options = arguments(words)
    if options.readme:
        refresh_readme()
        return 0
    options.home = os.path.abspath(os.path.expanduser(options.home))
    race = Race(options)
    race.prepare()
    if all(one.name in race.absent for one in race.contestants):
        say("nobody is left to race")
        return 1
    if options.prepare:
        return 0
    cpu, used, busy = machine.describe(), machine.cores_in_use(), ""
    if used is not None and used > QUIET:
        busy = f"other programs used {used:.1f} of {cpu['cores']} cores when it began"
        say(f"{busy}; what is measured now says little")
    rounds = 0
    try:
        peak = race.trit.peak(options.threads)
        rounds = race.run()
    except Failed as problem:
        say(f"trit peak: {problem}")
        return 1
    except KeyboardInterrupt:
        rounds = max((sample.round for sample in race.samples), default=0)
        race.samples = [sample for sample in race.samples if sample.round < rounds]
        say(f"stopped; {rounds} whole rounds count")
    if not race.samples:
        say("nothing was measured")
        return 1
    disturbed = sum(1 for sample in race.samples if sample.disturbed)
    if not busy and 2 * disturbed > len(race.samples):
        busy = f"{disturbed} of {len(race.samples)} measurements shared their cores with other programs"
    record = race.record(rounds, cpu, busy, peak)
    is_recorded = not (options.quick or options.only or options.output or (busy and not options.busy))
    folder = options.output or (os.path.join(ROOT, PAGES) if is_recorded else os.path.join(options.home, "pages"))
    print(table.page(record))
    path = os.path.join(folder, record["slug"])
    try:
        os.makedirs(folder, exist_ok=True)
        table.write(path + ".json", table.as_json(record))
        table.write(path + ".md", table.page(record))
    except OSError as problem:
        say(f"the page cannot be written: {problem}; --output names another folder")
        return 1
    if is_recorded:
        refresh_readme()
    say(f"wrote {path}.md and .json")
    if busy and not options.busy:
        say(f"the tree keeps its figures, since {busy}; --busy records them all the same")
    peers = [one for one in race.contestants if one.engine != "trit" and one.name not in race.absent]
    if not peers:
        say("no peer took part; Scripts/race/install.sh builds them")
        return 1
    return 0


if __name__ == "__main__":
    # A stop from outside ends the measurement that runs, and keeps the rounds before it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)
