internal import TritEvaluation
internal import TritKernels
internal import TritModel

extension LabSession {
  /// What the machine allows at most, measured now: prompt tokens by the products
  /// of the linear layers over the peak of the arithmetic that each runs, new tokens by how fast as many bytes as one token needs are read as a rule (the median
  /// of many samples) from where they lie (a small model's from a cache). Attention and the head's products are not in it.
  func roofs() -> [String: Double] {
    let meter = PeakMeter(threads: engine.threads)
    let products = SpeedRoof.products(of: engine.layers) { meter.peak($0, seconds: 0.05) }
    let bytes = engine.weightBytes
    // Kernels that leave out what is zero pass under any roof of the whole product.
    guard let products, bytes > 0, engine.readsAllWeights else { return [:] }
    let reading = meter.read(bytes: bytes, seconds: 0.2).medianBytesPerSecond
    return [
      "prefill.roof_tokens_per_second": products.rate,
      "decode.roof_tokens_per_second": reading / Double(bytes),
    ]
  }
}
