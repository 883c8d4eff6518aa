import Foundation
import Testing
import TritLab

/// Losses and gradients that PyTorch computed in float64 for small random models of every family
/// that transformers has (`Scripts/make_training_golden.py`).
@Suite struct TrainingGoldenTests {
  static let families = [
    "llama", "bitnet", "qwen3", "qwen2", "gemma3", "gemma2", "granite", "mistral",
  ]
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

  private static func compare(
    _ family: String, prefix: String, quantizer: any WeightQuantizer
  ) throws -> (loss: Double, worst: (name: String, error: Double)) {
    let path = "\(folder)/Fixtures/\(family)"
    let checkpoint = try Checkpoint(path: path)
    let parameters = ParameterSet(try ModelShape(checkpoint))
    try parameters.load(checkpoint)
    let expected = try SafetensorsFile(path: path + "/expected.safetensors")
    let bytes = try expected.bytes("tokens")
    let tokens = (0..<bytes.count / 4).map {
      bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)
    }
    let model = try TrainableTransformer(
      parameters, quantizer: quantizer, activations: UnquantizedActivations(), sequences: 1,
      length: tokens.count - 1, pool: WorkerPool(threads: 2))
    try model.prepareWeights()
    let loss = try model.backward(
      TokenBatch(
        tokens: Array(tokens.dropLast()), targets: Array(tokens.dropFirst()), sequences: 1))
    let truth = try expected.bytes(prefix + "loss").loadUnaligned(as: Double.self)
    var worst = (name: "", error: 0.0)
    var compared = 0
    for info in parameters.list {
      let theirs = try expected.floats(prefix + "grad." + info.name)
      let ours = parameters.gradient(info)
      var (difference, size) = (0.0, 0.0)
      for index in 0..<info.count {
        let (a, b) = (Double(ours.base[index]), Double(theirs[index]))
        difference += (a - b) * (a - b)
        size += b * b
      }
      #expect(size > 0, "\(info.name)")
      let error = (difference / size).squareRoot()
      if error > worst.error { worst = (info.name, error) }
      compared += 1
    }
    #expect(compared == expected.tensors.filter { $0.name.hasPrefix(prefix + "grad.") }.count)
    return (abs(loss - truth) / truth, worst)
  }

  @Test(arguments: families) func gradientsAreThoseOfPyTorch(family: String) throws {
    let (loss, worst) = try Self.compare(family, prefix: "", quantizer: UnquantizedWeights())
    print("\(family): loss \(loss) apart, worst gradient \(worst)")
    // Some hundred float32 roundings of 6e-8 in a row.
    #expect(loss < 2e-6)
    #expect(worst.error < 2e-5, "\(worst)")
  }

  /// Trits on the way forward, the identity on the way back.
  @Test(arguments: ["qwen3", "gemma3", "gemma2", "granite"])
  func straightThroughGradientsAreThoseOfPyTorch(family: String) throws {
    let (loss, worst) = try Self.compare(family, prefix: "ste.", quantizer: AbsmeanQuantizer())
    print("\(family), ternary: loss \(loss) apart, worst gradient \(worst)")
    #expect(loss < 2e-6)
    #expect(worst.error < 2e-5, "\(worst)")
  }
}
