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

  /// Whether comparisons tell what can be seen of all that `detect` names and that they have.
  func isAnswered(by evidence: PairedEvidence) -> Bool {
    let asked = evidence.byQuantity.filter { detect[$0.quantity.key] != nil }
    return !asked.isEmpty && asked.allSatisfy { $0.quantity.detectable($0.list) != nil }
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
        "detect asks for \(Figures.plain(target))\(unit) in \(quantity.name); by \(source), "
        + "\(SampleTable.counted(size.units, size.unit)) see \(Figures.twoDigits(seen.value))\(unit) with 80 % power: about "
        + "\(Figures.plain(Figures.rounded(factor * Double(size.units)))) "
        + "\(SampleTable.plural(size.unit)) would answer it"
    }
  }
}

extension PairedQuantity {
  /// What can be seen by the typical one of some comparisons, taken alone: the median of their
  /// errors counts. nil where none has an error above 0.
  func detectable(_ comparisons: [PairedComparison]) -> DetectableDifference? {
    let known = comparisons.filter { ($0.difference.rawError ?? 0) > 0 }
    guard !known.isEmpty else { return nil }
    let errors = known.compactMap { $0.difference.rawError }.sorted()
    return DetectableDifference(
      rawError: OrderStatistics.quantile(0.5, ofSorted: errors), scale: scale,
      clusters: known.map(\.difference.clusters).min())
  }
}

extension PairedEvidence {
  /// What the text or the questions can see, and how much more would see half of that:
  /// `This text (12 windows, 2812 tokens) can see …`; nil where no comparison has an error.
  package func powerText(_ quantity: PairedQuantity) -> String? {
    guard let list = byQuantity.first(where: { $0.quantity.key == quantity.key })?.list,
      let size = sizes[quantity.key], let seen = quantity.detectable(list)
    else { return nil }
    let isText = size.weight != Double(size.units)
    let more = max((seen.factor(toSee: seen.half) - 1) * size.weight, 1)
    let space = quantity.unit == "%" ? " %" : " \(quantity.unit)"
    let these =
      size.unit == "window" ? "This text" : "These \(SampleTable.plural(size.unit))"
    var text = these + " (" + SampleTable.counted(size.units, size.unit)
    if let documents = size.documents { text += " of \(documents) documents" }
    if isText { text += ", \(Figures.fixed(size.weight, 0)) tokens" }
    text += ") can see a difference of \(Figures.twoDigits(seen.value))\(space) in "
    text += "\(quantity.name) with 80 % power"
    if list.count > 1 {
      let together = DetectableDifference(
        rawError: seen.rawError, scale: seen.scale, clusters: seen.clusters,
        comparisons: list.count)
      text += " alone, and of \(Figures.twoDigits(together.value))\(space) "
      text += "with Holm's correction over the \(list.count) compared"
    }
    text += "; \(Figures.twoDigits(more.rounded(.up))) more "
    text += isText ? "tokens" : SampleTable.plural(size.unit)
    return text + " would see \(Figures.twoDigits(seen.half))\(space)."
  }
}

extension PairedQuantity {
  /// The title within a sentence: `KL divergence`, `nDCG@10`, but `perplexity`.
  package var name: String {
    let second = title.dropFirst().first
    let isName = second.map { $0.isUppercase } ?? false
    return isName ? title : title.prefix(1).lowercased() + title.dropFirst()
  }
}

extension SampleTable {
  /// `windows`, `queries`.
  static func plural(_ unit: String) -> String {
    unit.hasSuffix("y") ? unit.dropLast() + "ies" : unit + "s"
  }

  /// `12 windows`, `1 question`.
  static func counted(_ count: Int, _ unit: String) -> String {
    "\(count) \(count == 1 ? unit : plural(unit))"
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
