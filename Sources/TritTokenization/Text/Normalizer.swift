import Foundation

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

  var steps: [Step]

  /// `text` after all steps.
  func normalize(_ text: [UInt8]) -> [UInt8] {
    steps.reduce(text) { $1.apply($0) }
  }
}

extension Normalizer.Step {
  fileprivate func apply(_ text: [UInt8]) -> [UInt8] {
    switch self {
    case .nfc: unicode(text) { $0.precomposedStringWithCanonicalMapping }
    case .nfd: unicode(text) { $0.decomposedStringWithCanonicalMapping }
    case .nfkc: unicode(text) { $0.precomposedStringWithCompatibilityMapping }
    case .nfkd: unicode(text) { $0.decomposedStringWithCompatibilityMapping }
    case .lowercase:
      // Scalar by scalar, as Rust does it: no context rule for the final sigma.
      String(decoding: text, as: UTF8.self).unicodeScalars
        .flatMap { Array($0.properties.lowercaseMapping.utf8) }
    case .stripAccents:
      String(decoding: text, as: UTF8.self).unicodeScalars
        .filter { $0.properties.generalCategory != .nonspacingMark }
        .flatMap { Array(String($0).utf8) }
    case .prepend(let prefix): text.isEmpty ? text : prefix + text
    case .replace(let pattern, let replacement): replace(pattern, with: replacement, in: text)
    case .strip(let left, let right): strip(text, left: left, right: right)
    }
  }

  /// ASCII is its own normal form in all four.
  private func unicode(_ text: [UInt8], _ form: (String) -> String) -> [UInt8] {
    guard text.contains(where: { $0 >= 0x80 }) else { return text }
    return Array(form(String(decoding: text, as: UTF8.self)).utf8)
  }

  private func replace(
    _ pattern: SplitPattern, with replacement: [UInt8], in text: [UInt8]
  ) -> [UInt8] {
    text.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return [] }
      let view = TextView(base)
      var output: [UInt8] = []
      output.reserveCapacity(text.count + text.count / 4)
      var offset = 0
      if case .literal(let bytes) = pattern, bytes.count == 1 {
        for byte in buffer {
          if byte == bytes[0] { output += replacement } else { output.append(byte) }
        }
        return output
      }
      pattern.forEachMatch(in: view, from: 0, to: text.count) { match in
        output += text[offset..<match.lowerBound]
        output += replacement
        offset = match.upperBound
      }
      return output + text[offset...]
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
