internal import TritKernels
internal import TritModel

extension LabSession {
  /// What the machine allows at most, measured now: prompt tokens by the multiply-add peak over the products
  /// of the linear layers, new tokens by how fast as many bytes as one token needs are read as a rule (the median
  /// of many samples) from where they lie (a small model's from a cache). Attention and the head's products are not in it.
  func roofs() -> [String: Double] {
    let meter = PeakMeter(threads: engine.threads)
    let isFloat = engine.layers.contains { $0.activations == "none" }
    let peak = isFloat ? meter.floatPeak(seconds: 0.05) : meter.integerPeak(seconds: 0.05)
    let products = engine.layers.reduce(0) { $0 + $1.rows * $1.columns }
    let bytes = engine.weightBytes
    // Kernels that leave out what is zero pass under any roof of the whole product.
    guard let peak, products > 0, bytes > 0, engine.readsAllWeights else { return [:] }
    let reading = meter.read(bytes: bytes, seconds: 0.2).medianBytesPerSecond
    return [
      "prefill.roof_tokens_per_second": peak / (2 * Double(products)),
      "decode.roof_tokens_per_second": reading / Double(bytes),
    ]
  }
}
