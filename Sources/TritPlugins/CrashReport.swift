import Foundation
package import TritCore

/// What a watched process told of where it was when it crashed, or when it was asked.
package struct CrashReport: Sendable {
  private var addresses: [UInt] = []
  /// The signal that it caught.
  private(set) var signal: Int32?
  /// Where libraries lie.
  private var places: [LoadedLibraries.Place] = []

  init() {}

  /// Takes a line; false for one of another kind.
  mutating func take(_ line: String) -> Bool {
    let rest = line.dropFirst(2)
    switch line.prefix(2) {
    case "S ": signal = rest.split(separator: " ").first.flatMap { Int32($0) } ?? signal
    case "F ": if let address = UInt(rest, radix: 16) { addresses.append(address) }
    case "L ":
      if let place = try? JSONDecoder().decode(LoadedLibraries.Place.self, from: Data(rest.utf8)) {
        places.append(place)
      }
    default: return false
    }
    return true
  }

  /// The plug-in that was at work and its frames, the innermost first; nil where none was.
  private func frames() -> (plugin: String, frames: [Symbols.Frame])? {
    let found = addresses.lazy.compactMap { address in
      places.first { address >= $0.start && address < $0.end }
    }.first
    guard let place = found else { return nil }
    var offsets: [UInt] = []
    for address in addresses where address >= place.start && address < place.end {
      // The interrupted address comes again among the frames, one less.
      let offset = address - place.start
      if let last = offsets.last, last == offset || last == offset + 1 { continue }
      offsets.append(offset)
    }
    return (
      place.plugin, Symbols(toolchain: Toolchain()).frames(offsets, in: place.library)
    )
  }

  /// The error for a process that ended as `end` says while one of `plugins` may have run;
  /// `seconds` is how long it may be silent.
  package func error(
    _ end: WatchedProcess.End, plugins: [String], seconds: Double, advice: String
  ) -> LabError {
    let found = frames()
    let names = plugins.map { "'\($0)'" }.joined(separator: " or ")
    let who =
      found.map { "the plug-in '\($0.plugin)'" }
      ?? (plugins.count == 1 ? "the plug-in \(names)" : "a plug-in, \(names),")
    let what: String
    switch end {
    case .hang: what = "\(who) hangs: nothing went on for \(Self.text(seconds)) s"
    case .signal(let number): what = "\(who) crashed (\(PluginCheck.name(of: signal ?? number)))"
    case .exit(let code):
      if let signal {
        what = "\(who) crashed (\(PluginCheck.name(of: signal)))"
      } else {
        what = "\(who) ended the process (exit code \(code))"
      }
    }
    let shown = (found?.frames ?? []).map { frame in
      (frame.function, Self.place(frame, of: found?.plugin ?? ""), frame.line)
    }
    return LabError(
      .failure, what, at: shown.first { $0.2 > 0 }?.1 ?? found?.plugin ?? plugins.first,
      got: shown.isEmpty
        ? "no frame of a plug-in is known"
        : shown.prefix(8).map { "in \($0.0) at \($0.1)" }.joined(separator: "\n"),
      advice: advice, code: .crashed)
  }

  private static func text(_ seconds: Double) -> String {
    seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
  }

  private static func place(_ frame: Symbols.Frame, of plugin: String) -> String {
    let file = frame.file == AbsolutePath.of(plugin) ? plugin : frame.file
    return frame.line > 0 ? "\(file):\(frame.line)" : file
  }
}
