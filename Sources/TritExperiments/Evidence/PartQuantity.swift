internal import TritCore
package import TritEvaluation

extension PairedQuantity {
  /// Where a quantity is told.
  enum Standing: Sendable, Hashable {
    /// In the table of results, and in everything below.
    case leading
    /// In the table of differences, and below.
    case member
    /// In `differences.csv` and in JSON alone: one of dozens.
    case detail
  }

  /// Tasks of one mean of which each has a row in tables; of more (MMLU has 57) only the mean has.
  static let mostMembers = 12

  /// The quantities of the parts and means of `table`, in the order of tables: means, the outermost
  /// first, and parts. Each is told by its first figure: `tasks.hellaswag` is `acc_norm`.
  /// `others` gives those by other figures too, as `tasks.hellaswag.acc`.
  static func ofParts(
    _ table: SampleTable, section: String, others: Bool = false
  ) -> [PairedQuantity] {
    guard let parts = table.parts else { return [] }
    let covering = parts.covering
    var list: [PairedQuantity] = []
    func add(_ name: String, _ figures: [SampleParts.Figure], _ standing: Standing) {
      for (index, figure) in figures.enumerated() {
        // What all tasks together are told by has a column of its own already.
        let isAccuracy = name == covering?.name && figure.name == "acc"
        guard index == 0 || others || isAccuracy else { continue }
        var quantity = PairedQuantity(
          key: "\(section).\(name)" + (index == 0 ? "" : ".\(figure.name)"),
          title: "\(name) \(figure.name)", section: section, column: figure.column,
          metric: isAccuracy ? "\(section).accuracy" : "\(section).\(name).\(figure.name)",
          form: .outcome(group: nil), lowerIsBetter: false)
        quantity.part = name
        quantity.standing = index == 0 || isAccuracy ? standing : .detail
        list.append(quantity)
      }
    }
    for mean in parts.means.reversed() {
      let isInner = parts.means.contains {
        $0.members.count > mean.members.count && Set($0.members).isSuperset(of: mean.members)
      }
      add(mean.name, mean.figures, isInner ? .member : .leading)
    }
    for part in parts.parts {
      let sizes = parts.means.filter { $0.members.contains(part.name) }.map(\.members.count)
      let standing: Standing =
        sizes.contains { $0 > mostMembers } || parts.parts.count == 1
        ? .detail : sizes.isEmpty ? .leading : .member
      add(part.name, part.figures, standing)
    }
    return list
  }

  /// What can be told of `tables` of this quantity's section: the quantity itself, or where the
  /// units belong to several tasks, those of tasks and means in its place. `asked` has the keys that
  /// are wanted, nil for what is told where nobody says.
  static func told(
    _ quantities: [PairedQuantity], by pairs: [(variant: SampledRecord, baseline: SampledRecord)],
    asked: [String]? = nil
  ) -> [PairedQuantity] {
    var list: [PairedQuantity] = []
    var sections: Set<String> = []
    for quantity in quantities {
      // Of the tables that both sides of a pair have.
      let tables = pairs.compactMap { pair in
        pair.variant.tables[quantity.section]?.parts == nil
          ? nil : pair.baseline.tables[quantity.section]
      }.filter { $0.parts != nil }
      let isOfSeveral = tables.contains { ($0.parts?.parts.count ?? 0) > 1 }
      if asked.map({ $0.contains(quantity.key) }) ?? !isOfSeveral { list.append(quantity) }
      guard sections.insert(quantity.section).inserted else { continue }
      for own in tables.flatMap({ ofParts($0, section: quantity.section, others: asked != nil) })
      where !list.contains(where: { $0.key == own.key }) && asked?.contains(own.key) ?? true {
        list.append(own)
      }
    }
    guard asked == nil else {
      // What somebody asks for is not hidden.
      return list.map {
        var quantity = $0
        quantity.standing = .leading
        return quantity
      }
    }
    return list
  }

  /// Every quantity whose smallest difference that matters a file can name: those of the measures,
  /// and those of the tasks and groups of the harness.
  static func detectable(_ lab: Lab) -> [PairedQuantity] {
    let all = lab.measures.flatMap(\.quantities)
    guard all.contains(where: { $0.section == TasksMeasure.key }) else { return all }
    let names = HarnessSelection.known.filter {
      HarnessTask.named($0)?.metrics.contains(.accuracy) ?? true
    }
    return all
      + (names + [HarnessGroup.mean(of: []).name]).map { name in
        PairedQuantity(
          key: "\(TasksMeasure.key).\(name)", title: "Accuracy of \(name)",
          section: TasksMeasure.key, column: "right", metric: "\(TasksMeasure.key).\(name)",
          form: .outcome(group: nil), lowerIsBetter: false)
      }
  }

  /// Whether `key` may be of a task or a mean over tasks of one of `quantities`: `tasks.piqa.acc`.
  package static func isOfPart(_ key: String, _ quantities: [PairedQuantity]) -> Bool {
    let parts = key.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count > 1 && !parts.contains("")
      && quantities.contains { $0.section == parts[0] && $0.form.isOutcome }
  }

  /// The keys of everything that the pairs tell, that of single figures of tasks among them.
  package static func keys(
    _ quantities: [PairedQuantity], _ pairs: [(variant: SampledRecord, baseline: SampledRecord)]
  ) -> [String] {
    told(quantities, by: pairs).map(\.key)
  }

  /// Whether both tables have what it is made of.
  func isTold(by variant: SampleTable, _ baseline: SampleTable) -> Bool {
    guard variant.columns[column] != nil, baseline.columns[column] != nil else { return false }
    guard let part else { return true }
    return [variant, baseline].allSatisfy { $0.parts?.names.contains(part) ?? false }
  }

  /// Its units and what they are called.
  func units(of table: SampleTable) -> Int {
    guard let part, let parts = table.parts else { return table.columns[column]?.count ?? 0 }
    return parts.members(of: part).reduce(0) { $0 + $1.count }
  }

  /// The difference in a part, or in a mean over parts; nil where it is of all units alike. Throws
  /// `badData` where a part's questions are others.
  func differenceOfParts(
    _ variant: SampleTable, _ baseline: SampleTable
  ) throws -> PairedDifference? {
    guard case .outcome = form, let base = baseline.parts, let own = variant.parts,
      let name = part ?? (base.parts.count > 1 ? base.covering?.name : nil)
    else { return nil }
    let members = base.members(of: name)
    guard !members.isEmpty else { return nil }
    let strata = try members.map { part in
      guard let same = own.parts.first(where: { $0.name == part.name }),
        same.content == part.content
      else {
        throw LabError(
          .badData, "the two runs saw other questions of \(part.name), which make no pairs",
          expected: "questions of digest \(part.content.prefix(10))",
          got: own.parts.first { $0.name == part.name }.map { "\($0.content.prefix(10))" }
            ?? "none of \(part.name)",
          advice: "ask both the same questions with the same examples, limit and seed")
      }
      return AnsweredStratum(
        variant: try answers(variant, same), baseline: try answers(baseline, part))
    }
    guard let mean = base.means.first(where: { $0.name == name }) else {
      return try PairedDifference(variant: strata[0].variant, baseline: strata[0].baseline)
    }
    return try PairedDifference(strata: strata, isWeighted: mean.isWeighted)
  }

  private func answers(_ table: SampleTable, _ part: SampleParts.Part) throws -> [Bool] {
    guard let values = table.columns[column], part.first + part.count <= values.count else {
      throw LabError(
        .badData, "the samples have no answers of \(part.name)", expected: "\(section).\(column)",
        got: table.columns.keys.sorted().joined(separator: ", "),
        advice: "measure again: the file of samples is damaged")
    }
    return values[part.first..<part.first + part.count].map { $0 > 0.5 }
  }
}

extension PairedQuantity.Form {
  /// Whether units are right or wrong.
  var isOutcome: Bool { if case .outcome = self { true } else { false } }
}

extension PairedEvidence {
  /// The comparisons that tables have room for.
  package var shown: [PairedComparison] {
    byQuantity.filter { $0.quantity.standing != .detail }.flatMap(\.list)
  }
}

extension SampleParts {
  /// Everything that has a name.
  var names: [String] { parts.map(\.name) + means.map(\.name) }

  /// The parts that a name stands for; none where nobody has it.
  func members(of name: String) -> [Part] {
    if let mean = means.first(where: { $0.name == name }) {
      return mean.members.compactMap { member in parts.first { $0.name == member } }
    }
    return parts.filter { $0.name == name }
  }
}
