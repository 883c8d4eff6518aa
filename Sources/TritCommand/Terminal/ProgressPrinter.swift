import Foundation
import TritLab

/// Shows how far a long run is: one line that changes on a terminal, a plain line now and then
/// elsewhere.
final class ProgressPrinter {
  private let label: String
  private let valueName: String?
  private let isTerminal = Terminal.isInteractive
  private var lastLine = 0.0

  /// Seconds between lines where standard error is a file or a pipe.
  private static let interval = 10.0

  /// Names what runs and what its value so far is (`PPL`, `t/s`).
  init(_ label: String, value valueName: String? = nil) {
    self.label = label
    self.valueName = valueName
  }

  /// Shows one update.
  func show(_ update: ProgressUpdate) {
    let isLast = update.completed >= update.total
    guard isTerminal || update.secondsElapsed - lastLine >= Self.interval else { return }
    lastLine = update.secondsElapsed
    var text = "\(label) \(update.completed)/\(update.total)"
    if let value = update.value, let valueName {
      text += String(format: "  %@ %.4f", valueName, value)
    }
    if let left = update.secondsLeft, !isLast { text += "  \(Self.duration(left)) left" }
    if isTerminal {
      Terminal.status(isLast ? "" : text)
    } else {
      Terminal.note(text)
    }
  }

  /// `7 s`, `3 min 20 s`, `2 h 5 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return "?" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
