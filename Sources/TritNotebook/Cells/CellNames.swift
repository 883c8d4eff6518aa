import Foundation
import Synchronization

/// Where the text of each cell stands now. Cells are compiled under names of their own
/// (`cell-KEY.swift`, module `Cell_KEY`), so that a cell that moves in its file need not be
/// compiled again; whatever reaches a person has the file and line instead.
final class CellNames: Sendable {
  /// A cell's place.
  struct Place: Sendable {
    var file: String
    /// The line of its first line.
    var line: Int
  }

  private let places = Mutex<[String: Place]>([:])

  /// What the compiler counts a cell's first line as: what stands around the cell has a line before
  /// it.
  static let firstLine = 2

  /// Characters of a key.
  static let length = 16

  /// What a cell's text is called by the compiler.
  static func file(_ key: String, _ language: CellLanguage) -> String {
    "cell-\(key).\(language == .c ? "c" : "swift")"
  }

  /// What its module is called.
  static func module(_ key: String) -> String { "Cell_\(key)" }

  /// The module that exports what its guards bind, each under its own name.
  static func keptModule(_ key: String) -> String { module(key) + "_kept" }

  /// What the cell's own module calls such a value.
  static func kept(_ name: String) -> String { "_kept_" + name }

  func place(_ key: String, file: String, line: Int) {
    places.withLock { $0[key] = Place(file: file, line: line) }
  }

  func place(of key: String) -> Place? { places.withLock { $0[key] } }

  /// `text` as a person reads it: places are those of the notebook, and modules of cells go unsaid.
  func told(_ text: String) -> String {
    guard text.contains("ell_") || text.contains("cell-") else { return text }
    let pattern = /(?:[^\s"'()<>:]*\/)?cell-([0-9a-f]{16})\.(?:swift|c)(?::(\d+))?/
    var result = text.replacing(pattern) { match in
      guard let place = place(of: String(match.1)) else { return String(match.0) }
      guard let line = match.2.flatMap({ Int($0) }) else { return place.file }
      return "\(place.file):\(place.line + line - Self.firstLine)"
    }
    result.replace(/Cell_[0-9a-f]{16}(?:_kept)?[.\/]?/, with: "")
    return result
  }
}
