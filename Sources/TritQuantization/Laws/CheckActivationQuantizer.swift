public import TritCore

/// Checks the laws of activation quantizers on rows of awkward lengths and values; empty where all
/// hold.
///
/// Rows are independent of each other, of how they are split into calls, of gaps between them and
/// of what the output held before; only the rows asked for are written; padding is zero; sums are
/// sums; a zero row stays zero with a finite scale; a Gaussian row loses less than it keeps; NaN
/// and infinity stay visible. (That nothing allocates after the first call is not checked here.)
public func checkActivationQuantizer(
  _ quantizer: any ActivationQuantizer, seed: UInt64 = 1
) -> [LawViolation] {
  [1, 3, 63, 64, 65, 200, 2560].flatMap { columns in
    ActivationLawCase(columns: columns, seed: seed).check(quantizer)
  }
}

/// A few rows of one length to try an activation quantizer on.
private struct ActivationLawCase {
  let columns: Int
  let seed: UInt64
  /// Rows of the case: Gaussian, zero, outlier, constant, tiny, alternating extremes, Gaussian.
  private let rows = 7

  private var place: String { "\(rows) rows of \(columns) columns, seed \(seed)" }

  private var input: Matrix<Float> {
    var random = SeededRandom(seed: seed &+ UInt64(columns))
    let matrix = Matrix<Float>(rows: rows, columns: columns)
    for row in 0..<rows {
      for column in 0..<columns {
        let value = Float(gaussian(&random))
        matrix[row, column] =
          switch row {
          case 1: 0
          case 2: column == columns / 2 ? 1000 : value
          case 3: -3.25
          case 4: value * 1e-20
          case 5: column % 2 == 0 ? 7 : -7
          default: value
          }
      }
    }
    return matrix
  }

  func check(_ quantizer: any ActivationQuantizer) -> [LawViolation] {
    let input = input
    let whole = dirty()
    quantizer.quantize(input.view, into: whole)
    var broken: [String] = []
    if whole.form != quantizer.form { broken.append("the form is the one promised") }
    if !sameRows(whole, quantizeSplit(input, quantizer)) {
      broken.append("rows are independent of how they are split into calls and of gaps")
    }
    if !sameRows(whole, quantizeOneByOne(input, quantizer)) {
      broken.append("rows are independent of each other")
    }
    if quantizer.form == .int8 { broken += integerProblems(whole) }
    let values = whole.dequantized()
    input.span.withUnsafeView { input in
      values.span.withUnsafeView { values in
        if !(0..<rows).allSatisfy({ values.row($0).allSatisfy(\.isFinite) }) {
          broken.append("finite rows stay finite")
        }
        if !values.row(1).allSatisfy({ $0 == 0 }) { broken.append("a zero row stays zero") }
        if !keepsMostOf(input.row(0), values.row(0)) {
          broken.append("a Gaussian row loses less than it keeps")
        }
      }
    }
    broken += isolationProblems(input, quantizer)
    return broken.map { LawViolation($0, place) } + damageProblems(quantizer)
  }

  /// Buffers that hold old values everywhere, so that what is not written shows.
  private func dirty() -> QuantizedRows {
    let output = QuantizedRows(capacity: rows, columns: columns)
    output.values.mutableBuffer.update(repeating: 99)
    output.scales.mutableBuffer.update(repeating: 123)
    output.sums.mutableBuffer.update(repeating: -456)
    output.floats.mutableBuffer.update(repeating: 789)
    return output
  }

  private func quantizeSplit(
    _ input: Matrix<Float>, _ quantizer: any ActivationQuantizer
  ) -> QuantizedRows {
    let gap = 3
    let padded = Matrix<Float>(rows: rows, columns: columns + gap)
    for row in 0..<rows {
      for column in 0..<(columns + gap) {
        padded[row, column] = column < columns ? input[row, column] : .nan
      }
    }
    let output = dirty()
    output.begin(rows: rows, form: quantizer.form)
    padded.span.columns(0..<columns).withUnsafeView { view in
      for range in [4..<rows, 0..<1, 1..<4, 2..<2] {
        quantizer.quantize(view, rows: range, into: output)
      }
    }
    return output
  }

  /// Every row as the first of a matrix of one row, gathered afterwards.
  private func quantizeOneByOne(
    _ input: Matrix<Float>, _ quantizer: any ActivationQuantizer
  ) -> QuantizedRows {
    let output = dirty()
    output.begin(rows: rows, form: quantizer.form)
    for row in 0..<rows {
      let single = QuantizedRows(capacity: 1, columns: columns)
      quantizer.quantize(input.view.rows(row..<row + 1), into: single)
      if quantizer.form == .int8 {
        output.row(row).update(from: single.row(0), count: output.stride)
        output.scales[row] = single.scales[0]
        output.sums[row] = single.sums[0]
      } else {
        (output.floats.base + row * columns).update(from: single.floats.base, count: columns)
      }
    }
    return output
  }

  private func sameRows(_ a: QuantizedRows, _ b: QuantizedRows) -> Bool {
    guard a.form == .int8 else { return a.floats.buffer.elementsEqual(b.floats.buffer) }
    return a.values.buffer.elementsEqual(b.values.buffer)
      && a.scales.buffer.elementsEqual(b.scales.buffer)
      && a.sums.buffer.elementsEqual(b.sums.buffer)
  }

  private func integerProblems(_ output: QuantizedRows) -> [String] {
    var broken: [String] = []
    for row in 0..<rows {
      let values = UnsafeBufferPointer(start: output.row(row), count: output.stride)
      if values[columns...].contains(where: { $0 != 0 }) { broken.append("padding is zero") }
      let sum = values[..<columns].reduce(Int32(0)) { $0 + Int32($1) }
      if output.sums[row] != sum { broken.append("sums are the sums of the values") }
      if !output.scales[row].isFinite { broken.append("scales of finite rows are finite") }
    }
    return broken
  }

  private func keepsMostOf(
    _ row: UnsafeBufferPointer<Float>, _ result: UnsafeBufferPointer<Float>
  ) -> Bool {
    var signal = 0.0
    var error = 0.0
    for (x, y) in zip(row, result) {
      signal += Double(x) * Double(x)
      error += Double(x - y) * Double(x - y)
    }
    return error < signal / 2
  }

  /// A call for some rows leaves the others alone.
  private func isolationProblems(
    _ input: Matrix<Float>, _ quantizer: any ActivationQuantizer
  ) -> [String] {
    let output = dirty()
    output.begin(rows: rows, form: quantizer.form)
    quantizer.quantize(input.view, rows: 2..<3, into: output)
    for row in 0..<rows where row != 2 {
      let isUntouched =
        quantizer.form == .int8
        ? output.scales[row] == 123 && output.sums[row] == -456
          && (0..<output.stride).allSatisfy { output.row(row)[$0] == 99 }
        : (0..<columns).allSatisfy { output.floats[row * columns + $0] == 789 }
      if !isUntouched { return ["only the rows asked for are written"] }
    }
    return []
  }

  private func damageProblems(_ quantizer: any ActivationQuantizer) -> [LawViolation] {
    [Float.nan, .infinity, -.infinity].compactMap { value in
      let row = Matrix<Float>(rows: 1, columns: columns, [Float](repeating: 0.5, count: columns))
      row[0, columns - 1] = value
      let output = QuantizedRows(capacity: 1, columns: columns)
      quantizer.quantize(row.span, into: output)
      let values = output.dequantized()
      let vanished = (0..<columns).allSatisfy { values[0, $0].isFinite }
      return vanished
        ? LawViolation(
          "NaN and infinity stay visible", "\(value) in the last of \(columns) columns vanished")
        : nil
    }
  }
}
