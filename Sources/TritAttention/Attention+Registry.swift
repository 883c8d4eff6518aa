public import TritCore

extension StageKind where Product == any Attention {
  /// How queries meet keys and values.
  public static var attention: Self {
    Self(
      "attention", stage: "attention", scope: .model, standard: StageChoice("flash"),
      help: "Attention", laws: { checkAttention($0) })
  }
}

extension StageKey {
  /// The key of attention.
  public static let attention = StageKind<any Attention>.attention.key
}

extension Registry where Product == any Attention {
  /// Every attention that the lab ships; reference first.
  public static var standard: Registry<any Attention> {
    var registry = Registry<any Attention>(.attention)
    let accepts = "float32 queries [tokens, heads * d] and a KV cache of any kind"
    let gives = "float32 [tokens, heads * d]"
    registry.register(
      StageDescriptor(
        "naive", summary: "all scores of a query, their softmax, the weighted sum: the formula",
        source: "Vaswani et al. 2017 (1706.03762), eq. 1, causal", accepts: accepts, gives: gives)
    ) { _ in NaiveAttention() }
    registry.register(
      StageDescriptor(
        "streaming", aliases: ["online"],
        summary: "one pass over tiles of 64 positions with a running maximum and sum",
        source: "Milakov & Gimelshein 2018 (1805.02867), alg. 3; Dao et al. 2022 (2205.14135)",
        accepts: accepts, gives: gives)
    ) { _ in StreamingAttention() }
    registry.register(
      StageDescriptor(
        "flash",
        summary: "streaming in blocks of registers, the cache read as stored, cut over positions",
        source: "Dao et al. 2022 (2205.14135), alg. 1; Dao et al. 2023, Flash-Decoding",
        accepts: accepts, gives: gives)
    ) { _ in FlashAttention() }
    registry.register(
      StageDescriptor(
        "sliding", summary: "flash over the last `window` positions only",
        source: "Beltagy et al. 2020 (2004.05150), §3.1; Jiang et al. 2023 (2310.06825), §2",
        parameters: [
          ParameterDescriptor(
            "window", "keys that a query sees, its own included (positions)",
            .integer(1...(1 << 24)), default: .integer(256))
        ], accepts: accepts, gives: gives,
        exactness: .lossy("exact up to `window` positions; older keys are not seen"))
    ) { FlashAttention(window: $0.integer("window")) }
    return registry
  }
}
