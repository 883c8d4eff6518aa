import Testing
import TritLab

/// Errors of the regions of a training are those of the first place, whoever met it.
@Suite struct TrainingErrorTests {
  /// The masters of two layers are not finite: the first of them is named.
  @Test(arguments: [1, 2, 4]) func theFirstMasterThatIsNotFiniteIsNamed(threads: Int) throws {
    let parameters = ParameterSet(
      try ModelShape(
        ModelSizes(
          family: "bitnet", hidden: 32, feedForward: 64, layers: 6, heads: 4, keyValueHeads: 2,
          vocabulary: 37, context: 16)))
    parameters.initialize(seed: 1)
    let model = try TrainableTransformer(
      parameters, quantizer: AbsmeanQuantizer(), activations: Int8Activations(), sequences: 1,
      length: 8, pool: WorkerPool(threads: threads))
    try model.prepareWeights()
    let linears = parameters.list.filter { $0.kind == .linear }
    for index in [4, 9, linears.count - 1] { parameters.value(linears[index])[0, 1] = .nan }
    for _ in 0..<10 {
      let error = #expect(throws: LabError.self) { try model.prepareWeights() }
      #expect(error?.place?.contains(linears[4].name) == true, "\(String(describing: error))")
    }
  }
}
