import Testing
import TritFormats

@Suite(.timeLimit(.minutes(2))) struct KernelHistoryTests {
  private func ask(_ client: TestClient, _ content: JSONValue) throws -> JSONValue? {
    let id = try client.send("history_request", content)
    return try client.reply(to: id).content["history"]
  }

  @Test func tailRangeAndSearch() throws {
    let client = try TestClient()
    for code in ["value a1", "value b2", "value a1", "print [x]"] { _ = try client.run(code) }
    #expect(
      try ask(client, ["hist_access_type": "tail", "n": 2])
        == [[1, 3, "value a1"], [1, 4, "print [x]"]])
    #expect(
      try ask(client, ["hist_access_type": "tail", "n": 2, "output": true])
        == [[1, 3, ["value a1", "a1"]], [1, 4, ["print [x]", nil]]])
    for session in [0, 1] {
      #expect(
        try ask(
          client,
          ["hist_access_type": "range", "session": JSONValue(session), "start": 2, "stop": 4])
          == [[1, 2, "value b2"], [1, 3, "value a1"]])
    }
    #expect(try ask(client, ["hist_access_type": "range", "session": -1]) == [])
    for (pattern, count) in [
      ("value*", 3), ("*a?", 2), ("value [a-b][0-9]", 3), ("value [^a]*", 1), ("value", 0),
      ("print [[]x]", 1), ("print [", 0), ("*]", 1), ("", 0), ("*********z", 0),
    ] {
      let found = try ask(client, ["hist_access_type": "search", "pattern": .string(pattern)])
      #expect(found?.array?.count == count, "\(pattern)")
    }
    #expect(
      try ask(client, ["hist_access_type": "search", "pattern": "value a*", "unique": true])
        == [[1, 3, "value a1"]])
    #expect(try ask(client, ["hist_access_type": "tail", "n": -5]) == [])
    #expect(try ask(client, ["hist_access_type": "nothing"]) == [])
  }

  @Test func patternsWithManyStarsAreFast() throws {
    let client = try TestClient()
    _ = try client.run("print " + String(repeating: "a", count: 5000))
    // A matcher that tries every way would not end.
    let pattern = String(repeating: "*a", count: 500) + "b"
    #expect(
      try ask(client, ["hist_access_type": "search", "pattern": .string(pattern)]) == [])
  }
}
