import Foundation
import TritLab

/// Shows what a run tells: on a terminal progress on one line that changes, elsewhere plain lines.
final class RunPrinter {
  private let isTerminal = Terminal.isInteractive
  private var lastNote = Date.distantPast
  private var count = 0
  private var warned: Set<String> = []

  /// Seconds between progress lines where standard error is a file or a pipe.
  private static let interval = 10.0

  /// Shows one event.
  func show(_ event: RunEvent) {
    switch event {
    case .started(let directory, let variants, let resumed):
      Terminal.note("\(resumed ? "continuing" : "running") \(variants) variants in \(directory)")
    case .variantStarted(let index, let of, let label):
      count = of
      if isTerminal {
        Terminal.status("[\(index + 1)/\(of)] \(label)")
      } else {
        Terminal.note("[\(index + 1)/\(of)] \(label)")
      }
    case .progress(let label, let section, let fraction, let remaining):
      var text = "\(label): \(section) \(Int((100 * fraction).rounded())) %"
      if let remaining { text += ", \(ProgressPrinter.duration(remaining)) left" }
      showProgress(text)
    case .working(let variants, let done, let of, let remaining):
      let parts = variants.map { variant in
        variant.section.isEmpty
          ? "\(variant.label) loading"
          : "\(variant.label) \(variant.section) \(Int((100 * variant.fraction).rounded())) %"
      }
      var text = "\(done)/\(of) done"
      if let remaining { text += ", \(ProgressPrinter.duration(remaining)) left" }
      showProgress(text + ": " + parts.joined(separator: "; "))
    case .variantEnded(let record):
      Terminal.status("")
      let why = record.error.map { ": " + $0 } ?? ""
      Terminal.note("  \(record.label): \(record.status.rawValue)\(why)")
    case .variantReused(let record):
      Terminal.note("  \(record.label): known from \(record.reusedFrom ?? "an earlier run")")
    case .warning(let label, let section, let text, let kind):
      // On a busy machine every variant has the same to say: once is enough, the table marks them
      // all.
      guard warned.insert(kind).inserted else { return }
      Terminal.status("")
      Terminal.note("warning: \(label): \(section): \(text)")
    case .note(let text):
      Terminal.status("")
      Terminal.note("note: " + text)
    }
  }

  private func showProgress(_ text: String) {
    if isTerminal {
      Terminal.status(text)
    } else if Date().timeIntervalSince(lastNote) >= Self.interval {
      lastNote = Date()
      Terminal.note("  " + text)
    }
  }
}
