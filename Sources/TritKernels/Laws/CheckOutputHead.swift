public import TritCore

/// Checks the laws of an output head on weights at random, of very different sizes a row, with zero
/// rows, and with rows that all but tie:
///
/// 1. every logit is that of the float32 weights, within `weightError(row:) · ‖x‖` and the rounding
///    of a float32 sum (both computed in float64);
/// 2. rows computed in aligned ranges, in any split, are the rows computed at once, and nothing
///    outside a range is written;
/// 3. a head that screens gives the exact head's `k` greatest logits, bit for bit, in the same
///    rows, and no other logit above them;
/// 4. weights that are not finite are a `LabError`.
///
/// Returns what was broken; empty means that all laws hold. Deterministic.
public func checkOutputHead(
  _ head: any OutputHead,
  shapes: [WeightShape] = [
    WeightShape(1, 1), WeightShape(3, 31), WeightShape(65, 64), WeightShape(130, 200),
    WeightShape(256, 128), WeightShape(700, 97), WeightShape(300, 513),
  ], tokens: [Int] = [1, 2, 4, 7]
) -> [LawViolation] {
  var checker = HeadChecker(head: head)
  for shape in shapes {
    for fill in HeadChecker.Fill.allCases { checker.check(shape, fill, tokens: tokens) }
  }
  checker.refusals()
  return checker.violations
}

private struct HeadChecker {
  /// How a matrix is filled.
  enum Fill: String, CaseIterable {
    /// Uniform in ±1.
    case random
    /// Rows from 1e-6 to 1e3 in size, every fifth of zeros.
    case sizes
    /// One row repeated, each copy moved by a tiny amount in one column.
    case ties
  }

  let head: any OutputHead
  var violations: [LawViolation] = []

  mutating func broken(_ law: String, _ evidence: String) {
    violations.append(LawViolation(law, "head '\(head.name)': \(evidence)"))
  }

  mutating func check(_ shape: WeightShape, _ fill: Fill, tokens: [Int]) {
    let weights = Self.weights(shape, fill)
    let prepared: any PreparedHead
    do {
      prepared = try head.prepare(weights.view)
    } catch {
      broken("a head takes finite weights", "\(shape), \(fill.rawValue): \(error)")
      return
    }
    if prepared.rows != shape.rows || prepared.columns != shape.columns
      || prepared.rowAlignment < 1 || prepared.weightBytes < 1 || prepared.kernel.isEmpty
    {
      broken("a prepared head has the weights' shape, a name, an alignment and a size", "\(shape)")
    }
    for count in tokens {
      let evidence = "\(shape), \(fill.rawValue), \(count) tokens"
      let x = Self.hidden(count, shape.columns, like: weights)
      check(prepared, weights, x, evidence)
    }
  }

  private mutating func check(
    _ prepared: any PreparedHead, _ weights: Matrix<Float>, _ x: Matrix<Float>, _ evidence: String
  ) {
    let rows = prepared.rows
    let unit = prepared.rowAlignment
    let logits = Self.logits(prepared, x, [0..<rows])
    let starts = Array(stride(from: 0, to: rows, by: unit))
    let pieces = starts.reversed().map { $0..<min($0 + unit, rows) }
    let split = Self.logits(prepared, x, pieces)
    for token in 0..<x.rows {
      for row in 0..<rows where logits[token, row].bitPattern != split[token, row].bitPattern {
        broken("any split in row ranges gives the same", "\(evidence): token \(token), row \(row)")
        return
      }
      if logits[token, rows] != Self.untouched || split[token, rows] != Self.untouched {
        broken("nothing outside the range is written", "\(evidence): token \(token)")
      }
    }
    if let place = Self.mismatch(prepared, weights, x, logits) {
      broken("logits are the formula's, within the bound", "\(evidence): \(place)")
    }
    if let screening = prepared as? any ScreeningHead {
      if let place = Self.screeningFault(screening, x, logits) {
        broken("the greatest logits are the exact head's", "\(evidence): \(place)")
      }
    }
  }

  mutating func refusals() {
    for bad in [Float.nan, .infinity, -.infinity] {
      let weights = Matrix<Float>(rows: 3, columns: 40)
      weights[2, 37] = bad
      do {
        _ = try head.prepare(weights.view)
        broken("weights that are not finite are an error", "\(bad) was taken")
      } catch let error as LabError {
        if error.kind != .badData { broken("the error is badData", "\(error)") }
      } catch {
        broken("a refusal is a LabError", "\(error)")
      }
    }
  }

  private static let untouched: Float = -12_345.5

  private static func logits(
    _ prepared: any PreparedHead, _ x: Matrix<Float>, _ ranges: [Range<Int>]
  ) -> Matrix<Float> {
    let y = Matrix<Float>(rows: x.rows, columns: prepared.rows + 1)
    for index in 0..<y.storage.count { y.storage.base[index] = untouched }
    let view = MutableMatrixView(
      base: y.storage.base, rows: x.rows, columns: prepared.rows, stride: prepared.rows + 1)
    for range in ranges { prepared.multiply(x.view, rows: range, into: view) }
    prepared.finish(x.view, logits: view, on: nil)
    return y
  }

  private static func mismatch(
    _ prepared: any PreparedHead, _ weights: Matrix<Float>, _ x: Matrix<Float>,
    _ logits: Matrix<Float>
  ) -> String? {
    for token in 0..<x.rows {
      var squares = 0.0
      for k in 0..<x.columns { squares += Double(x[token, k]) * Double(x[token, k]) }
      for row in 0..<weights.rows {
        var sum = 0.0
        var magnitude = 0.0
        for k in 0..<x.columns {
          let product = Double(weights[row, k]) * Double(x[token, k])
          sum += product
          magnitude += abs(product)
        }
        let error = Double(prepared.weightError(row: row)) * squares.squareRoot()
        let bound = error + (magnitude + error) * Double(x.columns + 8) * 0x1p-23 + 1e-37
        let value = Double(logits[token, row])
        if !(abs(value - sum) <= bound) {
          return "token \(token), row \(row): \(value) for \(sum), allowed ± \(bound)"
        }
      }
    }
    return nil
  }

  private static func screeningFault(
    _ prepared: any ScreeningHead, _ x: Matrix<Float>, _ logits: Matrix<Float>
  ) -> String? {
    let exact = Self.logits(prepared.exact, x, [0..<prepared.rows])
    for token in 0..<x.rows {
      let found = order(logits, token, prepared.rows).prefix(prepared.k)
      let right = order(exact, token, prepared.rows).prefix(prepared.k)
      for (rank, (a, b)) in zip(found, right).enumerated() {
        let (value, expected) = (logits[token, a], exact[token, b])
        if a != b || value.bitPattern != expected.bitPattern {
          return "token \(token), rank \(rank): row \(a) \(value) for row \(b) \(expected)"
        }
      }
    }
    return nil
  }

  /// Rows by logit, greatest first; equal ones by row.
  private static func order(_ logits: Matrix<Float>, _ token: Int, _ rows: Int) -> [Int] {
    (0..<rows).sorted {
      let (a, b) = (logits[token, $0], logits[token, $1])
      return a == b ? $0 < $1 : a > b
    }
  }

  private static func weights(_ shape: WeightShape, _ fill: Fill) -> Matrix<Float> {
    var random = SeededRandom(seed: UInt64(shape.rows * 7919 + shape.columns))
    let weights = Matrix<Float>(rows: shape.rows, columns: shape.columns)
    for row in 0..<shape.rows {
      let size: Float =
        switch fill {
        case .random, .ties: 1
        case .sizes: row % 5 == 4 ? 0 : [1e-6, 1e-3, 1, 1e3][row % 4]
        }
      for column in 0..<shape.columns {
        let value = Float(random.uniform() * 2 - 1)
        weights[row, column] = fill == .ties && row > 0 ? weights[0, column] : value * size
      }
      if fill == .ties {
        weights[row, random.below(shape.columns)] *= 1 + Float(random.below(5)) * 0x1p-10
      }
    }
    return weights
  }

  /// Hidden states: random ones, and every other one along a row of the weights, whose logit then
  /// stands out as a confident model's does.
  private static func hidden(_ tokens: Int, _ columns: Int, like weights: Matrix<Float>)
    -> Matrix<Float>
  {
    var random = SeededRandom(seed: UInt64(tokens * 31 + columns))
    let x = Matrix<Float>(rows: tokens, columns: columns)
    for token in 0..<tokens {
      let row = random.below(weights.rows)
      for column in 0..<columns {
        let noise = Float(random.uniform() * 2 - 1)
        x[token, column] = token % 2 == 0 ? noise : 4 * weights[row, column] + 0.1 * noise
      }
    }
    return x
  }
}
