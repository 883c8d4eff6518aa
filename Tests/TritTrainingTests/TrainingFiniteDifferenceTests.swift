import Testing
import TritLab

/// Gradients against differences of the loss, for both blocks.
@Suite struct TrainingFiniteDifferenceTests {
  static let shapes: [ModelShape] = [
    ModelShape(
      block: .bitnet, hidden: 24, feedForward: 40, layers: 2, heads: 6, keyValueHeads: 2,
      vocabulary: 37, context: 80),
    ModelShape(
      block: .llama, hidden: 24, feedForward: 40, layers: 2, heads: 4, keyValueHeads: 4,
      headDimension: 8, vocabulary: 37, context: 80, tiesEmbeddings: false),
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

  /// The slope along a random direction of each parameter is the gradient's product with it:
  /// central differences, whose error is O(h²) and the loss's float32 noise over h.
  @Test(arguments: shapes) func slopesAreGradients(shape: ModelShape) throws {
    let parameters = ParameterSet(shape)
    parameters.initialize(seed: 5, deviation: 0.3)
    let length = 70  // more than one block of attention rows, not a multiple of it
    let model = try TrainableTransformer(
      parameters, quantizer: UnquantizedWeights(), activations: UnquantizedActivations(),
      sequences: 3, length: length, pool: WorkerPool(threads: 2))
    let batch = Self.batch(shape, sequences: 3, length: length, seed: 6)
    try model.backward(batch)
    var random = SeededRandom(seed: 7)
    for info in parameters.list {
      let values = parameters.values.base + info.offset
      let kept = Array(UnsafeBufferPointer(start: values, count: info.count))
      let gradient = parameters.gradients.base + info.offset
      let norm = VectorMath.sumOfSquares(gradient, count: info.count).squareRoot()
      #expect(norm > 0, "\(info.name)")
      // Along the gradient, with noise: a direction in which the slope is large.
      let direction = (0..<info.count).map { index in
        Float(
          Double(gradient[index]) / norm + (random.uniform() - 0.5)
            / Double(info.count).squareRoot())
      }
      let expected = (0..<info.count).reduce(0.0) {
        $0 + Double(gradient[$1]) * Double(direction[$1])
      }
      let step: Float = 4e-3
      func loss(_ factor: Float) throws -> Double {
        for index in 0..<info.count { values[index] = kept[index] + factor * direction[index] }
        return try model.loss(batch)
      }
      let slope = try (loss(step) - loss(-step)) / Double(2 * step)
      for index in 0..<info.count { values[index] = kept[index] }
      // Central differences over a float32 loss: noise 1e-6 / h, curvature h².
      #expect(
        abs(slope - expected) < 0.01 * abs(expected) + 5e-4, "\(info.name): \(slope), \(expected)")
    }
  }

  /// Two half batches with half the weight make one whole batch; threads change nothing.
  @Test(arguments: shapes) func accumulationAndThreads(shape: ModelShape) throws {
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
    let shape = Self.shapes[0]
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
