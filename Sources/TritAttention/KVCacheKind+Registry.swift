public import TritCore

extension StageKind where Product == any KVCacheKind {
  /// How keys and values are kept.
  public static var cache: Self {
    Self(
      "cache", stage: "KV cache", scope: .model, standard: StageChoice("f32"),
      flags: ["-ctk", "--cache-type-k"], help: "KV cache", laws: { checkKVCache($0) },
      derive: { $0.registerAuto() })
  }
}

extension StageKey {
  /// The key of KV caches.
  public static let cache = StageKind<any KVCacheKind>.cache.key
}

extension Registry where Product == any KVCacheKind {
  /// Every KV cache that the lab ships; reference first.
  public static var standard: Registry<any KVCacheKind> {
    var registry = Registry<any KVCacheKind>(.cache)
    let accepts = "float32 keys and values [tokens, heads * d]"
    registry.register(
      StageDescriptor(
        "f32", summary: "keys and values as they come: 4 bytes an element", source: "IEEE 754",
        accepts: accepts, gives: "float32, in place")
    ) { _ in StandardKVCacheKind(name: "f32", create: FloatKVCache.init) }
    registry.register(
      StageDescriptor(
        "f16", summary: "half precision: 2 bytes an element", source: "IEEE 754 binary16",
        accepts: accepts, gives: "float32, widened by tile",
        exactness: .lossy("relative 2^-11, saturates at 65504"))
    ) { _ in
      StandardKVCacheKind(
        name: "f16",
        create: { try HalfKVCache(layers: $0, heads: $1, headDimension: $2, capacity: $3) })
    }
    registry.register(
      StageDescriptor(
        "bf16", summary: "the upper half of float32: 2 bytes an element, no smaller range",
        source: "Google Brain's bfloat16 (Kalamkar et al. 2019, 1905.12322)",
        accepts: accepts, gives: "float32, widened by tile",
        exactness: .lossy("relative 2^-8"))
    ) { _ in
      StandardKVCacheKind(name: "bf16") {
        try HalfKVCache(
          layers: $0, heads: $1, headDimension: $2, capacity: $3, format: .bfloat16)
      }
    }
    registry.register(
      StageDescriptor(
        "int8", aliases: ["q8"],
        summary: "signed bytes with a scale for each head and position: 1 byte an element",
        source:
          "absmax rounding to nearest, one group a head (as Dettmers et al. 2022, 2208.07339, §2)",
        accepts: accepts, gives: "float32, widened by tile",
        exactness: .lossy("half a step: absmax / 254 of the head's row"))
    ) { _ in StandardKVCacheKind(name: "int8", create: IntegerKVCache.init) }
    registry.seal()
    return registry
  }
}

extension Registry where Product == any KVCacheKind {
  /// Adds `auto`, from what has been registered before.
  fileprivate mutating func registerAuto() {
    let levels: [(AutoKVCacheKind.Loss, String)] = [
      (.none, "f32"), (.half, "f16"), (.half, "bf16"), (.int8, "int8"),
    ]
    let kinds = available()
    let candidates = levels.compactMap { loss, name in
      kinds.first { $0.name == name }.map { (loss: loss, kind: $0.product) }
    }
    register(
      StageDescriptor(
        "auto",
        summary: "the cache that is read fastest, among those that lose no more than 'loss'",
        source: "measurement of one query over 1024 positions from memory",
        parameters: [
          ParameterDescriptor(
            "loss", "what may be lost: nothing, half of an element's bits, or all but a byte",
            .choice(AutoKVCacheKind.Loss.allCases.map(\.rawValue)), default: .text("half"))
        ],
        accepts: "float32 keys and values [tokens, heads * d]",
        gives: "as the cache that is picked",
        exactness: .lossy("as the cache that is picked"))
    ) { parameters in
      AutoKVCacheKind(
        loss: AutoKVCacheKind.Loss(rawValue: parameters.text("loss")) ?? .half,
        candidates: candidates)
    }
  }
}

/// A name and the initializer that it stands for.
struct StandardKVCacheKind: KVCacheKind {
  let name: String
  let create:
    @Sendable (_ layers: Int, _ heads: Int, _ headDimension: Int, _ capacity: Int) throws
      -> any KVCache

  func make(layers: Int, heads: Int, headDimension: Int, capacity: Int) throws -> any KVCache {
    try create(layers, heads, headDimension, capacity)
  }
}
