internal import CTritKernels
package import TritCore

/// A leaf that multiplies panels with a scale for each group of columns.
typealias GroupLeaf = @convention(c) (UnsafePointer<tk_group_product>) -> Void

/// What a leaf of group panels wants of int8 activations: the sum of each token and group, and for
/// dot products of 512 bits tiles, as `ActivationTiles`.
struct GroupSums: InputLayout {
  /// Steps of 16 columns of a group.
  let groupSteps: Int
  /// Whether tiles follow the sums.
  let hasTiles: Bool

  var id: String { "groups\(groupSteps)\(hasTiles ? "vnni12" : "")" }

  func groups(columns: Int) -> Int { ((columns + 15) / 16 + groupSteps - 1) / groupSteps }

  /// Where the tiles begin.
  func tileOffset(rows: Int, columns: Int) -> Int {
    (4 * rows * groups(columns: columns) + 63) / 64 * 64
  }

  func byteCount(rows: Int, columns: Int) -> Int {
    tileOffset(rows: rows, columns: columns)
      + (hasTiles ? ActivationTiles().byteCount(rows: rows, columns: columns) : 0)
  }

  /// One part a tile of tokens.
  func parts(rows: Int, columns: Int) -> Int {
    (rows + Int(TK_TILE_TOKENS) - 1) / Int(TK_TILE_TOKENS)
  }

  func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    guard !range.isEmpty else { return }
    let (rows, columns) = (input.rows, input.columns)
    tk_group_sums(
      input.values.base, input.stride, 16 * groupSteps, groups(columns: columns),
      tk_tile_start(rows, range.lowerBound), tk_tile_start(rows, range.upperBound),
      output.assumingMemoryBound(to: Int32.self))
    if hasTiles, rows > Int(TK_FEW_TOKENS) {
      ActivationTiles().build(
        range, from: input, into: output + tileOffset(rows: rows, columns: columns))
    }
  }
}

/// float32 activations in tiles of at most 12 tokens, `[columns][12]`: one broadcast after the
/// other is read front to back. Up to three tokens are read where they are, or from tables of what
/// pairs of columns add up to.
struct FloatTiles: InputLayout {
  /// Whether few tokens have tables.
  let hasTables: Bool

  private static let stepsOfPart = 32

  var id: String { hasTables ? "floats12pairs" : "floats12" }

  func byteCount(rows: Int, columns: Int) -> Int {
    let few = min(rows, Int(TK_FEW_TOKENS))
    let tables = few * PreparedPanels.steps(columns: columns) * Int(TK_PAIR_BYTES)
    // Nothing is built of few tokens without tables; no memory has no bytes.
    if rows <= few { return hasTables ? tables : 64 }
    // Memory for many tokens serves few ones too.
    let tiles = ActivationTiles.tiles(rows: rows) * columns * Int(TK_TILE_TOKENS) * 4
    return hasTables ? max(tables, tiles) : tiles
  }

  func parts(rows: Int, columns: Int) -> Int {
    guard rows <= Int(TK_FEW_TOKENS) else { return ActivationTiles.tiles(rows: rows) }
    let steps = PreparedPanels.steps(columns: columns)
    return hasTables ? (steps + Self.stepsOfPart - 1) / Self.stepsOfPart : 1
  }

  func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    guard !range.isEmpty else { return }
    let output = output.assumingMemoryBound(to: Float.self)
    guard input.rows <= Int(TK_FEW_TOKENS) else {
      return tk_group_float_tiles(
        input.floats.base, input.columns, input.rows, input.columns, range.lowerBound,
        range.upperBound, output)
    }
    guard hasTables else { return }
    let steps = PreparedPanels.steps(columns: input.columns)
    tk_group_float_tables(
      input.floats.base, input.columns, input.rows, input.columns,
      range.lowerBound * Self.stepsOfPart, min(range.upperBound * Self.stepsOfPart, steps), output)
  }
}

/// Ternary weights with a scale for each group of columns, in panels of 32 rows whose scales stand
/// behind the codes of each group, and the leaf that multiplies them: with int8 activations by
/// exact int32 sums of each group, or with float32 ones.
///
/// Scales take 16 bits where all of them are exact in float16, as those of GGUF files are, else 32.
struct PreparedGroups: KeptLinear {
  let kernel: String
  let rows: Int
  let columns: Int
  let accepts: ActivationForm
  /// Whether the leaf is of 512 bits, which reads tiles of int8 activations, and tables of a few
  /// float32 ones.
  private let isWide: Bool
  private let leaf: GroupLeaf
  private let steps: Int
  private let groupSteps: Int
  private let groups: Int
  private let isHalf: Bool
  private let panelBytes: Int
  private let panels: AlignedBuffer<UInt8>
  /// What an image must say beside the panels: steps of a group, and whether scales take 16 bits.
  private let header: AlignedBuffer<Int32>

  /// Bytes of `header`, by which kept groups are known: panels are never so few.
  static let headerBytes = 8

  /// Lays `matrix` out, whose groups are a multiple of 16 columns. A scale per tensor or row is one
  /// group a row.
  init(
    kernel: String, _ matrix: TernaryMatrix, accepts: ActivationForm, isWide: Bool,
    leaf: @escaping GroupLeaf
  ) {
    self.kernel = kernel
    self.accepts = accepts
    self.isWide = isWide
    self.leaf = leaf
    rows = matrix.rows
    columns = matrix.columns
    steps = (columns + 15) / 16
    if case .group(let size) = matrix.granularity {
      groupSteps = min(size / 16, steps)
    } else {
      groupSteps = steps
    }
    groups = (steps + groupSteps - 1) / groupSteps
    let scales =
      matrix.granularity == .tensor
      ? [Float](repeating: matrix.scales[0], count: matrix.rows) : matrix.scales
    isHalf = scales.allSatisfy { Float(Float16($0)) == $0 }
    panelBytes = steps * 128 + groups * (isHalf ? 64 : 128)
    panels = AlignedBuffer(count: (rows + 31) / 32 * panelBytes, isStreamed: true)
    header = Self.header(groupSteps, isHalf)
    tk_group_pack(
      matrix.trits.base, scales, rows, columns, groupSteps, isHalf ? 1 : 0, panels.base)
  }

  /// The same for float32 activations, of rows that are read a few at a time by the threads of
  /// `pool`. Throws what reading them throws.
  init(
    kernel: String, _ source: TernaryHeadRows, rows: Int, columns: Int, leaf: @escaping GroupLeaf,
    on pool: WorkerPool?
  ) throws {
    self.kernel = kernel
    accepts = .float32
    isWide = false
    self.leaf = leaf
    self.rows = rows
    self.columns = columns
    steps = (columns + 15) / 16
    if let group = source.group {
      groupSteps = min(group / 16, steps)
    } else {
      groupSteps = steps
    }
    groups = (steps + groupSteps - 1) / groupSteps
    isHalf = source.hasHalfScales
    panelBytes = steps * 128 + groups * (isHalf ? 64 : 128)
    panels = AlignedBuffer(count: (rows + 31) / 32 * panelBytes, isStreamed: true)
    header = Self.header(groupSteps, isHalf)
    let (panelBytes, groupSteps, isHalf, panels) = (panelBytes, groupSteps, isHalf, panels)
    @Sendable func pack(_ range: Range<Int>) throws {
      for start in stride(from: range.lowerBound, to: range.upperBound, by: 1024) {
        try Interruption.check()
        let part = start..<min(start + 1024, range.upperBound)
        let matrix = try source.rows(part)
        let scales =
          matrix.granularity == .tensor
          ? [Float](repeating: matrix.scales[0], count: part.count) : matrix.scales
        tk_group_pack(
          matrix.trits.base, scales, part.count, columns, groupSteps, isHalf ? 1 : 0,
          panels.base + start / 32 * panelBytes)
      }
    }
    if let pool {
      try pool.runThrowing(count: rows, alignment: 1024) { range, _ in try pack(range) }
    } else {
      try pack(0..<rows)
    }
  }

  /// The same from what was kept of such a layer. Throws `badData` where it was another one.
  init(
    kernel: String, rows: Int, columns: Int, accepts: ActivationForm, isWide: Bool,
    leaf: @escaping GroupLeaf, from memory: inout KeptMemory
  ) throws {
    self.kernel = kernel
    self.accepts = accepts
    self.isWide = isWide
    self.leaf = leaf
    self.rows = rows
    self.columns = columns
    steps = (columns + 15) / 16
    header = try memory.next(2)
    guard (1...max(steps, 1)).contains(Int(header[0])), (0...1).contains(header[1]) else {
      throw LabError(
        .badData, "a section of the image says what no group is",
        expected: "1…\(steps) steps of 16 columns, scales of 16 or 32 bits",
        got: "\(header[0]) steps, \(header[1])")
    }
    groupSteps = Int(header[0])
    isHalf = header[1] == 1
    groups = (steps + groupSteps - 1) / groupSteps
    panelBytes = steps * 128 + groups * (isHalf ? 64 : 128)
    panels = try memory.next((rows + 31) / 32 * panelBytes)
  }

  private static func header(_ groupSteps: Int, _ isHalf: Bool) -> AlignedBuffer<Int32> {
    AlignedBuffer([Int32(groupSteps), isHalf ? 1 : 0])
  }

  var memory: [any RawMemory] { [header, panels] }
  var weightBytes: Int { panels.count }
  var arithmetic: ProductArithmetic { accepts == .int8 ? .int8 : .float32 }
  var rowAlignment: Int { 32 }
  private var sums: GroupSums { GroupSums(groupSteps: groupSteps, hasTiles: isWide) }
  private var floatTiles: FloatTiles { FloatTiles(hasTables: isWide) }
  var inputLayout: (any InputLayout)? { accepts == .int8 ? sums : floatTiles }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    guard !range.isEmpty, x.rows > 0 else { return }
    var product = tk_group_product(
      panels: panels.base + range.lowerBound / 32 * panelBytes,
      panels_end: panels.base + panels.count, panel_bytes: panelBytes, steps: steps,
      group_steps: groupSteps, groups: groups, half_scales: isHalf ? 1 : 0, rows: range.count,
      tokens: x.rows, values: nil, stride: x.columns, tiles: nil, group_sums: nil,
      token_scales: nil, floats: nil, float_tiles: nil, columns: columns,
      y: y.base + range.lowerBound,
      y_stride: y.stride)
    if accepts == .int8 {
      let built = x.built(sums)
      product.group_sums = built.assumingMemoryBound(to: Int32.self)
      product.values = UnsafePointer(x.values.base)
      product.stride = x.stride
      product.token_scales = UnsafePointer(x.scales.base)
      if isWide, x.rows > Int(TK_FEW_TOKENS) {
        product.tiles = (built + sums.tileOffset(rows: x.rows, columns: columns))
          .assumingMemoryBound(to: Int32.self)
      }
    } else {
      product.floats = UnsafePointer(x.floats.base)
      if isWide || x.rows > Int(TK_FEW_TOKENS) {
        product.float_tiles = x.built(floatTiles).assumingMemoryBound(to: Float.self)
      }
    }
    leaf(&product)
  }

  /// The same of float32 rows, with their tiles where there are more than TK_FEW_TOKENS.
  func multiply(
    _ x: MatrixView<Float>, tiles: UnsafePointer<Float>?, rows range: Range<Int>,
    into y: MutableMatrixView<Float>
  ) {
    guard !range.isEmpty, x.rows > 0 else { return }
    var product = tk_group_product(
      panels: panels.base + range.lowerBound / 32 * panelBytes,
      panels_end: panels.base + panels.count, panel_bytes: panelBytes, steps: steps,
      group_steps: groupSteps, groups: groups, half_scales: isHalf ? 1 : 0, rows: range.count,
      tokens: x.rows, values: nil, stride: x.stride, tiles: nil, group_sums: nil,
      token_scales: nil, floats: UnsafePointer(x.base), float_tiles: tiles, columns: columns,
      y: y.base + range.lowerBound, y_stride: y.stride)
    leaf(&product)
  }

  /// There is no single integer sum a row.
  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool { false }
}

extension I2SKernel.InstructionSet {
  /// This set's leaf for scales per group: this machine's, or a call of the leaf runner.
  var groupLeaf: GroupLeaf {
    if LeafRunner.shared != nil {
      return self == .neon ? Self.remoteGroupNEON : Self.remoteGroupDotProduct
    }
    switch self {
    #if arch(x86_64)
      case .avx512vnni: return tk_group_avx512vnni
      case .avxvnni: return tk_group_avxvnni
      case .avx2: return tk_group_avx2
    #elseif arch(arm64)
      case .neonDotProduct: return tk_group_neon_dotprod
      case .neon: return tk_group_neon
    #endif
    default: preconditionFailure("no leaf \(rawValue) on this architecture")
    }
  }

  private static let remoteGroupNEON: GroupLeaf = {
    GroupLeaves.runRemotely(TK_LEAF_GROUP_NEON, $0.pointee)
  }
  private static let remoteGroupDotProduct: GroupLeaf = {
    GroupLeaves.runRemotely(TK_LEAF_GROUP_NEON_DOTPROD, $0.pointee)
  }
}

/// Calls of the leaf runner.
enum GroupLeaves {
  static func runRemotely(_ leaf: tk_leaf, _ product: tk_group_product) {
    let panels = (product.rows + 31) / 32
    let tiles = ActivationTiles.tiles(rows: product.tokens)
    Leaves.remotely(
      leaf,
      [
        .input(product.panels, panels * product.panel_bytes), .count(product.panel_bytes),
        .count(product.steps), .count(product.group_steps), .count(product.groups),
        .count(product.half_scales), .count(product.rows), .count(product.tokens),
        .input(product.values, product.values == nil ? 0 : product.tokens * product.stride),
        .count(product.stride), .input(product.group_sums, product.tokens * product.groups),
        .input(product.token_scales, product.tokens),
        .input(product.floats, product.floats == nil ? 0 : product.tokens * product.stride),
        .input(product.float_tiles, product.float_tiles == nil ? 0 : tiles * 12 * product.columns),
        .count(product.columns),
        .output(product.y, rows: product.tokens, product.rows, stride: product.y_stride),
        .count(product.y_stride),
      ])
  }
}
