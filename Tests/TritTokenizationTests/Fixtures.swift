import Foundation
import TritLab

/// Small tokenizer files made in the test, so that the suites need no outside data.
enum Fixture {
  /// The byte alphabet of byte-level vocabularies, written independently of the product.
  static let alphabet: [String] = {
    var next: UInt32 = 0x100
    return (0..<256).map { byte -> String in
      let plain = (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174
      defer { if !plain { next += 1 } }
      return Unicode.Scalar(plain ? UInt32(byte) : next).map { String($0) } ?? ""
    }
  }()

  static func quoted(_ text: String) -> String {
    let escaped = text.replacingOccurrences(of: "\\", with: "\\\\")
      .replacingOccurrences(of: "\"", with: "\\\"").replacingOccurrences(of: "\n", with: "\\n")
    return "\"\(escaped)\""
  }

  /// A byte-level `tokenizer.json`: 256 bytes, then the merges' pieces, then `<|end|>`.
  static func byteLevel(
    merges: [(String, String)] = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("Ġ", "Ġ")],
    preTokenizer: String = llama3, ignoreMerges: Bool = false, normalizer: String = "null",
    pairs: Bool = true
  ) -> String {
    var pieces = alphabet
    for (left, right) in merges where !pieces.contains(left + right) { pieces.append(left + right) }
    let vocab = pieces.enumerated().map { "\(quoted($1)): \($0)" }.joined(separator: ",")
    let list = merges.map {
      pairs ? "[\(quoted($0)), \(quoted($1))]" : quoted("\($0) \($1)")
    }.joined(separator: ",")
    let end = pieces.count
    return """
      {"version": "1.0", "added_tokens": [{"id": \(end), "content": "<|end|>", "special": true,
       "normalized": false, "lstrip": false, "rstrip": false, "single_word": false}],
       "normalizer": \(normalizer), "pre_tokenizer": \(preTokenizer),
       "post_processor": {"type": "TemplateProcessing", "single": [
         {"SpecialToken": {"id": "<|end|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [\(end)], "tokens": ["<|end|>"]}}},
       "decoder": {"type": "ByteLevel"},
       "model": {"type": "BPE", "ignore_merges": \(ignoreMerges), "vocab": {\(vocab)},
         "merges": [\(list)]}}
      """
  }

  static let byteLevelStep = #"{"type": "ByteLevel", "add_prefix_space": false, "use_regex": "#
  static let gpt2 = byteLevelStep + "true}"
  static func sequence(_ steps: String...) -> String {
    #"{"type": "Sequence", "pretokenizers": [\#(steps.joined(separator: ","))]}"#
  }
  static func split(_ regex: String) -> String {
    #"{"type": "Split", "pattern": {"Regex": \#(quoted(regex))}, "behavior": "Isolated"}"#
  }
  static let llama3Expression =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| "#
    + #"?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  static let llama3 = sequence(split(llama3Expression), byteLevelStep + "false}")
  static let qwen2 = sequence(
    split(llama3Expression.replacingOccurrences(of: "{1,3}", with: "")), byteLevelStep + "false}")
  static let falcon7B = sequence(
    #"{"type": "Punctuation", "behavior": "Contiguous"}"#, gpt2, split("[0-9][0-9][0-9]"))
  static let falconE = sequence(
    #"{"type": "Punctuation", "behavior": "Contiguous"}"#, gpt2,
    #"{"type": "Digits", "individual_digits": true}"#)
  static let smolLM = sequence(#"{"type": "Digits", "individual_digits": true}"#, gpt2)

  /// Writes `bytes` where nothing else is, hands out the path, removes it.
  static func withFile<R>(
    _ bytes: [UInt8], name: String = "tokenizer.json", _ body: (String) throws -> R
  )
    throws -> R
  {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("trit-tokens-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent(name)
    try Data(bytes).write(to: file)
    return try body(file.path)
  }

  static func load(_ json: String) throws -> any Tokenizer {
    try withFile(Array(json.utf8)) { try TokenizerLoader.load(path: $0) }
  }

  /// llama2.c's format: specials, bytes, then pieces with falling scores.
  static func llama2c(_ pieces: [String]) -> [UInt8] {
    let bytes = (0..<256).map { String(format: "<0x%02X>", $0) }
    let all = ["<unk>", "\n<s>\n", "\n</s>\n"] + bytes + pieces
    func little(_ value: Int32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    var output = little(Int32(all.map(\.utf8.count).max() ?? 0))
    for (id, piece) in all.enumerated() {
      output += little(Int32(bitPattern: Float(id < 259 ? 0 : 259 - id).bitPattern))
      output += little(Int32(piece.utf8.count)) + Array(piece.utf8)
    }
    return output
  }
}
