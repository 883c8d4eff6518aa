internal import Foundation

/// Numbers as people read them.
enum Figures {
  /// `5.57 ± 0.49`, `0.0092 ± 0.0020`, `2.5e-4 ± 2.1e-5`: as many digits as the error allows. An
  /// error that is not zero is never written as zero.
  static func text(_ value: Double, error: Double? = nil) -> String {
    guard value.isFinite, let error, error.isFinite, error > 0 else { return plain(value) }
    let size = max(abs(value), error)
    if size < 1e-3 || size >= 1e6 { return "\(scientific(value)) ± \(scientific(error))" }
    // Two digits of the error, but no more than five of the value, unless that leaves none of the
    // error.
    let whole = size < 1 ? 0 : Int(log10(size).rounded(.down)) + 1
    let place = -Int(log10(error).rounded(.down))
    let digits = max(min(max(place + 1, 0), max(5 - whole, 0)), max(place, 0))
    if digits > 9 { return "\(plain(value)) ± \(scientific(error))" }
    return "\(fixed(value, digits)) ± \(fixed(error, digits))"
  }

  /// Four significant digits; signs for what is no number.
  static func plain(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "–" : value > 0 ? "∞" : "−∞" }
    if value == 0 { return "0" }
    let size = abs(value)
    if size < 1e-3 || size >= 1e6 { return scientific(value) }
    if value == value.rounded(), size < 1e6 { return fixed(value, 0) }
    let text = fixed(value, max(0, 3 - Int(log10(size).rounded(.down))))
    guard text.contains(".") else { return text }
    let trimmed = text.reversed().drop { $0 == "0" }
    return String((trimmed.first == "." ? trimmed.dropFirst() : trimmed).reversed())
  }

  static func percent(_ share: Double, error: Double? = nil) -> String {
    guard share.isFinite else { return "–" }
    guard let error, error.isFinite, error > 0 else { return fixed(100 * share, 2) + " %" }
    return "\(fixed(100 * share, 2)) ± \(fixed(100 * error, 2)) %"
  }

  /// `71.5 ± 3.2 %`: shares of a few hundred things, of which a tenth of a percent says enough.
  static func share(_ share: Double, error: Double? = nil) -> String {
    guard share.isFinite else { return "–" }
    guard let error, error.isFinite, error > 0 else { return fixed(100 * share, 1) + " %" }
    return "\(fixed(100 * share, 1)) ± \(fixed(100 * error, 1)) %"
  }

  /// `71.5 % (66.9–75.7)`: a share and where it may lie.
  static func share(_ share: Double, _ interval: (lower: Double, upper: Double)) -> String {
    "\(fixed(100 * share, 1)) % (\(fixed(100 * interval.lower, 1))–"
      + "\(fixed(100 * interval.upper, 1)))"
  }

  /// `1.5 MiB`.
  static func bytes(_ value: Double) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = value
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return "\(unit == 0 ? fixed(value, 0) : plain(value)) \(units[unit])"
  }

  static func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  private static func scientific(_ value: Double) -> String {
    let text = String(format: "%.1e", abs(value))
    return (value < 0 ? "−" : "")
      + text.replacingOccurrences(of: "e-0", with: "e-")
      .replacingOccurrences(of: "e+0", with: "e").replacingOccurrences(of: "e+", with: "e")
  }
}
