import Synchronization
import TritCore
import TritFormats
import TritNotebook

extension JupyterKernel {
  /// Runs a cell.
  func execute(_ request: KernelRequest) {
    let message = request.message
    let code = message.text("code")
    let isSilent = message.flag("silent", default: false)
    let isKept = !isSilent && message.flag("store_history", default: true)
    let (number, serial) = state.withLock { state in
      if isKept {
        state.count += 1
        state.history.add(state.count, code)
      }
      state.serial += 1
      return (state.count, state.serial)
    }
    if !isSilent {
      publish(
        "execute_input", ["code": .string(code), "execution_count": JSONValue(number)],
        parent: message.header)
    }
    let header = message.header
    let relay = OutputRelay(number: number) { [self] type, content in
      if !isSilent { publish(type, content, parent: header) }
    }
    let failure = run(code, id: Self.identity(message, serial), number: number, relay)
    let result = relay.finish()
    if isKept { state.withLock { $0.history.note(output: result) } }
    guard let failure else {
      return reply(
        [
          "status": "ok", "execution_count": JSONValue(number), "user_expressions": [:],
          "payload": [],
        ], to: request)
    }
    // Those that had come before the answer: a client that has read it means what it sends next.
    if message.flag("stop_on_error", default: true) { abortWaitingCells() }
    var content: [(key: String, value: JSONValue)] = [
      ("status", "error"), ("execution_count", JSONValue(number)),
    ]
    content += OutputRelay.error(failure).object ?? []
    content += [("user_expressions", [:]), ("payload", [])]
    reply(.object(content), to: request)
  }

  /// Answers for a cell that does not run, since one before it failed.
  func abort(_ request: KernelRequest) {
    reply(
      ["status": "aborted", "execution_count": JSONValue(state.withLock { $0.count })],
      to: request)
  }

  private func run(
    _ code: String, id: String, number: Int, _ relay: OutputRelay
  ) -> CellFailure? {
    let file = "cell [\(number)]"
    let cell: CellMagic
    do {
      cell = try CellMagic(code)
    } catch {
      let failure = CellFailure(
        .compile, name: "LabError", message: "\(error)", place: "\(file):1")
      relay.take(.failure(failure))
      return failure
    }
    guard !cell.text.allSatisfy(\.isWhitespace) else { return nil }
    return executor.run(
      NotebookCell(id: id, language: cell.language, text: cell.text, line: cell.line), file: file
    ) { relay.take($0) }
  }

  /// What a cell is called: as the notebook calls it, so that one that is run again replaces what
  /// it was; else every run is a cell of its own, as in a console.
  private static func identity(_ message: JupyterMessage, _ serial: Int) -> String {
    guard let id = message.metadata["cellId"]?.string, !id.isEmpty else { return "run-\(serial)" }
    // Notebooks may hold anything there, and what follows it is a name among files.
    guard id.wholeMatch(of: /[A-Za-z0-9_-]{1,64}/) == nil else { return "cell-\(id)" }
    return "cell-" + SHA256.hex(id).prefix(32)
  }
}
