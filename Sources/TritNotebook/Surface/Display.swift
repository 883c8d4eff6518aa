import Foundation
public import TritDrawing
import TritExperiments

/// A value that was shown, and can be shown anew in its place.
public struct Shown: Sendable {
  /// Its name.
  public let id: String

  /// Shows `value` in the place of what was shown before: progress, a plot that grows.
  public func update(_ value: Any) {
    HostChannel.send(HostEvent(kind: .update, data: looks(value), id: id), waits: true)
  }
}

/// Shows a value now: a `Displayable` as it wants, anything else by its description.
@discardableResult public func display(_ value: Any) -> Shown {
  let shown = Shown(id: HostChannel.newName())
  HostChannel.send(HostEvent(kind: .display, data: looks(value), id: shown.id), waits: true)
  return shown
}

/// Shows the value of a cell's last expression; what the compiler of cells wraps it in.
public func _showResult<Value>(_ value: Value) {
  // What is shown already need not be shown again.
  if value is Void || value is Shown { return }
  if let outcome = value as? RunOutcome {
    if ExperimentOutcomes.isShown(outcome) { return }
    outcome.showFigures()
  }
  HostChannel.send(HostEvent(kind: .result, data: looks(value)), waits: true)
}

/// Tells the values of expressions within prose; what the compiler of cells wraps them in.
public func _tellInline(_ values: [Any]) {
  let texts = values.map { looks($0).plain }
  let text = (try? JSONEncoder().encode(texts)).map { String(decoding: $0, as: UTF8.self) }
  HostChannel.send(
    HostEvent(kind: .result, data: DisplayData(plain: "", [.json: text ?? "[]"])), waits: true)
}

/// What a value looks like.
func looks(_ value: Any) -> DisplayData {
  if let value = value as? any Displayable { return value.displayData }
  if let text = value as? String { return DisplayData(plain: text) }
  return DisplayData(plain: String(describing: value))
}

/// A number with `digits` behind the point, for prose: `fixed(1.58496, 2)` is `1.58`.
public func fixed(_ value: some BinaryFloatingPoint, _ digits: Int) -> String {
  String(format: "%.\(max(0, min(digits, 17)))f", Double(value))
}
