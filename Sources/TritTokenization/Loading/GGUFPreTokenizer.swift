/// How a GGUF vocabulary of model `gpt2` cuts text, by the name in `tokenizer.ggml.pre`.
///
/// The names, and what else they decide, are llama.cpp's (`src/llama-vocab.cpp`, commit 00ad355e).
/// The cuts are those of the `pre_tokenizer` that the named model publishes in its
/// `tokenizer.json`; `PreTokenizerFamily` says where llama.cpp's own cuts differ from them.
struct GGUFPreTokenizer {
  var name: String
  /// The steps, the one that turns text into bytes among them.
  var steps: [PreTokenizer.Step]
  var ignoresMerges = false
  /// What holds where `tokenizer.ggml.add_bos_token` is absent.
  var addsBOS = false
  /// Whether token 11 begins a text where the file names no such token, as llama.cpp takes it.
  var hasDefaultBOS = true

  /// The pre-tokenizer called `name`, or nil.
  init?(_ name: String) {
    guard let family = PreTokenizerFamily.all.first(where: { $0.names.contains(name) }),
      let steps = family.steps
    else { return nil }
    self.name = name
    self.steps = steps
    ignoresMerges = family.ignoresMerges
    addsBOS = family.addsBOS
    hasDefaultBOS = family.hasDefaultBOS
  }

  /// A name of each behaviour, the ones that people know first.
  static let representatives =
    ["llama-bpe", "qwen2", "gpt-2", "smollm", "falcon", "falcon_e", "default"]
    + PreTokenizerFamily.all.compactMap(\.names.first)

  /// Every name that is known.
  static var names: [String] { PreTokenizerFamily.all.flatMap(\.names) }

  /// Names of llama.cpp that stand for vocabularies written with `▁` and not in the byte alphabet.
  static let unsupported = ["gemma4", "granite-embed-multi-311m", "sarvam-moe", "whitespace"]
}

/// Names of `tokenizer.ggml.pre` that cut alike.
struct PreTokenizerFamily: Sendable {
  /// A step in `tokenizer.json`'s terms. Splits are isolated: a match is a piece, what lies between
  /// is one.
  enum Step: Sendable {
    case split(String)
    case digits(each: Bool)
    case punctuation(contiguous: Bool)
    /// `ByteLevel` with the GPT-2 expression, or without.
    case bytes(usesRegex: Bool)
  }

  var names: [String]
  var cuts: [Step]
  var ignoresMerges = false
  var addsBOS = false
  var hasDefaultBOS = true

  /// The steps; nil where an expression is not supported, which tests rule out.
  var steps: [PreTokenizer.Step]? {
    var steps: [PreTokenizer.Step] = []
    for cut in cuts {
      switch cut {
      case .split(let source):
        guard let pattern = try? SplitPattern(regex: source) else { return nil }
        steps.append(.split(pattern, .isolated, inverted: false))
      case .digits(let each):
        steps.append(
          .split(.run(.number, limit: 1), each ? .isolated : .contiguous, inverted: false))
      case .punctuation(let contiguous):
        steps.append(
          .split(
            .run(.anyPunctuation, limit: 1), contiguous ? .contiguous : .isolated, inverted: false))
      case .bytes(let usesRegex):
        steps.append(.byteLevel(addsPrefixSpace: false, usesRegex: usesRegex))
      }
    }
    return steps
  }

  // MARK: Expressions

  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let ends = #"\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// The expression of OpenAI's cl100k_base as Llama-3, Qwen2 and others vary it.
  private static func cl100k(_ numbers: String) -> String {
    contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|"# + numbers + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|"# + ends
  }

  /// The expression of OpenAI's o200k_base: words end where lower case meets upper case.
  private static func o200k(_ contractions: String, _ numbers: String) -> String {
    let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
    let front = #"[^\r\n\p{L}\p{N}]?"#
    return front + upper + "*" + lower + "+" + contractions + "|" + front + upper + "+" + lower
      + "*"
      + contractions + "|" + numbers + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|"# + ends
  }

  /// Letters of the alphabets with two cases, as deepseek-llm lists them.
  private static let casedLetters =
    "A-Za-z\u{B5}\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{1BA}\u{1BC}-\u{1BF}\u{1C4}-\u{293}"
    + "\u{295}-\u{2AF}\u{370}-\u{373}\u{376}\u{377}\u{37B}-\u{37D}\u{37F}\u{386}\u{388}-"
    + "\u{38A}\u{38C}\u{38E}-\u{3A1}\u{3A3}-\u{3F5}\u{3F7}-\u{481}\u{48A}-\u{52F}\u{531}-"
    + "\u{556}\u{10A0}-\u{10C5}\u{13A0}-\u{13F5}\u{13F8}-\u{13FD}\u{1C90}-\u{1CBA}\u{1CBD}-"
    + "\u{1CBF}\u{1D00}-\u{1D2B}\u{1D6B}-\u{1D77}\u{1D79}-\u{1D9A}\u{1E00}-\u{1F15}\u{1F18}-"
    + "\u{1F1D}\u{1F20}-\u{1F45}\u{1F48}-\u{1F4D}\u{1F50}-\u{1F57}\u{1F59}\u{1F5B}\u{1F5D}"
    + "\u{1F5F}-\u{1F7D}\u{1F80}-\u{1FB4}\u{1FB6}-\u{1FBC}\u{1FBE}\u{1FC2}-\u{1FC4}\u{1FC6}-"
    + "\u{1FCC}\u{1FD0}-\u{1FD3}\u{1FD6}-\u{1FDB}\u{1FE0}-\u{1FEC}\u{1FF2}-\u{1FF4}\u{1FF6}-"
    + "\u{1FFC}\u{2102}\u{2107}\u{210A}-\u{2113}\u{2115}\u{2119}-\u{211D}\u{2124}\u{2126}"
    + "\u{2128}\u{212A}-\u{212D}\u{212F}-\u{2134}\u{2139}\u{213C}-\u{213F}\u{2145}-\u{2149}"
    + "\u{214E}\u{2183}\u{2184}\u{2C00}-\u{2C7B}\u{2C7E}-\u{2CE4}\u{2CEB}-\u{2CEE}\u{2CF2}"
    + "\u{2CF3}\u{A640}-\u{A66D}\u{A680}-\u{A69B}\u{A722}-\u{A76F}\u{A771}-\u{A787}\u{A78B}-"
    + "\u{A78E}\u{AB70}-\u{ABBF}\u{FB00}-\u{FB06}\u{FB13}-\u{FB17}\u{FF21}-\u{FF3A}\u{FF41}-"
    + "\u{FF5A}\u{10400}-\u{1044F}\u{104B0}-\u{104D3}\u{104D8}-\u{104FB}\u{10C80}-\u{10CB2}"
    + "\u{10CC0}-\u{10CF2}\u{118A0}-\u{118DF}\u{1E900}-\u{1E943}"
  private static let hanAndHangul = "[一-龥ࠀ-一가-퟿]+"
  private static let hanAndKana = "[一-龥぀-ゟ゠-ヿ]+"
  private static let deepSeek3Words =
    ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
  private static let deepSeek3 = deepSeek3Words + #"| ?[\p{P}\p{S}]+[\r\n]*|"# + ends
  private static let bloom = #" ?[^(\s|[.,!?…。，、।۔،])]+"#
  private static let qwen2 = cl100k(#"\p{N}"#)
  private static let gpt4o = o200k(contractions + "?", #"\p{N}{1,3}"#)
  private static let kimi: String = {
    let front = #"[^\r\n\p{L}\p{N}]?"#
    let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"#
    let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"#
    return #"[\p{Han}]+|"# + front + upper + "*" + lower + "+" + contractions + "?|" + front + upper
      + "+" + lower + "*" + contractions + #"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"# + ends
  }()
  private static let jais2Spaces =
    [512, 256, 128, 64, 32, 16, 8, 4].map { #"\s{\#($0)}(?!\S)|"# }.joined()
    + #"\s{1,2}(?!\S)|\s{1}"#

  private static func splits(_ expressions: String...) -> [Step] {
    expressions.map { .split($0) } + [.bytes(usesRegex: false)]
  }

  // MARK: Families

  static let all: [PreTokenizerFamily] = [
    // Meta-Llama-3.
    .init(
      names: [
        "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
        "jina-v5-nano",
      ],
      cuts: splits(cl100k(#"\p{N}{1,3}"#)), ignoresMerges: true, addsBOS: true),
    // DBRX and Smaug: the same cuts, merges as they are.
    .init(names: ["dbrx", "smaug-bpe"], cuts: splits(cl100k(#"\p{N}{1,3}"#))),
    // GLM-4: the same, and no token begins a text unless the file names one.
    .init(
      names: ["glm4", "chatglm-bpe"], cuts: splits(cl100k(#"\p{N}{1,3}"#)), hasDefaultBOS: false),
    // Qwen2, StableLM 2, Hunyuan, Grok 2, Solar Open.
    .init(
      names: [
        "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "grok-2",
        "solar-open",
      ],
      cuts: splits(qwen2)),
    // Qwen3.5: marks belong to words.
    .init(
      names: ["qwen35"],
      cuts: splits(
        contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|"#
          + ends)),
    // Qwen2's without contractions.
    .init(
      names: ["ufakzeka"],
      cuts: splits(
        #"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"# + ends)),
    // Laguna: lines first.
    .init(names: ["laguna"], cuts: splits(#"[^\n]+|[\n]+"#, qwen2)),
    // MiniCPM5.
    .init(
      names: ["minicpm5"], cuts: splits(#"\p{N}{1,3}"#, cl100k(#"\p{N}+"#)), ignoresMerges: true),
    // Jais 2: runs of spaces by powers of two.
    .init(
      names: ["jais-2"],
      cuts: splits(
        contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"#
          + #"\s*[\r\n]+|"# + jais2Spaces)),
    // Seed-Coder.
    .init(
      names: ["seed-coder"],
      cuts: splits(
        contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|"# + ends)),
    // Ling and LLaDA-MoE. llama.cpp's copy has greedy quantifiers for the possessive ones.
    .init(
      names: ["bailingmoe", "bailingmoe2", "llada-moe"],
      cuts: splits(
        #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|"#
          + #"\s*[\r\n]|\s+(?!\S)|\s+"#)),
    // K-EXAONE: words go over single spaces.
    .init(
      names: ["exaone-moe"],
      cuts: splits(
        contractions + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}|"#
          + #" ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"#)),
    // GPT-4o, Llama 4 and others. llama.cpp asks for the case of ASCII letters only.
    .init(names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], cuts: splits(gpt4o)),
    .init(names: ["granite-embed-multi-97m"], cuts: splits(gpt4o), ignoresMerges: true),
    // Mistral's Tekken. llama.cpp asks for the case of ASCII letters only.
    .init(
      names: ["tekken"], cuts: splits(o200k("", #"\p{N}"#)), ignoresMerges: true, addsBOS: true),
    // Tiny Aya: digits in threes from the right.
    .init(
      names: ["tiny_aya", "cohere2moe"], cuts: splits(#"\d{1,3}(?=(?:\d{3})*\b)"#, gpt4o)),
    // Youtu-LLM.
    .init(
      names: ["youtu"],
      cuts: splits(
        #"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+"#, o200k(contractions + "?", #"\p{N}"#)),
      ignoresMerges: true),
    // Kimi K2 (`tokenization_kimi.py`).
    .init(names: ["kimi-k2"], cuts: splits(kimi)),
    // DeepSeek-LLM. llama.cpp keeps runs of digits; the model's file parts them.
    .init(
      names: ["deepseek-llm"],
      cuts: [
        .split(#"[\r\n]"#), .split(#"\s?[\#(casedLetters)]+"#),
        .split(#"\s?[!-/:-~！-／：-～‘-‟　-。]+"#), .split(#"\s+$"#), .split(hanAndHangul),
        .digits(each: true), .bytes(usesRegex: false),
      ]),
    .init(
      names: ["deepseek-coder"],
      cuts: [
        .split(#"[\r\n]"#), .split(#"\s?\p{L}+"#), .split(#"\s?\p{P}+"#), .split(hanAndHangul),
        .digits(each: true), .bytes(usesRegex: false),
      ]),
    .init(
      names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
      cuts: splits(#"\p{N}{1,3}"#, hanAndKana, deepSeek3)),
    .init(
      names: ["spark2_5"],
      cuts: splits(
        #"\p{N}{1,3}"#, hanAndKana,
        deepSeek3Words + #"| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+"#, #"\p{N}"#)),
    // Arcee's AFMoE: digits in threes from the right.
    .init(
      names: ["afmoe"],
      cuts: splits(
        #"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))"#,
        "[一-鿿㐀-䶿\u{F900}-\u{FAFF}぀-ゟ゠-ヿ･-ﾟ⼀-⿟\u{0E40}-\u{0E7F}\u{0E80}-\u{0EFF}"
          + "\u{1780}-\u{17FF}\u{1000}-\u{109F}\u{AA60}-\u{AA7F}\u{A9E0}-\u{A9FF}가-\u{D7AF}ᄀ-ᇿ]+",
        deepSeek3)),
    // SuperBPE: only digits part a text, in threes from the right.
    .init(names: ["superbpe"], cuts: splits(#"\p{N}+"#, #"(?=(\d{3})+(?!\d))"#)),
    // BLOOM, Poro, GPT-3 Finnish; Viking parts digits too.
    .init(names: ["bloom", "poro-chat", "gpt3-finnish"], cuts: splits(bloom)),
    .init(
      names: ["viking"], cuts: [.split(bloom), .digits(each: true), .bytes(usesRegex: false)]),
    // GPT-2 and all that use its expression alone.
    .init(
      names: [
        "gpt-2", "phi-2", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de",
        "jina-v2-code", "gigachat", "roberta-bpe", "mpt", "olmo", "jais", "trillion",
        "granite-docling", "a.x-4.0", "mellum", "modern-bert", "exaone4",
      ],
      cuts: [.bytes(usesRegex: true)]),
    // StarCoder and all that part digits before GPT-2's expression.
    .init(
      names: [
        "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b",
        "minerva", "mellum2",
      ],
      cuts: [.digits(each: true), .bytes(usesRegex: true)]),
    // Falcon 7B; llama.cpp leaves out the step that parts digits from the space in front.
    .init(
      names: ["falcon"],
      cuts: [
        .punctuation(contiguous: true), .bytes(usesRegex: true), .digits(each: false),
        .split("[0-9][0-9][0-9]"),
      ]),
    // Falcon-E (TII's fork of bitnet.cpp).
    .init(
      names: ["falcon_e", "falcon-e"],
      cuts: [.punctuation(contiguous: true), .bytes(usesRegex: true), .split("[0-9]")]),
    // Chameleon.
    .init(
      names: ["chameleon"],
      cuts: [
        .split("<sentinel:[0-9]+>"), .split("(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z"),
        .split(#"([\t\n]|    |  )"#), .digits(each: true), .punctuation(contiguous: false),
        .bytes(usesRegex: true),
      ],
      addsBOS: true),
    // llama.cpp's own for files that name nothing.
    .init(
      names: ["default"],
      cuts: [
        .split(#"[\p{P}\$\+<=>\^~\|]+"#),
        .split(#"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"#),
        .split(#"\p{N}+"#), .split("[0-9][0-9][0-9]"), .bytes(usesRegex: false),
      ]),
  ]
}
