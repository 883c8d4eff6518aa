public import TritCore

/// A prepared layer that approximates, and says by how much.
///
/// Law (`checkLinearKernel`): every output lies within `errorBound` of the oracle's.
public protocol LossyLinear: PreparedLinear {
  /// The most that `y[token, row]` can differ from the exact product, for these activations.
  func errorBound(_ x: QuantizedRows, token: Int, row: Int) -> Float
}

/// Checks the laws of a kernel on `shapes`, with trits and integers of every granularity of scales,
/// weights at their extremes and random, activations at theirs, and `tokens` rows at a time:
///
/// 1. `prepare` takes the weights or throws a `LabError` that says why; it takes some;
/// 2. lossless: int32 sums equal to the oracle's bit for bit, outputs within 2 ulp of the oracle's
///    (scales per group, and float32 kernels: within the rounding of a float32 sum); lossy
///    (`LossyLinear`): outputs within the stated bound;
/// 3. rows computed in aligned ranges, in any split, are the rows computed at once, and nothing
///    outside a range is written;
/// 4. the same rows of activations give the same outputs whatever other rows stand beside them;
/// 5. wanted outputs (`SelectiveLinear`) are those of the whole product, the others those or 0;
/// 6. `prepare` takes weights for the forms of activations that the kernel states in `forms`, and
///    for no others;
/// 7. a layer over packed bytes (`AdoptingKernel`) obeys the same laws, against the weights that
///    the bytes hold.
///
/// The oracle is asked for integer kernels; kernels that take float32 activations are compared with
/// sums in float64. Returns what was broken, at most `limit` cases: the search ends there, since a
/// kernel that is wrong is mostly wrong everywhere. Empty means that all laws hold. Deterministic.
public func checkLinearKernel(
  _ kernel: any LinearKernel, against oracle: any LinearKernel = ReferenceKernel(),
  shapes: [WeightShape] = WeightShape.awkward, tokens: [Int] = [1, 2, 3, 4, 7, 12, 33],
  limit: Int = 8
) -> [LawViolation] {
  precondition(limit > 0, "a check that may find nothing checks nothing")
  var checker = KernelChecker(kernel: kernel, oracle: oracle)
  for shape in shapes {
    for form in ProductSample.Form.all {
      for fill in ProductSample.Fill.allCases {
        checker.check(shape, form, fill, tokens: tokens, limit: limit)
        if checker.violations.count >= limit { return Array(checker.violations.prefix(limit)) }
      }
    }
  }
  if checker.legal == 0 {
    checker.broken("a kernel takes some weights", "refused all of \(shapes.count) shapes")
  }
  return checker.violations
}

private struct KernelChecker {
  let kernel: any LinearKernel
  let oracle: any LinearKernel
  var violations: [LawViolation] = []
  var legal = 0

  mutating func broken(_ law: String, _ evidence: String) {
    violations.append(LawViolation(law, "kernel '\(kernel.name)': \(evidence)"))
  }

  mutating func check(
    _ shape: WeightShape, _ form: ProductSample.Form, _ fill: ProductSample.Fill, tokens: [Int],
    limit: Int
  ) {
    let evidence = "\(shape), \(form), \(fill.rawValue) weights"
    let seed = UInt64(shape.rows * 100_003 + shape.columns)
    let weights = ProductSample.weights(shape, form, fill, seed: seed)
    let prepared: any PreparedLinear
    do {
      prepared = try kernel.prepare(weights)
    } catch let error as LabError {
      if error.what.isEmpty || error.kind == .internalError {
        broken("a refusal says why", "\(evidence): \(error)")
      }
      return
    } catch {
      broken("a refusal is a LabError", "\(evidence): \(error)")
      return
    }
    legal += 1
    facts(prepared, shape, evidence)
    // A form is taken whatever the shape.
    if legal == 1 { forms(weights, evidence) }
    guard let exact = try? oracle.prepare(weights) else { return }
    if fill == .random { adopted(weights, seed: seed, evidence) }
    // Extreme weights differ from random ones in overflow only: a few tokens show it.
    var counts =
      fill == .random ? tokens : [min(tokens.max() ?? 1, ProductSample.activationPatterns)]
    if shape.rows * shape.columns > 80_000, counts.count > 2 {
      counts = [counts[0], min(counts.max() ?? 1, 9)]
    }
    for (index, count) in counts.enumerated() where count > 0 {
      let x = ProductSample.activations(
        rows: count, columns: shape.columns, form: kernel.accepts, first: index,
        seed: seed &+ UInt64(index))
      let run = KernelRun(
        weights: weights, prepared: prepared, exact: exact, x: x,
        evidence: "\(evidence), \(count) tokens")
      violations += run.check(kernel.name)
      if violations.count >= limit { return }
    }
  }

  /// Packs the weights as the kernel adopts them, and checks the layer over those bytes.
  mutating func adopted(_ weights: QuantizedWeights, seed: UInt64, _ evidence: String) {
    guard let adopting = kernel as? any AdoptingKernel, let name = adopting.adopts,
      let packing = try? Registry<any Packing>.standard.make(StageChoice(name)),
      let packed = try? packing.pack(weights), let stored = try? packing.unpack(packed)
    else { return }
    let adopted = try? adopting.adopt(packed)
    let expected = try? kernel.prepare(stored)
    if (adopted == nil) != (expected == nil) {
      broken(
        "packed bytes are taken if and only if their weights are",
        "\(evidence) as \(name): the bytes are \(adopted == nil ? "refused" : "taken")")
    }
    guard let adopted, let exact = try? oracle.prepare(stored) else { return }
    facts(adopted, WeightShape(weights.rows, weights.columns), "\(evidence) as \(name)")
    let x = ProductSample.activations(
      rows: 5, columns: weights.columns, form: kernel.accepts, first: 0, seed: seed)
    let run = KernelRun(
      weights: stored, prepared: adopted, exact: exact, x: x,
      evidence: "\(evidence) as \(name), 5 tokens")
    violations += run.check(kernel.name)
  }

  mutating func forms(_ weights: QuantizedWeights, _ evidence: String) {
    if !kernel.forms.contains(kernel.accepts) {
      broken("a kernel takes the form that it accepts", evidence)
    }
    for form in [ActivationForm.int8, .float32] {
      let prepared = try? kernel.prepare(weights, for: form)
      if (prepared != nil) != kernel.forms.contains(form) {
        broken(
          "a kernel takes the forms of activations that it states, and no others",
          "\(evidence): \(form.rawValue) is \(prepared == nil ? "refused" : "taken")")
      }
      if let prepared, prepared.accepts != form {
        broken("a layer prepared for a form takes it", "\(evidence): \(form.rawValue)")
      }
    }
  }

  mutating func facts(_ prepared: any PreparedLinear, _ shape: WeightShape, _ evidence: String) {
    if prepared.rows != shape.rows || prepared.columns != shape.columns {
      broken("a prepared layer has the weights' shape", evidence)
    }
    if prepared.rowAlignment < 1 || prepared.weightBytes < 1 || prepared.kernel.isEmpty {
      broken("a prepared layer has a name, an alignment and a size", evidence)
    }
    if prepared.accepts != kernel.accepts {
      broken("a prepared layer takes the activations of its kernel", evidence)
    }
  }
}

/// One product, checked in every way.
private struct KernelRun {
  let weights: QuantizedWeights
  let prepared: any PreparedLinear
  let exact: any PreparedLinear
  let x: QuantizedRows
  let evidence: String
  /// Columns of the outputs that nobody may write.
  private let margin = 3
  private let untouched: Float = -12_345.5

  private var tokens: Int { x.rows }
  private var rows: Int { weights.rows }

  init(
    weights: QuantizedWeights, prepared: any PreparedLinear, exact: any PreparedLinear,
    x: QuantizedRows, evidence: String
  ) {
    self.weights = weights
    self.prepared = prepared
    self.exact = exact
    self.x = x
    self.evidence = evidence
  }

  func check(_ name: String) -> [LawViolation] {
    if let layout = prepared.inputLayout { _ = x.built(layout) }
    var violations: [LawViolation] = []
    func broken(_ law: String, _ detail: String) {
      violations.append(LawViolation(law, "kernel '\(name)': \(evidence): \(detail)"))
    }
    let y = outputs([0..<rows])
    if let place = mismatch(y) { broken("outputs are the oracle's, within the bound", place) }
    if let place = marginWritten(y) { broken("nothing outside the range is written", place) }
    if x.form == .int8, let place = sums() {
      broken("int32 sums are the oracle's, bit for bit", place)
    }
    for ranges in splits() {
      let parts = outputs(ranges)
      for token in 0..<tokens {
        for row in 0..<rows where parts[token, row].bitPattern != y[token, row].bitPattern {
          broken("any split in row ranges gives the same", "token \(token), row \(row)")
          return violations
        }
      }
      if let place = marginWritten(parts) { broken("nothing outside the range is written", place) }
    }
    if let place = dependsOnNeighbours(y) {
      broken("a token's outputs do not depend on the other tokens", place)
    }
    if let selective = prepared as? any SelectiveLinear, let place = selection(selective, y) {
      broken("wanted outputs are those of the whole product, the others those or 0", place)
    }
    return violations
  }

  /// The outputs, rows computed range by range.
  private func outputs(_ ranges: [Range<Int>]) -> Matrix<Float> {
    let y = Matrix<Float>(rows: tokens, columns: rows + margin)
    for index in 0..<y.storage.count { y.storage.base[index] = untouched }
    let view = MutableMatrixView(
      base: y.storage.base, rows: tokens, columns: rows, stride: rows + margin)
    for range in ranges { prepared.multiply(x, rows: range, into: view) }
    return y
  }

  private func marginWritten(_ y: Matrix<Float>) -> String? {
    for token in 0..<tokens {
      for column in rows..<(rows + margin) where y[token, column] != untouched {
        return "after the last row of token \(token)"
      }
    }
    return nil
  }

  /// All rows in one piece aside: every aligned unit alone, last first; and two uneven parts.
  private func splits() -> [[Range<Int>]] {
    let unit = prepared.rowAlignment
    guard rows > unit else { return [] }
    let starts = Array(stride(from: 0, to: rows, by: unit))
    let single = starts.reversed().map { $0..<min($0 + unit, rows) }
    let cut = starts[(starts.count + 2) / 3]
    return [single, [cut..<rows, 0..<cut]].filter { !$0.contains(where: \.isEmpty) }
  }

  /// The first output that is further from the oracle's than allowed.
  private func mismatch(_ y: Matrix<Float>) -> String? {
    let expected = Matrix<Float>(rows: tokens, columns: rows)
    let magnitudes = Matrix<Float>(rows: tokens, columns: rows)
    let isRough = x.form == .float32 || isGrouped
    if x.form == .int8 { exact.multiply(x, into: expected.mutableView) }
    if isRough { roughly(into: expected, magnitudes) }
    for token in 0..<tokens {
      for row in 0..<rows {
        let value = y[token, row]
        let right = expected[token, row]
        var bound = abs(right) * 0x1p-22
        if isRough { bound += magnitudes[token, row] * Float(weights.columns + 8) * 0x1p-24 }
        if let lossy = prepared as? any LossyLinear {
          bound += lossy.errorBound(x, token: token, row: row)
        }
        if !(abs(value - right) <= bound) {
          return "token \(token), row \(row): \(value) for \(right), allowed ± \(bound)"
        }
      }
    }
    return nil
  }

  private var isGrouped: Bool {
    if case .group = weights.integers?.granularity { true } else { false }
  }

  /// Σ w · x in float64 and Σ |w · x|, from the values that both sides stand for.
  private func roughly(into expected: Matrix<Float>, _ magnitudes: Matrix<Float>) {
    let w = weights.dequantized()
    let input = x.dequantized()
    for token in 0..<tokens {
      let a = input.storage.base + token * weights.columns
      for row in 0..<rows {
        let b = w.storage.base + row * weights.columns
        var sum = 0.0
        var magnitude = 0.0
        for k in 0..<weights.columns {
          let product = Double(a[k]) * Double(b[k])
          sum += product
          magnitude += abs(product)
        }
        if x.form == .float32 { expected[token, row] = Float(sum) }
        magnitudes[token, row] = Float(magnitude)
      }
    }
  }

  /// The first int32 sum that is not the oracle's.
  private func sums() -> String? {
    let expected = Matrix<Int32>(rows: tokens, columns: rows)
    let found = Matrix<Int32>(rows: tokens, columns: rows + margin)
    for index in 0..<found.storage.count { found.storage.base[index] = .min }
    let view = MutableMatrixView(
      base: found.storage.base, rows: tokens, columns: rows, stride: rows + margin)
    let hasSums = exact.accumulate(x, rows: 0..<rows, into: expected.mutableView)
    guard prepared.accumulate(x, rows: 0..<rows, into: view) else {
      let isClean = found.storage.buffer.allSatisfy { $0 == .min }
      if !isClean { return "written, though there are no sums" }
      return hasSums && !(prepared is any LossyLinear) ? "no sums" : nil
    }
    if prepared is any LossyLinear { return nil }
    for token in 0..<tokens {
      for row in 0..<rows where found[token, row] != expected[token, row] {
        return "token \(token), row \(row): \(found[token, row]) for \(expected[token, row])"
      }
      for column in rows..<(rows + margin) where found[token, column] != .min {
        return "written after the last row of token \(token)"
      }
    }
    return nil
  }

  /// Gates that want nothing, the last row alone, all (no number is not "not above 0"), and about a
  /// third.
  private func selection(_ selective: any SelectiveLinear, _ y: Matrix<Float>) -> String? {
    let gate = Matrix<Float>(rows: tokens, columns: rows + 1)
    for pattern in 0..<4 {
      func wants(_ token: Int, _ row: Int) -> Bool {
        switch pattern {
        case 0: false
        case 1: row == rows - 1
        case 2: true
        default: (row * row + token) % 7 < 2
        }
      }
      for token in 0..<tokens {
        for row in 0..<rows {
          gate[token, row] = wants(token, row) ? (row % 2 == 0 ? .nan : 0.5) : -Float(row % 2)
        }
      }
      let found = Matrix<Float>(rows: tokens, columns: rows + margin)
      for index in 0..<found.storage.count { found.storage.base[index] = untouched }
      let view = MutableMatrixView(
        base: found.storage.base, rows: tokens, columns: rows, stride: rows + margin)
      gate.span.columns(0..<rows).withUnsafeView { gate in
        for range in (splits().first ?? [0..<rows]) {
          selective.multiply(x, rows: range, where: gate, into: view)
        }
      }
      if let place = marginWritten(found) { return "written \(place)" }
      for token in 0..<tokens {
        for row in 0..<rows where found[token, row].bitPattern != y[token, row].bitPattern {
          if wants(token, row) || found[token, row] != 0 {
            return "token \(token), row \(row): \(found[token, row]) for \(y[token, row])"
          }
        }
      }
    }
    return nil
  }

  /// The last token alone must give what it gave in company.
  private func dependsOnNeighbours(_ y: Matrix<Float>) -> String? {
    guard tokens > 1, x.form == .int8 else { return nil }
    let last = tokens - 1
    let alone = QuantizedRows(capacity: 1, columns: x.columns)
    alone.begin(rows: 1, form: .int8)
    for column in 0..<x.columns { alone.row(0)[column] = x.row(last)[column] }
    alone.scales[0] = x.scales[last]
    alone.sums[0] = x.sums[last]
    let single = Matrix<Float>(rows: 1, columns: rows)
    prepared.multiply(alone, into: single.mutableView)
    for row in 0..<rows where single[0, row].bitPattern != y[last, row].bitPattern {
      return "token \(last), row \(row): alone \(single[0, row]), in company \(y[last, row])"
    }
    return nil
  }
}
