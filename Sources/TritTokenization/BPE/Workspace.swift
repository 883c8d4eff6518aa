import Synchronization

/// What one running encode needs for itself: the merge queue and a cache of pieces already encoded.
///
/// `@unchecked Sendable`: a workspace is lent to one encode at a time by `WorkspacePool` and is
/// never reachable from two threads.
final class Workspace: @unchecked Sendable {
  var queue = MergeQueue()
  private var pieces = ByteStringTable(capacity: 1 << 12)
  private var idStarts: [Int32] = [0]
  private var ids: [Int32] = []

  /// Longest piece worth remembering; longer ones hardly ever come again.
  static let longestCached = 64
  private static let mostCached = 1 << 17

  /// Appends the remembered ids of `piece`; false where it is not remembered.
  @inline(__always)
  func recall(_ piece: UnsafeBufferPointer<UInt8>, into output: inout [Int]) -> Bool {
    guard piece.count <= Self.longestCached else { return false }
    let index = pieces.find(piece)
    guard index >= 0 else { return false }
    for i in Int(idStarts[index])..<Int(idStarts[index + 1]) { output.append(Int(ids[i])) }
    return true
  }

  /// Remembers that `piece` became `tokens`.
  func remember(_ piece: UnsafeBufferPointer<UInt8>, _ tokens: ArraySlice<Int>) {
    guard piece.count <= Self.longestCached else { return }
    if pieces.count >= Self.mostCached {
      pieces.removeAll()
      idStarts.removeSubrange(1...)
      ids.removeAll(keepingCapacity: true)
    }
    guard pieces.insert(piece).isNew else { return }
    for token in tokens { ids.append(Int32(truncatingIfNeeded: token)) }
    idStarts.append(Int32(truncatingIfNeeded: ids.count))
  }
}

/// Lends workspaces to encodes, so that caches survive a call and threads never share one.
final class WorkspacePool: Sendable {
  private let idle = Mutex<[Workspace]>([])

  /// Runs `body` with a workspace of its own.
  func withWorkspace(_ body: (Workspace) throws -> Void) rethrows {
    let workspace = idle.withLock { $0.popLast() } ?? Workspace()
    defer { idle.withLock { $0.append(workspace) } }
    try body(workspace)
  }
}
