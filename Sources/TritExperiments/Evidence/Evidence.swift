internal import TritCore
public import TritEvaluation

/// A variant beside a baseline in one quantity.
public struct PairedComparison: Sendable {
  /// The variant.
  public let record: RunRecord
  /// What it is compared with.
  public let baseline: RunRecord
  /// What is compared.
  public let quantity: PairedQuantity
  /// Variant less baseline.
  public let difference: PairedDifference
  /// Its p among those of all comparisons of the quantity, by Holm; nil where there is no p.
  public let adjusted: Double?
  /// The names of the runs that variant and baseline are of, where several were named.
  package var runs: (variant: String, baseline: String)?

  /// Whether the two can be told apart at 5 %, all comparisons of the quantity counted.
  public var isClear: Bool { adjusted.map { $0 < DetectableDifference.level } ?? false }
  /// Whether the variant is the better one by its value.
  public var isBetter: Bool { quantity.lowerIsBetter ? difference.value < 0 : difference.value > 0 }
  /// How much worse the variant is, in the unit of the quantity; below 0 where it is better.
  public var loss: Double { quantity.lowerIsBetter ? difference.value : -difference.value }

  /// `better`, `worse`, `identical`, `not told apart`; `no interval` where there is no error.
  public var verdict: String {
    if difference.isIdentical { return "identical" }
    guard adjusted != nil else { return "no interval" }
    return isClear ? isBetter ? "better" : "worse" : "not told apart"
  }
}

/// A record and what it saw unit by unit, by section.
package struct SampledRecord {
  /// The record.
  package var record: RunRecord
  /// Its samples.
  package var tables: [String: SampleTable]
  /// What its run is called among several.
  package var run: String?

  /// Reads the samples of `record`, which lie below the run directory `folder`; nil where the
  /// record names the whole path. Throws what reading them throws, and `missingInput` where the
  /// record names none.
  package init(_ record: RunRecord, in folder: String?) throws {
    self.record = record
    let folder = folder ?? ""
    guard record.samples != nil else {
      throw LabError(
        .missingInput, "the record has no samples to compare in pairs", at: folder,
        expected: "losses of windows or outcomes of questions beside the records",
        got: "'\(record.label)' without any",
        advice:
          "measure perplexity, divergence or tasks with this version of trit: trit run --force")
    }
    let isWhole = folder.isEmpty && record.samples?.hasPrefix("/") == true
    guard let path = isWhole ? record.samples : SampleFile.path(of: record, in: folder) else {
      throw LabError(
        .missingInput, "the samples of '\(record.label)' are not there",
        at: "\(folder)/\(record.samples ?? "")",
        advice: "the folder '\(SampleFile.folder)' belongs to results.jsonl: copy both")
    }
    tables = try SampleFile.read(path)
  }

  /// Whether the other saw the same units in a section or more.
  func isLike(_ other: SampledRecord) -> Bool {
    tables.contains { section, table in other.tables[section]?.content == table.content }
  }

  /// Whether the other saw and answered all alike.
  func isEqual(_ other: SampledRecord) -> Bool { tables == other.tables }
}

/// Comparisons in pairs of records that have samples.
package struct PairedEvidence {
  /// The comparisons by quantity, in the order of the measures.
  package private(set) var byQuantity: [(quantity: PairedQuantity, list: [PairedComparison])] = []
  /// What could not be compared, and why.
  package private(set) var problems: [(label: String, text: String)] = []
  /// Units, their weight (scored tokens, questions) and the documents that they are of, where they
  /// say, of the first baseline, by quantity.
  private(set) var sizes: [String: Size] = [:]

  /// How much was compared.
  typealias Size = (units: Int, weight: Double, unit: String, documents: Int?)

  /// Compares each variant with its baseline. `asked` has the keys of the quantities that are
  /// wanted, those of single tasks among them; nil for all that are told where nobody says.
  package init(
    _ pairs: [(variant: SampledRecord, baseline: SampledRecord)], quantities: [PairedQuantity],
    asked: [String]? = nil, problems: [(label: String, text: String)] = []
  ) {
    self.problems = problems
    for quantity in PairedQuantity.told(quantities, by: pairs, asked: asked) {
      compare(quantity, pairs)
    }
  }

  private mutating func compare(
    _ quantity: PairedQuantity, _ pairs: [(variant: SampledRecord, baseline: SampledRecord)]
  ) {
    var found: [(pair: Int, difference: PairedDifference)] = []
    for (index, (variant, baseline)) in pairs.enumerated() {
      guard let own = variant.tables[quantity.section],
        let base = baseline.tables[quantity.section], quantity.isTold(by: own, base)
      else { continue }
      do {
        found.append((index, try quantity.difference(own, base)))
        if sizes[quantity.key] == nil { sizes[quantity.key] = size(quantity, base) }
      } catch {
        let what =
          (error as? LabError).map { error in
            let value = error.got.map { got in error.place.map { " (\($0): \(got))" } ?? "" } ?? ""
            return [error.what + value, error.advice ?? ""]
          } ?? ["\(error)"]
        let text = "\(quantity.section): " + what.filter { !$0.isEmpty }.joined(separator: "; ")
        if !problems.contains(where: { $0.label == variant.record.label && $0.text == text }) {
          problems.append((variant.record.label, text))
        }
      }
    }
    guard !found.isEmpty else { return }
    let adjusted = HolmCorrection.adjusted(found.map { $0.difference.p ?? .nan })
    let list = found.indices.map { index in
      let (variant, baseline) = pairs[found[index].pair]
      return PairedComparison(
        record: variant.record, baseline: baseline.record, quantity: quantity,
        difference: found[index].difference,
        adjusted: adjusted[index].isNaN ? nil : adjusted[index],
        runs: variant.run.flatMap { own in baseline.run.map { (own, $0) } })
    }
    byQuantity.append((quantity, list))
  }

  private func size(_ quantity: PairedQuantity, _ base: SampleTable) -> Size {
    let units = quantity.units(of: base)
    guard case .mean(let weights, _, let group) = quantity.form else {
      return (units, Double(units), base.unit, nil)
    }
    return (
      units, base.columns[weights]?.reduce(0, +) ?? Double(units), base.unit,
      group.flatMap { base.columns[$0] }.map { Set($0).count }
    )
  }
}

/// The differences of a run's records to one of them.
struct Evidence {
  /// What differences are to: nil where nothing is compared.
  let baseline: RunRecord?
  /// The comparisons.
  let pairs: PairedEvidence

  /// Compares all `records` that have samples below `directory` with `baseline`.
  init(
    _ records: [RunRecord], baseline: RunRecord?, quantities: [PairedQuantity], directory: String?
  ) {
    self.baseline = baseline
    guard let baseline, let directory, baseline.samples != nil else {
      pairs = PairedEvidence([], quantities: [])
      return
    }
    var problems: [(label: String, text: String)] = []
    func sampled(_ record: RunRecord) -> SampledRecord? {
      do {
        return try SampledRecord(record, in: directory)
      } catch {
        problems.append((record.label, (error as? LabError)?.what ?? "\(error)"))
        return nil
      }
    }
    let base = sampled(baseline)
    let others = records.filter {
      !($0.index == baseline.index && $0.id == baseline.id) && $0.samples != nil
    }
    let all = base.map { base in others.compactMap(sampled).map { ($0, base) } } ?? []
    pairs = PairedEvidence(all, quantities: quantities, problems: problems)
  }

  /// Quantities that at least one variant was compared in, in the order of the measures.
  var quantities: [PairedQuantity] { pairs.byQuantity.map(\.quantity) }
  /// What could not be compared, and why.
  var problems: [(label: String, text: String)] { pairs.problems }
  /// Units and their weight, by quantity.
  var sizes: [String: PairedEvidence.Size] { pairs.sizes }

  /// The comparisons of a quantity, in the order of the records.
  func comparisons(_ quantity: PairedQuantity) -> [PairedComparison] {
    pairs.byQuantity.first { $0.quantity.key == quantity.key }?.list ?? []
  }

  /// The comparison of a record in a quantity.
  func comparison(_ record: RunRecord, _ quantity: PairedQuantity) -> PairedComparison? {
    comparisons(quantity).first { $0.record.index == record.index && $0.record.id == record.id }
  }
}

extension Report {
  /// The record that differences are to: the one that `baseline` names, else the reference, else
  /// the first variant.
  public var baseline: RunRecord? { evidence.baseline }

  /// What variants were compared in, in pairs.
  public var pairedQuantities: [PairedQuantity] {
    evidence.quantities.filter { $0.standing != .detail }
  }

  /// The same, and those that have no room in tables.
  var allQuantities: [PairedQuantity] { evidence.quantities }

  /// The first quantity of each measure, and every task or mean of tasks that was asked for by name:
  /// where there is no room for all.
  var leadingQuantities: [PairedQuantity] {
    var sections: Set<String> = []
    return pairedQuantities.filter {
      sections.insert($0.section).inserted || $0.part != nil && $0.standing == .leading
    }
  }

  /// The differences of all records to the baseline in a quantity, in the order of the table.
  public func differences(_ quantity: PairedQuantity) -> [PairedComparison] {
    evidence.comparisons(quantity)
  }

  /// The baseline among `records` for what a file says.
  static func baseline(_ name: String?, of records: [RunRecord]) -> RunRecord? {
    guard let name else {
      return records.first { $0.role == .reference } ?? records.first { $0.role == .variant }
    }
    return records.first { $0.label == name && $0.role == .variant }
      ?? records.first { $0.label == name }
  }
}
