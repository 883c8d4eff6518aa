import TritLab

extension FuzzTarget {
  /// Results of contests, which come from anybody.
  static let arena = [
    FuzzTarget(
      name: "arena-results", summary: "results of the arena: what a board takes adds up",
      grammar: .jsonLines, minimumAccepted: 0.05,
      sources: ["TritArena/ArenaResult", "TritArena/ArenaBoard"],
      seeds: {
        let verdicts = ArenaCheck.allCases.map {
          #"{"check":"\#($0.rawValue)","found":"","isFine":true}"#
        }
        let lines = [(1, 2.0), (8, 8.0)].map { tokens, ratio in
          #"""
          {"bytesPerSecond":1250000,"fromMemory":true,"operationsPerSecond":\#(10_000_000 * tokens),
          "product":{"columns":50,"rows":100,"tokens":\#(tokens)},"repetitions":90,
          "rivals":[{"kernel":"i2_s","ratio":\#(ratio),"seconds":\#(0.001 * ratio)}],"roof":"read",
          "roofShare":0.5,"runs":9,"seconds":0.001,"spread":0.01,"sumsAreExact":true,
          "weightBytes":1250}
          """#
        }
        func document(_ kernel: String, _ score: String) -> String {
          #"""
          {"baseline":"i2_s","cpu":"a CPU","kernel":"\#(kernel)","lines":[\#(lines.joined(separator: ","))],
          "origin":"sha256:00","schema":"trit/arena/1"\#(score),"seed":"0x1","seedWasSecret":\#(!score.isEmpty),
          "threads":1,"verdicts":[\#(verdicts.joined(separator: ","))],"version":"0.1.0"}
          """#.replacing("\n", with: " ")
        }
        let scored = document("mine", #","score":4"#)
        return [scored + "\n", scored + "\n" + document("other", "") + "\n"].map { Array($0.utf8) }
      }
    ) { scratch in
      { bytes in
        let board = try ArenaBoard(files: [try scratch.write(bytes, to: "results.jsonl")])
        for entry in board.groups.flatMap(\.entries) {
          let result = entry.result
          try demand(
            (result.score != nil) == (result.reason == nil), "there is a score or a reason")
          try demand(
            try ArenaResult(json: result.json(), at: "again") == result,
            "a result survives writing")
        }
        if board.groups.isEmpty { throw LabError(.badData, "no result") }
      }
    }
  ]
}
