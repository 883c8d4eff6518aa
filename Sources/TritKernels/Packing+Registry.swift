public import TritCore

extension Registry where Product == any Packing {
  /// Every packing that the lab ships; reference first.
  public static var standard: Registry<any Packing> {
    var registry = Registry<any Packing>(stage: "packing", key: "packing")
    registry.register(
      StageDescriptor(
        "i2_s",
        summary: "2 bits a trit in quarters of 128, one float32 scale after the codes",
        source: "microsoft/BitNet, quantize_i2_s (the 128 layout); GGUF type 36",
        accepts: "ternary weights, scale per tensor or row; columns in multiples of 128",
        gives: "rows · columns / 4 + 32 bytes")
    ) { _ in I2SPacking() }
    return registry
  }
}
