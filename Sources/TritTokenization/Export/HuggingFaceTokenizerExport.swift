import Foundation
import TritCore
public import TritFormats

/// The tokenizer of a GGUF file as the files of a Hugging Face folder.
///
/// Byte-level BPE becomes `tokenizer.json` with the cuts that the named pre-tokenizer's model
/// publishes. SentencePiece becomes `tokenizer.json` too, its merges found from the pieces' scores as
/// Hugging Face's converter does; where that cuts texts in another way, `tokenizer.model`. What is
/// written is read back and compared with the original on `awkwardTexts` and the text of every token.
///
/// Source: huggingface/tokenizers, `tokenizer.json` of version 1.0; transformers,
/// `convert_slow_tokenizer.py` (`SentencePieceExtractor`).
public struct HuggingFaceTokenizerExport {
  /// The tokenizer as the file has it.
  public let original: any Tokenizer
  let vocabulary: GGUFVocabulary
  private let bos: Int?
  private let eos: Int?

  /// The tokenizer inside `file`. Throws what reading it throws.
  public init(_ file: GGUFFile) throws {
    vocabulary = try GGUFVocabulary(file)
    original = try vocabulary.tokenizer()
    bos = original.bos
    eos = try vocabulary.id("eos_token_id", default: vocabulary.model == "llama" ? 2 : nil)
  }

  static let advice =
    "export with --no-tokenizer, and copy the model's own tokenizer.json into the folder"

  /// Writes the tokenizer and `tokenizer_config.json` into `folder`. `templates`: chat templates by
  /// name, `default` for the one without. Gives what a reader should know.
  ///
  /// - Throws: `badData` where no form of the folder cuts texts as the file does, with the text that
  ///   shows it.
  public func write(
    to folder: String, contextLength: Int, templates: [(name: String, text: String)]
  ) throws -> [String] {
    try AtomicFile.write(
      JSONWriter.text(settings(contextLength, templates), pretty: true) + "\n",
      to: folder + "/tokenizer_config.json")
    let json = folder + "/tokenizer.json"
    if vocabulary.model == "gpt2" {
      try AtomicFile.write(JSONWriter.text(try bytePairDocument()) + "\n", to: json)
      if let difference = try difference(folder) { throw difference }
      return []
    }
    var failure: LabError?
    if let document = try pieceDocument() {
      try AtomicFile.write(JSONWriter.text(document) + "\n", to: json)
      failure = try difference(folder)
      if failure == nil { return [] }
      try FileManager.default.removeItem(atPath: json)
    }
    try AtomicFile.write(try pieceModel().bytes(), to: folder + "/tokenizer.model")
    if let difference = try difference(folder) { throw failure ?? difference }
    return [
      "the tokenizer is written as tokenizer.model: merges of tokenizer.json do not cut all texts as its "
        + "pieces do"
    ]
  }

  private func difference(_ folder: String) throws -> LabError? {
    var comparison = TokenizerComparison(container: "tokenizer.json", advice: Self.advice)
    comparison.skipped = Set(
      vocabulary.types.indices.filter {
        vocabulary.types[$0] == .unused || vocabulary.types[$0] == .unknown
      })
    return try comparison.difference(original, try TokenizerLoader.load(path: folder))
  }

  // MARK: Settings

  private func settings(
    _ contextLength: Int, _ templates: [(name: String, text: String)]
  ) throws -> JSONValue {
    let isPieces = vocabulary.model == "llama"
    var members: [(key: String, value: JSONValue)] = [
      ("tokenizer_class", .string(isPieces ? "LlamaTokenizer" : "PreTrainedTokenizerFast")),
      ("model_max_length", JSONValue(contextLength)), ("clean_up_tokenization_spaces", false),
    ]
    let ids = [
      ("bos_token", bos), ("eos_token", eos),
      ("unk_token", try vocabulary.id("unknown_token_id", default: isPieces ? 0 : nil)),
      ("pad_token", try vocabulary.id("padding_token_id")),
    ]
    for case (let key, let id?) in ids where isWritten(id) {
      members.append((key, .string(vocabulary.tokens[id])))
    }
    members.append(("add_bos_token", .bool(original.addsBOS)))
    members.append(("add_eos_token", .bool(try addsEOS())))
    if isPieces { members.append(("legacy", true)) }
    if templates.count == 1, templates[0].name == "default" {
      members.append(("chat_template", .string(templates[0].text)))
    } else if !templates.isEmpty {
      members.append(
        (
          "chat_template",
          .array(
            templates.map { ["name": .string($0.name), "template": .string($0.text)] })
        ))
    }
    return .object(members)
  }

  private func addsEOS() throws -> Bool { try vocabulary.flag("add_eos_token", default: false) }

  /// Fillers are no tokens of a folder.
  private func isWritten(_ id: Int) -> Bool { vocabulary.types[id] != .unused }

  // MARK: Documents

  var words: [(key: String, value: JSONValue)] {
    vocabulary.tokens.indices.filter(isWritten).map {
      (key: vocabulary.tokens[$0], value: JSONValue($0))
    }
  }

  /// Tokens that are found in the text as they stand.
  private var added: JSONValue {
    let found: [SentencePieceModel.PieceType] = [.control, .unknown, .userDefined]
    return .array(
      vocabulary.tokens.indices.filter { found.contains(vocabulary.types[$0]) }.map { id in
        [
          "id": JSONValue(id), "content": .string(vocabulary.tokens[id]), "single_word": false,
          "lstrip": false, "rstrip": false, "normalized": false,
          "special": .bool(vocabulary.types[id] != .userDefined),
        ]
      })
  }

  func document(
    normalizer: JSONValue, preTokenizer: JSONValue, decoder: JSONValue,
    model: [(key: String, value: JSONValue)]
  ) throws -> JSONValue {
    [
      "version": "1.0", "truncation": nil, "padding": nil, "added_tokens": added,
      "normalizer": normalizer, "pre_tokenizer": preTokenizer, "post_processor": try frame(),
      "decoder": decoder,
      "model": .object(
        [
          ("type", "BPE"), ("dropout", nil), ("continuing_subword_prefix", nil),
          ("end_of_word_suffix", nil),
        ] + model),
    ]
  }

  private static func byteLevel(usesRegex: Bool) -> JSONValue {
    [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
      "use_regex": .bool(usesRegex),
    ]
  }

  /// The tokens around a text.
  private func frame() throws -> JSONValue {
    let front = original.addsBOS ? bos : nil
    let back = try addsEOS() ? eos : nil
    guard front != nil || back != nil else {
      return vocabulary.model == "gpt2" ? Self.byteLevel(usesRegex: true) : nil
    }
    func token(_ id: Int?, _ type: Int) -> [JSONValue] {
      id.map {
        [["SpecialToken": ["id": .string(vocabulary.tokens[$0]), "type_id": JSONValue(type)]]]
      } ?? []
    }
    func text(_ name: String, _ type: Int) -> [JSONValue] {
      token(front, type) + [["Sequence": ["id": .string(name), "type_id": JSONValue(type)]]]
        + token(back, type)
    }
    var entries: [(key: String, value: JSONValue)] = []
    for id in Set([front, back].compactMap(\.self)).sorted() {
      let name = vocabulary.tokens[id]
      entries.append(
        (name, ["id": .string(name), "ids": JSONValue([id]), "tokens": JSONValue([name])]))
    }
    return [
      "type": "TemplateProcessing", "single": .array(text("A", 0)),
      "pair": .array(text("A", 0) + text("B", 1)), "special_tokens": .object(entries),
    ]
  }

  private func bytePairDocument() throws -> JSONValue {
    let pre = try vocabulary.preTokenizer().0
    guard let family = PreTokenizerFamily.all.first(where: { $0.names.contains(pre.name) }) else {
      throw GGUFVocabulary.unknownPreTokenizer(pre.name, vocabulary.file.path)
    }
    let cuts = family.cuts.map { cut -> JSONValue in
      switch cut {
      case .split(let expression):
        [
          "type": "Split", "pattern": ["Regex": .string(expression)], "behavior": "Isolated",
          "invert": false,
        ]
      case .digits(let each): ["type": "Digits", "individual_digits": .bool(each)]
      case .punctuation(let contiguous):
        ["type": "Punctuation", "behavior": contiguous ? "Contiguous" : "Isolated"]
      case .bytes(let usesRegex): Self.byteLevel(usesRegex: usesRegex)
      }
    }
    let lines = vocabulary.file["tokenizer.ggml.merges"]?.strings ?? []
    let merges = lines.map { line -> JSONValue in
      let bytes = Array(line.utf8)
      let space = bytes.dropFirst().firstIndex(of: 0x20) ?? bytes.endIndex
      return JSONValue([
        String(decoding: bytes[..<space], as: UTF8.self),
        String(decoding: bytes[min(space + 1, bytes.count)...], as: UTF8.self),
      ])
    }
    return try document(
      normalizer: nil,
      preTokenizer: cuts.count == 1
        ? cuts[0] : ["type": "Sequence", "pretokenizers": .array(cuts)],
      decoder: Self.byteLevel(usesRegex: true),
      model: [
        ("unk_token", nil), ("fuse_unk", false), ("byte_fallback", false),
        ("ignore_merges", .bool(pre.ignoresMerges)), ("vocab", .object(words)),
        ("merges", .array(merges)),
      ])
  }
}
