internal import TritCore
internal import TritModel

/// What a run's reports and figures are made of.
public struct Report {
  let plan: ExperimentPlan
  let inputs: RunInputs
  /// What was measured, a record for each variant, the reference's among them.
  public let records: [RunRecord]
  let wasInterrupted: Bool
  /// Where their samples lie.
  let directory: String?
  /// The differences between them.
  let evidence: Evidence

  /// A report of `records`, whose samples lie below `directory`.
  init(
    plan: ExperimentPlan, inputs: RunInputs, records: [RunRecord], wasInterrupted: Bool,
    directory: String?
  ) {
    self.plan = plan
    self.inputs = inputs
    self.records = records
    self.wasInterrupted = wasInterrupted
    self.directory = directory
    evidence = Evidence(
      records, baseline: Self.baseline(plan.file.baseline, of: records),
      quantities: inputs.lab.measures.flatMap(\.quantities), directory: directory)
  }

  /// The records of the variants, in their order.
  public var variants: [RunRecord] { records.filter { $0.role == .variant } }
  /// The reference's record, where there is one.
  public var reference: RunRecord? { records.first { $0.role == .reference } }

  /// The columns for which any record has a figure, those of the model and of every measure.
  var columns: [ReportColumn] {
    let all = Self.model + inputs.lab.measures.flatMap(\.columns)
    let groups = ReportColumn.Group.allCases
    let shown = groups.flatMap { group in all.filter { $0.group == group } }.filter { column in
      records.contains { $0.metrics[column.key] != nil } && column.isShown(records)
    }
    let known = Set(shown.map(\.key))
    let tasks = leadingQuantities.filter { $0.part != nil && !known.contains($0.metric) }
    let withTasks = shown + tasks.map(figureColumn)
    // The figure that the answer is about stands first among its kind.
    let leading = SweepMetric.of(variants)?.key
    let sorted = groups.flatMap { group in
      let own = withTasks.filter { $0.group == group }
      return own.filter { $0.key == leading } + own.filter { $0.key != leading }
    }
    return sorted.flatMap { column in
      [column] + pairedQuantities.filter { $0.metric == column.key }.map(differenceColumn)
    }
  }

  /// A record's cell in a column; a dash where it has no figure.
  func cell(_ record: RunRecord, _ column: ReportColumn) -> String {
    if let quantity = column.quantity {
      if record.index == baseline?.index, record.id == baseline?.id { return "baseline" }
      return evidence.comparison(record, quantity)?.cell ?? "–"
    }
    guard let value = record.metrics[column.key] else { return "–" }
    if column.isShare, let interval = Self.interval(record, column.key) {
      return Figures.share(value, interval)
    }
    let text = column.format(value, column.errorKey.flatMap { Self.error(record, $0) })
    return column.key.hasPrefix("speed.") && record.isSpeedDisturbed ? text + " (!)" : text
  }

  /// The rows of the table: the reference first.
  public var rows: [RunRecord] { (reference.map { [$0] } ?? []) + variants }

  /// The parameters that differ between variants.
  var differingParameters: [String] {
    let keys = Set(variants.flatMap(\.params.keys)).filter { !$0.hasPrefix("measure.") }
    return keys.filter { key in Set(variants.map { $0.params[key] ?? "" }).count > 1 }.sorted()
  }

  /// The parameters that all variants share, as `key value` sentences.
  var sharedChoices: [(key: String, value: String)] {
    guard let first = variants.first else { return [] }
    let stages =
      ["model", "i2s-layout"] + inputs.lab.kinds(in: .layer, .model).map(\.key.rawValue)
      + ["sampler", "threads", "seed", "training-seed"]
    return stages.compactMap { key in
      guard !differingParameters.contains(key), let value = first.params[key] else { return nil }
      return (key, value)
    }
  }

  /// What the run depended on, as pairs for the section on provenance.
  var provenance: [(key: String, value: String)] {
    var list: [(String, String)] = []
    for model in inputs.models.values.sorted(by: { $0.path < $1.path }) {
      list.append(
        (
          "model",
          "\(model.name), \(Figures.bytes(Double(model.bytes))), sha256 \(model.digest.prefix(16))…"
        ))
    }
    for data in inputs.data.values.sorted(by: { $0.path < $1.path }) {
      list.append(
        (
          "data",
          "\(data.name), \(Figures.bytes(Double(data.bytes))), sha256 \(data.digest.prefix(16))…"
        ))
    }
    for data in inputs.questions.values.sorted(by: { $0.path < $1.path }) {
      list.append(("tasks", "\(data.name), sha256 \(data.digest.prefix(16))…"))
    }
    if let source = plan.file.records {
      let dates = records.map(\.ended).sorted()
      list.append(
        ("records", "\(source.text), measured \(dates.first ?? "")…\(dates.last ?? "")"))
      return list
    }
    let program = inputs.program
    let commit = program.commit.map { ", commit \($0.prefix(10))" } ?? ""
    list.append(("program", "trit \(program.version)\(commit)"))
    list.append(
      ("machine", "\(program.cpu), \(inputs.threads) \(inputs.threads == 1 ? "thread" : "threads")")
    )
    for section in plan.file.measure.sections { list += section.measure.provenance(rows) }
    list.append(("seed", "\(plan.file.seed)"))
    return list
  }

  /// One line under every figure: where and on what it was measured.
  var environmentLine: String {
    if plan.file.records != nil {
      let date = records.map(\.ended).max()?.prefix(10) ?? ""
      return "records of \(date) · trit \(inputs.program.version)"
    }
    let model = Set(inputs.models.values.map(\.name)).sorted()
      .map { $0.split(separator: "/").last.map(String.init) ?? $0 }.joined(separator: ", ")
    return
      "\(model) · \(inputs.program.cpu) · \(inputs.threads) \(inputs.threads == 1 ? "thread" : "threads") · trit "
      + inputs.program.version
  }

  /// All metrics of all records, a column for each: for spreadsheets.
  var csv: String {
    let metrics = Set(records.flatMap(\.metrics.keys)).sorted()
    let params = Set(records.flatMap(\.params.keys)).sorted()
    var lines = [
      (["index", "id", "label", "role", "status"] + params + metrics).map(ReportText.csv)
        .joined(separator: ",")
    ]
    for record in records {
      let fixed = [
        "\(record.index)", record.id, record.label, record.role.rawValue, record.status.rawValue,
      ]
      let values = metrics.map { record.metrics[$0].map { $0.isNaN ? "" : "\($0)" } ?? "" }
      lines.append(
        (fixed + params.map { record.params[$0] ?? "" } + values).map(ReportText.csv)
          .joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
