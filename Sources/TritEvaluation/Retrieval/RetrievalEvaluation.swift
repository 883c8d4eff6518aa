import Foundation
public import TritCore
import TritFormats
public import TritModel
import TritTokenization

/// How well the ranking of one query is.
public struct RetrievalScore: Sendable, Hashable {
  /// Normalised discounted cumulative gain of the first ten: Σ grade / log₂(rank + 1), divided by
  /// that of the best ranking, 0…1. Source: Järvelin & Kekäläinen 2002; as trec_eval's ndcg_cut.
  public let ndcg: Double
  /// The part of the relevant documents among the first ten, 0…1.
  public let recall10: Double
  /// The same among the first hundred.
  public let recall100: Double
  /// One over the rank of the first relevant document among the first ten; 0 where there is none.
  public let reciprocalRank: Double

  /// Scores documents that are ranked, best first, given by their grades, of a query whose relevant
  /// documents have `grades`.
  public init(ranked: [Int], grades: [Int]) {
    func gain(_ list: ArraySlice<Int>) -> Double {
      list.enumerated().reduce(0) { $0 + Double($1.element) / log2(Double($1.offset + 2)) }
    }
    let best = gain(grades.sorted(by: >).prefix(10))
    ndcg = best > 0 ? gain(ranked.prefix(10)) / best : 0
    let count = Double(max(grades.count, 1))
    recall10 = Double(ranked.prefix(10).count { $0 > 0 }) / count
    recall100 = Double(ranked.prefix(100).count { $0 > 0 }) / count
    reciprocalRank =
      ranked.prefix(10).firstIndex { $0 > 0 }.map { 1 / Double($0 + 1) } ?? 0
  }
}

/// What a model gave on a set of queries and documents.
public struct RetrievalResult: Sendable {
  /// In the order of the queries.
  public let scores: [RetrievalScore]
  /// Texts that were longer than the context, and were cut.
  public let truncated: Int
  /// Tokens that were run.
  public let tokensRun: Int

  /// The mean over the queries.
  public func mean(_ value: (RetrievalScore) -> Double) -> Double {
    scores.reduce(0) { $0 + value($1) } / Double(max(scores.count, 1))
  }
}

/// Retrieval as MTEB measures it: queries and documents become vectors of length 1, and documents
/// are ranked by cosine.
///
/// Source: Muennighoff et al. 2022, MTEB (2210.07316), §3.1; Thakur et al. 2021, BEIR (2104.08663).
public enum RetrievalEvaluation {
  /// Ranks all documents for every query. `instruction` stands before each query and before no
  /// document. Throws what embedding throws; `Interruption` ends it.
  public static func measure(
    _ engine: Engine, on data: RetrievalDataset, instruction: String = "",
    pooling: Pooling? = nil, progress: (Double) -> Void = { _ in }
  ) throws -> RetrievalResult {
    let embedder = TextEmbedder(engine, pooling: pooling)
    let total = Double(data.documents.count + data.queries.count)
    var (truncated, run) = (0, 0)
    func vector(_ text: String, _ index: Int) throws -> [Float] {
      try Interruption.check()
      let result = try embedder.embed(text)
      if result.isTruncated { truncated += 1 }
      run += result.tokens.count
      progress(Double(index + 1) / total)
      return result.vector
    }
    let documents = try data.documents.enumerated().map { try vector($1.text, $0) }
    let scores = try data.queries.enumerated().map { index, query in
      let own = try vector(instruction + query.text, data.documents.count + index)
      let similarities = documents.map { document in
        zip(own, document).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      return RetrievalScore(
        ranked: order(similarities, data.documents).map {
          query.relevant[data.documents[$0].id] ?? 0
        },
        grades: Array(query.relevant.values))
    }
    return RetrievalResult(scores: scores, truncated: truncated, tokensRun: run)
  }

  /// Documents by falling similarity; of equal ones the greater id first, as trec_eval sorts.
  package static func order(
    _ similarities: [Double], _ documents: [RetrievalDataset.Document]
  ) -> [Int] {
    documents.indices.sorted {
      similarities[$0] != similarities[$1]
        ? similarities[$0] > similarities[$1] : documents[$0].id > documents[$1].id
    }
  }
}

/// Text to vectors with a model and its tokenizer.
public struct TextEmbedder {
  /// A text's vector, and what was run for it.
  public struct Result: Sendable {
    /// Length 1, `[hidden]`.
    public let vector: [Float]
    /// What was run.
    public let tokens: [Int]
    /// Whether the text was longer than the context.
    public let isTruncated: Bool
  }

  /// The model.
  public let engine: Engine
  /// How states become a vector; nil is as the model says.
  public let pooling: Pooling?

  /// Embeds with `engine`.
  public init(_ engine: Engine, pooling: Pooling? = nil) {
    self.engine = engine
    self.pooling = pooling
  }

  /// The vector of `text`, with the tokens around it that the model's tokenizer puts there. A text
  /// that is too long loses its end, but for the closing token. Throws what the tokenizer and the
  /// engine throw.
  public func embed(_ text: String) throws -> Result {
    var tokens = try engine.tokenizer.encode(text, addSpecial: true, parseSpecial: false)
    let isTruncated = tokens.count > engine.contextLength
    if isTruncated {
      let empty = try engine.tokenizer.encode("", addSpecial: true, parseSpecial: false)
      let closing = empty.last.flatMap { $0 == tokens.last ? $0 : nil }
      tokens = Array(tokens.prefix(engine.contextLength))
      if let closing { tokens[tokens.count - 1] = closing }
    }
    return Result(
      vector: try engine.embed(tokens, pooling: pooling), tokens: tokens, isTruncated: isTruncated)
  }
}
