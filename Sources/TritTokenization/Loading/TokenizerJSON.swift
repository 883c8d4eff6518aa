import TritCore
import TritFormats

/// What lies beside a `tokenizer.json` and has a say in its meaning.
struct TokenizerSettings {
  var bos: String?
  var eos: String?
  var addsBOS: Bool?
  var addsEOS: Bool?
  /// The class named by `tokenizer_config.json`.
  var className: String?
  /// The file of these, for messages.
  var file = "tokenizer_config.json"
  /// Ids from `config.json` and `generation_config.json`.
  var listed: [ListedToken] = []
  /// `vocab_size` of `config.json`: rows of the embedding.
  var rows: Int?

  var eosIDs: [Int] { listed.lazy.filter { $0.key == "eos_token_id" }.map(\.id) }
  var bosID: Int? { listed.first { $0.key == "bos_token_id" }?.id }

  /// A token id in a configuration.
  struct ListedToken {
    let id: Int
    let key: String
    let place: String
  }

  /// Throws for a listed id that is no token. `isWhole`: the tokenizer's file holds every token;
  /// else ids up to the rows of the embedding may belong to tokens that it does not list.
  func check(_ pieces: [String?], isWhole: Bool) throws {
    for token in listed {
      // Old configurations say -1 for "no padding".
      if token.key == "pad_token_id", token.id == -1 { continue }
      if pieces.indices.contains(token.id) {
        if pieces[token.id] != nil { continue }
      } else if token.id >= 0, !isWhole || token.key == "pad_token_id", let rows, token.id < rows {
        continue
      }
      let isHole = pieces.indices.contains(token.id)
      throw LabError(
        .badData, "the token id is not in the vocabulary", at: token.place,
        expected: "an id of the tokenizer, in 0..<\(pieces.count)",
        got: "\(token.id)" + (isHole ? ", which the vocabulary leaves out" : ""),
        advice: "correct '\(token.key)', or use the tokenizer that belongs to the model")
    }
  }
}

/// Texts of tokens that end a generation, whatever a model calls its end.
enum EndOfGeneration {
  static let names: [String] = [
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>",
    "</s>", "<|eom_id|>", "<EOT>", "_<EOT>",
  ]
}

extension BytePairTokenizer {
  /// The tokenizer that a `tokenizer.json` document describes.
  ///
  /// Throws `badData` with file and key path for anything missing, mistyped, inconsistent, or of a
  /// kind that is not supported.
  init(json: JSONValue, path: String, settings: TokenizerSettings = TokenizerSettings()) throws {
    let root = JSONField(value: json, file: path, keyPath: "")
    guard json.object != nil else {
      throw LabError(.badData, "not a tokenizer", at: path, expected: "a JSON object")
    }
    let vocabulary = try TokenizerJSONModel(root)
    let normalizer = try TokenizerPipeline.normalizer(root["normalizer"])
    let preTokenizer = try TokenizerPipeline.preTokenizer(root["pre_tokenizer"])
    let decoder = try TokenizerPipeline.decoder(root["decoder"])
    let template = try TokenizerPipeline.template(
      root["post_processor"], vocabulary: vocabulary.pieces)
    try settings.check(vocabulary.pieces, isWhole: true)
    for (key, name) in [("bos_token", settings.bos), ("eos_token", settings.eos)] {
      guard let name, vocabulary.id(of: name) == nil else { continue }
      throw LabError(
        .badData, "the token '\(name)' is not in the vocabulary", at: "\(settings.file): \(key)",
        expected: "a token of \(path)", got: "'\(name)'",
        advice: "correct '\(key)', or use the tokenizer that belongs to the model")
    }
    let special = Set(vocabulary.added.lazy.filter(\.entry.isSpecial).map(\.entry.id))
    let addedIDs = Set(vocabulary.added.map(\.entry.id))
    let isByteLevel = preTokenizer.isByteLevel
    let decodesBytes = decoder.isByteLevel || (root["decoder"] == nil && isByteLevel)

    let rewriting = Normalizer(steps: decoder.replacements, places: decoder.places)
    let text = try TokenText(pieces: vocabulary.pieces, special: special, path: path) { id, piece in
      if addedIDs.contains(id) { return Array(piece.utf8) }
      if decodesBytes { return ByteAlphabet.decode(piece) ?? Array(piece.utf8) }
      if decoder.hasByteFallback, let byte = TokenText.byte(of: piece) { return [byte] }
      var growth = TextGrowth(decoding: piece.utf8.count)
      return try rewriting.normalize(Array(piece.utf8), growth: &growth)
    }
    let bos = Self.bos(vocabulary, settings, template: template)
    let (prefix, suffix) = Self.frame(vocabulary, settings, template: template, bos: bos)
    try self.init(
      kind: Self.kind(preTokenizer, byteFallback: decoder.hasByteFallback),
      bos: bos,
      endOfGeneration: Self.endOfGeneration(vocabulary, settings),
      stripsLeadingSpace: decoder.stripsLeadingSpace,
      prefix: prefix, suffix: suffix, text: text,
      addedRaw: vocabulary.added.filter { !$0.isNormalized }.map(\.entry),
      addedNormalized: vocabulary.added.filter(\.isNormalized).map(\.entry),
      normalizer: normalizer, preTokenizer: preTokenizer,
      model: try vocabulary.model(isByteLevel: isByteLevel), path: path,
      notes: isByteLevel ? ByteAlphabet.notes(path, pieces: vocabulary.pieces) : [])
  }

  private static func kind(_ preTokenizer: PreTokenizer, byteFallback: Bool) -> String {
    guard preTokenizer.isByteLevel else {
      return byteFallback ? "BPE with byte fallback (tokenizer.json)" : "BPE (tokenizer.json)"
    }
    for step in preTokenizer.steps {
      if case .split(.llama3(let digits), _, _) = step {
        return "byte-level BPE (\(digits == 3 ? "llama-bpe" : "qwen2"))"
      }
    }
    return "byte-level BPE (\(preTokenizer.steps.count > 1 ? "gpt-2 with splits" : "gpt-2"))"
  }

  private static func bos(
    _ vocabulary: TokenizerJSONModel, _ settings: TokenizerSettings,
    template: (prefix: [Int], suffix: [Int])?
  ) -> Int? {
    if let named = settings.bos.flatMap({ vocabulary.id(of: $0) }) { return named }
    if let first = template?.prefix.first { return first }
    if let id = settings.bosID { return id }
    let names = ["<|begin_of_text|>", "<s>", "<bos>"]
    return names.lazy.compactMap { vocabulary.id(of: $0) }.first
  }

  /// The tokens around a text. Llama's tokenizer classes rebuild the template from `add_bos_token`
  /// and `add_eos_token`; the others keep the template of `tokenizer.json`, and the flags count
  /// where there is none.
  private static func frame(
    _ vocabulary: TokenizerJSONModel, _ settings: TokenizerSettings,
    template: (prefix: [Int], suffix: [Int])?, bos: Int?
  ) -> (prefix: [Int], suffix: [Int]) {
    let rebuilds = settings.className.map { $0.contains("Llama") || $0.contains("Gemma") } ?? false
    if let template, !rebuilds { return template }
    var (prefix, suffix) = template ?? ([], [])
    if let addsBOS = settings.addsBOS { prefix = addsBOS ? bos.map { [$0] } ?? [] : [] }
    if let addsEOS = settings.addsEOS {
      let eos = settings.eos.flatMap { vocabulary.id(of: $0) } ?? settings.eosIDs.first
      suffix = addsEOS ? eos.map { [$0] } ?? [] : []
    }
    return (prefix, suffix)
  }

  private static func endOfGeneration(
    _ vocabulary: TokenizerJSONModel, _ settings: TokenizerSettings
  ) -> Set<Int> {
    let names = EndOfGeneration.names + [settings.eos].compactMap(\.self)
    let known = names.compactMap { vocabulary.id(of: $0) }
    return Set(known + settings.eosIDs)
  }
}
