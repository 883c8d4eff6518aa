import Foundation
import TritCore
import TritPlugins

/// Makes a shared library of each cell, and keeps it: the same text after the same cells, by the
/// same program and compiler, is found again.
///
/// A cell of Swift is the main file of a module of its own, in script mode: its top-level variables
/// are globals, which later cells import (`@testable import`). A name that was declared twice means
/// its last declaration. A cell of C is a library and a module with the prototypes of its
/// functions.
final class CellCompiler {
  /// What was made of a cell.
  struct Product {
    let key: String
    let library: String
    /// The symbol of the cell's main; nil for C.
    let entry: String?
    let warnings: String
    let isFresh: Bool
  }

  /// A cell whose declarations later cells see.
  struct Visible {
    let id: String
    let key: String
    let language: CellLanguage
    let declarations: [CellSource.Declaration]
    let imports: [String]

    /// The modules that later cells import.
    var modules: [String] {
      let own = CellNames.module(key)
      return declarations.contains(where: \.isOfGuard) ? [own, CellNames.keptModule(key)] : [own]
    }
  }

  /// What is kept beside a library.
  struct Note: Codable {
    var declarations: [CellSource.Declaration]
    var imports: [String] = []
    var warnings: String
  }

  let folder: PluginFolder
  let tools: CellToolchain
  let names: CellNames
  /// Cells that have run, in order.
  private(set) var visible: [Visible] = []
  /// Modules of all cells of C that have run, in order.
  private(set) var modulesOfC: [String] = []
  /// Where system modules are kept; compilers of other versions have others.
  let moduleCache: String
  /// A folder of this process for what helps to write cells; it need not be there.
  let assistFolder: String

  /// Libraries that are kept, in bytes; the longest unused go first.
  private static let mostBytes = 512 << 20
  /// Seconds that a compiler may take.
  static let seconds = 120.0

  /// Keeps libraries in `folder`, for programs that are `program`.
  init(folder: String, program: String, names: CellNames) throws {
    self.folder = try PluginFolder(folder)
    self.names = names
    tools = try CellToolchain(program: program)
    assistFolder = self.folder.file("assist-\(getpid())-\(UInt32.random(in: 0...UInt32.max))")
    moduleCache = self.folder.file("modules-" + SHA256.hex(tools.frontend.identity).prefix(8))
    sweep()
  }

  /// What `cell` has declared counts from now on; what it had declared before does not.
  func keep(_ cell: NotebookCell, _ product: Product, _ note: Note) {
    forget(cell.id)
    let module = CellNames.module(product.key)
    if cell.language == .c, !modulesOfC.contains(module) { modulesOfC.append(module) }
    visible.append(
      Visible(
        id: cell.id, key: product.key, language: cell.language, declarations: note.declarations,
        imports: note.imports))
  }

  /// Takes back what the cell `id` has declared.
  func forget(_ id: String) { visible.removeAll { $0.id == id } }

  /// Takes back what the cells of `keys` have declared.
  func forget(keys: Set<String>) { visible.removeAll { keys.contains($0.key) } }

  /// All names that cells have declared.
  var declaredNames: [String] { visible.flatMap { $0.declarations.map(\.name) } }

  /// The key of `cell` as it would be compiled now: after the cells that are visible, but for
  /// itself.
  func key(of cell: NotebookCell) -> String {
    let before = visible.filter { $0.id != cell.id }.map(\.key)
    let parts = ["2", tools.identity, cell.language.rawValue] + before + [cell.text]
    return String(SHA256.hex(parts.joined(separator: "\u{0}")).prefix(CellNames.length))
  }

  /// What has been made of `key` before.
  func cached(_ key: String) -> Note? {
    guard folder.holds(key + ".so"), folder.holds(key + ".json"),
      let text = WholeFile.text(folder.file(key + ".json")),
      let note = try? JSONDecoder().decode(Note.self, from: Data(text.utf8))
    else { return nil }
    return note
  }

  /// Keeps what was made in `scratch`: the files that end so, and last the note.
  func place(_ key: String, _ scratch: String, _ endings: [String], _ note: Note) throws {
    for ending in endings {
      let from = scratch + "/" + key + ending
      guard chmod(from, 0o700) == 0, rename(from, folder.file(key + ending)) == 0 else {
        let number = errno
        throw LabError(
          .cannotCreate, "cannot keep what a cell was compiled to: \(SystemFailure.text(number))",
          at: folder.file(key + ending),
          advice: SystemFailure.advice(number, otherwise: "check the rights of the folder"))
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try AtomicFile.write(Array(try encoder.encode(note)), to: folder.file(key + ".json"))
  }

  /// Runs a compiler; gives what it said. Throws the cell's failure where it does not compile.
  func compile(_ program: String, _ arguments: [String]) throws -> String {
    let outcome = try Subprocess(
      program: program, arguments: arguments, environment: ["LC_ALL": "C"], seconds: Self.seconds
    ).run()
    if outcome.isLate {
      throw CellFailure(
        .compile, name: "CompileError",
        message: "the compiler did not end within \(Int(Self.seconds)) s")
    }
    let said = told(outcome.errors + outcome.output)
    guard outcome.code == 0 else { throw Self.failure(said, program: program, outcome: outcome) }
    return said
  }

  /// Messages in terms of the notebook.
  func told(_ text: String) -> String {
    let lines = names.told(text).split(separator: "\n", omittingEmptySubsequences: false)
    return Self.withoutWrapping(lines.filter { !$0.hasSuffix(" generated.") && !$0.isEmpty })
      .joined(separator: "\n")
  }

  /// Messages without those about what stands around a shown expression.
  private static func withoutWrapping(_ lines: [Substring]) -> [Substring] {
    var result: [Substring] = []
    var index = 0
    while index < lines.count {
      guard index + 1 < lines.count, lines[index + 1] == "_showResult(" else {
        result.append(lines[index])
        index += 1
        continue
      }
      // The message, the line, the mark under it, and the note with its own two lines.
      index += 3
      if index < lines.count, lines[index].contains(": note: a call to a never-returning") {
        index += 3
      }
    }
    return result
  }

  private static func failure(
    _ said: String, program: String, outcome: Subprocess.Outcome
  ) -> CellFailure {
    guard !said.isEmpty else {
      let end = outcome.signal.map { "signal \($0)" } ?? "exit code \(outcome.code ?? 0)"
      return CellFailure(
        .compile, name: "CompileError", message: "the compiler failed: \(program) ended with \(end)"
      )
    }
    var message = said
    if said.contains("module compiled with Swift") {
      message +=
        "\nthe swift on the PATH is of another version than the one that built the program: put that one first"
    }
    if said.contains("undefined symbol: __wrap_swift_errorInMain")
      || said.contains("undefined symbol: $s4Trit")
    {
      message +=
        "\nthis program does not export its symbols: link it with -Xlinker --export-dynamic"
    }
    let place = said.split(separator: "\n").lazy
      .compactMap { $0.firstMatch(of: #/^(.+:\d+:\d+): (?:fatal )?error: /#)?.1 }.first
    return CellFailure(
      .compile, name: "CompileError", message: message, place: place.map(String.init))
  }

  /// Removes what was unused longest where there is too much.
  private func sweep() {
    guard let listing = try? FolderListing(folder.path).names else { return }
    var files: [(key: String, used: Int, bytes: Int)] = []
    let now = Int(time(nil))
    for name in listing {
      guard let stamp = FileStamp(path: folder.file(name)) else { continue }
      if name.hasPrefix("build-"), now - stamp.modified / 1_000_000_000 > 3600 {
        try? FileManager.default.removeItem(atPath: folder.file(name))
      }
      if name.hasPrefix("modules-"), now - stamp.modified / 1_000_000_000 > 30 * 86_400 {
        try? FileManager.default.removeItem(atPath: folder.file(name))
      }
      if name.hasPrefix("assist-"), let id = Int32(name.split(separator: "-")[1]), kill(id, 0) != 0
      {
        try? FileManager.default.removeItem(atPath: folder.file(name))
      }
      if name.hasSuffix(".so") {
        files.append((String(name.dropLast(3)), stamp.modified, stamp.size))
      }
    }
    files.sort { $0.used > $1.used }
    var bytes = 0
    for file in files {
      bytes += 2 * file.bytes
      if bytes <= Self.mostBytes { continue }
      for name in listing where name.contains(file.key) { unlink(folder.file(name)) }
    }
  }
}
