import TritCore

extension TernaryTensors {
  /// The groups of columns that are looked for, the widest first: those of TQ1_0 and TQ2_0, of
  /// PQ2_0, PTQ1_0 and Q1_0, and of Q2_0.
  private static let groups = [256, 128, 64]

  /// The trits of `matrix` if all its values are −s, 0 and +s for one s of the tensor, of each row,
  /// or of each group of 256, 128 or 64 columns: what converters write for ternary models into
  /// float files. The coarsest that holds exactly is taken; a row or group of zeros has the scale
  /// 0. Nil where none holds, and for zeros alone.
  package static func exact(_ matrix: Matrix<Float>) -> TernaryMatrix? {
    let (rows, columns) = (matrix.rows, matrix.columns)
    guard rows > 0, columns > 0 else { return nil }
    let candidates: [ScaleGranularity] =
      [.tensor, .row] + groups.filter { $0 < columns }.map { .group($0) }
    for granularity in candidates {
      guard let scales = scales(matrix, granularity) else { continue }
      guard scales.contains(where: { $0 > 0 }) else { return nil }
      let values = matrix.storage.base
      let trits = AlignedBuffer<Int8>(count: rows * columns)
      for index in 0..<trits.count {
        trits.base[index] = values[index] > 0 ? 1 : values[index] < 0 ? -1 : 0
      }
      return TernaryMatrix(
        rows: rows, columns: columns, trits: trits, scales: scales, granularity: granularity)
    }
    return nil
  }

  /// The scale of every part of `matrix`; nil at the first part with two magnitudes, or a value
  /// that is not finite.
  private static func scales(_ matrix: Matrix<Float>, _ granularity: ScaleGranularity) -> [Float]? {
    let span =
      granularity == .tensor
      ? matrix.rows * matrix.columns : granularity.span(columns: matrix.columns)
    let rowEnd = granularity == .tensor ? span : matrix.columns
    var scales: [Float] = []
    scales.reserveCapacity(
      granularity.scaleCount(rows: matrix.rows, columns: matrix.columns))
    for row in 0..<(granularity == .tensor ? 1 : matrix.rows) {
      let values = matrix.storage.base + row * matrix.columns
      var start = 0
      while start < rowEnd {
        let end = min(start + span, rowEnd)
        var scale: Float = 0
        for index in start..<end where values[index] != 0 {
          let magnitude = values[index].magnitude
          if scale == 0 { scale = magnitude }
          if magnitude != scale { return nil }
        }
        guard scale.isFinite else { return nil }
        scales.append(scale)
        start = end
      }
    }
    return scales
  }
}
