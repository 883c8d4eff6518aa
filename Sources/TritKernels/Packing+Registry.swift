public import TritCore

extension StageKind where Product == any Packing {
  /// How quantized weights lie in a file, and in the memory of kernels that adopt such bytes
  /// (`AdoptingKernel`). Where one is chosen, a layer's weights go through it: kernels see what a
  /// file of that packing would hold.
  public static var packing: Self {
    Self(
      "packing", stage: "packing", scope: .layer, help: "Packing that the weights go through",
      laws: { checkPacking($0) })
  }
}

extension StageKey {
  /// The key of packings.
  public static let packing = StageKind<any Packing>.packing.key
}

extension Registry where Product == any Packing {
  /// Every packing that the lab ships; plainest first.
  public static var standard: Registry<any Packing> {
    var registry = Registry<any Packing>(.packing)
    registry.registerPlain()
    registry.registerTernary()
    registry.registerLookup()
    return registry
  }

  private mutating func registerPlain() {
    register(
      StageDescriptor(
        "int8", summary: "a signed byte a weight",
        source: "two's complement",
        accepts: "integers of 2 to 8 bits or ternary weights, any scales and shape",
        gives: "rows · columns bytes")
    ) { _ in Int8Packing() }
    register(
      StageDescriptor(
        "int4", summary: "two signed nibbles a byte",
        source: "two's complement; the even column in the low nibble",
        accepts: "integers of 2 to 4 bits or ternary weights, any scales and shape",
        gives: "rows · ⌈columns / 2⌉ bytes")
    ) { _ in Int4Packing() }
  }

  private mutating func registerTernary() {
    register(
      StageDescriptor(
        "i2_s",
        summary: "2 bits a trit in quarters of 128, one float32 scale after the codes",
        source: "microsoft/BitNet, quantize_i2_s (the 128 layout); GGUF type 36",
        accepts: "ternary weights, scale per tensor or row; columns in multiples of 128",
        gives: "rows · columns / 4 + 32 bytes")
    ) { _ in I2SPacking() }
    register(
      StageDescriptor(
        "tq2_0", summary: "2 bits a trit in blocks of 256, each with a float16 scale",
        source: "llama.cpp, quantize_row_tq2_0_ref; GGUF type 35",
        accepts: "ternary weights, scale per tensor, row or groups of 256; columns in 256s",
        gives: "66 bytes a block",
        exactness: .lossy("trits exact; scales rounded to float16, by at most 2⁻¹¹ of their size"))
    ) { _ in TQ2Packing() }
    register(
      StageDescriptor(
        "tq1_0", summary: "5 trits a byte in blocks of 256, each with a float16 scale",
        source: "llama.cpp, quantize_row_tq1_0_ref; GGUF type 34",
        accepts: "ternary weights, scale per tensor, row or groups of 256; columns in 256s",
        gives: "54 bytes a block",
        exactness: .lossy("trits exact; scales rounded to float16, by at most 2⁻¹¹ of their size"))
    ) { _ in TQ1Packing() }
    registerGroups()
    register(
      StageDescriptor(
        "base3", summary: "5 neighbouring trits a byte, rows padded to a byte, scales beside",
        source: "3⁵ = 243 < 256; the lab's own layout",
        accepts: "ternary weights, any scales and shape",
        gives: "rows · ⌈columns / 5⌉ bytes")
    ) { _ in Base3Packing() }
  }

  /// Containers of 1-bit and ternary models with a scale for every 64 or 128 weights.
  private mutating func registerGroups() {
    let rounding = "trits exact; scales rounded to float16, by at most 2⁻¹¹ of their size"
    register(
      StageDescriptor(
        "q2_0", summary: "2 bits a trit in blocks of 64, a float16 scale before each",
        source: "llama.cpp, block_q2_0; GGUF type 42",
        accepts: "ternary weights, scale per tensor, row or groups of 64; columns in 64s",
        gives: "18 bytes a block", exactness: .lossy(rounding))
    ) { _ in Q2Packing() }
    register(
      StageDescriptor(
        "pq2_0", summary: "2 bits a trit in blocks of 128, a float16 scale before each",
        source: "PrismML's llama.cpp; GGUF type 142, in older files 42",
        accepts: "ternary weights, scale per tensor, row or groups of 128; columns in 128s",
        gives: "34 bytes a block", exactness: .lossy(rounding))
    ) { _ in PQ2Packing() }
    register(
      StageDescriptor(
        "ptq1_0", summary: "5 trits a byte in blocks of 128, each with a float16 scale",
        source: "PrismML's llama.cpp; GGUF type 143",
        accepts: "ternary weights, scale per tensor, row or groups of 128; columns in 128s",
        gives: "28 bytes a block", exactness: .lossy(rounding))
    ) { _ in PTQ1Packing() }
  }

  private mutating func registerLookup() {
    register(
      StageDescriptor(
        "tl1", summary: "a 4-bit table index for 2 trits, tiled for 16 rows at once",
        source: "Bitnet.cpp, arXiv 2502.11880 §3; microsoft/BitNet, codegen_tl1.py",
        accepts: "ternary weights, scale per tensor or row; rows in 32s, columns in 8s",
        gives: "rows · columns / 4 + 32 bytes")
    ) { _ in TL1Packing() }
    register(
      StageDescriptor(
        "tl2", summary: "a 4-bit table index and a sign for 3 trits, pairs for the rest",
        source: "Bitnet.cpp, arXiv 2502.11880 §3.2; microsoft/BitNet, codegen_tl2.py",
        accepts: "ternary weights, scale per tensor or row; rows in 32s, columns in 24s or 32s",
        gives: "about 5/24 byte a weight, and 32 bytes")
    ) { _ in TL2Packing() }
  }
}
