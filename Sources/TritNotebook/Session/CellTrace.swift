import Foundation
import TritPlugins

/// Addresses of a process of cells as lines of the notebook.
struct CellTrace {
  let places: [LoadedLibraries.Place]
  let names: CellNames
  /// Frames, the innermost first.
  var addresses: [UInt] = []
  /// The signal that was caught.
  var signal: Int32?

  init(places: [LoadedLibraries.Place], names: CellNames) {
    self.places = places
    self.names = names
  }

  /// Reads the report of a crash, or of a question (`trit_child_watch`).
  mutating func read(_ report: String) {
    for line in report.split(separator: "\n") {
      let rest = line.dropFirst(2)
      if line.hasPrefix("S ") {
        let number = rest.split(separator: " ").first.flatMap { Int32($0) }
        signal = number == 14 ? signal : number
      }
      if line.hasPrefix("F "), let address = UInt(rest, radix: 16) { addresses.append(address) }
    }
  }

  /// What could be found of the addresses.
  struct Resolved {
    var signal: Int32?
    /// What the language says went wrong, where the innermost frame is one of its checks.
    var reason: String?
    /// `file:line` of the notebook, the innermost first.
    var lines: [String] = []
    /// `function at file:line`.
    var calls: [String] = []
  }

  func resolved() -> Resolved {
    var result = Resolved(signal: signal)
    let symbols = Symbols(toolchain: Toolchain())
    var index = 0
    while index < addresses.count {
      guard let place = place(of: addresses[index]) else {
        index += 1
        continue
      }
      // Neighbours in one library are asked for together.
      var offsets: [UInt] = []
      while index < addresses.count, let next = self.place(of: addresses[index]),
        next.library == place.library
      {
        let offset = addresses[index] - place.start
        // The interrupted address comes again among the frames, one less.
        if offsets.last != offset, offsets.last != offset + 1 { offsets.append(offset) }
        index += 1
      }
      for frame in symbols.frames(offsets, in: place.library, withInlined: true) {
        if let check = frame.function.range(of: "Swift runtime failure: ") {
          if result.lines.isEmpty, result.reason == nil {
            result.reason = String(frame.function[check.upperBound...])
          }
          continue
        }
        let isOfCell = frame.file.contains("cell-")
        guard isOfCell, frame.line > 0 else { continue }
        let line = names.told("\(frame.file):\(frame.line)")
        guard result.lines.last != line else { continue }
        result.lines.append(line)
        let name = frame.function.hasSuffix("_main") ? "the cell" : names.told(frame.function)
        result.calls.append("\(name) at \(line)")
      }
    }
    return result
  }

  private func place(of address: UInt) -> LoadedLibraries.Place? {
    places.last { address >= $0.start && address < $0.end }
  }
}
