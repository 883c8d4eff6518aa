internal import TritCore
public import TritEvaluation
internal import TritModel

/// How well a model's vectors find documents: for embedding models.
public struct RetrievalMeasure: Measure {
  /// The key of the section.
  public static let key = "retrieval"
  /// What is measured.
  public static let summary = "Documents found by the cosine of embeddings: nDCG@10 and recall."
  /// Where the definition comes from.
  public static let source = "MTEB, arXiv:2210.07316 §3.1; trec_eval ndcg_cut_10, recall"
  /// The settings of the section.
  public static let fields = [
    MeasureField(
      "data", "A JSONL file of documents and queries.", .questions,
      .required(
        expected: "a JSONL file: {\"id\", \"text\"} or {\"id\", \"query\", \"relevant\"} a line",
        advice: nil)),
    MeasureField("limit", "Queries, at most.", .integer(1...1_000_000)),
    MeasureField(
      "instruction", "What stands before every query, as \"Instruct: …\\nQuery: \".", .text),
    MeasureField(
      "pooling", "How the states of a text become a vector.",
      .word([("model", "as the model says, else the last token"), ("last", ""), ("mean", "")]),
      standard: .text("model")),
  ]
  /// The nDCG of each query.
  public static let quantities = [
    PairedQuantity(
      key: key, title: "nDCG@10", section: key, column: "ndcg", metric: "retrieval.ndcg_at_10",
      form: .mean(weights: "weight", .points), lowerIsBetter: false)
  ]
  /// Its columns in the table of results.
  public static let columns = [
    ReportColumn(
      "nDCG@10", key: "retrieval.ndcg_at_10", error: "retrieval.ndcg_at_10_error", group: .quality,
      meaning: "Mean over queries of the discounted cumulative gain of the first ten documents, as "
        + "a part of the best possible, with its standard error."
    ) { value, error in Figures.fixed(value, 4) + (error.map { " ± \(Figures.fixed($0, 4))" } ?? "")
    },
    ReportColumn(
      "Recall@10", key: "retrieval.recall_at_10", group: .quality,
      meaning: "Mean over queries of the part of the relevant documents among the first ten."
    ) { value, _ in Figures.fixed(value, 4) },
  ]

  /// The file.
  public let data: PathReference
  /// Queries, at most.
  public let limit: Int?
  /// What stands before every query.
  public let instruction: String
  /// `model`, `last` or `mean`.
  public let pooling: String

  /// Reads settings that have been checked.
  public init(_ settings: MeasureSettings) throws {
    guard let place = settings.place("data") else {
      throw settings.fault("missing", at: "data", expected: "a JSONL file")
    }
    data = place
    limit = settings.integerIfGiven("limit")
    instruction = settings.textIfGiven("instruction") ?? ""
    pooling = settings.text("pooling")
  }

  /// What has to be there before anything runs.
  public var needs: MeasureNeeds {
    var needs = MeasureNeeds()
    needs.retrieval = (data, limit)
    return needs
  }

  /// Measures one variant.
  public func run(_ run: MeasureRun) throws -> Measured {
    let data = try run.retrieval()
    let result = try RetrievalEvaluation.measure(
      run.engine, on: data, instruction: instruction, pooling: Pooling(rawValue: pooling),
      progress: run.progress)
    let values = result.scores.map(\.ndcg)
    let mean = result.mean(\.ndcg)
    let count = Double(values.count)
    let spread = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    var metrics = [
      "ndcg_at_10": mean, "recall_at_10": result.mean(\.recall10),
      "recall_at_100": result.mean(\.recall100), "mrr_at_10": result.mean(\.reciprocalRank),
      "queries": count, "documents": Double(data.documents.count),
      "truncated": Double(result.truncated), "tokens_run": Double(result.tokensRun),
    ]
    if values.count > 1 {
      metrics["ndcg_at_10_error"] = (spread / (count - 1) / count).squareRoot()
    }
    return Measured(
      metrics: metrics,
      samples: SampleTable(
        unit: "query", content: SHA256.hex("\(data.digest) \(values.count)"),
        columns: ["ndcg": values, "weight": values.map { _ in 1 }]))
  }

  /// How it was measured, for readers of the report.
  public func provenance(_ records: [RunRecord]) -> [(key: String, value: String)] {
    guard let record = records.first(where: { $0.metrics["retrieval.queries"] != nil }) else {
      return []
    }
    func number(_ key: String) -> String {
      Figures.fixed(record.metrics["retrieval.\(key)"] ?? 0, 0)
    }
    let cut = record.metrics["retrieval.truncated"] ?? 0
    return [
      (
        "retrieval",
        "\(number("queries")) queries, \(number("documents")) documents, cosine"
          + (cut > 0 ? "; \(number("truncated")) texts cut to the context" : "")
      )
    ]
  }
}
