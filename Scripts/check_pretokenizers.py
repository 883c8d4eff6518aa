#!/usr/bin/env python3
"""Prints what PyPI's `tokenizers` makes of the pre-tokenizers that GGUF names, as the golden table of
Tests/TritTokenizationTests/PreTokenizerGolden.swift.

    pip install tokenizers && Scripts/check_pretokenizers.py > Tests/TritTokenizationTests/PreTokenizerGolden.swift

The patterns below are written down apart from the product's: from the `tokenizer.json` of the model that is named
beside each, or from llama.cpp's src/llama-vocab.cpp (commit 00ad355e) where it quotes that file. A line of the
table is a SHA-256 over the lengths in bytes of the pieces of 2,000 generated texts.
"""

import hashlib

import tokenizers
from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, Digits, Punctuation, Sequence, Split

COUNT = 2000
# What texts are put together from. The Swift test has the same list.
FRAGMENTS = [
    "a", "Ab", "ABC", "hello", "World", "iPhone", "don", "'s", "'S", "'\u017f", "'t", "'T", "'re", "'RE", "'ve", "'Ve",
    "'m", "'M", "'ll", "'LL", "'d", "'D", "\u02bcs", "\u2019s", "'", "\"", " ", " ", " ", "  ", "   ", "     ", "\t", "\t\t",
    "\n", "\n\n", "\r\n", "\r", " \n", "\n ", "\u00a0", "\u3000", "\u2028", "\u0085", "1", "12", "123", "1234", "12345",
    "1234567", "12345678901", "0", "7", "\u0663\u0664", "\u2167", "\u00bd", "\u00b2", "\uff12\uff13", "\u09e7", "x2", "3D", ".", ",",
    "!", "?", "...", "?!", "-", "--", "_", "__", "/", "//", "\\", "$", "+", "=", "<", ">", "^", "~", "|", "`", "``", "#", "@",
    "&", "%", "*", "(", ")", "[", "]", "{", "}", ":", ";", "<|", "|>", "\u2026", "\u2014", "\u00ab", "\u00bb", "\u201c", "\u201d",
    "\u20ac", "\u00a3", "\u00b0", "\u00d7", "\u2192", "\u3002", "\uff0c", "\u3001", "\uff01", "\uff1a", "\u060c", "\u06d4", "\u0964",
    "\u4e2d", "\u6587\u5b57", "\u4e00\u4e8c\u4e09", "\u3400", "\u3007", "\u3005", "\u3072\u3089\u304c\u306a",
    "\u30ab\u30bf\u30ab\u30ca\u30fc", "\uff76\uff85", "\ud55c\uad6d\uc5b4", "\u3131", "\u3105\u3106", "\u0e44\u0e17\u0e22",
    "\u0e20\u0e32\u0e29\u0e32", "\u0e81\u0eb2", "\u1780\u17b6", "\u1019\u103c", "\u0905\u0939\u093f", "\u09ac\u09be\u0982\u09b2\u09be",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\u05e9\u05dc\u05d5\u05dd", "\u00e9", "e\u0301", "\u0301", "\u0308\u0323", "na\u00efve", "\u00c9COLE",
    "\u00df", "\u00b5", "\u01c5", "\u02b0", "\u00aa", "\u0130", "\u0416\u0443\u043a", "\u041c\u041e\u0421\u041a\u0412\u0410", "\u0391\u03b2\u03b3",
    "\u0531\u0561", "\u10d0\u10d1", "\u13a0", "\U00010400\U00010428", "\U0001d518", "\U00020000", "\U0001f680", "\U0001f600\U0001f601",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f3f3\ufe0f\u200d\U0001f308", "\u200d", "\u200b", "\ufe0f", "\u0001", "\u007f", "\u00ad",
    "IMGIMGABZ", "<sentinel:12>", "cafe\u0301s", "I'm", "YOU'LL", "HTTPServer", "camelCase", "A1b2", "http://a.b/c?d=e", "e.g.",
]


class Random:
    """SplitMix64 (Steele, Lea, Flood 2014)."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)


def texts():
    random = Random(2026)
    result = []
    for _ in range(COUNT):
        count = 1 + random.next() % 16
        result.append("".join(FRAGMENTS[random.next() % len(FRAGMENTS)] for _ in range(count)))
    return result


def split(pattern):
    return Split(Regex(pattern), behavior="isolated", invert=False)


def bytes_(regex=False):
    return ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=regex)


def splits(*patterns):
    return Sequence([split(p) for p in patterns] + [bytes_()])


LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN35 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UFAKZEKA = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
MINICPM5 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
JAIS2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}"
SEED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"
BAILING = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
EXAONE_MOE = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"
GPT4O = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEKKEN = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
YOUTU1 = r"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+"
YOUTU2 = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# Moonshot's tokenization_kimi.py.
KIMI = "|".join([
    r"[\p{Han}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+",
])
DEEPSEEK_LETTERS = (
    "\\s?["
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373"
    "\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-"
    "\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-"
    "\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d"
    "\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-"
    "\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-"
    "\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-"
    "\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-"
    "\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-"
    "\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
    "]+"
)
DEEPSEEK3 = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
SPARK = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+|[\r\n]|\\s+(?!\\S)|\\s+"
AFMOE_ASIAN = "[一-鿿㐀-䶿\uf900-\ufaff぀-ゟ゠-ヿ･-ﾟ⼀-⿟\u0e40-\u0e7f\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff가-\ud7afᄀ-ᇿ]+"
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"

PRE_TOKENIZERS = {
    "llama-bpe": splits(LLAMA3),  # NousResearch/Meta-Llama-3-8B
    "dbrx": splits(LLAMA3),
    "glm4": splits(LLAMA3),  # THUDM/glm-4-9b, tokenization_chatglm.py
    "qwen2": splits(QWEN2),  # Qwen/Qwen2-7B
    "qwen35": splits(QWEN35),
    "ufakzeka": splits(UFAKZEKA),
    "laguna": splits(r"[^\n]+|[\n]+", QWEN2),
    "minicpm5": splits(r"\p{N}{1,3}", MINICPM5),  # openbmb/MiniCPM5-1B
    "jais-2": splits(JAIS2),
    "seed-coder": splits(SEED),
    "bailingmoe": splits(BAILING),
    "exaone-moe": splits(EXAONE_MOE),
    "gpt-4o": splits(GPT4O),  # Xenova/gpt-4o, openai/gpt-oss-20b
    "granite-embed-multi-97m": splits(GPT4O),
    "tekken": splits(TEKKEN),  # mistralai/Mistral-Nemo-Base-2407
    "tiny_aya": splits(r"\d{1,3}(?=(?:\d{3})*\b)", GPT4O),
    "youtu": splits(YOUTU1, YOUTU2),
    "kimi-k2": splits(KIMI),  # moonshotai/Kimi-K2-Base
    "deepseek-llm": Sequence([  # deepseek-ai/deepseek-llm-7b-base
        split("[\r\n]"), split(DEEPSEEK_LETTERS), split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"),
        split("[一-龥ࠀ-一가-퟿]+"), Digits(individual_digits=True), bytes_()]),
    "deepseek-coder": Sequence([  # deepseek-ai/deepseek-coder-6.7b-instruct
        split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"),
        Digits(individual_digits=True), bytes_()]),
    "deepseek-v3": splits(r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK3),  # deepseek-ai/DeepSeek-V3
    "spark2_5": splits(r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", SPARK, r"\p{N}"),
    # llama.cpp has a function where this has a look-ahead: groups of three from the right.
    "afmoe": splits(r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))", AFMOE_ASIAN, DEEPSEEK3),
    "superbpe": splits(r"\p{N}+", r"(?=(\d{3})+(?!\d))"),
    "bloom": splits(BLOOM),  # bigscience/bloom
    "viking": Sequence([split(BLOOM), Digits(individual_digits=True), bytes_()]),  # LumiOpen/Viking-7B
    "gpt-2": bytes_(True),  # openai-community/gpt2
    "starcoder": Sequence([Digits(individual_digits=True), bytes_(True)]),  # bigcode/starcoder2-7b
    "falcon": Sequence([  # tiiuae/falcon-7b
        Punctuation("contiguous"), bytes_(True), Digits(individual_digits=False), split("[0-9][0-9][0-9]")]),
    "falcon_e": Sequence([Punctuation("contiguous"), bytes_(True), split("[0-9]")]),
    "chameleon": Sequence([  # facebook/chameleon-7b
        split("<sentinel:[0-9]+>"), split("(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z"), split(r"([\t\n]|    |  )"),
        Digits(individual_digits=True), Punctuation("isolated"), bytes_(True)]),
    "default": splits(r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"),
}


def main():
    corpus = texts()
    everything = hashlib.sha256("\n".join(corpus).encode()).hexdigest()
    print("/// What `tokenizers` " + tokenizers.__version__ + " (PyPI) makes of 2,000 generated texts: made by")
    print("/// `Scripts/check_pretokenizers.py`, which says how. Not to be edited.")
    print("enum PreTokenizerGolden {")
    print(f'  static let texts = "{everything}"')
    print("  static let pieces: [(name: String, digest: String)] = [")
    for name, pre in PRE_TOKENIZERS.items():
        lines = [
            ",".join(str(len(piece)) for piece, _ in pre.pre_tokenize_str(text)) for text in corpus
        ]
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        print(f'    ("{name}", "{digest}"),')
    print("  ]")
    print("}")


if __name__ == "__main__":
    main()
