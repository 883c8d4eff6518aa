internal import TritCore
internal import TritModel

/// A column of the results' table.
struct ReportColumn: Sendable {
  var title: String
  /// The metric, and the one that holds its error.
  var key: String
  var errorKey: String?
  var format: @Sendable (Double, Double?) -> String
  /// One sentence for readers who meet the figure for the first time.
  var meaning: String
  /// Whether the figure is a share of things that were counted, which has an interval instead of an error.
  var isShare = false
}

/// What a run's reports are made of.
struct Report {
  let plan: ExperimentPlan
  let inputs: RunInputs
  let records: [RunRecord]
  let wasInterrupted: Bool

  var variants: [RunRecord] { records.filter { $0.role == .variant } }
  var reference: RunRecord? { records.first { $0.role == .reference } }

  /// The columns for which any record has a figure.
  var columns: [ReportColumn] {
    let hasSpeed = plan.file.measure.speed != nil
    let showsSpeed = hasSpeed || plan.file.records != nil
    let all = Self.training + Self.quality + Self.size
    let columns =
      all + (showsSpeed ? Self.speed : Self.generationSpeed) + Self.energy + Self.roofline
    return columns.filter { column in
      let values = records.compactMap { $0.metrics[column.key] }
      switch column.key {
      // How large the models are matters where they differ.
      case "model.parameters": return Set(values).count > 1
      // Where tokens differ, figures a token cannot be compared.
      case "perplexity.bits_per_byte": return !values.isEmpty && !hasOneFigureOfTokens
      default: return !values.isEmpty
      }
    }
  }

  /// Whether the scored tokens of all records are as many: not so where vocabularies differ.
  private var hasOneFigureOfTokens: Bool {
    Set(records.compactMap { $0.metrics["perplexity.tokens"] }).count < 2
  }

  private static let training = [
    ReportColumn(
      title: "Parameters", key: "model.parameters", errorKey: nil,
      format: { value, _ in Figures.fixed(value / 1e6, 2) + " M" },
      meaning: "Weights of the linear layers, the embedding and the output head, in millions."),
    ReportColumn(
      title: "Trained on", key: "model.training_tokens", errorKey: nil,
      format: { value, _ in Figures.fixed(value / 1e6, 2) + " M tokens" },
      meaning: "Tokens that the training read."),
    ReportColumn(
      title: "Training", key: "model.training_seconds", errorKey: nil,
      format: { value, _ in Figures.fixed(value / 60, 1) + " min" },
      meaning: "Time of all training steps, on the machine that trained it."),
  ]

  private static let quality = [
    ReportColumn(
      title: "Perplexity", key: "perplexity.value", errorKey: "perplexity.error",
      format: { Figures.text($0, error: $1) },
      meaning:
        "How surprised the model is by the text: the number of equally likely tokens that it "
        + "hesitates between. Lower is better; ± is the larger of two standard errors, as the next column "
        + "tells them."),
    ReportColumn(
      title: "± tokens / windows", key: "perplexity.error", errorKey: "perplexity.window_error",
      format: { Figures.plain($0) + " / " + ($1.map { Figures.plain($0) } ?? "–") },
      meaning:
        "Two standard errors of the perplexity: one that takes tokens as independent, as llama-perplexity "
        + "does, and one by the spread between windows of text, which does not (none for one window)."
    ),
    ReportColumn(
      title: "Bits a byte", key: "perplexity.bits_per_byte", errorKey: nil,
      format: { value, _ in Figures.fixed(value, 4) },
      meaning:
        "The same surprise in bits a byte of the text: what can be compared where models cut "
        + "the text into other tokens."),
    ReportColumn(
      title: "Above the floor", key: "perplexity.above_floor",
      errorKey: "perplexity.above_floor_error", format: { Figures.text($0, error: $1) },
      meaning:
        "Nats a token by which the model is more surprised than the source of the text itself, "
        + "whose entropy is known; ± as for the perplexity."),
    ReportColumn(
      title: "Tasks right", key: "tasks.accuracy", errorKey: "tasks.accuracy_error",
      format: { Figures.share($0, error: $1) },
      meaning: "Share of multiple-choice questions whose right answer is the likeliest "
        + "continuation (acc of lm-evaluation-harness), with its 95 % Wilson interval.",
      isShare: true),
    ReportColumn(
      title: "By character", key: "tasks.accuracy_norm", errorKey: "tasks.accuracy_norm_error",
      format: { Figures.share($0, error: $1) },
      meaning:
        "The same with log-probabilities divided by the characters of the answer (acc_norm), "
        + "so that short answers have no advantage.", isShare: true),
    ReportColumn(
      title: "By byte", key: "tasks.accuracy_bytes", errorKey: "tasks.accuracy_bytes_error",
      format: { Figures.share($0, error: $1) },
      meaning: "The same by the UTF-8 bytes of the answer (acc_bytes).", isShare: true),
    ReportColumn(
      title: "KL divergence", key: "divergence.kld.mean", errorKey: "divergence.kld.error",
      format: { Figures.text($0, error: $1) },
      meaning:
        "How far the predicted probabilities are from the reference's, in nats a token; 0 is "
        + "the same. ± is the larger of two standard errors: tokens taken as independent, or the spread "
        + "between windows."),
    ReportColumn(
      title: "Same top token", key: "divergence.same_top.share",
      errorKey: "divergence.same_top.error", format: { Figures.percent($0, error: $1) },
      meaning:
        "How often the likeliest next token is the reference's, with its 95 % Wilson interval.",
      isShare: true),
    ReportColumn(
      title: "Agreeing tokens", key: "generate.agreement.tokens", errorKey: nil,
      format: { value, _ in Figures.plain(value) },
      meaning: "How many tokens the text is the reference's before it goes its own way, mean over "
        + "prompts."),
  ]

  private static let size = [
    ReportColumn(
      title: "Bits of code", key: "weights.code_bits_per_weight", errorKey: nil,
      format: { value, _ in Figures.fixed(value, 2) },
      meaning:
        "Bits a weight that the quantizer's codes and scales hold, whatever kernel runs them: "
        + "log2 3 = 1.58 for a trit."),
    ReportColumn(
      title: "Bits in memory", key: "model.bits_per_weight", errorKey: nil,
      format: { value, _ in Figures.fixed(value, 2) },
      meaning:
        "Bytes of the linear layers in the packing of the kernel that the variant names, scales and padding "
        + "included, in bits a weight; where it leaves the kernel to 'auto', in the plainest packing (I2_S, "
        + "2 bits a trit), whatever 'auto' picked by speed."),
    ReportColumn(
      title: "Linear weights", key: "model.linear_bytes", errorKey: nil,
      format: { value, _ in Figures.bytes(value) },
      meaning: "The same in bytes; embedding and output head come on top."),
    ReportColumn(
      title: "SQNR, dB", key: "weights.sqnr_db", errorKey: nil,
      format: { value, _ in value.isFinite ? Figures.fixed(value, 1) : "exact" },
      meaning:
        "Energy of the weights over the energy of their rounding error; 10 dB more is a tenth "
        + "of the error. 'exact': nothing was rounded, since the checkpoint holds these values."),
    ReportColumn(
      title: "Zeros", key: "weights.zero_share", errorKey: nil,
      format: { value, _ in Figures.percent(value) },
      meaning: "Share of weights that are zero."),
  ]

  private static let speed = [
    ReportColumn(
      title: "Prefill, tokens/s", key: "speed.prefill.tokens_per_second",
      errorKey: "speed.prefill.tokens_per_second_mad",
      format: { Figures.text($0, error: $1) },
      meaning:
        "How fast a prompt is read; median ± median absolute deviation over rounds, each of which "
        + "measures every variant once. (!): others used the machine, see the warnings."),
    ReportColumn(
      title: "Decode, tokens/s", key: "speed.decode.tokens_per_second",
      errorKey: "speed.decode.tokens_per_second_mad",
      format: { Figures.text($0, error: $1) },
      meaning: "How fast new tokens come, one after the other; median ± median absolute deviation."),
  ]

  private static let generationSpeed = [
    ReportColumn(
      title: "Decode, tokens/s", key: "generate.decode.tokens_per_second", errorKey: nil,
      format: { value, _ in Figures.plain(value) },
      meaning: "How fast the text was written: one sample, no error known.")
  ]

  /// A record's cell in a column; a dash where it has no figure.
  func cell(_ record: RunRecord, _ column: ReportColumn) -> String {
    guard let value = record.metrics[column.key] else { return "–" }
    if column.isShare, let interval = Self.interval(record, column.key) {
      return Figures.share(value, interval)
    }
    let text = column.format(value, column.errorKey.flatMap { Self.error(record, $0) })
    return column.key.hasPrefix("speed.") && record.isSpeedDisturbed ? text + " (!)" : text
  }

  /// The rows of the table: the reference first.
  var rows: [RunRecord] { (reference.map { [$0] } ?? []) + variants }

  /// The parameters that differ between variants.
  var differingParameters: [String] {
    let keys = Set(variants.flatMap(\.params.keys)).filter { !$0.hasPrefix("measure.") }
    return keys.filter { key in Set(variants.map { $0.params[key] ?? "" }).count > 1 }.sorted()
  }

  /// The parameters that all variants share, as `key value` sentences.
  var sharedChoices: [(key: String, value: String)] {
    guard let first = variants.first else { return [] }
    let stages = ["model"] + Lab.stages.kinds(in: .layer, .model).map(\.key.rawValue)
      + ["sampler", "threads", "seed"]
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
    if let tasks = inputs.tasks {
      list.append(("tasks", "\(tasks.name), sha256 \(tasks.digest.prefix(16))…"))
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
    if let perplexity = plan.file.measure.perplexity,
      let record = rows.first(where: { $0.metrics["perplexity.tokens"] != nil })
    {
      let tokens = Figures.fixed(record.metrics["perplexity.tokens"] ?? 0, 0)
      let context = Figures.fixed(record.metrics["perplexity.context"] ?? 0, 0)
      list.append(
        (
          "perplexity",
          "protocol \(perplexity.protocolName), context \(context), \(tokens) tokens scored"
        ))
    }
    if let record = rows.first(where: { $0.metrics["tasks.count"] != nil }) {
      let count = Figures.fixed(record.metrics["tasks.count"] ?? 0, 0)
      let chance = Figures.percent(record.metrics["tasks.chance"] ?? 0)
      list.append(("tasks", "\(count) questions; guessing would get \(chance) right"))
    }
    if let speed = plan.file.measure.speed {
      list.append(
        (
          "speed",
          "prompt of \(speed.prompt), then \(speed.tokens) tokens, \(speed.repetitions) rounds"
        ))
    }
    list += energyProvenance
    list.append(("seed", "\(plan.file.seed)"))
    return list
  }

  /// One line under every figure: where and on what it was measured.
  var environmentLine: String {
    if plan.file.records != nil {
      let date = records.map(\.ended).max()?.prefix(10) ?? ""
      return "records of \(date) · trit \(inputs.program.version)"
    }
    let model = inputs.models.values.map(\.name).sorted()
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
