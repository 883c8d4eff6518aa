import Foundation
import TritCore
import TritFormats
import TritKernels

/// Reads an exported file back, as anybody would, and compares every tensor with what it was made
/// from, before the file appears under its name.
///
/// What a type rounds is bounded by its definition; a tensor that is further off (a scale that
/// float16 flushes to zero, values too large for it) makes the export fail, and so does anything
/// that the lab itself would refuse to read.
package struct ExportCheck {
  private let plan: GGUFTensorPlan
  private let source: Checkpoint
  private let copy: Checkpoint
  private let lab: Lab
  private var errors: [(type: TensorType, worst: Double, bound: Double)] = []

  /// Opens the file at `path`, which `plan` was written to. Throws what a reader of the file would
  /// meet.
  init(_ plan: GGUFTensorPlan, of source: Checkpoint, at path: String, lab: Lab)
    throws
  {
    self.plan = plan
    self.source = source
    self.lab = lab
    do {
      // What was written is in blocks of 128, however the source is read in this task.
      copy = try I2SLayout.$assumed.withValue(.blocks128) {
        try Checkpoint(path: path, packings: lab[.packing])
      }
    } catch let error as LabError {
      throw Self.unreadable(error)
    }
  }

  /// Compares everything; `progress` is told the tensors compared so far, and of all. Throws
  /// `badData` that names the first tensor that is not what it should be.
  mutating func run(hasTokenizer: Bool, progress: ((Int, Int) -> Void)?) throws {
    try compareConfigurations()
    if hasTokenizer {
      do { _ = try copy.tokenizer() } catch let error as LabError { throw Self.unreadable(error) }
    }
    let layers = source.configuration.layers
    let count = layers * LinearRole.allCases.count + 2
    var done = 0
    func step() {
      done += 1
      progress?(done, count)
    }
    try compareMatrix(source.embeddingName, copy.embeddingName, option: "--embedding")
    step()
    let resolver = try LayerResolver(
      checkpoint: copy, selection: StageSelection(), lab: lab)
    for layer in 0..<layers {
      for role in LinearRole.allCases {
        try Interruption.check()
        try compareLinear(role, layer, resolver)
        step()
      }
    }
    if !source.tiesEmbeddings {
      try compareMatrix(source.headName, copy.headName, option: "--output-tensor-type")
    }
    step()
  }

  /// The largest error of each type that rounds, in sentences.
  var notes: [String] {
    errors.filter { $0.worst > 0 }.map {
      "read back: \($0.type.name) is off by up to \(Self.short($0.worst)) of a tensor's largest value "
        + "(at most \(Self.short($0.bound)) by definition)"
    }
  }

  /// Two digits and an exponent: `4.9e-04`.
  package static func short(_ value: Double) -> String { String(format: "%.1e", value) }

  // MARK: Comparisons

  private func compareConfigurations() throws {
    var before = source.configuration
    before.normEpsilon = plan.normEpsilon
    try ConfigurationComparison(
      before, factors: try source.ropeFrequencyFactors(), copy.configuration,
      factors: try copy.ropeFrequencyFactors()
    ).check(Self.differs)
    // A fold of inner norms changes which norms there are; then their gains were compared.
    guard
      plan.foldsInnerNorms || source.plan.block.operations.count == copy.plan.block.operations.count
    else {
      throw Self.differs(
        "the number of operations of a block", expected: "\(source.plan.block.operations.count)",
        got: "\(copy.plan.block.operations.count)")
    }
  }

  private mutating func compareLinear(_ role: LinearRole, _ layer: Int, _ resolver: LayerResolver)
    throws
  {
    let name = TensorNames.gguf.linear(role, layer: layer) + ".weight"
    let wanted = try plan.weights(role, layer)
    source.release(role, layer: layer)
    let written: QuantizedWeights
    do {
      written = try resolver.resolve(role, layer: layer).weights
    } catch let error as LabError {
      throw Self.unreadable(error)
    }
    copy.release(role, layer: layer)
    let type = copy.source.info(name)?.type ?? .f32
    if case .ternary(let a) = wanted, case .ternary(let b) = written, a.scales == b.scales,
      a.granularity == b.granularity,
      memcmp(a.trits.base, b.trits.base, a.rows * a.columns) == 0
    {
      return try record(Comparison(), name, type, option: "--type")
    }
    let (before, after) = (wanted.dequantized(), written.dequantized())
    var comparison = Comparison()
    before.storage.span.withUnsafeBufferPointer { before in
      after.storage.span.withUnsafeBufferPointer { comparison.add(before, $0) }
    }
    var isTernary = false
    if case .ternary = wanted { isTernary = true }
    try record(comparison, name, type, option: "--type", isTernary: isTernary)
  }

  /// Embedding or head, a few rows at a time.
  private mutating func compareMatrix(_ from: String, _ to: String, option: String) throws {
    guard let before = source.source.info(from), let after = copy.source.info(to) else {
      throw Self.differs("tensor '\(to)'", expected: "to be there", got: "nothing")
    }
    guard before.shape == after.shape, before.shape.count == 2 else {
      throw Self.differs("tensor '\(to)'", expected: "\(before.shape)", got: "\(after.shape)")
    }
    let (rows, columns) = (before.shape[0], before.shape[1])
    let (written, read) = (
      try MatrixRows(from, in: source.source), try MatrixRows(to, in: copy.source)
    )
    let step = max(1, (1 << 18) / max(columns, 1))
    let a = AlignedBuffer<Float>(count: step * columns)
    let b = AlignedBuffer<Float>(count: step * columns)
    var comparison = Comparison()
    for start in stride(from: 0, to: rows, by: step) {
      try Interruption.check()
      let range = start..<min(start + step, rows)
      for (matrix, buffer) in [(written, a), (read, b)] {
        try matrix.read(
          range,
          into: UnsafeMutableBufferPointer(
            rebasing: buffer.mutableBuffer[..<(range.count * columns)]))
      }
      comparison.add(
        UnsafeBufferPointer(rebasing: a.buffer[..<(range.count * columns)]),
        UnsafeBufferPointer(rebasing: b.buffer[..<(range.count * columns)]))
    }
    try record(comparison, to, after.type, option: option)
  }

  private mutating func record(
    _ comparison: Comparison, _ name: String, _ type: TensorType, option: String,
    isTernary: Bool = false
  ) throws {
    let bound = Self.bound(type)
    if let index = comparison.notFinite {
      let isSource = comparison.isSourceNotFinite
      throw LabError(
        .badData,
        isSource
          ? "tensor '\(name)' holds a value that is not finite"
          : "tensor '\(name)' does not fit \(type.name)", at: "value \(index)",
        expected: "finite numbers", got: "\(comparison.value)",
        advice: isSource
          ? "the checkpoint is damaged, or its training diverged" : Self.other(type, option))
    }
    guard comparison.relative <= bound else {
      throw LabError(
        .badData, "tensor '\(name)' does not survive as \(type.name)",
        expected: "errors up to \(Self.short(bound)) of its largest value, \(comparison.greatest)",
        got: "\(Self.short(comparison.relative))",
        advice: isTernary && [.q4_0, .q6_k].contains(type)
          ? "its codes do not hold -1, 0 and +1 alike: take \(option) i2_s, tq2_0 or f16, which do"
          : Self.other(type, option))
    }
    if let index = errors.firstIndex(where: { $0.type == type }) {
      errors[index].worst = max(errors[index].worst, comparison.relative)
    } else {
      errors.append((type, comparison.relative, bound))
    }
  }

  /// What to do where values do not fit `type`.
  static func other(_ type: TensorType, _ option: String) -> String {
    switch type {
    case .bf16: "take \(option) f32"
    case .tq1_0, .tq2_0, .q2_0, .pq2_0, .ptq1_0, .q1_0:
      "take \(option) f32, or i2_s where a tensor has one scale"
    default: "take \(option) bf16 or f32"
    }
  }

  /// The most that a type may be off, as a share of a tensor's largest value.
  ///
  /// Floats: half a unit of the last place. TQ1_0, TQ2_0 and the like: a float16 scale. Q8_0: half
  /// of max / 127, and the float16 scale. Q4_0: its codes end at +7 where the scale is max / 8, so
  /// up to a whole step on one side. Q6_K: the same of max / 32, its scale chosen within a tenth of
  /// that and rounded to 7 bits.
  package static func bound(_ type: TensorType) -> Double {
    switch type {
    case .f16, .tq1_0, .tq2_0, .q2_0, .pq2_0, .ptq1_0, .q1_0: 0x1p-11
    case .bf16: 0x1p-8
    case .q8_0: 0.5 / 127 + 0x1p-11
    case .q4_0: 1.0 / 8 + 0x1p-11
    case .q6_k: 1.0 / 16
    default: 0
    }
  }

  private static func differs(_ what: String, expected: String, got: String) -> LabError {
    LabError(
      .badData, "\(what) does not come back from the file", expected: expected, got: got,
      advice: "GGUF cannot hold this model; keep it as safetensors")
  }

  private static func unreadable(_ error: LabError) -> LabError {
    var error = error
    error.what = "the file could not be read back: " + error.what
    return error
  }
}

extension ExportCheck {
  /// How far two tensors are apart.
  package struct Comparison {
    private(set) var greatest: Float = 0
    private var worst: Float = 0

    /// Nothing compared yet.
    package init() {}

    private var seen = 0
    /// The first place where one side is not finite, and its value there.
    private(set) var notFinite: Int?
    private(set) var value: Float = 0
    private(set) var isSourceNotFinite = false

    /// The largest difference over the largest value; 0 for zeros.
    package var relative: Double {
      greatest > 0 ? Double(worst) / Double(greatest) : worst > 0 ? .infinity : 0
    }

    /// Adds values in order, `before` those of the source.
    package mutating func add(
      _ before: UnsafeBufferPointer<Float>, _ after: UnsafeBufferPointer<Float>
    ) {
      var sum: Float = 0
      for index in 0..<min(before.count, after.count) {
        let (a, b) = (before[index], after[index])
        worst = max(worst, abs(a - b))
        greatest = max(greatest, abs(a))
        // Zero unless one of them is not finite, which then stays.
        sum += (a - a) + (b - b)
      }
      if sum != 0 || sum.isNaN, notFinite == nil {
        let index = (0..<before.count).first { !before[$0].isFinite || !after[$0].isFinite } ?? 0
        notFinite = seen + index
        isSourceNotFinite = !before[index].isFinite
        value = before[index]
      }
      seen += before.count
    }
  }
}
