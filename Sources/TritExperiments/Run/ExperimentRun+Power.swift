internal import TritCore

extension ExperimentRun {
  /// Says once whether the differences that the file asks for can be seen, from records with
  /// samples: below `folder`, or where they name whole paths.
  func tellPower(of records: [RunRecord], in folder: String?, source: String) {
    guard !hasToldPower, !plan.file.detect.isEmpty else { return }
    let sampled = records.compactMap { try? SampledRecord($0, in: folder) }
    guard let name = Report.baseline(plan.file.baseline, of: sampled.map(\.record)),
      let base = sampled.last(where: { $0.record.id == name.id && $0.record.role == name.role }),
      let other = sampled.last(where: {
        !($0.record.id == name.id && $0.record.role == name.role) && $0.isLike(base)
      })
    else { return }
    hasToldPower = true
    let check = PowerCheck(detect: plan.file.detect)
    let evidence = PairedEvidence(
      [(other, base)], quantities: inputs.lab.measures.flatMap(\.quantities),
      asked: Array(check.detect.keys))
    for note in check.notes(evidence, source: source) { observer(.note(note)) }
  }
}
