public import TritCore
public import TritQuantization
import TritModel

/// Checks the laws of training for a shape: its loss and its logits are those of the plan in double
/// precision, and the gradient of every parameter is the slope of that loss. Weights go through
/// `quantizer`; behind it a gradient is, by the definition of the straight-through estimator, that
/// of the quantized weights. An empty list means that all hold.
///
/// The slope is a central difference in double precision along the gradient with some noise, its
/// error some 1e-8 of the slope. Bounds are those of float32 sums in any order: n roundings of 2⁻²⁴
/// for n terms in a row (Higham 2002, Accuracy and Stability of Numerical Algorithms, §3.1), along
/// the longest chain of the model, once forward and once back.
///
/// `sequences` × `length` tokens are drawn by `seed`; 70 are more than one block of attention rows,
/// and no multiple of it. Weights have the standard deviation `deviation`. Throws what
/// `TrainableTransformer` throws.
public func checkTraining(
  _ shape: ModelShape, quantizer: any WeightQuantizer = UnquantizedWeights(),
  sequences: Int = 2, length: Int = 70, deviation: Double = 0.3, seed: UInt64 = 1,
  pool: WorkerPool = WorkerPool(threads: 2)
) throws -> [LawViolation] {
  let bench = try TrainingBench(
    shape, quantizer, sequences: sequences, length: length, deviation: deviation, seed: seed,
    pool: pool)
  return try bench.checkLoss() + bench.checkGradients()
}

private final class TrainingBench {
  let parameters: ParameterSet
  let model: TrainableTransformer
  let batch: TokenBatch
  var reference: PlanReference
  let bound: Double
  var random: SeededRandom

  init(
    _ shape: ModelShape, _ quantizer: any WeightQuantizer, sequences: Int, length: Int,
    deviation: Double, seed: UInt64, pool: WorkerPool
  ) throws {
    parameters = ParameterSet(shape)
    parameters.initialize(seed: seed, deviation: deviation)
    var random = SeededRandom(seed: seed &+ 1)
    // Gains and biases that do something.
    for info in parameters.list where !info.decays {
      for index in info.offset..<info.offset + info.count {
        parameters.values.base[index] += Float(0.6 * (random.uniform() - 0.5))
      }
    }
    model = try TrainableTransformer(
      parameters, quantizer: quantizer, activations: UnquantizedActivations(),
      sequences: sequences, length: length, pool: pool)
    try model.prepareWeights()
    var ids: [[Int32]] = []
    for _ in 0..<2 {
      ids.append((0..<sequences * length).map { _ in Int32(random.below(shape.vocabulary)) })
    }
    // One that is not to be learned.
    ids[1][min(3, ids[1].count - 1)] = -1
    batch = TokenBatch(tokens: ids[0], targets: ids[1], sequences: sequences)
    self.random = random
    reference = try PlanReference(parameters, effective: model.effective, length: length)
    let configuration = shape.configuration
    let chain = shape.plan.block.linears.map { $0.shape(configuration).columns }
      .reduce(length + 4 * configuration.headDimension, +)
    bound = Double(shape.layers * chain + 2 * shape.hidden + shape.vocabulary) * 0x1p-24
  }

  /// The loss in double precision.
  func loss() -> Double {
    var (sum, count) = (0.0, 0)
    for sequence in 0..<batch.sequences {
      let range = sequence * batch.length..<(sequence + 1) * batch.length
      let part = reference.loss(batch.tokens[range], targets: batch.targets[range])
      sum += part.sum
      count += part.count
    }
    return sum / Double(max(count, 1))
  }

  func checkLoss() throws -> [LawViolation] {
    var violations: [LawViolation] = []
    let (ours, expected) = (try model.loss(batch), loss())
    if !(abs(ours - expected) <= bound * max(1, expected)) {
      violations.append(
        LawViolation("the loss is that of the plan", "\(ours), expected \(expected)"))
    }
    let tokens = Array(batch.tokens[0..<batch.length])
    let logits = try model.logits(tokens)
    let truth = reference.logits(tokens[...])
    let size = truth.joined().reduce(0) { max($0, abs($1)) }
    var worst = 0.0
    for (row, values) in truth.enumerated() {
      for (column, value) in values.enumerated() {
        let error = abs(Double(logits[row, column]) - value)
        // No comparison finds NaN.
        worst = error.isNaN ? .infinity : max(worst, error)
      }
    }
    if !(worst <= bound * max(1, size)) {
      violations.append(
        LawViolation("logits are those of the plan", "\(worst) apart, of up to \(size)"))
    }
    return violations
  }

  func checkGradients() throws -> [LawViolation] {
    var violations: [LawViolation] = []
    try model.backward(batch)
    for info in parameters.list {
      let gradient = (0..<info.count).map { Double(parameters.gradients[info.offset + $0]) }
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard norm.isFinite else {
        violations.append(LawViolation("gradients are finite", "\(info.name): \(norm)"))
        continue
      }
      // Along the gradient, where the slope is large, and a little to the side of it.
      var direction = gradient.map { value in
        (norm > 0 ? value / norm : 0) + (random.uniform() - 0.5) * 2
          / Double(info.count).squareRoot()
      }
      let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
      direction = direction.map { $0 / length }
      let expected = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
      let kept = Array(reference.values[info.offset..<info.offset + info.count])
      let step = 1e-4
      func loss(_ factor: Double) -> Double {
        for index in kept.indices {
          reference.values[info.offset + index] = kept[index] + factor * direction[index]
        }
        return self.loss()
      }
      let slope = (loss(step) - loss(-step)) / (2 * step)
      reference.values.replaceSubrange(info.offset..<info.offset + info.count, with: kept)
      // Twice the chain, of numbers as large as the gradient; differences are exact to 1e-6.
      if !(abs(slope - expected) <= (2 * bound + 1e-6) * norm + 1e-9) {
        violations.append(
          LawViolation(
            "the gradient is the slope of the loss",
            "\(info.name): \(expected), slope \(slope), norm \(norm)"))
      }
    }
    return violations
  }
}
