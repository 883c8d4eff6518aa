import Testing
import TritEvaluation
import TritLab
import _TritTestSupport

/// Figures of trec_eval (pytrec_eval 0.5: ndcg_cut_10, recall_10, recip_rank) for rankings with ties.
@Suite struct RetrievalTests {
  @Test(arguments: [
    (
      ["d14": 3],
      [
        0.3, 0.6, 0.1, 0.6, 0.3, 0.4, 0.1, 0.3, 0.1, 0.4, 0.6, 0.4, 0.4, 0.3, 0.6, 0.5, 0.5, 0.4,
        0.6, 0.0, 0.0, 0.6, 0.4, 0.5,
      ], [0.4306765580733931, 1.0, 0.25]
    ),
    (
      ["d10": 1, "d14": 1, "d18": 2],
      [
        0.3, 0.5, 0.3, 0.2, 0.7, 0.7, 0.6, 0.5, 0.2, 0.2, 0.5, 0.0, 0.5, 0.3, 0.8, 0.3, 0.7, 0.6,
        0.3, 0.1, 0.6, 0.3, 0.7, 0.3,
      ], [0.31939394323979897, 0.3333333333333333, 1.0]
    ),
    (
      ["d2": 2, "d6": 3, "d8": 1, "d10": 1, "d18": 2, "d20": 1, "d23": 1],
      [
        0.5, 0.0, 0.6, 0.3, 0.5, 0.1, 0.6, 0.7, 0.8, 0.3, 0.5, 0.3, 0.7, 0.0, 0.6, 0.7, 0.4, 0.7,
        0.3, 0.1, 0.9, 0.4, 0.4, 0.3,
      ], [0.4818870633468374, 0.5714285714285714, 1.0]
    ),
    (
      [
        "d0": 3, "d1": 1, "d2": 3, "d3": 2, "d4": 1, "d6": 1, "d8": 2, "d9": 3, "d10": 1, "d12": 1,
        "d14": 2, "d17": 1, "d18": 1, "d21": 1,
      ],
      [
        0.8, 0.4, 0.7, 0.6, 0.7, 0.3, 0.6, 0.1, 0.3, 0.3, 0.6, 0.2, 0.8, 0.3, 0.5, 0.6, 0.3, 0.6,
        0.9, 0.7, 0.1, 0.6, 0.5, 0.4,
      ], [0.62896331323941, 0.6428571428571429, 1.0]
    ),
  ])
  func scoresAreThoseOfTrecEval(
    relevant: [String: Int], similarities: [Double], expected: [Double]
  ) {
    let documents = similarities.indices.map {
      RetrievalDataset.Document(id: "d\($0)", text: "")
    }
    let order = RetrievalEvaluation.order(similarities, documents)
    let score = RetrievalScore(
      ranked: order.map { relevant[documents[$0].id] ?? 0 }, grades: Array(relevant.values))
    #expect(abs(score.ndcg - expected[0]) < 1e-12)
    #expect(score.recall10 == expected[1])
    #expect(score.reciprocalRank == expected[2])
  }

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("retrieval") }

  private func load(_ lines: [String], limit: Int? = nil) throws -> RetrievalDataset {
    try RetrievalDataset.load(
      folder.write(lines.joined(separator: "\n"), to: "set.jsonl"), limit: limit)
  }

  private static let document = #"{"id": "d1", "title": "A", "text": "b"}"#

  @Test func aFileIsRead() throws {
    let set = try load([
      Self.document, "", #"{"_id": "d2", "text": "c"}"#,
      #"{"id": "q1", "query": "?", "relevant": ["d2"]}"#,
      #"{"id": "q2", "query": "!", "relevant": {"d1": 2, "d2": 0}}"#,
    ])
    #expect(set.documents.map(\.text) == ["A b", "c"])
    #expect(set.queries.map(\.relevant) == [["d2": 1], ["d1": 2]])
  }

  @Test(arguments: [
    ([document], "there are no queries"),
    ([#"{"id": "q", "query": "?", "relevant": ["d1"]}"#], "there are no documents"),
    (
      [document, document, #"{"id": "q", "query": "?", "relevant": ["d1"]}"#],
      "two documents have one id"
    ),
    ([document, #"{"id": "q", "query": "?", "relevant": ["d9"]}"#], "set.jsonl:2: relevant"),
    ([document, #"{"id": "q", "query": "?", "relevant": []}"#], "no relevant document"),
    ([document, #"{"id": "q", "query": 7, "relevant": ["d1"]}"#], "set.jsonl:2: query"),
    ([document, #"{"id": "q", "query": "?", "relevant": {"d1": 1.5}}"#], "relevant.d1"),
    ([#"{"text": "b"}"#], "'id' is missing"), (["[1]"], "'text' is missing"),
    (["{"], "set.jsonl:1"),
  ])
  func whatIsWrongIsTold(lines: [String], message: String) throws {
    let text: String
    do {
      _ = try load(lines)
      text = "nothing"
    } catch { text = "\(error)" }
    #expect(text.contains(message), "\(text)")
  }
}
