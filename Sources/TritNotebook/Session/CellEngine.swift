import Foundation
import Synchronization
public import TritCore
import TritDrawing
import TritExperiments

/// Compiles and runs cells: what runs notebooks, watches them, and serves Jupyter.
public final class CellEngine: CellExecutor, @unchecked Sendable {
  private let compiler: CellCompiler
  private let session: CellSession
  private let names = CellNames()
  private let runs: String
  private let lab: Lab
  private let assistant: SwiftAssistant
  /// One cell at a time; what only looks need not wait.
  private let running = Mutex(())

  /// An engine whose libraries are kept below `folder`, which is made for the owner alone.
  ///
  /// - Parameters:
  ///   - folder: the cache folder of the program; cells lie in `cells` there.
  ///   - runs: where experiments of cells write their runs.
  ///   - limits: what a cell may take.
  ///   - lab: the stages that cells begin with, for completion; those of the child are its own program's.
  ///   - program: a program that calls `CellHost.childMain`; nil for this one.
  ///   - assistant: a language server of Swift, for completion; nil for the toolchain's.
  ///
  /// Throws `missingInput` that says what is missing where there is no toolchain, or are no
  /// modules.
  public init(
    folder: String, runs: String, limits: CellLimits = CellLimits(), lab: Lab = .standard,
    program: String? = nil, assistant assistantProgram: String? = nil
  ) throws {
    let program = program ?? ProgramPath.readable
    compiler = try CellCompiler(folder: folder + "/cells", program: program, names: names)
    session = CellSession(program: program, memoryFolder: folder, names: names, limits: limits)
    self.runs = runs
    self.lab = lab
    assistant = SwiftAssistant(
      program: assistantProgram ?? compiler.tools.languageServer, folder: compiler.assistFolder)
  }

  deinit {
    assistant.end()
    session.stop()
  }

  /// Compiles and runs `cell`, as `CellExecutor` says; one cell at a time, others wait.
  public func run(
    _ cell: NotebookCell, file: String, emit: @escaping @Sendable (CellOutput) -> Void
  ) -> CellFailure? {
    running.withLock { _ in
      session.begin()
      let failure: CellFailure?
      do {
        failure = try perform(cell, file: file, emit: emit)
      } catch let error as CellFailure {
        failure = error
      } catch let lost as CellSession.LostState {
        compiler.forget(keys: lost.keys)
        failure = CellFailure(
          .crash, name: "LostState",
          message:
            "the state could not be restored: the cell at \(lost.file):\(lost.line) did not run again"
            + " (\(lost.failure.message)); run it and those after it",
          place: "\(lost.file):\(lost.line)")
      } catch {
        let text = "\(error)"
        let isStop = (error as? LabError)?.kind == .interrupted
        failure = CellFailure(
          isStop ? .interrupted : .thrown, name: isStop ? "Interrupted" : "LabError",
          message: names.told(text))
      }
      if let failure { emit(.failure(failure)) }
      return failure
    }
  }

  private func perform(
    _ cell: NotebookCell, file: String, emit: (CellOutput) -> Void
  ) throws -> CellFailure? {
    guard !cell.text.allSatisfy(\.isWhitespace) else { return nil }
    if cell.language == .experiment {
      return try session.run(
        HostCommand(
          language: .experiment, id: cell.id, key: "", text: cell.text, file: file, line: cell.line,
          runs: runs), emit: emit)
    }
    let (product, note) =
      try cell.language == .c ? compiler.c(cell, file: file) : compiler.swift(cell, file: file)
    if !product.warnings.isEmpty { emit(.stream(.stderr, product.warnings + "\n")) }
    let command = HostCommand(
      language: cell.language, id: cell.id, key: product.key, library: product.library,
      entry: product.entry ?? "", file: file, line: cell.line, runs: runs)
    let failure = try session.run(command, emit: emit)
    // A cell that failed defines nothing.
    if failure == nil { compiler.keep(cell, product, note) } else { compiler.forget(cell.id) }
    return failure
  }

  /// Runs the expressions of a piece of prose, and gives their values as text.
  func values(of expressions: [String], file: String, line: Int) throws -> [String] {
    let list = expressions.map { "(\($0)) as Any" }.joined(separator: ", ")
    let cell = NotebookCell(
      id: "prose-\(line)", language: .swift, text: "_tellInline([\(list)])\n", line: line)
    let told = Mutex<[String]>([])
    let failure = run(cell, file: file) { output in
      guard case .result(let data) = output, let json = data[.json] else { return }
      told.withLock { $0 = (try? JSONDecoder().decode([String].self, from: Data(json.utf8))) ?? [] }
    }
    if let failure { throw failure }
    return told.withLock { $0 }
  }

  /// What cells have kept since this was called last.
  func takeKept() -> [KeptValue] { running.withLock { _ in session.takeKept() } }

  /// Asks the cell that runs to stop.
  public func interrupt() { session.interrupt() }

  /// Ends the process of the cells, and what it has started.
  public func end() {
    assistant.end()
    session.end()
  }

  /// Forgets all cells: the next one begins with nothing.
  public func restart() {
    running.withLock { _ in
      compiler.forget(keys: Set(compiler.visible.map(\.key)))
      session.restart()
    }
  }

  /// Names of cells, of the lab and of files that can stand there.
  public func completions(
    of text: String, in language: CellLanguage = .swift, at offset: Int
  ) -> CellCompletions {
    let assistance = CellAssistance(lab: lab, names: compiler.declaredNames)
    switch language {
    case .swift:
      return assistance.completions(of: text, at: offset) { [self] word in
        assistant.completions(of: question(text, offset), word: word)
      }
    case .c:
      return CellAssistance.completionsOfC(of: text, at: offset) { [compiler] start in
        compiler.wordsOfC(text, at: start)
      }
    case .experiment: return assistance.completionsOfExperiment(of: text, at: offset)
    }
  }

  /// What the lab and the compilers know of the word there, as Markdown.
  public func inspection(
    of text: String, in language: CellLanguage = .swift, at offset: Int
  ) -> String? {
    let assistance = CellAssistance(lab: lab, names: compiler.declaredNames)
    switch language {
    case .swift:
      return assistance.inspection(of: text, at: offset) { [self] start in
        assistant.inspection(of: question(text, start))
      }
    case .c:
      return CellAssistance.inspectionOfC(of: text, at: offset) { [compiler] start in
        compiler.wordsOfC(text, at: start)
      }
    case .experiment: return assistance.inspectionOfExperiment(of: text, at: offset)
    }
  }

  private func question(_ text: String, _ offset: Int) -> SwiftAssistant.Question {
    let cell = NotebookCell(id: "", language: .swift, text: text)
    return SwiftAssistant.Question(
      imports: compiler.imports(for: cell, own: []), text: text, offset: offset,
      arguments: compiler.searchArguments)
  }

  /// Whether `text` is a whole cell of Swift.
  public func completeness(of text: String) -> CellCompleteness { compiler.completeness(of: text) }
}
