/// What a run came to in a few lines: for terminals, where `summary.md` and `report.html` are too
/// much.
public struct BriefReport: Sendable {
  /// A column of figures.
  public struct Column: Sendable {
    /// A word or two.
    public var title: String
    /// One cell a row, as text.
    public var cells: [String]
    /// 0 is wanted most; where there is no room for all, those of high rank go.
    public var rank: Int
  }

  /// The variants, the reference first where there is one; what is not finished says so.
  public var labels: [String]
  /// The columns in the order of the report.
  public var columns: [Column]
  /// What else must be said, a sentence each: the floor, warnings of the same kind together.
  public var notes: [String]
  /// Whether others used the machine while speeds were measured.
  public var isDisturbed: Bool
}

extension Report {
  /// Titles of a word or two, in the order in which columns are wanted, and whether the error is
  /// shown.
  private static let briefColumns: [(key: String, title: String, hasError: Bool)] = [
    ("model.parameters", "parameters", false),
    ("perplexity.value", "perplexity", true),
    ("roofline.first.share_of_roof", "1st of roof", false),
    ("roofline.last.share_of_roof", "last of roof", false),
    ("energy.linear.7nm_picojoules", "matmuls, µJ", false),
    ("energy.total.7nm_picojoules", "all, µJ", false),
    ("divergence.kld.mean", "KL", false),
    ("tasks.accuracy", "tasks", true),
    ("speed.decode.tokens_per_second", "decode t/s", true),
    ("model.bits_per_weight", "bits", false),
    ("speed.prefill.tokens_per_second", "prefill t/s", true),
    ("generate.agreement.tokens", "agreeing", false),
    ("generate.decode.tokens_per_second", "decode t/s", false),
    ("divergence.same_top.share", "same top", true),
    ("perplexity.above_floor", "above floor", true),
    ("model.linear_bytes", "weights", false),
  ]

  /// The table and the notes of a terminal.
  var brief: BriefReport {
    let known = Dictionary(
      uniqueKeysWithValues: Self.briefColumns.enumerated().map { ($1.key, ($0, $1)) })
    let leading = leadingQuantities.map(\.key)
    let shown = self.columns.filter { $0.quantity.map { leading.contains($0.key) } ?? true }
    let columns = shown.enumerated().map { place, column -> BriefReport.Column in
      if column.quantity != nil {
        // Beside the figure that it is a difference of, and wanted before figures of speed.
        let base = column.quantity.flatMap { known[$0.metric]?.0 } ?? Self.briefColumns.count
        return BriefReport.Column(
          title: "vs \(baseline?.label ?? "")", cells: rows.map { cell($0, column) }, rank: base)
      }
      guard let (rank, brief) = known[column.key] else {
        return BriefReport.Column(
          title: column.title, cells: rows.map { cell($0, column) },
          rank: Self.briefColumns.count + place)
      }
      return BriefReport.Column(
        title: brief.title, cells: rows.map { briefCell($0, column, hasError: brief.hasError) },
        rank: rank)
    }
    let labels = rows.map { record in
      record.status == .finished ? record.label : "\(record.label) (\(record.status.rawValue))"
    }
    var notes: [String] = []
    if let floor {
      notes.append(
        "floor: perplexity \(Figures.fixed(floor.perplexity, 3)), which the source of the text itself has"
      )
    }
    notes += leadingQuantities.compactMap(evidence.pairs.powerText)
    notes += publishedLines + publishedNotes
    return BriefReport(
      labels: labels, columns: columns, notes: notes + briefWarnings,
      isDisturbed: rows.contains { $0.isSpeedDisturbed })
  }

  private func briefCell(_ record: RunRecord, _ column: ReportColumn, hasError: Bool) -> String {
    guard let value = record.metrics[column.key] else { return "–" }
    if column.isShare {
      guard hasError, let range = Self.interval(record, column.key) else {
        return Figures.share(value)
      }
      let ends = [range.lower, range.upper].map { Figures.fixed(100 * $0, 0) }
      return "\(Figures.fixed(100 * value, 0)) % (\(ends.joined(separator: "–")))"
    }
    if hasError { return cell(record, column) }
    let text = column.format(value, nil)
    return column.key.hasPrefix("speed.") && record.isSpeedDisturbed ? text + " (!)" : text
  }

  private var briefWarnings: [String] {
    groupedWarnings.map { "(!) \($0.label)\(Self.others($0.others)), \($0.section): \($0.text)" }
  }
}
