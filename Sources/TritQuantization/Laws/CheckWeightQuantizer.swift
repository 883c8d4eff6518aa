public import TritCore

/// Checks the laws of weight quantizers on matrices of awkward shapes and values; empty where all
/// hold.
///
/// Shape kept; codes within their range and scales finite; a function of the elements alone (the
/// same twice, and the same for a view with gaps); zeros dequantize to zeros; a projection where it
/// says so; non-finite weights are a `badData` error that names a place. `seed` makes other random
/// matrices.
public func checkWeightQuantizer(
  _ quantizer: any WeightQuantizer, seed: UInt64 = 1
) -> [LawViolation] {
  var violations: [LawViolation] = []
  for (index, shape) in WeightLawCase.shapes.enumerated() {
    for kind in WeightLawCase.Kind.allCases {
      let lawCase = WeightLawCase(
        kind: kind, rows: shape.rows, columns: shape.columns,
        seed: seed &+ UInt64(index))
      do {
        violations += try lawCase.check(quantizer)
      } catch {
        violations.append(LawViolation("finite weights are quantized", "\(lawCase): \(error)"))
      }
    }
  }
  for value in [Float.nan, .infinity, -.infinity] {
    violations += checkRejection(quantizer, of: value)
  }
  return violations
}

/// Non-finite weights are an error that names where they are.
private func checkRejection(
  _ quantizer: any WeightQuantizer, of value: Float
) -> [LawViolation] {
  let law = "a weight that is not finite is a badData error that names its place"
  let weights = Matrix<Float>(rows: 3, columns: 40, [Float](repeating: 0.5, count: 120))
  weights[1, 37] = value
  do {
    let result = try quantizer.quantize(weights.span)
    return [LawViolation(law, "\(value) at row 1, column 37 gave \(result.form)")]
  } catch let error as LabError {
    let names = error.place.map { $0.contains("1") && $0.contains("37") } ?? false
    return error.kind == .badData && names
      ? [] : [LawViolation(law, "\(value) at row 1, column 37 gave: \(error)")]
  } catch {
    return [LawViolation(law, "\(value) at row 1, column 37 gave an error of another type")]
  }
}

/// One matrix to try a weight quantizer on.
private struct WeightLawCase: CustomStringConvertible {
  enum Kind: String, CaseIterable {
    case gaussian, outlier, constant, sparse, tiny, zero
  }

  static let shapes: [(rows: Int, columns: Int)] = [
    (1, 1), (1, 7), (3, 64), (5, 129), (2, 1000), (33, 17), (0, 8), (4, 0),
  ]

  let kind: Kind
  let rows: Int
  let columns: Int
  let seed: UInt64

  var description: String { "\(kind.rawValue) weights [\(rows), \(columns)], seed \(seed)" }

  /// The weights, gapless.
  private var weights: Matrix<Float> {
    var random = SeededRandom(seed: seed)
    let matrix = Matrix<Float>(rows: rows, columns: columns)
    for index in 0..<(rows * columns) {
      let value = Float(gaussian(&random))
      matrix.storage.base[index] =
        switch kind {
        case .gaussian: value * 0.02
        case .outlier: index % 50 == 3 ? value * 100 : value
        case .constant: -0.25
        case .sparse: index % 5 == 0 ? value : 0
        case .tiny: value * 1e-30
        case .zero: 0
        }
    }
    return matrix
  }

  func check(_ quantizer: any WeightQuantizer) throws -> [LawViolation] {
    let weights = weights
    let result = try quantizer.quantize(weights.view)
    var broken: [String] = []
    guard result.rows == rows, result.columns == columns else {
      return [LawViolation("the shape is kept", "\(self): [\(result.rows), \(result.columns)]")]
    }
    if let problem = rangeProblem(result) { broken.append(problem) }
    if !equal(try quantizer.quantize(weights.view), result) {
      broken.append("quantizing twice gives the same")
    }
    if !equal(try quantizeWithGaps(weights, quantizer), result) {
      broken.append("the result depends on the elements, not on the stride or the gaps")
    }
    let values = result.dequantized()
    if !values.storage.buffer.allSatisfy(\.isFinite) {
      broken.append("what the result stands for is finite")
    }
    if kind == .zero, !values.storage.buffer.allSatisfy({ $0 == 0 }) {
      broken.append("zeros dequantize to zeros")
    }
    if quantizer.isIdempotent {
      let again = try quantizer.quantize(values.span)
      if !near(again, result) {
        broken.append("quantizing the dequantized result changes nothing")
      }
    }
    return broken.map { LawViolation($0, description) }
  }

  /// Codes within what the form allows.
  private func rangeProblem(_ result: QuantizedWeights) -> String? {
    switch result {
    case .dense: nil
    case .ternary(let matrix):
      matrix.trits.buffer.allSatisfy { (-1...1).contains($0) } ? nil : "trits are −1, 0 or 1"
    case .integer(let matrix):
      matrix.values.buffer.allSatisfy {
        Int($0) >= -(1 << (matrix.bits - 1)) && Int($0) < 1 << (matrix.bits - 1)
      } ? nil : "values fit \(matrix.bits) bits"
    }
  }

  /// The same elements in rows with 5 unused elements between them, which are NaN.
  private func quantizeWithGaps(
    _ weights: Matrix<Float>, _ quantizer: any WeightQuantizer
  ) throws -> QuantizedWeights {
    let gap = 5
    let padded = Matrix<Float>(rows: rows, columns: columns + gap)
    for row in 0..<rows {
      for column in 0..<columns { padded[row, column] = weights[row, column] }
      for column in columns..<(columns + gap) { padded[row, column] = .nan }
    }
    return try quantizer.quantize(padded.span.columns(0..<columns))
  }

  private func equal(_ a: QuantizedWeights, _ b: QuantizedWeights) -> Bool {
    near(a, b, tolerance: 0)
  }

  /// Same codes; scales, or dense values, that differ by at most `tolerance`, relatively.
  private func near(
    _ a: QuantizedWeights, _ b: QuantizedWeights, tolerance: Float = 4 * .ulpOfOne
  ) -> Bool {
    func close(_ x: Float, _ y: Float) -> Bool { abs(x - y) <= tolerance * max(abs(x), abs(y)) }
    switch (a, b) {
    case (.ternary(let a), .ternary(let b)):
      return a.granularity == b.granularity && a.trits.buffer.elementsEqual(b.trits.buffer)
        && a.scales.elementsEqual(b.scales, by: close)
    case (.integer(let a), .integer(let b)):
      return a.granularity == b.granularity && a.bits == b.bits
        && a.values.buffer.elementsEqual(b.values.buffer)
        && a.scales.elementsEqual(b.scales, by: close)
    case (.dense(let a), .dense(let b)):
      return a.storage.buffer.elementsEqual(b.storage.buffer, by: close)
    default: return false
    }
  }
}
