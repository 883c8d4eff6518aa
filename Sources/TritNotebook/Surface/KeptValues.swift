import Foundation

/// A value of a notebook that no machine changes, or changes only within a tolerance:
/// `trit notebook run --check` compares it with the one that was kept.
public struct KeptValue: Codable, Sendable, Equatable {
  /// Its name in the notebook.
  public var name: String
  /// Numbers; nil for a text.
  public var numbers: [Double]?
  /// A text; nil for numbers.
  public var text: String?
  /// How far a number may be from the kept one.
  public var within: Double

  /// How it differs from `kept`; nil where it does not.
  func difference(from kept: KeptValue) -> String? {
    if text != kept.text { return "'\(text ?? "numbers")', kept is '\(kept.text ?? "numbers")'" }
    guard let numbers, let before = kept.numbers else { return nil }
    guard numbers.count == before.count else {
      return "\(numbers.count) numbers, kept are \(before.count)"
    }
    for (index, pair) in zip(numbers, before).enumerated()
    where !(abs(pair.0 - pair.1) <= kept.within) {
      let bound = kept.within > 0 ? " ± \(kept.within)" : ""
      return "number \(index) is \(pair.0), kept is \(pair.1)\(bound)"
    }
    return nil
  }
}

private func tell(_ value: KeptValue) { HostChannel.send(HostEvent(kind: .kept, kept: value)) }

/// Keeps numbers under `name`: `--check` fails where one is more than `within` from the kept one.
public func keep(_ name: String, _ values: [some BinaryFloatingPoint], within: Double = 0) {
  tell(KeptValue(name: name, numbers: values.map { Double($0) }, text: nil, within: within))
}

/// Keeps a number under `name`.
public func keep(_ name: String, _ value: some BinaryFloatingPoint, within: Double = 0) {
  keep(name, [value], within: within)
}

/// Keeps integers under `name`: bytes, sums.
public func keep(_ name: String, _ values: [some BinaryInteger]) {
  tell(KeptValue(name: name, numbers: values.map { Double($0) }, text: nil, within: 0))
}

/// Keeps an integer under `name`.
public func keep(_ name: String, _ value: some BinaryInteger) { keep(name, [value]) }

/// Keeps a text under `name`.
public func keep(_ name: String, _ text: String) {
  tell(KeptValue(name: name, numbers: nil, text: text, within: 0))
}
