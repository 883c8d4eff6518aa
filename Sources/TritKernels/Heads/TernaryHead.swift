internal import CTritKernels
package import TritCore

/// Rows of a head as trits, where the file has them so: what `exact` keeps them as.
package struct TernaryHeadRows: Sendable {
  /// Whether every scale is exact in float16, as those of block formats are.
  let hasHalfScales: Bool
  /// Columns that share a scale; nil where a row has one.
  let group: Int?
  private let read: @Sendable (Range<Int>) throws -> TernaryMatrix

  /// Rows that `read` gives as trits, scales as `group` says: per group of so many columns, or one
  /// a tensor or row. It may be called from several threads at once.
  package init(
    group: Int?, hasHalfScales: Bool,
    read: @escaping @Sendable (Range<Int>) throws -> TernaryMatrix
  ) {
    self.group = group
    self.hasHalfScales = hasHalfScales
    self.read = read
  }

  /// The rows in `range`.
  func rows(_ range: Range<Int>) throws -> TernaryMatrix { try read(range) }
}

/// An output head of ternary weights in group panels, multiplied with float32 hidden states: the
/// bytes of the file, not sixteen bits a weight.
struct PreparedTernaryHead: KeptHead {
  let kernel: String
  private let layer: PreparedGroups
  private let leaf: GroupLeaf

  /// The fastest float kernel of ternary weights here; nil where there is none, or groups do not
  /// fit it.
  init?(_ source: TernaryHeadRows, rows: Int, columns: Int, on pool: WorkerPool?) throws {
    guard let set = Self.fastest, source.group.map({ $0.isMultiple(of: 16) }) ?? true else {
      return nil
    }
    kernel = Self.name(set)
    leaf = set.leaf
    layer = try PreparedGroups(
      kernel: kernel, source, rows: rows, columns: columns, leaf: set.leaf, on: pool)
  }

  /// The same from what was kept of such a head. Throws `badData` where it was another one.
  init(rows: Int, columns: Int, from memory: inout KeptMemory) throws {
    guard let set = Self.fastest else {
      throw LabError(.badData, "the image holds a head that no kernel here multiplies")
    }
    kernel = Self.name(set)
    leaf = set.leaf
    layer = try PreparedGroups(
      kernel: kernel, rows: rows, columns: columns, accepts: .float32, isWide: false,
      leaf: set.leaf, from: &memory)
  }

  private static var fastest: TernaryFloatKernel.InstructionSet? {
    TernaryFloatKernel.InstructionSet.allCases.first { $0.features.missingHere.isEmpty }
  }

  private static func name(_ set: TernaryFloatKernel.InstructionSet) -> String {
    "exact/\(TernaryFloatKernel(set).name)"
  }

  var keptForm: KeptHeadForm { .ternary }

  var rows: Int { layer.rows }
  var columns: Int { layer.columns }
  var weightBytes: Int { layer.weightBytes }
  var memory: [any RawMemory] { layer.memory }
  var rowAlignment: Int { layer.rowAlignment }

  func multiply(
    _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>
  ) {
    // Few tokens are read where they are; of more, each call makes its tiles.
    guard x.rows > Int(TK_FEW_TOKENS) else {
      return layer.multiply(x, tiles: nil, rows: range, into: logits)
    }
    let tiles = (x.rows + Int(TK_TILE_TOKENS) - 1) / Int(TK_TILE_TOKENS)
    withUnsafeTemporaryAllocation(
      byteCount: tiles * columns * Int(TK_TILE_TOKENS) * 4, alignment: 64
    ) { memory in
      guard let base = memory.baseAddress?.assumingMemoryBound(to: Float.self) else { return }
      tk_group_float_tiles(x.base, x.stride, x.rows, columns, 0, tiles, base)
      layer.multiply(x, tiles: base, rows: range, into: logits)
    }
  }
}
