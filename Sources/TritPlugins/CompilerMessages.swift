import TritCore

/// What a compiler said of a file that does not compile, as an error with its place.
struct CompilerMessages {
  /// One message and the lines that show it.
  private struct Message {
    var place: String
    var text: String
    var lines: [Substring]
  }

  private let text: String
  private let path: String
  private var problems: [Message] = []

  /// Reads `text`, messages in the form of clang and gcc: `file:line:column: error: what`.
  init(_ text: String, path: String) {
    self.text = text
    self.path = path
    var isOpen = false
    for line in text.split(separator: "\n") {
      if let (place, kind, what) = Self.parse(line) {
        isOpen = kind.hasSuffix("error")
        if isOpen { problems.append(Message(place: place, text: what, lines: [])) }
      } else if isOpen, let last = problems.indices.last, line.hasPrefix(" ") {
        problems[last].lines.append(line)
      }
    }
  }

  /// The parts of `file:line:column: kind: what`.
  private static func parse(_ line: Substring) -> (place: String, kind: String, what: String)? {
    for kind in ["fatal error", "error", "warning", "note"] {
      guard let mark = line.firstRange(of: ": \(kind): ") else { continue }
      let place = line[..<mark.lowerBound]
      let numbers = place.split(separator: ":").suffix(2)
      guard numbers.count == 2, numbers.allSatisfy({ Int($0) != nil }) else { continue }
      return (String(place), kind, String(line[mark.upperBound...]))
    }
    return nil
  }

  /// The first problem; the others after it.
  func error(_ outcome: Subprocess.Outcome, compiler: String) -> LabError {
    guard let first = problems.first else { return unplaced(outcome, compiler: compiler) }
    if first.place.hasPrefix("trit_plugin_entry.swift:") {
      return LabError(
        .badData, "the plug-in has no register that can be called", at: path,
        expected: "a function of the file: func register(_ lab: inout …) throws", got: first.text,
        advice: "declare it, neither private nor async, and register the stages there")
    }
    var got = first.lines.map(String.init)
    for other in problems.dropFirst().prefix(5) { got.append("\(other.place): \(other.text)") }
    if problems.count > 6 { got.append("… and \(problems.count - 6) more") }
    return LabError(
      .badData, "the plug-in does not compile: \(first.text)", at: first.place,
      got: got.isEmpty ? nil : got.joined(separator: "\n"), advice: advice(first.text))
  }

  private func advice(_ text: String) -> String {
    if text.hasSuffix("file not found") || text.hasSuffix("No such file or directory"),
      ["'stdint.h'", "'stddef.h'", "'stdlib.h'", "'string.h'", "'math.h'", "bits/"].contains(
        where: { text.contains($0) })
    {
      return "the headers of C are missing: sudo apt-get install libc6-dev"
    }
    return "mend that line and give the same command again"
  }

  /// The linker's complaints, which have another form, and whatever else was said.
  private func unplaced(_ outcome: Subprocess.Outcome, compiler: String) -> LabError {
    let lines = text.split(separator: "\n")
    if let line = lines.first(where: { $0.contains("module compiled with Swift") }) {
      return LabError(
        .failure, "this swiftc is of another version than the one that built the program", at: path,
        got: String(line), advice: "put the toolchain that built it first on the PATH: \(compiler)")
    }
    if let line = lines.first(where: { $0.contains("undefined reference to ") }),
      let name = line.split(separator: "`").last?.prefix(while: { $0 != "'" })
    {
      // file.c:12: undefined reference, or file.c:(.text+0x1) without debugging information.
      let place = line.firstRange(of: path + ":").map { range in
        path + ":" + line[range.upperBound...].prefix(while: \.isNumber)
      }
      return LabError(
        .badData, "the plug-in calls a function that is nowhere: \(name)", at: place ?? path,
        advice: "define it in the file; only the C library and its mathematics are linked")
    }
    if let line = lines.first(where: { $0.contains("undefined symbol: ") }),
      let name = line.split(separator: " ").last
    {
      return LabError(
        .badData, "the plug-in calls a function that is nowhere: \(name)", at: path,
        got: lines.first { $0.contains(">>> referenced by") }.map { String($0.drop { $0 == ">" }) },
        advice: "define it in the file; only the C library and its mathematics are linked")
    }
    let ended =
      outcome.signal.map { "it was ended by signal \($0)" } ?? "exit code \(outcome.code ?? 0)"
    return LabError(
      .failure, "the compiler failed", at: path,
      got: text.isEmpty ? "\(compiler): \(ended)" : text,
      advice:
        "see that it compiles a small file: echo 'int f;' | '\(compiler)' -x c -c - -o /dev/null")
  }
}
