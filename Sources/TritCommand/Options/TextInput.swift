import Foundation
import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Text and lists of ids that come from an option, a file, or standard input.
enum TextInput {
  static let prompt = OptionSpec("-p", "--prompt", value: "text", help: "The text")
  static let file = OptionSpec(
    "-f", "--file", value: "file", help: "Read the text from a file; - is standard input")
  static let escape = OptionSpec(
    flag: "-e", "--escape", help: "Read \\n, \\t and the like in --prompt as escapes",
    negatable: true)

  /// The text of `--prompt` or `--file`; throws where there is none of them or both.
  static func text(_ arguments: ParsedArguments) throws -> String {
    switch (arguments.text(prompt), arguments.text(file)) {
    case (.some, .some): throw ParserError.conflict(prompt, file)
    case (nil, nil): throw ParserError.missingOption([prompt, file])
    case (let text?, nil): return arguments.flag(escape) ? unescaped(text) : text
    case (nil, let path?): return try contents(of: path)
    }
  }

  /// The text of a file or a pipe, or of standard input for `-`, within `FileLimit`. Throws
  /// `badData` with the place of the first byte that is not UTF-8.
  static func contents(of path: String) throws -> String {
    let bytes =
      path == "-"
      ? try WholeFile.readStandardInput(limit: .stream)
      : try WholeFile.read(path, limit: .text, streams: .stream)
    if path != "-", let foreign = bytes.withUnsafeBytes({ ForeignFile($0) }) {
      throw foreign.error(at: path, expected: "UTF-8 text")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LabError(
        .badData, "the text is not UTF-8", at: path, expected: "UTF-8 text",
        got: "a broken character after \(validPrefix(bytes)) bytes",
        advice: "convert it, as with: iconv -t UTF-8")
    }
    return text
  }

  /// Token ids: `1,2,3`, `1 2 3`, or a JSON list.
  static func ids(_ text: String, at place: String) throws -> [Int] {
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let isList = trimmed.hasPrefix("[") && trimmed.hasSuffix("]")
    let inner = isList ? trimmed.dropFirst().dropLast() : Substring(trimmed)
    return try inner.split { $0 == "," || $0.isWhitespace }.enumerated().map { index, word in
      guard let id = Int(word), id >= 0 else {
        throw LabError(
          .badData, "cannot read token \(index)", at: place,
          expected: "whole numbers from 0, as 1,2,3 or [1, 2, 3]", got: String(word.prefix(40)))
      }
      return id
    }
  }

  private static func validPrefix(_ bytes: [UInt8]) -> Int {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var count = 0
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
      count += UTF8.width(scalar)
    }
    return count
  }

  /// The text with `\\n`, `\\t`, `\\r` and escaped quotation marks and backslashes read.
  static func unescaped(_ text: String) -> String {
    var result = ""
    var isEscaped = false
    for character in text {
      if isEscaped {
        switch character {
        case "n": result += "\n"
        case "t": result += "\t"
        case "r": result += "\r"
        case "\\", "\"", "'": result.append(character)
        default: result += "\\" + String(character)
        }
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        result.append(character)
      }
    }
    return isEscaped ? result + "\\" : result
  }
}
