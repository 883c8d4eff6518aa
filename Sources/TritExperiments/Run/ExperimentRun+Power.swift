internal import TritCore

extension ExperimentRun {
  /// Pairs that are looked at: the median of their errors is told.
  private static let pairsForPower = 5

  /// Says once whether the differences that the file asks for can be seen, from records with
  /// samples: below `folder`, or where they name whole paths. Records of another text, other
  /// settings or another model say nothing, and neither do pairs that do not differ: it waits for
  /// the next ones then.
  func tellPower(of records: [RunRecord], in folder: String?, source: String) {
    guard !hasToldPower, !plan.file.detect.isEmpty else { return }
    let planned = Set(
      (plan.all + (plan.reference.map { [$0] } ?? [])).map { Self.part(parameters(of: $0)) })
    let known = records.filter {
      $0.status == .finished && $0.samples != nil && planned.contains(Self.part($0.params))
    }
    guard let name = Report.baseline(plan.file.baseline, of: known),
      let newest = known.last(where: { $0.id == name.id && $0.role == name.role }),
      let base = try? SampledRecord(newest, in: folder)
    else { return }
    var pairs: [(variant: SampledRecord, baseline: SampledRecord)] = []
    for record in known.reversed() where !(record.id == name.id && record.role == name.role) {
      guard pairs.count < Self.pairsForPower else { break }
      guard let other = try? SampledRecord(record, in: folder), other.isLike(base),
        !other.isEqual(base)
      else { continue }
      pairs.append((other, base))
    }
    guard !pairs.isEmpty else { return }
    let check = PowerCheck(detect: plan.file.detect)
    let evidence = PairedEvidence(
      pairs, quantities: inputs.lab.measures.flatMap(\.quantities),
      asked: Array(check.detect.keys))
    hasToldPower = check.isAnswered(by: evidence)
    guard hasToldPower else { return }
    for note in check.notes(evidence, source: source) { observer(.note(note)) }
  }

  /// What a record says of its model, its text and the settings of its measures.
  private static func part(_ params: [String: String]) -> [String: String] {
    params.filter { $0.key == "model" || $0.key.hasPrefix("measure.") }
  }
}
