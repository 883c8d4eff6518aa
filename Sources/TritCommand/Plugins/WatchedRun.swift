import Foundation
import Synchronization
import TritLab

/// The process that does the work of `trit run` with plug-ins, watched by the one that the user has
/// started (`RunSupervisor`).
package struct WatchedRun: Sendable {
  /// The first word of its command line.
  static let word = "__run-watched"

  /// What the processes before it have left.
  let handover: RunHandover

  /// nil where `words` are those of a user; else its own word is taken off them.
  init?(_ words: inout [String]) {
    guard words.first == Self.word else { return nil }
    guard let text = WatchedChild.begin(), let handover = RunHandover(text: text) else {
      Terminal.note("trit: error: the word \(Self.word) is for the program's own use")
      ProcessEnd.exit(LabError.Kind.usage.rawValue)
    }
    words.removeFirst()
    self.handover = handover
  }

  /// What the run tells and knows.
  var supervision: RunSupervision {
    RunSupervision(handover: handover) { WatchedChild.tell($0.line) }
  }

  /// `load`, after which whoever watches learns where the libraries lie.
  func telling(_ load: @escaping ApprovedLoading) -> ApprovedLoading {
    { path, lab, approve in
      let before = LoadedLibraries.all.count
      try load(path, &lab, approve)
      for place in LoadedLibraries.all.dropFirst(before) {
        guard let json = try? JSONEncoder().encode(place) else { continue }
        WatchedChild.tell("L " + String(decoding: json, as: UTF8.self))
      }
    }
  }
}
