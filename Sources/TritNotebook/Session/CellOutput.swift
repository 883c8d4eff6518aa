public import TritDrawing

/// Where a text was printed.
public enum CellStream: String, Sendable, Codable {
  case stdout
  case stderr
}

/// What a cell gave, in the order in which it gave it.
public enum CellOutput: Sendable, Equatable {
  /// A printed text.
  case stream(CellStream, String)
  /// A value that was shown; one with a name can be replaced later.
  case display(DisplayData, id: String?)
  /// What stands in the place of the value that was shown under a name before.
  case update(DisplayData, id: String)
  /// The value of the cell's last expression.
  case result(DisplayData)
  /// Why the cell failed.
  case failure(CellFailure)
}

/// Why a cell failed.
public struct CellFailure: Error, Sendable, Equatable, Codable {
  /// The kinds of failure, for readers that treat them differently.
  public enum Kind: String, Sendable, Codable {
    /// It did not compile.
    case compile
    /// It threw an error.
    case thrown
    /// It ended the process: a trap, a signal, `exit`, too much memory.
    case crash
    /// It took longer than it may.
    case timeout
    /// The user stopped it.
    case interrupted
  }

  /// The kind.
  public var kind: Kind
  /// A short name, as of the error's type: `LabError`, `CompileError`.
  public var name: String
  /// What happened, where, and what to do: several lines mostly.
  public var message: String
  /// The line of the notebook that it is about, `file:line:column` or `file:line`; nil where none
  /// is known.
  public var place: String?

  /// A failure.
  public init(_ kind: Kind, name: String, message: String, place: String? = nil) {
    self.kind = kind
    self.name = name
    self.message = message
    self.place = place
  }
}
