import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite("Results and boards") struct BoardTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("board") }

  /// A result that a contest could have written: two cases, each `ratio` times as fast as the
  /// baseline.
  static func document(
    _ kernel: String, ratios: [Double] = [2, 8], score: Double? = 4, baseline: String = "i2_s",
    threads: Int = 1, change: (inout [String: Any]) -> Void = { _ in }
  ) throws -> String {
    let lines = ratios.enumerated().map { index, ratio -> [String: Any] in
      [
        "product": ["rows": 100, "columns": 50, "tokens": index + 1],
        "fromMemory": true, "runs": 9, "repetitions": 90, "seconds": 0.001,
        "spread": 0.001, "weightBytes": 1250,
        "operationsPerSecond": 10_000.0 * Double(index + 1) / 0.001,
        "bytesPerSecond": 1_250_000.0, "roof": "read", "roofShare": 0.5, "sumsAreExact": true,
        "rivals": [["kernel": baseline, "seconds": 0.001 * ratio, "ratio": ratio]],
      ]
    }
    var object: [String: Any] = [
      "schema": "trit/arena/1", "kernel": kernel, "cpu": "a CPU", "threads": threads,
      "seed": "0x1", "seedWasSecret": true, "version": "0.1.0", "baseline": baseline,
      "lines": lines,
      "verdicts": ArenaCheck.allCases.map {
        ["check": $0.rawValue, "isFine": true, "found": ""] as [String: Any]
      },
    ]
    object["score"] = score
    change(&object)
    let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
    return String(decoding: data, as: UTF8.self)
  }

  private func refusal(_ text: String) -> LabError? {
    do {
      _ = try ArenaResult(json: text, at: "a.json")
      return nil
    } catch { return error as? LabError }
  }

  @Test("the score is the geometric mean of the ratios: √(2 · 8) = 4") func score() throws {
    let result = try ArenaResult(json: try Self.document("mine"), at: "a.json")
    #expect(result.score == 4)
    #expect(result.passed)
    #expect(result.reason == nil)
    #expect(try ArenaResult(json: result.json(), at: "again") == result)
  }

  @Test("foreign and damaged documents are refused by name") func damaged() throws {
    for text in ["", "no JSON", "[]", "{}", "{\"schema\": \"trit/records/1\"}", "{\"schema\": 7}"] {
      let error = try #require(refusal(text))
      #expect(error.kind == .badData)
      #expect(error.place == "a.json")
    }
    let later = try #require(refusal("{\"schema\": \"trit/arena/2\"}"))
    #expect(later.got == "trit/arena/2")
    #expect(later.advice?.contains("the version of trit that wrote it") == true)
    func damaged(_ score: Double? = 4, _ change: (inout [String: Any]) -> Void) throws -> String {
      refusal(try Self.document("mine", score: score, change: change))?.what ?? "accepted"
    }
    #expect(try damaged { $0["kernel"] = nil }.contains("'kernel' is missing"))
    #expect(try damaged { $0["threads"] = "two" }.contains("'threads' is of another type"))
    #expect(try damaged(5) { _ in }.contains("the score is 5.0, its lines give 4"))
    #expect(try damaged(nil) { _ in }.contains("no score, though its lines give one"))
    #expect(try damaged { $0["seedWasSecret"] = false }.contains("the seed was given"))
    #expect(
      try damaged {
        $0["verdicts"] = [["check": "laws", "isFine": false, "found": "wrong"]]
      }.contains("a score, though FAIL laws: wrong"))
    #expect(try damaged { $0["verdicts"] = [] as [Any] }.contains("did not come to its end"))
    #expect(try damaged { $0["lines"] = [] as [Any] }.contains("a score, though"))
    #expect(try damaged { $0["baseline"] = "tl2" }.contains("not raced against"))
    for (key, value) in [("seconds", 0.002), ("seconds", 0), ("bytesPerSecond", -1)] {
      let words = try damaged {
        var lines = $0["lines"] as? [[String: Any]] ?? []
        lines[0][key] = value
        $0["lines"] = lines
      }
      #expect(words.hasPrefix("a damaged result"), "\(words)")
    }
    let twice = try damaged {
      let lines = $0["lines"] as? [[String: Any]] ?? []
      $0["lines"] = [lines[0], lines[0]]
    }
    #expect(twice.contains("a case stands in it twice"))
  }

  @Test("a board sorts by score, the greatest first, and those without one last") func order()
    throws
  {
    try folder.write(try Self.document("slow", ratios: [1, 1], score: 1), to: "slow.json")
    try folder.write(try Self.document("fast"), to: "fast.json")
    let failed = try Self.document("wrong", score: nil) {
      $0["verdicts"] = [["check": "laws", "isFine": false, "found": "wrong"]]
    }
    try folder.write(failed, to: "wrong.json")
    let board = try ArenaBoard(
      files: ["slow.json", "wrong.json", "fast.json"].map(folder.file))
    #expect(board.groups.count == 1)
    #expect(board.groups[0].entries.map(\.result.kernel) == ["fast", "slow", "wrong"])
    #expect(board.groups[0].entries[2].result.reason == "FAIL laws: wrong")
  }

  @Test("only the same cases, baseline and threads are compared") func groups() throws {
    try folder.write(
      [
        try Self.document("a"), try Self.document("b"),
        try Self.document("c", ratios: [4], score: 4), try Self.document("d", baseline: "tl2"),
        try Self.document("e", threads: 2),
      ].joined(separator: "\n") + "\n", to: "all.jsonl")
    let board = try ArenaBoard(files: [folder.file("all.jsonl")])
    #expect(board.groups.count == 4)
    #expect(board.groups[0].entries.map(\.result.kernel) == ["a", "b"])
    #expect(
      board.groups[0].entries.map(\.path) == [1, 2].map { folder.file("all.jsonl") + ":\($0)" })
    #expect(board.groups.dropFirst().allSatisfy { $0.entries.count == 1 })
  }

  @Test("documents over several lines are read too") func pretty() throws {
    let result = try ArenaResult(json: try Self.document("mine"), at: "a.json")
    try folder.write(result.json(pretty: true), to: "pretty.json")
    #expect(
      try ArenaBoard(files: [folder.file("pretty.json")]).groups[0].entries[0].result == result)
  }

  @Test("every file that is foreign, damaged or absent is named") func problems() throws {
    try folder.write(try Self.document("fine"), to: "fine.json")
    try folder.write("text", to: "foreign.json")
    try folder.write(
      try Self.document("fine") + "\n{\"schema\": \"trit/arena/9\"}\n", to: "two.jsonl")
    let paths = ["fine.json", "foreign.json", "two.jsonl", "absent.json"].map(folder.file)
    let errors = #expect(throws: LabErrors.self) { try ArenaBoard(files: paths) }
    let places = errors?.problems.compactMap(\.place) ?? []
    #expect(places == [paths[1], paths[2] + ":2", paths[3]])
    let one = #expect(throws: LabError.self) { try ArenaBoard(files: [paths[1]]) }
    #expect(one?.place == paths[1])
  }
}
