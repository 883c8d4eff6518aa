public import TritCore

/// Checks the laws of a packing on `shapes`, for trits and integers with every granularity of
/// scales:
///
/// 1. what `check` refuses, `pack` refuses, with a `LabError` that says why; some shape is legal;
/// 2. `pack` gives `byteCount` bytes, and `unpack` gives back every value, and every scale as
///    stored;
/// 3. `read` of the bytes gives the same weights; packing them again gives the same bytes;
/// 4. bytes that are too few, too many, or random are an error or legal weights, never a trap.
///
/// Returns what was broken; empty means that all laws hold. Deterministic.
public func checkPacking(
  _ packing: any Packing, shapes: [WeightShape] = WeightShape.awkward
) -> [LawViolation] {
  var checker = PackingChecker(packing: packing)
  for shape in shapes {
    for form in ProductSample.Form.all { checker.check(shape, form) }
  }
  if checker.legal == 0 {
    checker.broken("a packing takes some shape", "refused all of \(shapes.count) shapes")
  }
  return checker.violations
}

private struct PackingChecker {
  let packing: any Packing
  var violations: [LawViolation] = []
  var legal = 0

  mutating func broken(_ law: String, _ evidence: String) {
    violations.append(LawViolation(law, "packing '\(packing.name)': \(evidence)"))
  }

  mutating func check(_ shape: WeightShape, _ form: ProductSample.Form) {
    let evidence = "\(shape), \(form)"
    let packing = packing
    let isLegal = explained(evidence) {
      try packing.check(rows: shape.rows, columns: shape.columns, granularity: form.granularity)
    }
    var isTried = false
    for fill in ProductSample.Fill.allCases {
      let weights = ProductSample.weights(
        shape, form, fill, seed: UInt64(shape.rows * 100_003 + shape.columns))
      var packed: PackedMatrix?
      let couldPack = explained(evidence) { packed = try packing.pack(weights) }
      if couldPack, !isLegal {
        broken("what check refuses, pack refuses", evidence)
      }
      // A packing may lack a code for some of these weights (Q1_0 has none for zero), and take
      // others.
      guard let packed else { continue }
      legal += 1
      roundTrip(weights, packed, "\(evidence), \(fill.rawValue)")
      if fill == .random || !isTried { hostile(packed, evidence) }
      isTried = true
    }
  }

  /// Runs `body`; false if it threw, which must be a `LabError` with text.
  mutating func explained(_ evidence: String, _ body: () throws -> Void) -> Bool {
    do {
      try body()
      return true
    } catch let error as LabError {
      if error.what.isEmpty || error.kind == .internalError {
        broken("a refusal says why", "\(evidence): \(error)")
      }
    } catch {
      broken("a refusal is a LabError", "\(evidence): \(error)")
    }
    return false
  }

  mutating func roundTrip(_ weights: QuantizedWeights, _ packed: PackedMatrix, _ evidence: String) {
    let count = packing.byteCount(rows: weights.rows, columns: weights.columns)
    if packed.bytes.count != count {
      broken("pack gives byteCount bytes", "\(evidence): \(packed.bytes.count) of \(count)")
    }
    if packed.packing != packing.name || packed.rows != weights.rows
      || packed.columns != weights.columns
    {
      broken("the packed matrix has the packing's name and the weights' shape", evidence)
    }
    do {
      let back = try packing.unpack(packed)
      let isZero = back.integers?.values.buffer.allSatisfy { $0 == 0 } ?? false
      if packing.isZero(packed) != isZero {
        broken("isZero says whether all values are zero", "\(evidence): \(packing.isZero(packed))")
      }
      if let difference = difference(weights, back) {
        broken("unpack(pack(w)) is w", "\(evidence): \(difference)")
      }
      let again = try packing.pack(back)
      let isSame = again.bytes.span.withUnsafeBufferPointer { again in
        packed.bytes.span.withUnsafeBufferPointer { again.elementsEqual($0) }
      }
      if !isSame {
        broken("packing what was unpacked gives the same bytes", evidence)
      }
      let read = try packing.read(
        packed.bytes.rawBuffer, rows: packed.rows, columns: packed.columns, scales: packed.scales)
      if let difference = difference(back, try packing.unpack(read), stored: true) {
        broken("read gives what pack wrote", "\(evidence): \(difference)")
      }
    } catch {
      broken("legal weights can be unpacked, packed again and read", "\(evidence): \(error)")
    }
  }

  /// The first place where values or scales differ, nil if nowhere. Scales may have become finer.
  func difference(
    _ expected: QuantizedWeights, _ found: QuantizedWeights, stored: Bool = false
  ) -> String? {
    guard let a = expected.integers, let b = found.integers else { return "other form" }
    guard a.rows == b.rows, a.columns == b.columns else { return "other shape" }
    for row in 0..<a.rows {
      for column in 0..<a.columns {
        let index = row * a.columns + column
        if a.values.base[index] != b.values.base[index] {
          return
            "value \(b.values.base[index]) for \(a.values.base[index]) at [\(row), \(column)]"
        }
        guard column % 32 == 0 else { continue }
        let scale = a.scales[
          a.granularity.scaleIndex(row: row, column: column, columns: a.columns)]
        let kept = stored ? scale : packing.storedScale(scale)
        let got = b.scales[
          b.granularity.scaleIndex(row: row, column: column, columns: a.columns)]
        if kept != got { return "scale \(got) for \(kept) at [\(row), \(column)]" }
      }
    }
    return nil
  }

  mutating func hostile(_ packed: PackedMatrix, _ evidence: String) {
    let bytes = packed.bytes.rawBuffer
    for count in Set([0, 1, bytes.count - 1]) where count < bytes.count {
      let short = UnsafeRawBufferPointer(rebasing: bytes[..<count])
      if refusal(short, packed, evidence) == nil {
        broken("too few bytes are an error", "\(evidence): \(count) of \(bytes.count)")
      }
    }
    let long = AlignedBuffer<UInt8>(count: bytes.count + 32)
    if refusal(long, packed, evidence) == nil {
      broken("too many bytes are an error", evidence)
    }
    var random = SeededRandom(seed: UInt64(bytes.count))
    let noise = AlignedBuffer<UInt8>(count: bytes.count)
    for index in 0..<noise.count { noise.base[index] = UInt8(truncatingIfNeeded: random.next()) }
    _ = refusal(noise, packed, evidence)
    for index in 0..<noise.count { noise.base[index] = 0xFF }
    _ = refusal(noise, packed, evidence)
  }

  private mutating func refusal(
    _ bytes: AlignedBuffer<UInt8>, _ packed: PackedMatrix, _ evidence: String
  ) -> LabError? {
    bytes.span.bytes.withUnsafeBytes { refusal($0, packed, evidence) }
  }

  /// The error that `read` gives; where it takes the bytes, what it made of them must be sound.
  mutating func refusal(
    _ bytes: UnsafeRawBufferPointer, _ packed: PackedMatrix, _ evidence: String
  ) -> LabError? {
    do {
      let read = try packing.read(
        bytes, rows: packed.rows, columns: packed.columns, scales: packed.scales)
      let weights = try packing.unpack(read)
      if case .ternary(let matrix) = weights, matrix.firstIllegalTrit != nil {
        broken("read bytes are legal weights or an error", evidence)
      }
      if case .integer(let matrix) = weights {
        let limit = 1 << (matrix.bits - 1)
        if matrix.values.buffer.contains(where: { Int($0) < -limit || Int($0) >= limit }) {
          broken("read bytes are legal weights or an error", evidence)
        }
      }
      return nil
    } catch let error as LabError {
      return error
    } catch {
      broken("a refusal is a LabError", "\(evidence): \(error)")
      return LabError(.internalError, "\(error)")
    }
  }
}
