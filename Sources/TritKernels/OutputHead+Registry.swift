public import TritCore

extension StageKind where Product == any OutputHead {
  /// From the last hidden state to logits.
  public static var head: Self {
    Self(
      "head", stage: "output head", scope: .model, standard: StageChoice("exact"),
      help: "Output head", laws: { checkOutputHead($0) })
  }
}

extension StageKey {
  /// The key of output heads.
  public static let head = StageKind<any OutputHead>.head.key
}

extension Registry where Product == any OutputHead {
  /// Every output head that the lab ships; reference first.
  public static var standard: Registry<any OutputHead> {
    var registry = Registry<any OutputHead>(.head)
    registry.register(
      StageDescriptor(
        "f32", summary: "float32 weights through OpenBLAS: the reference",
        source: "the formula logits = x · Wᵀ", accepts: "float32 weights", gives: "logits")
    ) { _ in Float32Head() }
    registry.register(
      StageDescriptor(
        "exact", summary: "f16, bf16 or f32: the narrowest that holds every weight exactly",
        source: "narrow, widen, compare", accepts: "float32 weights", gives: "logits")
    ) { _ in ExactHead() }
    registry.register(
      StageDescriptor(
        "f16", summary: "binary16 weights, widened as they are read", source: "IEEE 754 binary16",
        accepts: "float32 weights up to 65504", gives: "logits",
        exactness: .lossy("each weight within 2^-11 of its magnitude"))
    ) { _ in HalfHead(.f16) }
    registry.register(
      StageDescriptor(
        "bf16", summary: "bfloat16 weights; exact for checkpoints stored in bfloat16",
        source: "bfloat16: the upper half of a float32", accepts: "float32 weights",
        gives: "logits", exactness: .lossy("each weight within 2^-8 of its magnitude"))
    ) { _ in HalfHead(.bf16) }
    registry.register(
      StageDescriptor(
        "int8", summary: "int8 weights, one scale a row", source: "rint(w · 127 / max |w|)",
        accepts: "float32 weights", gives: "logits",
        exactness: .lossy("each weight within max |w| / 254 of its row"))
    ) { _ in Int8Head() }
    for bits in [6, 4] {
      registry.register(
        StageDescriptor(
          "int\(bits)", summary: "\(bits)-bit weights, a binary16 scale per 32 columns",
          source: "as Q\(bits)_0 of llama.cpp, symmetric, in blocks of 128 columns",
          accepts: "float32 weights", gives: "logits",
          exactness: .lossy("each weight within max |w| / \((1 << bits) - 2) of its 32 columns"))
      ) { _ in LowBitHead(bits: bits) }
    }
    registry.register(
      StageDescriptor(
        "screened",
        summary: "a low-bit pass, then exact logits for all rows that may be among the k greatest",
        source: "Cauchy–Schwarz bound on each row's rounding error",
        parameters: [
          ParameterDescriptor(
            "k", "how many of the greatest logits are exact", .integer(1...100_000),
            default: .integer(40)),
          ParameterDescriptor(
            "exact",
            "format of the exact rows; auto: the narrowest that holds every weight, f16 if none does",
            .choice(["auto", "f16", "bf16"]), default: .text("auto")),
          ParameterDescriptor(
            "bits", "of the pass over all rows", .choice(["4", "6", "8"]), default: .text("6")),
        ],
        accepts: "float32 weights", gives: "logits; the k greatest are the exact head's",
        exactness: .lossy("greedy and top-k exact; logits below them are those of the pass"))
    ) { parameters in
      ScreenedHead(
        k: parameters.integer("k"),
        exact: HalfHead.Format(rawValue: parameters.text("exact")),
        bits: Int(parameters.text("bits")) ?? 6)
    }
    registry.register(
      StageDescriptor(
        "auto",
        summary: "the head that measures fastest, among those that lose no more than 'loss'",
        source: "measurement on the first rows, one token",
        parameters: [
          ParameterDescriptor(
            "loss",
            "what may be lost: none; tail, all but the k greatest logits; int8, int6, int4",
            .choice(AutoHead.Loss.allCases.map(\.rawValue)), default: .text("none")),
          ParameterDescriptor(
            "k", "how many of the greatest logits are exact where the tail may be lost",
            .integer(1...100_000), default: .integer(40),
            onlyWhere: ParameterDescriptor.Condition(
              "loss", is: AutoHead.Loss.allCases.filter { $0 != .none }.map(\.rawValue))),
        ],
        accepts: "float32 weights", gives: "logits")
    ) { parameters in
      AutoHead(
        loss: AutoHead.Loss(rawValue: parameters.text("loss")) ?? .none, k: parameters.integer("k"))
    }
    return registry
  }
}
