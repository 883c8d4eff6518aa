/// What the cell that runs must know of its notebook.
struct CellContext: Sendable {
  /// The notebook's folder, which paths are relative to; empty for the working directory.
  var folder = ""
  /// Where experiments write their runs.
  var runs = "runs"
  /// Whether the cell runs again to restore a state: what it shows is dropped.
  var isReplay = false

  nonisolated(unsafe) static var current = CellContext()
}

/// Whether this cell runs again only to restore the state that a crash has taken: long measurements
/// can be left out.
public var isReplay: Bool { CellContext.current.isReplay }
