import TritLab

/// What `--tolerance` asks of a comparison, and what it came to.
///
/// A gate that passes when nothing was compared is worse than none: what the baseline has and
/// cannot be compared fails it too.
struct CompareGate {
  /// Of quantities that no entry names; nil where only named ones are asked for.
  let standard: Double?
  /// By quantity.
  let named: [(key: String, amount: Double)]

  private static let range = 0.0...1e6

  /// Reads `AMOUNT` and `QUANTITY=AMOUNT`; nil where there are none. Throws a usage error.
  init?(_ texts: [String]) throws {
    guard !texts.isEmpty else { return nil }
    var standard: Double?
    var named: [(key: String, amount: Double)] = []
    for text in texts {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let amount = Double(parts[parts.count - 1]), Self.range.contains(amount) else {
        throw LabError(
          .usage,
          "The value '\(text)' is invalid for '--tolerance <amount>': expected a number from 0 to 1000000, or QUANTITY=NUMBER."
        )
      }
      let key = parts.count == 2 ? String(parts[0]) : nil
      guard key.map({ key in !named.contains { $0.key == key } }) ?? (standard == nil) else {
        throw LabError(
          .usage, "two tolerances for one quantity", at: "--tolerance", got: text,
          advice: "leave one of them out")
      }
      if let key { named.append((key, amount)) } else { standard = amount }
    }
    (self.standard, self.named) = (standard, named)
  }

  /// What a quantity may lose; nil where nothing is asked of it. What is asked of all tasks is asked
  /// of each, where it has no tolerance of its own.
  func limit(_ key: String) -> Double? {
    let own = named.first { $0.key == key } ?? named.first { key.hasPrefix($0.key + ".") }
    return own?.amount ?? standard
  }

  /// Whether anything is asked of a quantity, or of a part of it.
  func guards(_ key: String) -> Bool {
    limit(key) != nil || named.contains { $0.key.hasPrefix(key + ".") }
  }

  /// Those that are worse than they may be.
  func worse(_ found: [PairedComparison]) -> [PairedComparison] {
    // What is no number is outside every tolerance.
    found.filter { one in limit(one.quantity.key).map { !(one.loss <= $0) } ?? false }
  }

  /// Throws a usage error for a tolerance of something that no measure tells, and `badData` where
  /// nothing was compared in it.
  func check(_ found: [PairedComparison], known: [PairedQuantity]) throws {
    let compared = Set(found.map(\.quantity.key))
    for (key, _) in named
    where !compared.contains(where: { $0 == key || $0.hasPrefix(key + ".") }) {
      guard known.contains(where: { $0.key == key }) || PairedQuantity.isOfPart(key, known) else {
        let known = known.map(\.key)
        throw LabError(
          .usage, "no measure tells '\(key)' unit by unit", at: "--tolerance",
          expected: known.joined(separator: " | "), got: key,
          advice: Suggestion.didYouMean(key, known))
      }
      throw LabError(
        .badData, "nothing was compared in '\(key)', which has a tolerance", at: "--tolerance",
        expected: "one of: " + Set(found.map(\.quantity.key)).sorted().joined(separator: " | "),
        got: key, advice: "measure it in both runs, or leave its tolerance out")
    }
  }

  /// Throws a verdict where something is worse, and `badData` where something could not be
  /// compared.
  func judge(_ found: [PairedComparison], lacking: [String]) throws {
    let worse = worse(found)
    let lost = lacking.isEmpty ? "" : "; not compared: " + lacking.joined(separator: "; ")
    guard worse.isEmpty else {
      let got = worse.map { one in
        let limit = limit(one.quantity.key).map { "\($0)" } ?? ""
        let amount = limit.hasSuffix(".0") ? String(limit.dropLast(2)) : limit
        let unit = one.quantity.unit == "%" ? " %" : " \(one.quantity.unit)"
        let run = one.runs.map { " (\($0.variant))" } ?? ""
        return
          "\(one.record.label)\(run), \(one.quantity.name): \(one.cell); at most \(amount)\(unit)"
      }
      throw LabError(
        .verdict,
        "\(worse.count) of \(found.count) comparisons \(worse.count == 1 ? "is" : "are") worse than the tolerance",
        got: got.joined(separator: "\n       ") + lost,
        advice: "look at the runs, or allow more with --tolerance")
    }
    guard lacking.isEmpty else {
      throw LabError(
        .badData, "the gate is not passed: something could not be compared",
        expected: "every variant and quantity that the baseline has, measured on the same units",
        got: lacking.joined(separator: "\n       "),
        advice: "measure it, or name what is compared: --of QUANTITY, RUN:VARIANT")
    }
  }
}
