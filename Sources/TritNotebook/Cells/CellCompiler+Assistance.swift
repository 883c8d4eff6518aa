import Foundation
import TritCore
import TritPlugins

/// What compilers know of a cell that is being written.
extension CellCompiler {
  /// Seconds that clang may take to say what can stand at a place.
  private static let secondsOfAssistance = 2.0
  private static let mostWords = 300

  /// A name that can stand in a cell of C, and how it is declared.
  struct WordOfC: Equatable {
    var name: String
    var signature: String
  }

  /// What can stand in a cell of C where a word begins: clang's own completion, with the functions
  /// of earlier cells. Nothing where clang does not answer in time.
  ///
  /// - Parameter start: the Unicode scalars before the word.
  func wordsOfC(_ text: String, at start: Int) -> [WordOfC] {
    let before = String(String.UnicodeScalarView(text.unicodeScalars.prefix(start)))
    let line = before.utf8.count { $0 == UInt8(ascii: "\n") } + 1
    let column = before.utf8.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
    let found = try? folder.withScratch { scratch -> [WordOfC] in
      let source = scratch + "/cell.c"
      try AtomicFile.write(text, to: source)
      try AtomicFile.write(PluginBuilder.header, to: folder.file("trit_kernel.h"))
      var arguments = [
        "-fsyntax-only", "-std=gnu11", "-w", "-I", folder.path, "-Xclang",
        "-code-completion-macros", "-Xclang", "-code-completion-at=\(source):\(line):\(column)",
      ]
      for cell in visible where cell.language == .c {
        arguments += ["-include", folder.file(CellNames.module(cell.key) + ".h")]
      }
      let outcome = try Subprocess(
        program: tools.clang.path, arguments: arguments + [source],
        environment: ["LC_ALL": "C"], seconds: Self.secondsOfAssistance
      ).run()
      return Self.wordsOfC(outcome.output)
    }
    return found ?? []
  }

  /// clang's lines: `COMPLETION: name : [#int#]name(<#int a#>)`.
  static func wordsOfC(_ said: String) -> [WordOfC] {
    said.split(separator: "\n").compactMap { line in
      guard
        let match = line.wholeMatch(
          of: /COMPLETION: ([A-Za-z_][A-Za-z0-9_]*)(?: \([^)]*\))?(?: : (.*))?/),
        match.1 != "Pattern"
      else { return nil }
      let signature = (match.2 ?? match.1).replacing("[#", with: "").replacing("#]", with: " ")
        .replacing("<#", with: "").replacing("#>", with: "")
      return WordOfC(name: String(match.1), signature: String(signature))
    }
  }
}
