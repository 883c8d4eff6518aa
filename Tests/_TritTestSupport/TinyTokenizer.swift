/// A byte-level BPE in the form of `tokenizer.json`: all 256 bytes, a few merges, three special
/// tokens.
public enum TinyTokenizer {
  /// `<unk>`, id 0.
  public static let unknown = 0
  /// `<|begin|>`, id 1, put in front by the template.
  public static let begin = 1
  /// `<|end|>`, id 2.
  public static let end = 2
  /// The id of byte `b` is `firstByte + b`.
  public static let firstByte = 3
  /// Merges in order of rank; `Ġ` is the space.
  public static let merges: [(String, String)] = [
    ("h", "e"), ("t", "he"), ("Ġ", "the"), ("i", "n"), ("Ġ", "a"), ("o", "n"), ("c", "e"),
    ("on", "ce"), ("Ġ", "t"), ("e", "r"), ("n", "d"), ("Ġa", "nd"), ("u", "p"), ("Ġ", "up"),
    ("Ġup", "on"),
  ]
  /// Number of ids, rounded up so that the embedding has a tidy number of rows.
  public static let vocabularySize = 288

  /// The character that stands for each byte: GPT-2's map. Printable bytes stand for themselves,
  /// the rest for code points from 256 on.
  public static let characters: [Character] = {
    var next: UInt32 = 256
    return (0..<256).map { byte -> Character in
      let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174
      var code = UInt32(byte)
      if !isPrintable {
        code = next
        next += 1
      }
      return Unicode.Scalar(code).map(Character.init) ?? "?"
    }
  }()

  /// The text of `tokenizer.json`.
  public static let json: String = {
    var pieces = characters.map(String.init)
    pieces += merges.map { $0.0 + $0.1 }
    // Reserved pieces fill the vocabulary; no merge leads to them.
    while pieces.count < vocabularySize - firstByte { pieces.append("<reserved\(pieces.count)>") }
    let specials = ["<unk>", "<|begin|>", "<|end|>"]
    let vocabulary = (specials + pieces).enumerated()
      .map { "\(quoted($0.element)): \($0.offset)" }.joined(separator: ", ")
    let added = specials.enumerated().map {
      """
      {"id": \($0.offset), "content": \(quoted($0.element)), "single_word": false, "lstrip": false, \
      "rstrip": false, "normalized": false, "special": true}
      """
    }.joined(separator: ", ")
    let ranks = merges.map { "[\(quoted($0.0)), \(quoted($0.1))]" }.joined(separator: ", ")
    return """
      {
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [\(added)],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, \
      "use_regex": true},
        "post_processor": {"type": "TemplateProcessing",
          "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}},
                     {"Sequence": {"id": "A", "type_id": 0}}],
          "pair": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}},
                   {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
          "special_tokens": {"<|begin|>": {"id": "<|begin|>", "ids": [1], "tokens": ["<|begin|>"]}}},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, \
      "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null,
          "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
          "byte_fallback": false, "ignore_merges": false,
          "vocab": {\(vocabulary)},
          "merges": [\(ranks)]}
      }
      """
  }()

  private static func quoted(_ text: String) -> String {
    "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
  }
}
