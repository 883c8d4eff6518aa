import TritDrawing
import TritPlugins

/// What the process of the cells is told to do: one line of JSON each.
struct HostCommand: Codable, Sendable {
  var language: CellLanguage
  /// The cell, by its name in the notebook: stages that it had added are removed first.
  var id: String
  /// Names what was compiled; stages of the cell have it as their digest.
  var key: String
  /// The library; empty for an experiment.
  var library = ""
  /// The symbol of the cell's main; empty for C.
  var entry = ""
  /// The text of an experiment.
  var text = ""
  /// The notebook and the line of the cell's first line, for messages and paths.
  var file: String
  var line: Int
  /// Where experiments write their runs.
  var runs = ""
  /// Whether the cell runs again to restore a state.
  var isReplay = false
}

/// What the process of the cells tells: one line of JSON each.
struct HostEvent: Codable, Sendable {
  enum Kind: String, Codable, Sendable {
    /// The process is up.
    case ready
    /// A library lies at these addresses.
    case loaded
    /// A value is shown; the process waits for a line, so that what is printed before and after
    /// stays so.
    case display
    case update
    case result
    /// A value is to be kept.
    case kept
    /// The cell has ended.
    case done
  }

  var kind: Kind
  var data: DisplayData?
  var id: String?
  var kept: KeptValue?
  var place: LoadedLibraries.Place?
  var failure: CellFailure?
  /// The calls that led to a thrown error, the innermost first.
  var frames: [UInt]?
}
