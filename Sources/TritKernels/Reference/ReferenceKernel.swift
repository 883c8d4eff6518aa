public import TritCore

/// The oracle: integer weights times int8 activations, by the formula, one weight after the other.
///
///     acc[t, r] = Σ_k w[r, k] · q[t, k]                           int32, exact
///     y[t, r]   = Float(acc[t, r]) · (s_x[t] · s_w[r])
///
/// and with scales per group g of columns
///
///     y[t, r]   = s_x[t] · Σ_g Float(Σ_{k in g} w[r, k] · q[t, k]) · s_w[r, g]
///
/// with the sum over g in order. It takes trits and integers of any shape and granularity; every
/// other integer kernel is measured against it.
///
/// Source: Ma et al., "The Era of 1-bit LLMs", arXiv 2402.17764, and microsoft/BitNet's W1.58A8
/// inference, whose sums these are.
public struct ReferenceKernel: LinearKernel {
  /// `reference`.
  public let name = "reference"
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// There to be read.
  public let isPlain = true

  /// The kernel has no parameters.
  public init() {}

  /// Takes trits and integers as they are.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    let weights = try integerWeights(weights)
    return ReferenceLinear(weights: weights)
  }
}

/// What a kernel asks of the weights in its `prepare`, be it one of the lab or one from outside.
/// Each throws an error that names the kernel and says what to use instead.
extension LinearKernel {
  /// The trits or integers of `weights`, or an error that says that this kernel cannot take
  /// float32.
  public func integerWeights(_ weights: QuantizedWeights) throws -> IntegerWeights {
    guard let integers = weights.integers else {
      throw LabError.illegalPair(
        "kernel", name, takes: "ternary or integer weights", form: weights.form,
        advice: LabError.useQuantized)
    }
    try checkSums(columns: integers.columns, greatest: integers.greatest)
    return integers
  }

  /// The trits of `weights`, or an error that says that this kernel takes no others.
  public func ternaryWeights(_ weights: QuantizedWeights) throws -> TernaryMatrix {
    guard case .ternary(let matrix) = weights else {
      throw LabError.illegalPair(
        "kernel", name, takes: "ternary weights", form: weights.form, advice: LabError.useTernary)
    }
    if let index = matrix.firstIllegalTrit {
      throw LabError(
        .badData, "kernel '\(name)': a trit is −1, 0 or +1",
        at: "row \(index / matrix.columns), column \(index % matrix.columns)",
        got: "\(matrix.trits[index])")
    }
    // Codes are trits + 1, so that partial sums reach twice a trit's.
    try checkSums(columns: matrix.columns, greatest: 2)
    return matrix
  }

  /// That the sum of `columns` products of a weight of at most `greatest` and an activation of −128
  /// fits an int32, so that a kernel may add in any order. `ternaryWeights` and `integerWeights`
  /// have asked that for codes up to 2 and for integers; a kernel whose partial sums reach further
  /// asks again.
  public func checkSums(columns: Int, greatest: Int) throws {
    let most = Int(Int32.max) / (128 * greatest)
    guard columns <= most else {
      throw LabError(
        .badData, "kernel '\(name)': the int32 sums of a row this long could overflow",
        expected: "at most \(most) columns", got: "\(columns) columns")
    }
  }

  /// The scales of `weights` where there is one per tensor or row, one a row; else an error.
  public func rowScales(_ weights: TernaryMatrix) throws -> [Float] {
    try rowScales(weights.scales, weights.granularity, rows: weights.rows)
  }

  /// The scales of packed trits as one a row; throws for scales per group.
  public func rowScales(_ packed: PackedMatrix) throws -> [Float] {
    try rowScales(packed.scales, packed.granularity, rows: packed.rows)
  }

  private func rowScales(
    _ scales: [Float], _ granularity: ScaleGranularity, rows: Int
  ) throws -> [Float] {
    switch granularity {
    case .tensor: return [Float](repeating: scales[0], count: rows)
    case .row: return scales
    case .group:
      throw LabError.illegalPair(
        "kernel", name, takes: "ternary weights with one scale per tensor or row",
        form: "ternary weights (scale per \(granularity))",
        advice: "use kernel 'int8' or 'reference', or a quantizer with a scale per tensor or row")
    }
  }
}

/// Weights as they came, and the formula.
struct ReferenceLinear: PreparedLinear {
  let weights: IntegerWeights
  let kernel = "reference"
  let accepts = ActivationForm.int8
  let rowAlignment = 1
  let inputLayout: (any InputLayout)? = nil

  var rows: Int { weights.rows }
  var columns: Int { weights.columns }
  var weightBytes: Int { weights.values.count + 4 * weights.scales.count }
  var memory: [any RawMemory] { [weights.values] }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    let granularity = weights.granularity
    let span = granularity.span(columns: columns)
    for token in 0..<x.rows {
      for row in range {
        if case .group = granularity {
          var sum: Float = 0
          for start in stride(from: 0, to: columns, by: span) {
            let index = granularity.scaleIndex(row: row, column: start, columns: columns)
            let part = dot(row, x, token, start..<min(start + span, columns))
            sum += Float(part) * weights.scales[index]
          }
          y[token, row] = sum * x.scales[token]
        } else {
          let scale = weights.scales[granularity == .row ? row : 0]
          y[token, row] =
            Float(dot(row, x, token, 0..<columns)) * (x.scales[token] * scale)
        }
      }
    }
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    if case .group = weights.granularity { return false }
    for token in 0..<x.rows {
      for row in range { accumulators[token, row] = dot(row, x, token, 0..<columns) }
    }
    return true
  }

  /// Σ_k w[row, k] · q[token, k] over the columns in `range`.
  private func dot(_ row: Int, _ x: QuantizedRows, _ token: Int, _ range: Range<Int>) -> Int32 {
    let w = weights.values.base + row * columns
    let q = x.row(token)
    var sum: Int32 = 0
    for k in range { sum &+= Int32(w[k]) &* Int32(q[k]) }
    return sum
  }
}
