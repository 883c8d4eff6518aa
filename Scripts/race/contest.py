"""What is raced: the shape, the tests, the contestants. Adding a peer's type is one line here."""

from dataclasses import dataclass, field, replace

PRESET = "bitnet-b1.58-2B-4T"


@dataclass(frozen=True)
class Shape:
    """The dummy that all run: a preset of `trit dummy`, whole or its first layers."""

    preset: str = PRESET
    layers: int = 0  # 0: all of the model

    @property
    def folder(self):
        return self.preset + (f"-{self.layers}-layers" if self.layers else "")


@dataclass(frozen=True)
class Test:
    """One column: `kind` is prefill, decode or load."""

    kind: str
    threads: int
    tokens: int = 1
    depth: int = 0

    @property
    def name(self):
        threads = f"{self.threads} thread" + ("s" if self.threads > 1 else "")
        if self.kind == "load":
            return f"load and one token, {threads}"
        if self.depth:
            return f"{self.kind} {self.tokens} at context {self.depth:,}, {threads}"
        return f"{self.kind} {self.tokens}, {threads}"

    @property
    def unit(self):
        return "s" if self.kind == "load" else "tokens/s"


@dataclass(frozen=True)
class Contestant:
    """One row: an engine, what it runs, and in how much of the race it takes part.

    `tier` 0 runs in every round, 1 in whole rounds alone, 2 only with --all and then as 1. `tests` are the kinds that it runs; `deep`
    whether it also decodes at the large context.
    """

    name: str
    engine: str
    model: str
    options: tuple = ()
    tier: int = 0
    tests: tuple = ("prefill", "decode", "load")
    deep: bool = False
    # Bits of a weight of the head, to compare like with like; 0: the engine chooses.
    head: float = 0
    # A type without a fast kernel runs this part of the tokens (at least 8), or one round would last the whole race.
    part: int = 1

    def runs(self, test, whole=True):
        """Whether it takes part in `test`, in a whole round or in one of the first tier."""
        if test.kind not in self.tests or (test.depth and not self.deep):
            return False
        return whole or self.tier == 0


def shortened(test, one):
    """The test as `one` runs it."""
    if one.part == 1 or test.kind == "load":
        return test
    return replace(test, tokens=min(test.tokens, max(8, test.tokens // one.part)))


EXACT = ("--kernel", "i2_s", "--cache", "f16")

CONTESTANTS = (
    Contestant("TritLab i2_s, int8 head", "trit", "dummy", EXACT + ("--head", "int8"), deep=True, head=8),
    Contestant(
        "TritLab i2_s, int6 head", "trit", "dummy", EXACT + ("--head", "int6"), tests=("decode", "load"), head=6),
    Contestant("TritLab without flags", "trit", "dummy", tests=("decode", "load")),
    Contestant(
        "TritLab base3, int8 head", "trit", "dummy", ("--kernel", "base3", "--cache", "f16", "--head", "int8"), tier=1,
        tests=("decode",), head=8),
    Contestant("ik_llama.cpp IQ2_BN_R4, Q6_K head", "ik", "iq2_bn_r4", deep=True, head=6.5625),
    Contestant("ik_llama.cpp IQ2_BN, Q6_K head", "ik", "iq2_bn", tier=2, head=6.5625),
    Contestant("bitnet.cpp I2_S, Q6_K head", "bitnet", "i2_s-q6_k", tests=("prefill", "decode"), head=6.5625),
    Contestant("llama.cpp TQ2_0, Q6_K head", "mainline", "tq2_0", tier=1, deep=True, head=6.5625),
    # On x86 its products are plain C: a token takes a second of a core.
    Contestant(
        "llama.cpp Q2_0, Q6_K head (1/32 of the tokens)", "mainline", "q2_0", tier=1, head=6.5625, part=32),
    Contestant("llama.cpp Q4_0, Q6_K head", "mainline", "q4_0", tier=1, head=6.5625),
    Contestant("llama.cpp TQ1_0, Q6_K head", "mainline", "tq1_0", tier=2, head=6.5625),
)


@dataclass
class Sample:
    """What one measurement gave: seconds for `load`, tokens a second otherwise."""

    contestant: str
    test: str
    round: int
    value: float
    wall: float
    peak_bytes: int = 0
    disturbed: str = ""
    # What else the engine told: roofs and bytes of `trit bench`.
    more: dict = field(default_factory=dict)


class Absent(Exception):
    """Why an engine or one of its models takes no part; the text goes into the table."""


def tests(threads, prompt, tokens, depth, deep_tokens):
    """The columns, in the order in which a round runs them."""
    most = threads[-1]
    out = [Test("prefill", count, prompt) for count in threads]
    out += [Test("decode", count, tokens) for count in threads]
    if depth:
        out.append(Test("decode", most, deep_tokens, depth))
    return out + [Test("load", most)]
