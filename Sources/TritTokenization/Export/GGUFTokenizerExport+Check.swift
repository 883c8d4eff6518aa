import Foundation
import TritCore
import TritFormats

/// Key-values that are not in a file yet.
private struct DraftMetadata: GGUFMetadata {
  let path = "the exported tokenizer"
  let values: [String: GGUFValue]

  subscript(key: String) -> GGUFValue? { values[key] }
}

extension GGUFTokenizerExport {
  /// What differs between `original` and the tokenizer that readers make of `metadata`; nil where
  /// nothing does. `normalizes`: texts that are not in NFC may differ.
  static func difference(
    _ original: any Tokenizer, _ metadata: [(key: String, value: GGUFValue)], normalizes: Bool
  ) throws -> LabError? {
    let draft = DraftMetadata(values: Dictionary(metadata.map { ($0.key, $0.value) }) { $1 })
    return try TokenizerComparison(
      container: "GGUF", advice: withoutTokenizer, normalizes: normalizes
    ).difference(original, try GGUFVocabulary(draft).tokenizer())
  }
}

/// Compares a tokenizer with what an export made of it.
struct TokenizerComparison {
  /// Where it was written, and what to do where that changes it.
  let container: String
  let advice: String
  /// Whether texts that are not in NFC may differ.
  var normalizes = false
  /// Ids whose own bytes are not compared: those that no text gives.
  var skipped: Set<Int> = []

  /// The first difference between `original` and `copy`; nil where there is none: on awkward texts
  /// and on the text of every token, alone and after a word.
  func difference(_ original: any Tokenizer, _ copy: any Tokenizer) throws -> LabError? {
    func failure(_ what: String, _ place: String, _ expected: String, _ got: String) -> LabError {
      LabError(
        .badData, "the tokenizer changes in \(container): \(what)",
        at: String(place.debugDescription), expected: expected, got: got, advice: advice)
    }
    guard original.endOfGeneration.isSubset(of: copy.endOfGeneration) else {
      let lost = original.endOfGeneration.subtracting(copy.endOfGeneration).sorted()
      return failure("a token no longer ends a generation", "tokens \(lost)", "it does", "not so")
    }
    var texts = awkwardTexts
    for id in 0..<original.vocabularySize where !skipped.contains(id) {
      guard let bytes = try? original.bytes(of: id, skipSpecial: false) else { continue }
      for skips in [false, true] {
        let before = try original.bytes(of: id, skipSpecial: skips)
        let after = try copy.bytes(of: id, skipSpecial: skips)
        if before != after {
          return failure("a token stands for other bytes", "token \(id)", "\(before)", "\(after)")
        }
      }
      guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty else { continue }
      texts += [text, "a\(text) b"]
    }
    for text in texts {
      if normalizes, !Self.isNFC(text) { continue }
      for parses in [false, true] {
        let before = try original.encode(text, addSpecial: true, parseSpecial: parses)
        let after = try copy.encode(text, addSpecial: true, parseSpecial: parses)
        if before != after {
          return failure(
            "a text gives other tokens", String(text.prefix(60)), "\(before.prefix(20))",
            "\(after.prefix(20))")
        }
      }
    }
    return nil
  }

  /// Whether composing leaves the text as it is, code point for code point.
  private static func isNFC(_ text: String) -> Bool {
    text.precomposedStringWithCanonicalMapping.unicodeScalars.elementsEqual(text.unicodeScalars)
  }
}
