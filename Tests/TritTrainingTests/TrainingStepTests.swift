import Testing
import TritLab

/// Batches, threads and quantizers of a training step.
@Suite struct TrainingStepTests {
  static let shapes = [
    ModelSizes(
      family: "bitnet", hidden: 24, feedForward: 40, layers: 2, heads: 6, keyValueHeads: 2,
      vocabulary: 37, context: 80),
    ModelSizes(
      family: "llama", hidden: 24, feedForward: 40, layers: 2, heads: 4, keyValueHeads: 4,
      headDimension: 8, vocabulary: 37, context: 80, tiesEmbeddings: false),
    TrainingLawTests.families[3].sizes, TrainingLawTests.families[5].sizes,
    TrainingLawTests.operations[1].sizes, TrainingLawTests.operations[7].sizes,
  ]

  static func batch(_ shape: ModelShape, sequences: Int, length: Int, seed: UInt64) -> TokenBatch {
    var random = SeededRandom(seed: seed)
    func ids() -> [Int32] {
      (0..<sequences * length).map { _ in Int32(random.below(shape.vocabulary)) }
    }
    var targets = ids()
    targets[3] = -1
    return TokenBatch(tokens: ids(), targets: targets, sequences: sequences)
  }

  /// Two half batches with half the weight make one whole batch; threads change nothing.
  @Test(arguments: shapes) func accumulationAndThreads(sizes: ModelSizes) throws {
    let shape = try ModelShape(sizes)
    let whole = Self.batch(shape, sequences: 4, length: 33, seed: 8)
    func half(_ index: Int) -> TokenBatch {
      let range = index * 66..<(index + 1) * 66
      return TokenBatch(
        tokens: Array(whole.tokens[range]), targets: Array(whole.targets[range]), sequences: 2)
    }
    func gradients(threads: Int, halves: Bool) throws -> [Float] {
      let parameters = ParameterSet(shape)
      parameters.initialize(seed: 5)
      let model = try TrainableTransformer(
        parameters, quantizer: AbsmeanQuantizer(), activations: Int8Activations(), sequences: 4,
        length: 40, pool: WorkerPool(threads: threads))
      try model.prepareWeights()
      if halves {
        // The first half has one target less: weigh by the targets.
        try model.backward(half(0), weight: 65.0 / 131)
        try model.backward(half(1), weight: 66.0 / 131, accumulate: true)
      } else {
        try model.backward(whole)
        // A second pass replaces the first.
        try model.backward(whole)
      }
      return Array(parameters.gradients.buffer)
    }
    let one = try gradients(threads: 1, halves: false)
    #expect(try gradients(threads: 2, halves: false) == one)
    #expect(try gradients(threads: 3, halves: false) == one)
    let split = try gradients(threads: 2, halves: true)
    let norm = one.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    let apart = zip(one, split).reduce(0.0) { sum, pair in
      sum + Double(pair.0 - pair.1) * Double(pair.0 - pair.1)
    }.squareRoot()
    #expect(apart < 1e-5 * norm)
  }

  /// Any registered quantizer can be trained with: gradients are finite, and the loss falls along
  /// them.
  @Test func everyQuantizerTrains() throws {
    let shape = try ModelShape(Self.shapes[0])
    let batch = Self.batch(shape, sequences: 2, length: 32, seed: 9)
    for weights in Registry<any WeightQuantizer>.standard.descriptors {
      for rows in Registry<any ActivationQuantizer>.standard.descriptors {
        guard weights.name == "absmean" || rows.name == "int8" || rows.name == "none" else {
          continue
        }
        var choice = StageChoice(rows.name)
        if rows.name == "hadamard-int4" { choice.parameters["block"] = .integer(8) }
        let parameters = ParameterSet(shape)
        parameters.initialize(seed: 5)
        let pool = WorkerPool(threads: 2)
        let model = try TrainableTransformer(
          parameters,
          quantizer: try Registry<any WeightQuantizer>.standard.make(StageChoice(weights.name)),
          activations: try Registry<any ActivationQuantizer>.standard.make(choice), sequences: 2,
          length: 32, pool: pool)
        let optimizer = AdamW(parameters, pool: pool)
        var losses: [Double] = []
        for _ in 0..<12 {
          try model.prepareWeights()
          losses.append(try model.backward(batch))
          optimizer.update(rate: 5e-3, weightDecay: 0, clip: 1)
        }
        #expect(
          (losses.last ?? .nan) < losses[0], "\(weights.name) \(rows.name): \(losses)")
      }
    }
  }
}
