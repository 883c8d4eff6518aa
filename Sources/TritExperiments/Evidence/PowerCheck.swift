internal import TritCore
internal import TritEvaluation

/// Whether a run can answer what its file asks: `detect:` names the smallest difference that
/// matters.
struct PowerCheck {
  let detect: [String: Double]

  /// What is sure before anything runs: one window or one question has no spread.
  static func certain(_ file: ExperimentFile) -> [String] {
    file.measure.sections.compactMap { section in
      let (key, unit): (String, String)
      switch section.measure {
      case let measure as PerplexityMeasure where measure.windows.isOne:
        (key, unit) = ("chunks", "window")
      case let measure as DivergenceMeasure where measure.windows.isOne:
        (key, unit) = ("chunks", "window")
      case let measure as TasksMeasure where measure.limit == 1: (key, unit) = ("limit", "question")
      default: return nil
      }
      return
        "measure.\(section.key): one \(unit) has no spread, so differences will have no interval; "
        + "\(key): 2 or more gives them one"
    }
  }

  /// What comparisons that were made already say: a sentence for each quantity whose smallest
  /// difference that matters is smaller than what can be seen with 80 % power.
  func notes(_ evidence: PairedEvidence, source: String) -> [String] {
    evidence.byQuantity.compactMap { quantity, list in
      guard let target = detect[quantity.key],
        let size = evidence.sizes[quantity.key]
      else { return nil }
      guard let seen = quantity.detectable(list), seen.value > target else { return nil }
      let factor = seen.factor(toSee: target)
      let unit = quantity.unit == "%" ? " %" : " \(quantity.unit)"
      return
        "detect asks for \(Figures.plain(target))\(unit) in \(quantity.title.lowercased()); by \(source), "
        + "\(size.units) \(size.unit)s see \(Figures.twoDigits(seen.value))\(unit) with 80 % power: about "
        + "\(Figures.plain(Figures.rounded(factor * Double(size.units)))) \(size.unit)s would answer it"
    }
  }
}

extension PairedQuantity {
  /// What can be seen by the typical one of some comparisons: the median of their errors counts.
  /// nil where none has an error above 0.
  func detectable(_ comparisons: [PairedComparison]) -> DetectableDifference? {
    let errors = comparisons.compactMap { $0.difference.rawError }.filter { $0 > 0 }
    guard !errors.isEmpty else { return nil }
    return DetectableDifference(
      rawError: OrderStatistics.quantile(0.5, ofSorted: errors.sorted()), scale: scale)
  }
}

extension WindowSelection {
  /// Whether no more than one window is asked for.
  fileprivate var isOne: Bool { upper.map { $0 - lower <= 1 } ?? false }
}

extension Figures {
  /// Two digits: more would claim too much.
  static func rounded(_ value: Double) -> Double {
    guard value.isFinite, value != 0 else { return value }
    var unit = 1.0
    while abs(value) / unit >= 100 { unit *= 10 }
    while abs(value) / unit < 10 { unit /= 10 }
    return (value / unit).rounded() * unit
  }

  /// `0.42`, `12`, `3900`.
  static func twoDigits(_ value: Double) -> String { plain(rounded(value)) }
}
