import Foundation
import TritCore
import TritPlugins

extension CellCompiler {
  /// What cells import without saying so.
  private static let standardImports = ["TritLab", "TritNotebook", "Foundation"]

  /// Compiles a cell of Swift, or finds it. Throws a `CellFailure` where it does not compile.
  func swift(_ cell: NotebookCell, file: String) throws -> (Product, Note) {
    let key = key(of: cell)
    names.place(key, file: file, line: cell.line)
    if let note = cached(key) {
      folder.touch(key)
      return (product(key, note, isFresh: false), note)
    }
    return try folder.withScratch { scratch in
      var source = try parse(cell, key, scratch)
      source.liftGuards(of: cell.text) { qualified($0, for: cell) }
      if let offset = source.topLevelAwait { throw awaitFailure(cell, file, offset) }
      let text = scratch + "/text.swift"
      try AtomicFile.write(module(cell, source, key), to: text)
      let module = CellNames.module(key)
      let said = try compile(
        tools.frontend.path,
        arguments(module, scratch, text) + ["-entry-point-function-name", module + "_main"])
      var modules = [module]
      if source.declarations.contains(where: \.isOfGuard) {
        let kept = CellNames.keptModule(key)
        let text = scratch + "/kept.swift"
        try AtomicFile.write(keptModule(source, key), to: text)
        _ = try compile(
          tools.frontend.path,
          arguments(kept, scratch, text) + ["-parse-as-library", "-I", scratch])
        modules.append(kept)
      }
      _ = try compile(
        tools.linker.path,
        ["-shared", "-o", "\(scratch)/\(key).so", tools.start]
          + modules.map { "\(scratch)/\($0).o" } + [
            "--wrap=swift_errorInMain", "--build-id=none",
          ])
      let note = Note(
        declarations: source.declarations, imports: source.imports,
        warnings: String(said.prefix(Self.shownWarnings)))
      // Later compilers find a module by its name.
      for name in modules { try rename(module: name, scratch) }
      try place(key, scratch, [".so"], note)
      return (product(key, note, isFresh: true), note)
    }
  }

  /// Characters of warnings that are kept.
  private static let shownWarnings = 20_000

  private func product(_ key: String, _ note: Note, isFresh: Bool) -> Product {
    Product(
      key: key, library: folder.file(key + ".so"), entry: CellNames.module(key) + "_main",
      warnings: names.told(note.warnings), isFresh: isFresh)
  }

  private func rename(module: String, _ scratch: String) throws {
    let name = module + ".swiftmodule"
    guard Foundation.rename("\(scratch)/\(name)", folder.file(name)) == 0 else {
      let number = errno
      throw LabError(
        .cannotCreate, "cannot keep the module of a cell: \(SystemFailure.text(number))",
        at: folder.file(name),
        advice: SystemFailure.advice(number, otherwise: "check the rights of the folder"))
    }
  }

  /// What the cell declares. Throws its failure where it does not parse.
  private func parse(_ cell: NotebookCell, _ key: String, _ scratch: String) throws -> CellSource {
    let path = scratch + "/" + CellNames.file(key, .swift)
    // A line before it, as where it is compiled.
    try AtomicFile.write("\n" + cell.text, to: path)
    let outcome = try Subprocess(
      program: tools.frontend.path,
      arguments: [
        "-dump-parse", "-dump-ast-format", "json", "-swift-version", "5", "-diagnostic-style",
        "llvm", path,
      ], environment: ["LC_ALL": "C"], seconds: Self.seconds
    ).run()
    if let source = CellSource(tree: outcome.output, of: cell.text, lead: 1) { return source }
    let said = told(outcome.errors)
    let place = said.firstMatch(of: #/^(.+:\d+:\d+): error: /#.anchorsMatchLineEndings())?.1
    throw CellFailure(
      .compile, name: "CompileError",
      message: said.isEmpty ? "the compiler cannot parse the cell" : said,
      place: place.map(String.init))
  }

  private func awaitFailure(_ cell: NotebookCell, _ file: String, _ offset: Int) -> CellFailure {
    let before = cell.text.utf8.prefix(offset)
    let line = cell.line + before.filter { $0 == UInt8(ascii: "\n") }.count
    let place = "\(file):\(line)"
    return CellFailure(
      .compile, name: "CompileError",
      message:
        "\(place): error: a cell cannot await at its top level: the lab's calls are synchronous\n"
        + "put it into a Task and wait for that with a semaphore, or call what does not await",
      place: place)
  }

  /// The text that is compiled: the cell's lines as they are, its last expression shown, imports
  /// after it.
  private func module(_ cell: NotebookCell, _ source: CellSource, _ key: String) -> String {
    let file = CellNames.file(key, .swift)
    var text = "#sourceLocation(file: \"\(file)\", line: \(CellNames.firstLine))\n"
    let bytes = Array(cell.text.utf8)
    if let shown = source.shown {
      let before = String(decoding: bytes[..<shown.lowerBound], as: UTF8.self)
      let row = CellNames.firstLine + before.utf8.filter { $0 == UInt8(ascii: "\n") }.count
      let column = before.utf8.reversed().prefix { $0 != UInt8(ascii: "\n") }.count
      // In its own column, so that messages point at it.
      let expression =
        String(repeating: " ", count: column) + String(decoding: bytes[shown], as: UTF8.self)
      text += edited(bytes[..<shown.lowerBound], source)
      text += "\n#sourceLocation(file: \"\(file)\", line: \(row - 1))\n"
      text += "_showResult(\n\(expression)\n)\n"
    } else {
      text += edited(bytes[...], source) + "\n"
    }
    text += "#sourceLocation(file: \"notebook\", line: 1)\n"
    for bound in source.declarations where bound.isOfGuard {
      text += "let \(CellNames.kept(bound.name)) = `\(bound.name)`\n"
    }
    return text + imports(for: cell, own: Set(source.declarations.map(\.name)))
  }

  private func edited(_ bytes: ArraySlice<UInt8>, _ source: CellSource) -> String {
    String(decoding: GuardBindings.applied(source.edits, to: bytes), as: UTF8.self)
  }

  /// A name of an earlier cell, with its module; nil where none declares it.
  private func qualified(_ name: String, for cell: NotebookCell) -> String? {
    for earlier in visible.reversed() where earlier.id != cell.id && earlier.language == .swift {
      guard let found = earlier.declarations.last(where: { $0.name == name }) else { continue }
      let module =
        found.isOfGuard ? CellNames.keptModule(earlier.key) : CellNames.module(earlier.key)
      return "\(module).\(name)"
    }
    return nil
  }

  /// What makes the lab, and what cells before `cell` declare and import, visible to it; the last
  /// declaration of a name counts, but for names of its own.
  func imports(for cell: NotebookCell, own: Set<String>) -> String {
    var text = ""
    for name in Self.standardImports { text += "import \(name)\n" }
    let earlier = visible.filter { $0.id != cell.id }
    for cell in earlier {
      for module in cell.modules {
        text += cell.language == .c ? "import \(module)\n" : "@testable import \(module)\n"
      }
    }
    var seen: Set<String> = []
    for line in earlier.flatMap(\.imports) where seen.insert(line).inserted { text += line + "\n" }
    // A scoped import wins over the others: the last declaration of a name.
    // Within one cell a name may be declared more than once: functions, or a value and a function.
    var last: [String: (kinds: Set<String>, module: String, count: Int)] = [:]
    for cell in earlier where cell.language == .swift {
      for declaration in cell.declarations {
        let module =
          declaration.isOfGuard ? CellNames.keptModule(cell.key) : CellNames.module(cell.key)
        var found = last[declaration.name] ?? ([], "", 0)
        if found.module != module { found = ([], module, found.count + 1) }
        found.kinds.insert(declaration.kind)
        last[declaration.name] = found
      }
    }
    for (name, found) in last.sorted(by: { $0.key < $1.key })
    where found.count > 1 && !own.contains(name) {
      // An import of a name of several kinds would be ambiguous.
      guard found.kinds.count == 1, let kind = found.kinds.first else { continue }
      text += "@testable import \(kind) \(found.module).\(name)\n"
    }
    return text
  }

  /// A module that exports what guards of the cell bind. The compiler counts such names as part of
  /// the code of the top level, not of the module.
  private func keptModule(_ source: CellSource, _ key: String) -> String {
    var text = "@testable import \(CellNames.module(key))\n"
    for bound in source.declarations where bound.isOfGuard {
      text += "\(bound.kind) `\(bound.name)` = \(CellNames.kept(bound.name))\n"
    }
    return text
  }

  /// How the compiler finds the lab, and what cells have declared.
  var searchArguments: [String] {
    [
      "-swift-version", "5", "-package-name", "notebook", "-module-cache-path", moduleCache, "-I",
      tools.modules.folder, "-I", folder.path,
    ] + maps().flatMap { ["-Xcc", "-fmodule-map-file=" + $0] }
  }

  private func arguments(_ module: String, _ scratch: String, _ source: String) -> [String] {
    ["-c", "-O", "-g", "-enable-testing", "-diagnostic-style", "llvm"] + searchArguments + [
      "-module-name", module, "-emit-module", "-emit-module-path",
      "\(scratch)/\(module).swiftmodule", "-o", "\(scratch)/\(module).o", source,
    ]
  }

  /// Module maps: of the C modules that the lab's own modules name, which need not be there, and of
  /// cells of C.
  private func maps() -> [String] {
    let foreign = SwiftModules.foreign.map { name -> String in
      let path = folder.file("\(name).modulemap")
      if !folder.holds("\(name).modulemap") {
        try? AtomicFile.write("module \(name) {}\n", to: path)
      }
      return path
    }
    // Also of cells that count no more: modules of cells before name them.
    return foreign + modulesOfC.map { folder.file($0 + ".modulemap") }
  }

  /// Whether `text` is a whole cell of Swift.
  func completeness(of text: String) -> CellCompleteness {
    let check = try? folder.withScratch { scratch -> CellCompleteness in
      let path = scratch + "/text.swift"
      try AtomicFile.write(text, to: path)
      let outcome = try Subprocess(
        program: tools.frontend.path,
        arguments: ["-dump-parse", "-swift-version", "5", "-diagnostic-style", "llvm", path],
        environment: ["LC_ALL": "C"], seconds: 10
      ).run()
      return Self.completeness(of: text, said: outcome.errors)
    }
    return check ?? .invalid
  }

  private static func completeness(of text: String, said: String) -> CellCompleteness {
    let errors = said.split(separator: "\n").filter { $0.contains(": error: ") }
    if errors.isEmpty { return .complete }
    let opened = text.filter { "({[".contains($0) }.count
    let depth = opened - text.filter { ")}]".contains($0) }.count
    let isOpenText = (text.ranges(of: "\"\"\"").count) % 2 == 1
    let isOpenComment = text.ranges(of: "/*").count > text.ranges(of: "*/").count
    guard depth > 0 || isOpenText || isOpenComment else { return .invalid }
    return .incomplete(indent: String(repeating: "  ", count: min(max(depth, 0), 16)))
  }
}
