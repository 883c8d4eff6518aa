import TritAttention
import TritCore
import TritKernels
import TritQuantization

/// Every buffer that a forward pass writes, allocated once for the largest chunk
/// (`WorkspaceLayout`).
final class Workspace {
  /// The sizes.
  let layout: WorkspaceLayout
  /// Tokens of a chunk.
  var tokens: Int { layout.tokens }
  /// Rows of logits computed together.
  var headTokens: Int { layout.headTokens }
  /// Scratch elements of one worker.
  var scratchStride: Int { layout.scratchStride }
  /// Logits `[headTokens, vocabulary]`.
  let logits: Matrix<Float>
  /// Attention scratch, one piece a worker.
  let scratch: AlignedBuffer<Float>
  /// Partial results of attention that is cut over positions, one piece a key head and span.
  let partials: AlignedBuffer<Float>
  private let storage: [AlignedBuffer<Float>]
  private let prepared: AlignedBuffer<Float>
  private let rows: [QuantizedRows]

  init(_ layout: WorkspaceLayout) {
    self.layout = layout
    let tokens = layout.tokens
    storage = layout.pieces.map { AlignedBuffer(count: tokens * $0) }
    prepared = AlignedBuffer(count: tokens * layout.prepared)
    logits = Matrix(rows: layout.headTokens, columns: layout.vocabulary)
    scratch = AlignedBuffer(count: layout.scratchStride * layout.threads)
    partials = AlignedBuffer(count: layout.partials)
    rows = layout.widths.map { QuantizedRows(capacity: tokens, columns: $0) }
  }

  /// All rows of `buffer`.
  func rows(_ buffer: BlockBuffer) -> MutableMatrixView<Float> {
    guard let entry = layout.buffers[buffer] else {
      preconditionFailure("no operation of this model writes \(buffer)")
    }
    return MutableMatrixView(
      base: storage[entry.piece].base, rows: layout.tokens, columns: entry.columns)
  }

  /// All rows of what a layer's own norm or rotation writes, at `columns`.
  func prepared(columns: Int) -> MutableMatrixView<Float> {
    precondition(columns <= layout.prepared, "no layer of this model prepares its input")
    return MutableMatrixView(base: prepared.base, rows: layout.tokens, columns: columns)
  }

  /// The buffer for quantized rows of `width`.
  func quantized(width: Int) -> QuantizedRows {
    for candidate in rows where candidate.columns == width { return candidate }
    preconditionFailure("no layer of this model has \(width) inputs")
  }

  /// Bytes that the layers of `blocks` make the quantized rows take beside their int8 values, once
  /// a chunk of `tokens` has run: float32 rows, and what kernels lay out of their input.
  static func lazyBytes(_ blocks: [Block], _ configuration: ModelConfiguration, tokens: Int) -> Int
  {
    var floats: Set<Int> = []
    var layouts: [Int: Set<String>] = [:]
    var bytes = 0
    for projection in blocks.flatMap(\.projections) {
      guard let width = projection.roles.first?.shape(configuration).columns else { continue }
      for group in projection.groups {
        if group.activations.form == .float32, floats.insert(width).inserted {
          bytes = Size.sum(bytes, Size.product(4, tokens, width))
        }
        for layout in group.layouts
        where layouts[width, default: []].insert(layout.id).inserted {
          bytes = Size.sum(bytes, layout.byteCount(rows: tokens, columns: width))
        }
      }
    }
    return bytes
  }
}
