import Foundation
import TritCore
import TritFormats
import TritModel
import TritTokenization

extension DoctorSubject {
  /// Tokens that chat models mark turns with.
  private static let turnMarkers = [
    "<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|assistant|>", "[INST]",
  ]
  /// Tokens that end a turn.
  private static let turnEnds = [
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|eom_id|>", "</s>",
    "<|endoftext|>", "<|end_of_text|>",
  ]

  /// What is wrong with the tokenizer. A model without one is none that is broken.
  func tokenizerFindings() -> [ModelFinding] {
    let loaded: any Tokenizer
    switch tokenizer {
    case .success(let value): loaded = value
    case .failure(let error): return unreadable(error)
    }
    var findings: [ModelFinding] = []
    if let finding = preTokenizer(loaded) { findings.append(finding) }
    if let finding = vocabulary(loaded) { findings.append(finding) }
    if let finding = chatTemplate(loaded) { findings.append(finding) }
    if let finding = endTokens(loaded) { findings.append(finding) }
    return findings
  }

  private func unreadable(_ error: LabError) -> [ModelFinding] {
    guard error.kind != .missingInput else {
      // A folder without a tokenizer says still what ends a text.
      return gguf == nil ? [declaredEnds(nil)].compactMap(\.self) : []
    }
    // Tokens that are missing break merges: that they are missing says more.
    if let finding = vocabulary(nil) { return [finding] }
    let isCut = error.place?.contains("tokenizer.ggml.pre") == true
    let isEnd =
      error.place?.contains("eos_token") == true || error.place?.contains("eot_token") == true
    let text = [error.expected.map { "expected \($0)" }, error.got.map { "got \($0)" }]
      .compactMap(\.self).joined(separator: "; ")
    return [
      ModelFinding(
        isCut ? .preTokenizer : isEnd ? .endToken : .tokenizer, at: error.place ?? path, error.what,
        evidence: text,
        mend: error.advice ?? "name the model's own tokenizer with --tokenizer FILE")
    ]
  }

  // MARK: How text is cut

  private func preTokenizer(_ tokenizer: any Tokenizer) -> ModelFinding? {
    guard let gguf, gguf["tokenizer.ggml.model"]?.string == "gpt2" else { return nil }
    let place = "\(path): tokenizer.ggml.pre"
    let convert =
      "write the name into the file (gguf_set_metadata.py of llama.cpp cannot add keys: convert again with "
      + "trit export, or with a converter that knows the model)"
    guard let name = gguf["tokenizer.ggml.pre"]?.string else {
      let told = tokenizer.notes.first { $0.contains("tokenizer.ggml.pre") }
      return ModelFinding(
        .preTokenizer, at: place,
        "the file does not say how text is cut: llama.cpp takes 'default', and the model reads tokens that "
          + "it was not trained on",
        evidence: told
          ?? "no such key; its tokens are those of \(tokenizer.kind), which TritLab uses",
        mend: convert)
    }
    let cut = unreachable(tokenizer)
    guard cut.count > 0, Double(cut.count) > 0.01 * Double(cut.of) else { return nil }
    return ModelFinding(
      .preTokenizer, at: place,
      "text is cut by '\(name)', for which the vocabulary was not made: common tokens can never come up",
      evidence:
        "\(cut.count) of \(cut.of) tokens that were looked at are cut apart, as "
        + cut.examples.map { "'\($0)'" }.joined(separator: ", "), mend: convert)
  }

  /// Tokens that merges make and that are cut before any merge. A vocabulary has all but none under
  /// the pre-tokenizer it was made with: each token was merged within one piece of text.
  private func unreachable(
    _ tokenizer: any Tokenizer
  ) -> (count: Int, of: Int, examples: [String]) {
    guard let cutting = tokenizer as? BytePairTokenizer,
      let tokens = gguf?["tokenizer.ggml.tokens"]?.strings,
      let merges = gguf?["tokenizer.ggml.merges"]?.strings
    else { return (0, 0, []) }
    // A merge is written `left right`; the byte alphabet has no space of its own.
    let made = Set(merges.map { $0.filter { $0 != " " } })
    let ids = tokens.indices.filter { made.contains(tokens[$0]) }
    var looked = 0, count = 0
    var examples: [String] = []
    for place in stride(from: 0, to: ids.count, by: max(1, ids.count / 8000)) {
      guard let bytes = try? tokenizer.bytes(of: ids[place], skipSpecial: true), bytes.count > 1,
        let text = String(validating: bytes, as: UTF8.self),
        let pieces = try? cutting.pieceBytes(of: text)
      else { continue }
      looked += 1
      guard pieces.count > 1 else { continue }
      count += 1
      if examples.count < 5 { examples.append(VisibleText.line(text)) }
    }
    return (count, looked, examples)
  }

  // MARK: Vocabulary

  private func vocabulary(_ tokenizer: (any Tokenizer)?) -> ModelFinding? {
    guard let embedding, let rows = embedding.shape.first,
      let tokens = gguf?["tokenizer.ggml.tokens"]?.array?.count ?? tokenizer?.vocabularySize
    else { return nil }
    let mend =
      "take tokenizer and weights from one model; rows that were added in training belong to tokens that "
      + "were added to the tokenizer"
    let evidence = "\(tokens) tokens, \(rows) rows of \(embedding.name)"
    if tokens > rows {
      return ModelFinding(
        .vocabulary, at: embedding.name,
        "the tokenizer has more tokens than the embedding has rows: the others have no meaning, and "
          + "programs read beyond the end", evidence: evidence, mend: mend)
    }
    // A GGUF file has a token a row; a folder may have rows that fill up.
    let isFar = gguf != nil ? tokens != rows : Double(tokens) < 0.9 * Double(rows)
    guard isFar else { return nil }
    return ModelFinding(
      .vocabulary, at: embedding.name,
      "the embedding has rows that are no tokens: the model writes ids that stand for nothing",
      evidence: evidence, mend: mend)
  }

  // MARK: Turns

  /// The template as it stands in the files; nil where there is none.
  private var template: ChatFormat.Source? {
    (try? ChatFormat.find(path))?.stored.first
  }

  private func isToken(_ text: String, _ tokenizer: any Tokenizer) -> Bool {
    (try? tokenizer.encode(text, addSpecial: false, parseSpecial: true))?.count == 1
  }

  private func chatTemplate(_ tokenizer: any Tokenizer) -> ModelFinding? {
    if let template {
      guard template.isKnownWrong else { return nil }
      return ModelFinding(
        .chatTemplate, at: template.place,
        "the template is not the one that the model was trained with: it answers beside the question",
        evidence:
          "it writes 'BITNETAssistant: '; the model's own writes 'User: ', 'Assistant: ' and <|eot_id|>",
        mend: "use chat_template of microsoft/bitnet-b1.58-2B-4T's tokenizer_config.json")
    }
    guard let marker = Self.turnMarkers.first(where: { isToken($0, tokenizer) }) else { return nil }
    return ModelFinding(
      .chatTemplate,
      at: gguf == nil ? "\(path)/tokenizer_config.json" : "\(path): tokenizer.chat_template",
      "the tokens of a chat model have no template beside them: programs put turns together in a way that "
        + "the model does not know",
      evidence: "the vocabulary has '\(marker)', and there is no chat template",
      mend:
        "take the template of the model it was made from (tokenizer_config.json or chat_template.jinja); a "
        + "base model that was never trained on turns needs none")
  }

  // MARK: Ends

  private func endTokens(_ tokenizer: any Tokenizer) -> ModelFinding? {
    let ends = declared(tokenizer)
    if let finding = declaredEnds(ends) { return finding }
    guard let template else { return nil }
    for end in Self.turnEnds where template.text.contains(end) && isToken(end, tokenizer) {
      guard let id = try? tokenizer.encode(end, addSpecial: false, parseSpecial: true).first,
        !ends.contains(id)
      else { continue }
      return ModelFinding(
        .endToken, at: endPlace,
        "the token that ends a turn is not among those that end a generation: programs that do not know it "
          + "by name write on and on",
        evidence: "the chat template ends turns with '\(end)' (\(id)); declared are "
          + ends.sorted().map(String.init).joined(separator: ", "),
        mend: gguf == nil
          ? "add \(id) to eos_token_id in generation_config.json"
          : "set tokenizer.ggml.eot_token_id to \(id)")
    }
    return nil
  }

  private var endPlace: String {
    gguf == nil ? "\(path)/config.json: eos_token_id" : "\(path): tokenizer.ggml.eos_token_id"
  }

  /// The ids that files declare to end a generation.
  private func declared(_ tokenizer: (any Tokenizer)?) -> Set<Int> {
    if let gguf {
      return Set(
        ["eos", "eot", "eom"].compactMap { gguf["tokenizer.ggml.\($0)_token_id"]?.integer })
    }
    func ids(_ value: JSONValue?) -> [Int] {
      value?.integer.map { [$0] } ?? value?.array?.compactMap(\.integer) ?? []
    }
    var all = ids(config?["eos_token_id"]) + ids(generation?["eos_token_id"])
    let field = tokenizerSettings?["eos_token"]
    if let text = field?.string ?? field?["content"]?.string, let tokenizer,
      let id = try? tokenizer.encode(text, addSpecial: false, parseSpecial: true).first
    {
      all.append(id)
    }
    return Set(all)
  }

  /// Where nothing ends a text, or what is no token.
  private func declaredEnds(_ known: Set<Int>?) -> ModelFinding? {
    let ends = known ?? declared(nil)
    // Configurations of parts (a vision tower's language model) may leave it to the whole.
    let rows = embedding?.shape.first ?? .max
    if ends.isEmpty {
      return ModelFinding(
        .endToken, at: endPlace,
        "nothing says which token ends a text: programs guess, or write on and on",
        evidence: gguf == nil
          ? "no eos_token_id in config.json, generation_config.json or tokenizer_config.json"
          : "no tokenizer.ggml.eos_token_id, eot_token_id or eom_token_id",
        mend: gguf == nil
          ? "set eos_token_id in config.json" : "set tokenizer.ggml.eos_token_id")
    }
    guard let wrong = ends.sorted().first(where: { $0 < 0 || $0 >= rows }) else { return nil }
    return ModelFinding(
      .endToken, at: endPlace,
      "the token that ends a text does not exist: nothing ends a generation",
      evidence: "id \(wrong), and the embedding has \(rows) rows",
      mend: "set it to the id that the tokenizer has for its end of text")
  }
}
