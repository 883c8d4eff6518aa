public import TritCore

/// A kernel that multiplies the bytes of a packing as they lie in a file, so that they need not be
/// unpacked to a byte a trit and packed again.
///
/// It is worth stating where the layouts are equal, and only there. Of the lab's kernels those are
/// the scalar ones of `i2_s`, `tq1_0`, `tq2_0`, `base3`, `int8` and `int4`, and the scalar, AVX2
/// and NEON ones of `tl1` and `tl2`. The SIMD kernels of `i2_s` and `base3`, the sparse ones and
/// the 512-bit look-ups have panels instead: runs of 32 or 64 rows that lie side by side, step by
/// step, so that a core reads one stream whatever the shape is. No file has that order, hence these
/// kernels prepare their panels from trits once, and the image cache keeps them for the next start.
///
/// Law (`checkLinearKernel`, for the lab's own packings): an adopted layer computes what the kernel
/// gives for the same weights.
public protocol AdoptingKernel: LinearKernel {
  /// The packing whose bytes it multiplies; nil where this form of the kernel has a layout of its
  /// own.
  var adopts: String? { get }
  /// A layer over `packed`, bytes of `adopts` that its packing has made or read, and so has
  /// checked. Throws an error that says why where `prepare` would refuse such weights too.
  func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear
}

extension LinearKernel {
  /// The layer over `packed` where the kernel adopts such bytes, and multiplies activations of
  /// `form`; else nil.
  public func adopted(_ packed: PackedMatrix, for form: ActivationForm) -> (any PreparedLinear)? {
    guard let kernel = self as? any AdoptingKernel, kernel.adopts == packed.packing,
      forms.contains(form)
    else { return nil }
    // What it refuses, `prepare` refuses in the words of trits.
    return try? kernel.adopt(packed)
  }

  /// That `packed` is of `packing` and has its length, and that its sums fit int32. Throws
  /// `internalError` for bytes of another packing, `usage` for rows that are too long.
  func checkAdopted(_ packed: PackedMatrix, _ packing: some Packing, greatest: Int = 2) throws {
    try packing.checkOwn(packed)
    try checkSums(columns: packed.columns, greatest: greatest)
  }

  /// The layer that `codec` makes of packed bytes.
  func scalarLinear<Codec: RowCodec>(_ packed: PackedMatrix, _ codec: Codec) throws
    -> any PreparedLinear
  {
    try scalarLinear(
      rows: packed.rows, columns: packed.columns, scales: packed.scales,
      granularity: packed.granularity, codec)
  }
}

extension PackedMatrix {
  /// The same bytes with other scales beside them.
  package func with(scales: [Float], _ granularity: ScaleGranularity) -> PackedMatrix {
    PackedMatrix(
      packing: packing, rows: rows, columns: columns, bytes: bytes, scales: scales,
      granularity: granularity)
  }

  /// The same matrix with one scale where the packing has written it more often than it was given:
  /// for the tensor, for each row, or for groups of up to 256 columns.
  package var collapsed: PackedMatrix {
    guard let coarse = Self.collapsed(scales, granularity, rows: rows) else { return self }
    return with(scales: coarse.scales, coarse.granularity)
  }

  /// One scale for the tensor where all are equal, else one a row where those of each row are, else
  /// groups of twice or four times as many columns, up to 256, where those of neighbours are; nil
  /// where none says less than `scales`.
  package static func collapsed(_ scales: [Float], _ granularity: ScaleGranularity, rows: Int) -> (
    scales: [Float], granularity: ScaleGranularity
  )? {
    guard granularity != .tensor, let first = scales.first else { return nil }
    if scales.allSatisfy({ $0 == first }) { return ([first], .tensor) }
    guard case .group = granularity, rows > 0, scales.count.isMultiple(of: rows) else { return nil }
    let groups = scales.count / rows
    let starts = stride(from: 0, to: scales.count, by: groups)
    guard
      starts.allSatisfy({ start in
        scales[start..<start + groups].allSatisfy { $0 == scales[start] }
      })
    else { return widened(scales, granularity, groups: groups) }
    return (starts.map { scales[$0] }, .row)
  }

  private static func widened(_ scales: [Float], _ granularity: ScaleGranularity, groups: Int) -> (
    scales: [Float], granularity: ScaleGranularity
  )? {
    guard case .group(var size) = granularity else { return nil }
    var (scales, groups, isWider) = (scales, groups, false)
    while size <= 128, groups.isMultiple(of: 2),
      stride(from: 0, to: scales.count, by: 2).allSatisfy({ scales[$0] == scales[$0 + 1] })
    {
      scales = stride(from: 0, to: scales.count, by: 2).map { scales[$0] }
      (size, groups, isWider) = (2 * size, groups / 2, true)
    }
    return isWider ? (scales, .group(size)) : nil
  }
}

extension QuantizedWeights {
  /// Collapsed like `PackedMatrix.collapsed`.
  package var collapsed: QuantizedWeights {
    switch self {
    case .dense: return self
    case .ternary(let matrix):
      guard
        let coarse = PackedMatrix.collapsed(matrix.scales, matrix.granularity, rows: matrix.rows)
      else { return self }
      return .ternary(
        TernaryMatrix(
          rows: matrix.rows, columns: matrix.columns, trits: matrix.trits, scales: coarse.scales,
          granularity: coarse.granularity))
    case .integer(let matrix):
      guard
        let coarse = PackedMatrix.collapsed(matrix.scales, matrix.granularity, rows: matrix.rows)
      else { return self }
      return .integer(
        IntegerMatrix(
          rows: matrix.rows, columns: matrix.columns, bits: matrix.bits, values: matrix.values,
          scales: coarse.scales, granularity: coarse.granularity))
    }
  }
}
