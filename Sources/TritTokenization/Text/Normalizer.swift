import Foundation
import TritCore

/// Rewrites text before it is cut: a sequence of steps.
struct Normalizer: Sendable {
  /// One step.
  enum Step: Sendable {
    case nfc, nfd, nfkc, nfkd
    case lowercase
    case stripAccents
    /// Puts bytes in front of a text that is not empty.
    case prepend([UInt8])
    /// Replaces every match.
    case replace(SplitPattern, with: [UInt8])
    /// Takes white space off the ends.
    case strip(left: Bool, right: Bool)
  }

  /// More steps than this are no tokenizer's.
  static let maximumSteps = 1024

  var steps: [Step]
  /// Where each step is written, for messages: `tokenizer.json: normalizer.normalizers[3]`.
  var places: [String] = []

  /// `text` after all steps. Throws `badData` with the place of the step that lets the text grow
  /// beyond what `growth` has left.
  func normalize(_ text: [UInt8], growth: inout TextGrowth) throws -> [UInt8] {
    guard !steps.isEmpty else { return text }
    var text = text
    var most = 0
    for (index, step) in steps.enumerated() {
      guard let next = step.apply(text, atMost: growth.room) else {
        throw growth.exceeded(
          by: step.words, at: index < places.count ? places[index] : "step \(index + 1)")
      }
      text = next
      most = max(most, text.count)
    }
    growth.spend(most)
    return text
  }
}

extension Normalizer.Step {
  /// The step in words, for messages: `Replace 'a' by 'aa'`.
  fileprivate var words: String {
    func shown(_ bytes: [UInt8]) -> String {
      "'" + String(decoding: bytes.prefix(32), as: UTF8.self) + (bytes.count > 32 ? "…'" : "'")
    }
    switch self {
    case .nfc: return "NFC"
    case .nfd: return "NFD"
    case .nfkc: return "NFKC"
    case .nfkd: return "NFKD"
    case .lowercase: return "Lowercase"
    case .stripAccents: return "StripAccents"
    case .prepend(let prefix): return "Prepend \(shown(prefix))"
    case .replace(.literal(let bytes), let content):
      return "Replace \(shown(bytes)) by \(shown(content))"
    case .replace(_, let content): return "Replace an expression by \(shown(content))"
    case .strip: return "Strip"
    }
  }

  /// `text` after the step, or nil where that has more than `most` bytes; never much more is held
  /// on the way.
  fileprivate func apply(_ text: [UInt8], atMost most: Int) -> [UInt8]? {
    let result: [UInt8]?
    switch self {
    case .nfc: result = unicode(text) { $0.precomposedStringWithCanonicalMapping }
    case .nfd: result = unicode(text) { $0.decomposedStringWithCanonicalMapping }
    case .nfkc: result = unicode(text) { $0.precomposedStringWithCompatibilityMapping }
    case .nfkd: result = unicode(text) { $0.decomposedStringWithCompatibilityMapping }
    case .lowercase:
      // Scalar by scalar, as Rust does it: no context rule for the final sigma.
      result = String(decoding: text, as: UTF8.self).unicodeScalars
        .flatMap { Array($0.properties.lowercaseMapping.utf8) }
    case .stripAccents:
      result = String(decoding: text, as: UTF8.self).unicodeScalars
        .filter { $0.properties.generalCategory != .nonspacingMark }
        .flatMap { Array(String($0).utf8) }
    case .prepend(let prefix):
      guard !text.isEmpty else { return text }
      result = text.count + prefix.count <= most ? prefix + text : nil
    case .replace(let pattern, let replacement):
      result = replace(pattern, with: replacement, in: text, atMost: most)
    case .strip(let left, let right): result = strip(text, left: left, right: right)
    }
    return result.flatMap { $0.count <= most ? $0 : nil }
  }

  /// ASCII is its own normal form in all four.
  private func unicode(_ text: [UInt8], _ form: (String) -> String) -> [UInt8] {
    guard text.contains(where: { $0 >= 0x80 }) else { return text }
    return Array(form(String(decoding: text, as: UTF8.self)).utf8)
  }

  private func replace(
    _ pattern: SplitPattern, with replacement: [UInt8], in text: [UInt8], atMost most: Int
  ) -> [UInt8]? {
    text.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return [] }
      let view = TextView(base)
      var output: [UInt8] = []
      output.reserveCapacity(min(text.count + text.count / 4, most))
      if case .literal(let bytes) = pattern, bytes.count == 1 {
        for byte in buffer {
          if byte == bytes[0] { output += replacement } else { output.append(byte) }
          if output.count > most { return nil }
        }
        return output
      }
      var offset = 0
      var isTooLong = false
      pattern.forEachMatch(in: view, from: 0, to: text.count) { match in
        // What is left out of a text that is too long is not looked at.
        guard !isTooLong else { return }
        output += text[offset..<match.lowerBound]
        output += replacement
        offset = match.upperBound
        isTooLong = output.count > most
      }
      return isTooLong ? nil : output + text[offset...]
    }
  }

  private func strip(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
    var scalars = String(decoding: text, as: UTF8.self).unicodeScalars[...]
    if left { scalars = scalars.drop { $0.properties.isWhitespace } }
    if right {
      while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    }
    return Array(String(scalars).utf8)
  }
}
