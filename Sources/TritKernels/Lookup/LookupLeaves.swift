internal import CTritKernels
import TritCore

/// The NEON leaves of TL1 and TL2: this machine's, or calls of the leaf runner. Layers of other
/// forms never ask for them.
enum LookupLeaves {
  /// `tk_tl1_neon`.
  typealias Pairs =
    @convention(c) (
      _ codes: UnsafePointer<UInt8>?, _ tileStride: Int, _ tiles: Int, _ groups: Int, _ rows: Int,
      _ tables: UnsafePointer<UInt8>?, _ sums: UnsafeMutablePointer<Int32>?
    ) -> Void

  /// `tk_tl2_neon`.
  typealias Triples =
    @convention(c) (
      _ index: UnsafePointer<UInt8>?, _ indexStride: Int, _ signs: UnsafePointer<UInt8>?,
      _ signStride: Int, _ tiles: Int, _ triples: Int, _ tables: UnsafePointer<UInt8>?,
      _ pairs: UnsafePointer<UInt8>?, _ pairStride: Int, _ pairTiles: Int,
      _ pairTables: UnsafePointer<UInt8>?, _ sums: UnsafeMutablePointer<Int32>?
    ) -> Void

  static let pairs: Pairs = LeafRunner.shared == nil ? ownPairs : remotePairs
  static let triples: Triples = LeafRunner.shared == nil ? ownTriples : remoteTriples

  #if arch(arm64)
    private static let ownPairs: Pairs = tk_tl1_neon
    private static let ownTriples: Triples = tk_tl2_neon
  #else
    private static let ownPairs: Pairs = { _, _, _, _, _, _, _ in
      preconditionFailure("no NEON on this architecture")
    }
    private static let ownTriples: Triples = { _, _, _, _, _, _, _, _, _, _, _, _ in
      preconditionFailure("no NEON on this architecture")
    }
  #endif

  /// Two columns a table: half as many tables of 32 bytes as columns, of which a group of 64 bytes
  /// of codes holds what 64 · 4 / rows columns need.
  private static let remotePairs: Pairs = { codes, tileStride, tiles, groups, rows, tables, sums in
    let columns = tiles * groups * (256 / max(rows, 1))
    Leaves.remotely(
      TK_LEAF_TL1_NEON,
      [
        .input(codes, rows: tiles, groups * 64, stride: tileStride), .count(tileStride),
        .count(tiles), .count(groups), .count(rows), .input(tables, columns / 2 * 32),
        .output(sums, rows),
      ])
  }

  private static let remoteTriples: Triples = {
    index, indexStride, signs, signStride, tiles, triples, tables, pairs, pairStride, pairTiles,
    pairTables, sums in
    Leaves.remotely(
      TK_LEAF_TL2_NEON,
      [
        .input(index, rows: tiles, triples / 2 * 32, stride: indexStride), .count(indexStride),
        .input(signs, rows: tiles, triples / 8 * 32, stride: signStride), .count(signStride),
        .count(tiles), .count(triples), .input(tables, tiles * triples * 32),
        .input(pairs, rows: pairTiles, 8 * 32, stride: pairStride), .count(pairStride),
        .count(pairTiles), .input(pairTables, pairTiles * 16 * 32),
        .output(sums, TL2Tiling.innerRows),
      ])
  }
}
