import Foundation
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One file on its way to a library.
struct CompilationUnit {
  /// As the user wrote it.
  let path: String
  let absolute: String
  let source: [UInt8]
  let recipe: Recipe
  let key: String
  let folder: PluginFolder

  /// What is kept beside a library.
  private struct Note: Codable {
    struct Include: Codable {
      var path: String
      var digest: String
    }
    var includes: [Include]
    var warnings: String
  }

  /// Characters of warnings that are kept.
  private static let shownWarnings = 20_000

  // MARK: The cache

  /// The library that is there already, if nothing that it was made of has changed.
  func cached() -> PluginBuilder.Product? {
    guard folder.holds(key + ".so"), folder.holds(key + ".json"),
      let data = WholeFile.text(folder.file(key + ".json")),
      let note = try? JSONDecoder().decode(Note.self, from: Data(data.utf8)),
      note.includes.allSatisfy({ Self.digest(of: $0.path) == $0.digest })
    else { return nil }
    return product(note, isFresh: false)
  }

  private func product(_ note: Note, isFresh: Bool) -> PluginBuilder.Product {
    let own = SHA256.hex(bytes: source)
    let all = [own] + note.includes.map(\.digest)
    return PluginBuilder.Product(
      library: folder.file(key + ".so"),
      digest: all.count == 1 ? own : SHA256.hex(all.joined(separator: "\n")),
      warnings: note.warnings.replacing(absolute, with: path), isFresh: isFresh, key: key)
  }

  private static func digest(of path: String) -> String? {
    (try? WholeFile.read(path, limit: PluginBuilder.limit)).map { SHA256.hex(bytes: $0) }
  }

  // MARK: Compilation

  /// Compiles the file. The library takes its place by a rename: nobody loads half of one.
  func compile() throws -> PluginBuilder.Product {
    try folder.withScratch { scratch in
      for file in recipe.files { try write(file.bytes, to: file.name, in: scratch) }
      let outcome = try Subprocess(
        program: recipe.compiler.path, arguments: recipe.arguments(scratch),
        environment: ["LC_ALL": "C"], seconds: PluginBuilder.seconds
      ).run()
      let text = told(outcome.errors + outcome.output, scratch: scratch)
      if outcome.isLate {
        throw LabError(
          .failure, "the compiler did not end within \(Int(PluginBuilder.seconds)) s", at: path,
          got: recipe.compiler.path, advice: "compile the file by hand to see where it hangs")
      }
      guard outcome.code == 0 else {
        var error = CompilerMessages(text, path: path)
          .error(outcome, compiler: recipe.compiler.path)
        error.code = .notBuilt
        throw error
      }
      let note = Note(
        includes: try includes(scratch), warnings: String(text.prefix(Self.shownWarnings)))
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
      // A note without a library is no entry of the cache; an old note of a new library would be
      // one.
      unlink(folder.file(key + ".json"))
      try place(scratch + "/plugin.so")
      try AtomicFile.write(Array(try encoder.encode(note)), to: folder.file(key + ".json"))
      return product(note, isFresh: true)
    }
  }

  private func write(_ bytes: [UInt8], to name: String, in scratch: String) throws {
    if let slash = name.firstIndex(of: "/") {
      let inner = scratch + "/" + name[..<slash]
      guard mkdir(inner, 0o700) == 0 || errno == EEXIST else {
        let number = errno
        throw LabError(
          .cannotCreate, "cannot make a folder: \(SystemFailure.text(number))", at: inner,
          advice: SystemFailure.advice(number, otherwise: "check its rights"))
      }
    }
    try AtomicFile.write(bytes, to: scratch + "/" + name)
  }

  /// Messages in terms of the files that the user knows.
  private func told(_ text: String, scratch: String) -> String {
    var text = text.replacing(absolute, with: path)
    for file in recipe.files {
      let isOwn = file.name.hasPrefix("plugin.")
      text.replace(scratch + "/" + file.name, with: isOwn ? path : Self.lastPart(file.name))
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // "1 warning generated." counts what is there to see.
    return lines.filter { !$0.hasSuffix(" generated.") && !$0.isEmpty }.joined(separator: "\n")
  }

  private static func lastPart(_ name: String) -> String {
    name.split(separator: "/").last.map(String.init) ?? name
  }

  private func place(_ library: String) throws {
    guard chmod(library, 0o700) == 0, rename(library, folder.file(key + ".so")) == 0 else {
      let number = errno
      throw LabError(
        .cannotCreate, "cannot keep the library: \(SystemFailure.text(number))",
        at: folder.file(key + ".so"),
        advice: SystemFailure.advice(number, otherwise: "check the rights of the folder"))
    }
  }

  /// The files that were included, but for the system's and ours, as the compiler has listed them
  /// for `make`.
  private func includes(_ scratch: String) throws -> [Note.Include] {
    guard let rule = WholeFile.text(scratch + "/plugin.d") else { return [] }
    return MakeRule.prerequisites(rule).filter { !$0.hasPrefix(scratch + "/") }.compactMap { path in
      Self.digest(of: path).map { Note.Include(path: AbsolutePath.of(path), digest: $0) }
    }
  }
}

/// A rule that a compiler writes for `make`.
enum MakeRule {
  /// What stands behind `target:`, backslashes and line ends undone.
  static func prerequisites(_ text: String) -> [String] {
    guard let colon = text.range(of: ": ") else { return [] }
    var words: [String] = []
    var word = ""
    var rest = text[colon.upperBound...]
    func end() {
      if !word.isEmpty { words.append(word) }
      word = ""
    }
    while let character = rest.popFirst() {
      switch (character, rest.first) {
      case ("\\", "\n"), ("\\", "\r\n"):
        rest.removeFirst()
        end()
      case ("\\", " "), ("\\", "#"), ("$", "$"): word.append(rest.removeFirst())
      case (" ", _), ("\n", _), ("\r\n", _): end()
      default: word.append(character)
      }
    }
    end()
    return words
  }
}
