import Foundation
import Testing
import TritFormats
import TritJupyter
import TritNotebook

@Suite(.timeLimit(.minutes(2))) struct JupyterKernelTests {
  @Test func aCellGivesInputOutputResultAndAnswerInOrder() throws {
    let client = try TestClient()
    let id = try client.send("execute_request", ["code": "print a\nshow b\nvalue c"])
    let messages = try client.published(about: id)
    #expect(messages.map(\.type) == ["execute_input", "stream", "display_data", "execute_result"])
    #expect(messages[0].content["code"]?.string == "print a\nshow b\nvalue c")
    #expect(messages[1].content == ["name": "stdout", "text": "a\n"])
    #expect(
      messages[2].content == [
        "data": ["text/markdown": "**b**", "text/plain": "b"], "metadata": [:],
        "transient": ["display_id": "d1"],
      ])
    #expect(
      messages[3].content == [
        "execution_count": 1, "data": ["text/plain": "c"], "metadata": [:],
      ])
    let reply = try client.reply(to: id)
    #expect(reply.type == "execute_reply" && reply.identities == [Array("me".utf8)])
    #expect(reply.content["status"]?.string == "ok")
    #expect(reply.content["execution_count"]?.integer == 1)
    #expect(reply.content["user_expressions"] == [:])
  }

  @Test func aFailureIsAnErrorWithItsPlace() throws {
    let client = try TestClient()
    let (reply, messages) = try client.run("nonsense")
    #expect(reply["status"]?.string == "error" && reply["ename"]?.string == "NoWord")
    #expect(reply["evalue"]?.string == "no word\n  expected: another")
    let error = try #require(messages.last)
    #expect(error.type == "error")
    #expect(
      error.content["traceback"] == ["NoWord: no word", "  expected: another", "at cell [1]:1"])
  }

  @Test func onlyCellsThatAreStoredCount() throws {
    let client = try TestClient()
    #expect(try client.run("print a").reply["execution_count"]?.integer == 1)
    let (silent, messages) = try client.run("print b\nvalue c\nwrong", [("silent", true)])
    #expect(messages.isEmpty)
    #expect(silent["status"]?.string == "error" && silent["execution_count"]?.integer == 1)
    let (kept, shown) = try client.run("print d", [("store_history", false)])
    #expect(kept["execution_count"]?.integer == 1)
    #expect(shown.map(\.type) == ["execute_input", "stream"])
    #expect(try client.run("print e").reply["execution_count"]?.integer == 2)
    let id = try client.send("history_request", ["hist_access_type": "tail", "n": 10])
    #expect(
      try client.reply(to: id).content["history"] == [[1, 1, "print a"], [1, 2, "print e"]])
  }

  @Test func cellsThatWaitAreAbortedAfterAnErrorAndNoOthers() throws {
    let client = try TestClient()
    // The first waits, so that all are there when it fails.
    let first = try client.send("execute_request", ["code": "wait"])
    let second = try client.send("execute_request", ["code": "print 2"])
    let looks = try client.send("is_complete_request", ["code": "{"])
    let third = try client.send("execute_request", ["code": "print 3"])
    try waitForCell(client)
    let interrupt = try client.send("interrupt_request", [:], on: client.control)
    #expect(try client.reply(to: interrupt, on: client.control).type == "interrupt_reply")
    #expect(try client.reply(to: first).content["ename"]?.string == "Interrupted")
    #expect(try client.reply(to: second).content["status"]?.string == "aborted")
    #expect(
      try client.reply(to: looks).content == ["status": "incomplete", "indent": "  "])
    #expect(try client.reply(to: third).content["status"]?.string == "aborted")
    #expect(try client.run("print 4").reply["status"]?.string == "ok")
    #expect(client.executor.ran.map(\.cell.text) == ["wait", "print 4"])
  }

  @Test func withoutStopOnErrorCellsGoOn() throws {
    let client = try TestClient()
    let first = try client.send("execute_request", ["code": "wait", "stop_on_error": false])
    let second = try client.send("execute_request", ["code": "print 2"])
    try waitForCell(client)
    try client.send("interrupt_request", [:], on: client.control)
    #expect(try client.reply(to: first).content["status"]?.string == "error")
    #expect(try client.reply(to: second).content["status"]?.string == "ok")
  }

  private func waitForCell(_ client: TestClient) throws {
    while client.executor.ran.isEmpty { usleep(1000) }
    // What was sent before this answer has been read: it came by the same connection's order.
    let id = try client.send("kernel_info_request", [:], on: client.control)
    _ = try client.reply(to: id, on: client.control)
    usleep(50_000)
  }

  @Test func muchTextIsFewMessagesAndComesWhole() throws {
    let client = try TestClient()
    let (_, messages) = try client.run("lines 20000\ncomplain end")
    let streams = messages.filter { $0.type == "stream" }
    let out = streams.filter { $0.content["name"]?.string == "stdout" }
    let text = out.compactMap { $0.content["text"]?.string }.joined()
    #expect(text == (0..<20_000).map { "line \($0)\n" }.joined())
    #expect(streams.count < 100)
    #expect(streams.last?.content == ["name": "stderr", "text": "end\n"])
  }

  @Test func textWithoutEndIsCutWithAWord() throws {
    let client = try TestClient()
    let (reply, messages) = try client.run("block 3000000\nblock 3000000\nblock 10\nvalue 1")
    #expect(reply["status"]?.string == "ok")
    let texts = messages.filter { $0.type == "stream" }
    let out = texts.filter { $0.content["name"]?.string == "stdout" }
    #expect(out.reduce(0) { $0 + ($1.content["text"]?.string?.count ?? 0) } == 4 << 20)
    #expect(texts.last?.content["text"]?.string?.contains("beyond 4096 KiB is left out") == true)
    #expect(messages.last?.type == "execute_result")
  }

  @Test func ofManyUpdatesTheLastCounts() throws {
    let client = try TestClient()
    let (_, messages) = try client.run("show start\nprogress 5000\nvalue end")
    let updates = messages.filter { $0.type == "update_display_data" }
    #expect(updates.count < 500)
    #expect(updates.last?.content["data"]?["text/plain"] == "4999")
    #expect(messages.last?.type == "execute_result")
  }

  @Test func valuesOfJSONAreDocuments() throws {
    let client = try TestClient()
    let (_, messages) = try client.run(#"json {"a":[1,2]}"#)
    #expect(messages.last?.content["data"]?["application/json"] == ["a": [1, 2]])
    let (_, others) = try client.run("json {no")
    #expect(others.last?.content["data"]?["application/json"] == "{no")
  }

  @Test(arguments: [
    ("print 1", CellLanguage.swift, "print 1", 1), ("%%c\nprint 1", .c, "print 1", 2),
    ("%%experiment \r\nprint 1\n", .experiment, "print 1\n", 2),
    ("%%swift\n\nprint 1", .swift, "\nprint 1", 2),
  ])
  func theFirstLineChoosesTheLanguage(
    code: String, language: CellLanguage, text: String, line: Int
  ) throws {
    let client = try TestClient()
    _ = try client.run(code, metadata: ["cellId": "a-b_1"])
    let ran = try #require(client.executor.ran.first)
    #expect(ran.cell == NotebookCell(id: "cell-a-b_1", language: language, text: text, line: line))
    #expect(ran.file == "cell [1]")
  }

  @Test func aLanguageThatIsNoneIsAnError() throws {
    let client = try TestClient()
    let reply = try client.run("%%experimant\nx").reply
    #expect(reply["evalue"]?.string?.contains("did you mean %%experiment?") == true)
    #expect(try client.run("%%c -O3\nx").reply["evalue"]?.string?.contains("no options") == true)
    #expect(client.executor.ran.isEmpty)
  }

  @Test func cellsWithoutANameAreEachTheirOwn() throws {
    let client = try TestClient()
    for _ in 0..<2 { _ = try client.run("print a") }
    _ = try client.run("print b", metadata: ["cellId": .string("../../" + "é\n")])
    let ids = client.executor.ran.map(\.cell.id)
    #expect(Set(ids).count == 3)
    #expect(ids.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9_-]{1,80}/) != nil })
  }

  @Test func cursorsCountUnicodeScalars() throws {
    let client = try TestClient()
    // The flag is two scalars, the family five: clients count the same.
    let id = try client.send("complete_request", ["code": "🇫🇷👩‍👧ab", "cursor_pos": 7])
    #expect(
      try client.reply(to: id).content == [
        "status": "ok", "matches": ["word", "work"], "cursor_start": 5, "cursor_end": 7,
        "metadata": [:],
      ])
    let magic = try client.send("complete_request", ["code": "%%c\nab", "cursor_pos": 6])
    let answer = try client.reply(to: magic).content
    #expect(answer["cursor_start"]?.integer == 4 && answer["cursor_end"]?.integer == 6)
    let word = try client.send("complete_request", ["code": "%%e", "cursor_pos": 3])
    #expect(try client.reply(to: word).content["matches"] == ["%%experiment"])
    let found = try client.send("inspect_request", ["code": "%%swift\nabc", "cursor_pos": 10])
    let content = try client.reply(to: found).content
    #expect(content["found"] == true && content["data"]?["text/markdown"] == "**ab**")
    // A cursor outside the text is at its end.
    for cursor in [-1, 99] {
      let id = try client.send("inspect_request", ["code": "", "cursor_pos": JSONValue(cursor)])
      #expect(try client.reply(to: id).content["found"] == false)
    }
  }

  @Test func whatIsNotThereIsRefusedPolitely() throws {
    let client = try TestClient()
    let debug = try client.send("debug_request", ["command": "x"], on: client.control)
    let reply = try client.reply(to: debug, on: client.control)
    #expect(reply.type == "debug_reply" && reply.content["status"]?.string == "error")
    let comms = try client.send("comm_info_request", [:])
    #expect(try client.reply(to: comms).content["comms"] == [:])
    let open = try client.send("comm_open", ["comm_id": "c1", "target_name": "t", "data": [:]])
    let messages = try client.published(about: open)
    #expect(messages.map(\.type) == ["comm_close"])
    #expect(messages[0].content["comm_id"]?.string == "c1")
  }

  @Test func messagesThatAreNotSignedRightOrComeTwiceAreDropped() throws {
    let client = try TestClient()
    let (_, right) = client.request("execute_request", ["code": "print once"])
    var wrong = right
    wrong[1] = Array(String(repeating: "0", count: 64).utf8)
    for parts in [
      wrong, right, right, Array(right.dropLast()), [], [[]], [[0], [1]],
      right.map { Array($0.dropLast()) },
    ] {
      client.shell.send(parts)
    }
    // JSON that is none, signed right.
    let signature = MessageSignature(key: Array("secret".utf8))
    for blobs in [
      ["[]", "{}", "{}", "{}"], ["{}", "{}", "{}", "{}"], ["{", "{}", "{}", "{}"],
      [#"{"msg_id":1,"msg_type":"execute_request"}"#, "{}", "{}", "{}"],
    ].map({ $0.map { Array($0.utf8) } }) {
      client.shell.send([Array("<IDS|MSG>".utf8), signature.signature(of: blobs)] + blobs)
    }
    // Contents without what they should have.
    for type in [
      "execute_request", "complete_request", "inspect_request", "history_request",
      "is_complete_request",
    ] {
      let id = try client.send(type, [:])
      #expect(try client.reply(to: id).content["status"]?.string != nil)
    }
    #expect(client.executor.ran.map(\.cell.text) == ["print once"])
  }

  @Test(arguments: [false, true]) func shutdownAnswersAndEnds(restart: Bool) throws {
    let client = try TestClient()
    let cell = try client.send("execute_request", ["code": "wait"])
    while client.executor.ran.isEmpty { usleep(1000) }
    let id = try client.send("shutdown_request", ["restart": .bool(restart)], on: client.control)
    #expect(
      try client.reply(to: id, on: client.control).content
        == ["status": "ok", "restart": .bool(restart)])
    #expect(client.hasEnded() && client.executor.isEnded)
    #expect(client.executor.ran.count == 1)
    _ = cell
  }
}
