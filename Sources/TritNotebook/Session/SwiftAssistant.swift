import Foundation
import Synchronization
import TritCore
import TritPlugins
internal import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What Swift itself knows of a place in a cell: members, parameters, documentation, by the
/// toolchain's own SourceKit-LSP.
///
/// The server starts with the first question (2 s and 0.3 GB of memory where this was measured; an
/// answer then takes 10 to 100 ms). Nobody waits longer than `firstSeconds` for the first answer and
/// `seconds` for others; where none comes in time, the lab's own names are all that is offered. A
/// server that dies or takes more than `memory` is started again, `mostStarts` times at most.
final class SwiftAssistant: Sendable {
  /// A place in a cell: what makes other cells and the lab visible, the text, and the compiler's
  /// arguments.
  struct Question {
    var imports: String
    var text: String
    /// Unicode scalars before the place.
    var offset: Int
    var arguments: [String]
  }

  /// A word that can stand there.
  struct Word: Equatable {
    var name: String
    /// As Jupyter's consoles call it: `function`, `property`, `class`…
    var kind: String
    /// How it is declared: `prefill(tokens: [Int])`.
    var signature: String
  }

  static let firstSeconds = 6.0
  /// Seconds until a server must say that it is there.
  static let secondsOfGreeting = 2.5
  static let seconds = 1.0
  static let memory = 1 << 30
  static let mostStarts = 2
  /// Words that are taken over.
  private static let mostWords = 300

  private struct State {
    var server: LanguageServer?
    /// The arguments that it was started with.
    var arguments: [String] = []
    var starts = 0
    var version = 0
    var hasAnswered = false
    /// The document that is open, and what stands before its cells.
    var document: Int?
    var imports = ""
  }

  /// Documents of one server. What the server knows of a document's modules it does not look up
  /// again when others are imported; a document of its own knows nothing yet.
  private static let documents = 200

  private let program: String?
  private let folder: String
  private let state = Mutex(State())
  /// The server, for who ends it while somebody asks; and whether all is over.
  private let current = Mutex<(server: LanguageServer?, isOver: Bool)>((nil, false))

  /// An assistant that keeps what its server needs in `folder`, and removes it at its end.
  ///
  /// - Parameters:
  ///   - program: the server; nil where the toolchain has none, and nothing is answered.
  ///   - folder: a folder of its own.
  init(program: String?, folder: String) {
    self.program = program
    self.folder = folder
  }

  deinit { end() }

  /// Ends the server; nothing is answered any more.
  func end() {
    let server = current.withLock { current -> LanguageServer? in
      current.isOver = true
      return current.server
    }
    server?.end()
    if server != nil { try? FileManager.default.removeItem(atPath: folder) }
  }

  /// Words that can stand at the place, likely ones first; those that begin with `word`, which
  /// stands before it.
  func completions(of question: Question, word: String) -> [Word] {
    guard let answer = ask("textDocument/completion", question) else { return [] }
    let items = answer["items"]?.array ?? answer.array ?? []
    let sorted = items.sorted {
      ($0["sortText"]?.string ?? "") < ($1["sortText"]?.string ?? "")
    }
    var seen: Set<String> = []
    var words: [Word] = []
    for item in sorted where words.count < Self.mostWords {
      let label = item["label"]?.string ?? ""
      let full = item["filterText"]?.string ?? label
      let name = String(full.prefix { $0 != "(" && $0 != "[" && $0 != ":" && $0 != " " })
      // What cells and the compiler of cells add for themselves is nobody's business.
      guard name.hasPrefix(word), !name.isEmpty, name != "self",
        word.hasPrefix("_") || !name.hasPrefix("_"), !name.hasPrefix("Cell_"),
        seen.insert(name).inserted
      else { continue }
      words.append(
        Word(name: name, kind: Self.kind(item["kind"]?.integer ?? 0), signature: label))
    }
    return words
  }

  /// The declaration and the documentation of what stands there, as Markdown.
  func inspection(of question: Question) -> String? {
    guard let contents = ask("textDocument/hover", question)?["contents"] else { return nil }
    let text = contents["value"]?.string ?? contents.string ?? ""
    return text.isEmpty ? nil : text
  }

  /// Kinds of LSP 3.17 (CompletionItemKind) as Jupyter's consoles call them.
  private static func kind(_ number: Int) -> String {
    switch number {
    case 2, 3, 4: "function"
    case 5, 10: "property"
    case 7, 8, 13, 22, 25: "class"
    case 6, 20, 21: "instance"
    case 9: "module"
    case 14: "keyword"
    default: "<unknown>"
    }
  }

  // MARK: The server

  /// The document for cells after these imports; a new one where they are others than before.
  private func open(_ state: inout State, _ server: LanguageServer, _ imports: String) -> String {
    if let document = state.document, state.imports == imports { return address(document) }
    if let document = state.document {
      server.notify(
        "textDocument/didClose", ["textDocument": ["uri": .string(address(document))]])
    }
    let next = (state.document ?? -1) + 1
    state.document = next
    state.imports = imports
    let place = folder + "/\(next)"
    try? FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try? AtomicFile.write("", to: place + "/main.swift")
    server.notify(
      "textDocument/didOpen",
      [
        "textDocument": [
          "uri": .string(address(next)), "languageId": "swift", "version": JSONValue(state.version),
          "text": "",
        ]
      ])
    return address(next)
  }

  private func ask(_ method: String, _ question: Question) -> JSONValue? {
    guard program != nil else { return nil }
    return state.withLock { state in
      let deadline = Date(
        timeIntervalSinceNow: state.hasAnswered && state.server?.isAlive == true
          ? Self.seconds : Self.firstSeconds)
      guard let server = server(&state, question, deadline) else { return nil }
      let address = open(&state, server, question.imports)
      state.version += 1
      // A place that stands where the one before stood gets the answer of that one: blank lines
      // move it.
      let lead = 1 + state.version % 64
      let text =
        question.imports.replacing("\n", with: "; ") + String(repeating: "\n", count: lead)
        + question.text
      server.notify(
        "textDocument/didChange",
        [
          "textDocument": ["uri": .string(address), "version": JSONValue(state.version)],
          "contentChanges": [["text": .string(text)]],
        ])
      let (line, character) = Self.place(question.offset, in: question.text)
      let answer = server.ask(
        method,
        [
          "textDocument": ["uri": .string(address)],
          "position": ["line": JSONValue(line + lead), "character": JSONValue(character)],
        ], until: deadline)
      state.hasAnswered = answer != nil || state.hasAnswered
      return answer
    }
  }

  /// A server that runs and knows these arguments; nil where none can be had.
  private func server(
    _ state: inout State, _ question: Question, _ deadline: Date
  ) -> LanguageServer? {
    let isFull = (state.document ?? 0) >= Self.documents - 1 && state.imports != question.imports
    if let server = state.server, server.isAlive, state.arguments == question.arguments, !isFull {
      return server
    }
    let isOther = state.server?.isAlive == true
    state.server?.end()
    state.server = nil
    // Other arguments are no fault of it.
    if !isOther { state.starts += 1 }
    guard let program, state.starts <= Self.mostStarts else { return nil }
    do {
      try prepare(question.arguments)
      // Its own files go where ours are, not into the person's home.
      let server = try LanguageServer(
        program: program, memory: Self.memory, environment: ["HOME": folder])
      let isOver = current.withLock { current -> Bool in
        current.server = server
        return current.isOver
      }
      guard !isOver else {
        server.end()
        return nil
      }
      state.server = server
      state.arguments = question.arguments
      state.hasAnswered = false
      state.document = nil
      let root = JSONValue.string(URL(fileURLWithPath: folder).absoluteString)
      guard
        server.ask(
          "initialize",
          [
            "processId": JSONValue(Int(getpid())), "rootUri": root,
            "initializationOptions": ["backgroundIndexing": false],
            "capabilities": [
              "textDocument": ["completion": ["completionItem": ["snippetSupport": false]]]
            ],
          ], until: min(deadline, Date(timeIntervalSinceNow: Self.secondsOfGreeting))) != nil
      else {
        // Too slow to be asked now; the next question begins anew.
        server.end()
        return nil
      }
      server.notify("initialized", [:])
      return server
    } catch {
      return nil
    }
  }

  private func file(_ document: Int) -> String { folder + "/\(document)/main.swift" }
  private func address(_ document: Int) -> String {
    URL(fileURLWithPath: file(document)).absoluteString
  }

  /// Writes what tells the server how cells are compiled: a database as clang's tools have it.
  private func prepare(_ arguments: [String]) throws {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let database = (0..<Self.documents).map { document -> JSONValue in
      let path = file(document)
      let command = ["swiftc"] + arguments + ["-module-name", "CellBeingWritten", path]
      return [
        "directory": .string(folder), "file": .string(path), "arguments": JSONValue(command),
      ]
    }
    try AtomicFile.write(JSONWriter.text(.array(database)), to: folder + "/compile_commands.json")
  }

  /// Line and UTF-16 column of a place, both from 0.
  static func place(_ offset: Int, in text: String) -> (line: Int, character: Int) {
    var (line, character) = (0, 0)
    for scalar in text.unicodeScalars.prefix(offset) {
      if scalar == "\n" {
        line += 1
        character = 0
      } else {
        character += scalar.value > 0xFFFF ? 2 : 1
      }
    }
    return (line, character)
  }
}
