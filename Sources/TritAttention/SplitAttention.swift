public import TritCore

/// Attention of which one query can be cut over positions, so that a few key heads occupy many
/// threads.
///
/// Positions are cut into spans by their number alone, never by how many threads there are. Partial
/// results are folded in order of the spans; the law (`checkAttention`): what comes out is, bit for
/// bit, what `attend` gives.
public protocol SplitAttention: Attention {
  /// The spans of which a query at `position` sees anything.
  func spans(position: Int) -> Range<Int>
  /// Float32 elements of the partial result of one key head that `group` query heads share.
  func partialCount(group: Int, headDimension: Int) -> Int
  /// Computes the partial result of span `span` and key head `keyHead` for one query row
  /// `[1, heads · d]` at `context.firstPosition`.
  func attend(
    _ query: MatrixView<Float>, context: AttentionContext, cache: any KVCache, keyHead: Int,
    span: Int, scratch: UnsafeMutablePointer<Float>, into partial: UnsafeMutablePointer<Float>)
  /// Folds `count` partial results of one key head, in order of their spans, into the first one,
  /// and writes the group's outputs `[group, d]`.
  func fold(
    _ partials: UnsafeMutablePointer<Float>, count: Int, group: Int, headDimension: Int,
    into output: UnsafeMutablePointer<Float>)
}
