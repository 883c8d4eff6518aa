public import TritCore

/// The narrowest form that holds every weight exactly: trits where the file has them, else f16,
/// bf16 or f32. Half the bytes where the checkpoint stored its head in 16 bits, an eighth of those
/// where it is ternary.
public struct ExactHead: OutputHead {
  /// The registered name.
  public let name = "exact"

  /// The head; it has no parameters.
  public init() {}

  /// Looks at the weights `[vocabulary, hidden]` until one does not survive narrowing, and lays
  /// them out in the first format in which all do.
  public func prepare(_ weights: MatrixView<Float>) throws -> any PreparedHead {
    try prepare(weights.source(), on: nil)
  }

  /// The same, row by row: a format is given up at the first weight that it does not hold.
  public func prepare(_ source: HeadRows, on pool: WorkerPool?) throws -> any PreparedHead {
    if let ternary = source.ternary,
      let head = try PreparedTernaryHead(
        ternary, rows: source.rows, columns: source.columns, on: pool)
    {
      return head
    }
    for format in [HalfHead.Format.f16, .bf16] {
      let head = PreparedHalfHead(format: format, rows: source.rows, columns: source.columns)
      do {
        try source.forEach(on: pool) { first, weights in
          try HeadWeights.check(weights, head: name, firstRow: first)
          guard Self.holds(weights, in: format) else { throw Inexact() }
          head.encode(weights, firstRow: first)
        }
        return head
      } catch is Inexact { continue }
    }
    return try Float32Head().prepare(source, on: pool)
  }

  /// The first 16-bit format that holds every weight exactly, if one does.
  static func format(of source: HeadRows, head: String, on pool: WorkerPool?) throws
    -> HalfHead.Format?
  {
    for format in [HalfHead.Format.f16, .bf16] {
      do {
        try source.forEach(on: pool) { first, weights in
          try HeadWeights.check(weights, head: head, firstRow: first)
          guard holds(weights, in: format) else { throw Inexact() }
        }
        return format
      } catch is Inexact { continue }
    }
    return nil
  }

  /// The same of a matrix.
  package static func format(of weights: Matrix<Float>) throws -> HalfHead.Format? {
    try weights.span.withUnsafeView {
      try format(of: $0.source(), head: "exact", on: nil)
    }
  }

  /// A weight does not survive narrowing.
  private struct Inexact: Error {}

  /// Whether narrowing and widening gives back every bit.
  static func holds(_ weights: MatrixView<Float>, in format: HalfHead.Format) -> Bool {
    let narrow = AlignedBuffer<UInt16>(count: weights.columns)
    let wide = AlignedBuffer<Float>(count: weights.columns)
    return withExtendedLifetime((narrow, wide)) {
      (0..<weights.rows).allSatisfy { row in
        let source = weights.base + row * weights.stride
        switch format {
        case .f16:
          VectorMath.narrow(source, toFloat16: narrow.base, count: weights.columns)
          VectorMath.widen(float16: narrow.base, into: wide.base, count: weights.columns)
        case .bf16:
          VectorMath.narrow(source, toBFloat16: narrow.base, count: weights.columns)
          VectorMath.widen(bfloat16: narrow.base, into: wide.base, count: weights.columns)
        }
        return (0..<weights.columns).allSatisfy { source[$0] == wide.base[$0] }
      }
    }
  }
}
