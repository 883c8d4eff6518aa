import Foundation
import TritCore
import TritPlugins

extension CellCompiler {
  private static let flags = [
    "-O3", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-fPIC",
    "-fdiagnostics-color=never",
  ]

  /// Compiles a cell of C, or finds it. Cells of Swift after it import its functions, types and
  /// macros; cells of C see those of earlier ones, but for what they define themselves. Throws a
  /// `CellFailure` where it does not compile.
  func c(_ cell: NotebookCell, file: String) throws -> (Product, Note) {
    let key = key(of: cell)
    names.place(key, file: file, line: cell.line)
    let module = CellNames.module(key)
    if let note = cached(key), folder.holds(module + ".modulemap") {
      folder.touch(key)
      return (product(key, note, isFresh: false), note)
    }
    return try folder.withScratch { scratch in
      let source = "\(scratch)/\(CellNames.file(key, .c))"
      let object = "\(scratch)/\(key).o"
      // Beside the headers of cells, which include it too.
      try AtomicFile.write(PluginBuilder.header, to: folder.file("trit_kernel.h"))
      try AtomicFile.write(
        "#line \(CellNames.firstLine) \"\(CellNames.file(key, .c))\"\n\(cell.text)\n", to: source)
      let prototypes = CPrototypes(of: cell.text, prefix: module + ".")
      var arguments = Self.flags + ["-I", folder.path]
      for header in earlierHeaders(cell, prototypes) { arguments += ["-include", header] }
      let said = try compile(tools.clang.path, arguments + ["-c", "-o", object, source])
      // A cell that is run again defines its functions again: symbols are the cell's own.
      let renamed = prototypes.symbols.flatMap { ["--redefine-sym", "\($0)=\(module).\($0)"] }
      if !renamed.isEmpty { _ = try compile(tools.objcopy.path, renamed + [object]) }
      _ = try compile(
        tools.clang.path,
        [
          "-shared", "-fuse-ld=lld", "-o", "\(scratch)/\(key).so", object, "-lm",
          "-Wl,--build-id=none",
        ])
      try AtomicFile.write(
        "#pragma once\n\(prototypes.header)", to: folder.file(module + ".h"))
      try AtomicFile.write(
        "module \(module) { header \"\(module).h\" export * }\n",
        to: folder.file(module + ".modulemap"))
      let note = Note(
        declarations: prototypes.symbols.map { .init(name: $0, kind: "func") },
        warnings: String(said.prefix(20_000)))
      try place(key, scratch, [".so"], note)
      return (product(key, note, isFresh: true), note)
    }
  }

  private func product(_ key: String, _ note: Note, isFresh: Bool) -> Product {
    Product(
      key: key, library: folder.file(key + ".so"), entry: nil, warnings: names.told(note.warnings),
      isFresh: isFresh)
  }

  /// The headers of earlier cells that this one calls, and that define nothing which `prototypes`
  /// defines anew.
  private func earlierHeaders(_ cell: NotebookCell, _ prototypes: CPrototypes) -> [String] {
    let own = Set(prototypes.symbols)
    let words = Set(cell.text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
    return visible.filter { earlier in
      earlier.language == .c && earlier.id != cell.id
        && earlier.declarations.contains { words.contains($0.name) }
        && earlier.declarations.allSatisfy { !own.contains($0.name) }
    }.map { folder.file(CellNames.module($0.key) + ".h") }
  }
}
