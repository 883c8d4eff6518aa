import Synchronization
import TritCore
import TritFormats
import TritNotebook

/// Answers to requests; each is a function, and a line of `answer`.
extension JupyterKernel {
  /// Answers a request, between the words that the kernel is busy and that it is idle again.
  func answer(_ request: KernelRequest) {
    let message = request.message
    publish("status", ["execution_state": "busy"], parent: message.header)
    switch message.type {
    case "kernel_info_request": reply(Self.information, to: request)
    case "execute_request": request.isAborted ? abort(request) : execute(request)
    case "is_complete_request": reply(completeness(message), to: request)
    case "complete_request": reply(completions(message), to: request)
    case "inspect_request": reply(inspection(message), to: request)
    case "history_request":
      reply(state.withLock { $0.history.reply(to: message.content) }, to: request)
    case "comm_info_request": reply(["status": "ok", "comms": [:]], to: request)
    case "comm_open": refuseComm(message)
    case "interrupt_request":
      executor.interrupt()
      reply(["status": "ok"], to: request)
    case "shutdown_request": return shutDown(request)
    // What was opened by nobody needs no answer.
    case "comm_msg", "comm_close": break
    case let type where type.hasSuffix("_request"):
      reply(Self.unsupported(type), to: request)
    default: break
    }
    publish("status", ["execution_state": "idle"], parent: message.header)
  }

  private static let information: JSONValue = [
    "status": "ok", "protocol_version": .string(MessageWriter.protocolVersion),
    "implementation": "trit", "implementation_version": .string(BuildInformation.version),
    "language_info": [
      "name": "swift", "version": "6", "mimetype": "text/x-swift", "file_extension": ".swift",
      "pygments_lexer": "swift", "codemirror_mode": "swift",
    ],
    "banner": .string(
      "TritLab \(BuildInformation.version): cells of Swift, of C (%%c) and of experiments (%%experiment)"
    ),
    "help_links": [],
  ]

  private static func unsupported(_ type: String) -> JSONValue {
    let words = "this kernel does not answer '\(type.prefix(64))'"
    return [
      "status": "error", "ename": "UnsupportedRequest", "evalue": .string(words),
      "traceback": [.string(words)],
    ]
  }

  /// Tells who opened a comm that there is none, as the protocol asks for unknown targets.
  private func refuseComm(_ message: JupyterMessage) {
    publish(
      "comm_close", ["comm_id": .string(message.text("comm_id")), "data": [:]],
      parent: message.header)
  }

  /// Answers, ends the cells, and lets `run` return.
  private func shutDown(_ request: KernelRequest) {
    let restarts = request.message.flag("restart", default: false)
    reply(["status": "ok", "restart": .bool(restarts)], to: request)
    executor.end()
    publish("status", ["execution_state": "idle"], parent: request.message.header)
    finish()
  }

  // MARK: What only looks

  private func completeness(_ message: JupyterMessage) -> JSONValue {
    guard let cell = try? CellMagic(message.text("code")) else { return ["status": "invalid"] }
    // Of C and YAML only the writer knows.
    guard cell.language == .swift else { return ["status": "unknown"] }
    switch executor.completeness(of: cell.text) {
    case .complete: return ["status": "complete"]
    case .invalid: return ["status": "invalid"]
    case .incomplete(let indent): return ["status": "incomplete", "indent": .string(indent)]
    }
  }

  private func completions(_ message: JupyterMessage) -> JSONValue {
    let code = message.text("code")
    let cursor = Self.cursor(message, code)
    func answer(
      _ matches: [String], _ range: Range<Int>, _ details: [String: CellCompletions.Detail] = [:]
    ) -> JSONValue {
      // What JupyterLab and consoles show beside the words.
      let kinds = matches.map { match -> JSONValue in
        [
          "text": .string(match), "start": JSONValue(range.lowerBound),
          "end": JSONValue(range.upperBound),
          "type": .string(details[match]?.kind ?? "<unknown>"),
          "signature": .string(details[match]?.signature ?? ""),
        ]
      }
      return [
        "status": "ok", "matches": JSONValue(matches), "cursor_start": JSONValue(range.lowerBound),
        "cursor_end": JSONValue(range.upperBound),
        "metadata": details.isEmpty ? [:] : ["_jupyter_types_experimental": .array(kinds)],
      ]
    }
    let before = String(String.UnicodeScalarView(code.unicodeScalars.prefix(cursor)))
    if before.hasPrefix("%"), !before.unicodeScalars.contains("\n") {
      let words = CellLanguage.allCases.map { "%%\($0.rawValue)" }
      return answer(words.filter { $0.hasPrefix(before) }, 0..<cursor)
    }
    guard let cell = try? CellMagic(code), cursor >= cell.offset else {
      return answer([], cursor..<cursor)
    }
    let found = executor.completions(
      of: cell.text, in: cell.language, at: cursor - cell.offset)
    return answer(
      found.matches,
      (found.range.lowerBound + cell.offset)..<(found.range.upperBound + cell.offset),
      found.details)
  }

  private func inspection(_ message: JupyterMessage) -> JSONValue {
    let code = message.text("code")
    let cursor = Self.cursor(message, code)
    var data: JSONValue = [:]
    var isFound = false
    if let cell = try? CellMagic(code), cursor >= cell.offset,
      let text = executor.inspection(
        of: cell.text, in: cell.language, at: cursor - cell.offset)
    {
      data = ["text/markdown": .string(text), "text/plain": .string(text)]
      isFound = true
    }
    return ["status": "ok", "found": .bool(isFound), "data": data, "metadata": [:]]
  }

  /// Where the cursor stands, in Unicode scalars, as the protocol counts; the end where that is not
  /// said, or is not in the text.
  private static func cursor(_ message: JupyterMessage, _ code: String) -> Int {
    let count = code.unicodeScalars.count
    return message.content["cursor_pos"]?.integer.map { min(max($0, 0), count) } ?? count
  }
}
