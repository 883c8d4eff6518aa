package import TritTokenization

/// Token sequences that a text can be part of, for `DRY`.
package enum SequenceBreakers {
  /// Tokens of a sequence, at most.
  static let longest = 20

  /// For each text: every token whose text holds it, and every token whose text ends with a
  /// beginning of it, with the tokens of the rest. Source: llama.cpp's `dry` sampler.
  package static func sequences(_ texts: [String], _ tokenizer: any Tokenizer) throws -> [[Int32]] {
    let texts = texts.map { Array($0.utf8) }.filter { !$0.isEmpty }
    var found: Set<[Int32]> = []
    var rests: [[UInt8]: [Int32]] = [:]
    for id in 0..<tokenizer.vocabularySize {
      let bytes = try tokenizer.bytes(of: id, skipSpecial: false)
      let token = Int32(truncatingIfNeeded: id)
      for text in texts {
        switch match(text, in: bytes) {
        case .none: break
        case .whole: found.insert([token])
        case .beginnings(let counts):
          for count in counts {
            let rest = Array(text[count...])
            if rests[rest] == nil {
              rests[rest] = try tokenizer.encode(
                String(decoding: rest, as: UTF8.self), addSpecial: false, parseSpecial: false
              ).prefix(longest - 1).map { Int32(truncatingIfNeeded: $0) }
            }
            found.insert([token] + (rests[rest] ?? []))
          }
        }
      }
    }
    return found.sorted { $0.lexicographicallyPrecedes($1) }
  }

  private enum Match {
    case none
    case whole
    /// How many bytes of the text the token ends with.
    case beginnings([Int])
  }

  private static func match(_ text: [UInt8], in bytes: [UInt8]) -> Match {
    var counts: [Int] = []
    for place in bytes.indices where bytes[place] == text[0] {
      let length = min(text.count, bytes.count - place)
      guard bytes[place..<(place + length)].elementsEqual(text.prefix(length)) else { continue }
      if length == text.count { return .whole }
      counts.append(length)
    }
    return counts.isEmpty ? .none : .beginnings(counts)
  }
}
