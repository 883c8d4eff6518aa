import Foundation
import TritCore
import TritFormats
import TritTokenization

/// The files of a Hugging Face folder beside its configuration and weights: tokenizer, chat
/// templates, end tokens, what sentence-transformers reads of an embedding model, and code that the
/// configuration names.
struct HuggingFaceFiles {
  private let checkpoint: Checkpoint
  private let form: HuggingFaceForm
  private let writesTokenizer: Bool

  init(_ checkpoint: Checkpoint, _ form: HuggingFaceForm, writesTokenizer: Bool) {
    self.checkpoint = checkpoint
    self.form = form
    self.writesTokenizer = writesTokenizer
  }

  private static let tokenizerFiles = [
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
    "chat_template.jinja", "chat_template.json", "added_tokens.json", "vocab.json", "merges.txt",
  ]
  private static let modelFiles = [
    "generation_config.json", "modules.json", "config_sentence_transformers.json",
    "sentence_bert_config.json", "1_Pooling/config.json",
  ]

  private var gguf: GGUFFile? { checkpoint.source as? GGUFFile }

  /// Whether the tokenizer lies inside a GGUF file.
  private var isInside: Bool {
    gguf != nil && checkpoint.outsideTokenizer == nil && (try? checkpoint.tokenizer()) != nil
  }

  /// The ids that end a generation, the main one first.
  func ends() throws -> [Int] {
    var ends = checkpoint.configuration.eosTokens
    guard gguf != nil, let tokenizer = try? checkpoint.tokenizer() else { return ends }
    for id in tokenizer.endOfGeneration.sorted()
    where !ends.contains(id) && id < checkpoint.configuration.vocabularySize {
      ends.append(id)
    }
    return ends
  }

  /// Writes them into `folder`. Gives what a user should know. Throws for a tokenizer that changes
  /// on the way.
  func write(to folder: String) throws -> [String] {
    if gguf == nil {
      for name in Self.modelFiles + codeFiles() {
        try copy(name, from: checkpoint.path, to: folder)
      }
    } else {
      try writeGeneration(to: folder)
      try writePooling(to: folder)
    }
    return writesTokenizer ? try writeTokenizer(to: folder) : []
  }

  @discardableResult
  private func copy(_ name: String, from source: String, to folder: String) throws -> Bool {
    guard FileKind(at: "\(source)/\(name)").isNamed else { return false }
    let file = try MappedFile("\(source)/\(name)")
    let path = "\(folder)/\(name)"
    if let slash = name.lastIndex(of: "/") {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(name[..<slash])", withIntermediateDirectories: true)
    }
    try AtomicFile.write(file.span.withUnsafeBytes { Array($0) }, to: path)
    return true
  }

  /// Python files that an `auto_map` of the configuration names, where they lie in the folder.
  private func codeFiles() -> [String] {
    var names: Set<String> = []
    for file in ["config.json", "tokenizer_config.json"] {
      guard let root = try? JSONReader.readFile(checkpoint.path + "/" + file),
        let map = root["auto_map"]?.object, file != "config.json" || !form.changesClass
      else { continue }
      for text in map.flatMap({ $0.value.array ?? [$0.value] }).compactMap(\.string) {
        let module = text.split(separator: ".").first.map(String.init) ?? ""
        let isPlain = module.utf8.allSatisfy {
          $0 == 0x5f || (0x30...0x39).contains($0) || (0x41...0x5a).contains($0)
            || (0x61...0x7a).contains($0)
        }
        if isPlain, !module.isEmpty { names.insert(module + ".py") }
      }
    }
    return names.sorted()
  }

  // MARK: What a GGUF file says

  private func writeGeneration(to folder: String) throws {
    let ends = try ends()
    var members: [(key: String, value: JSONValue)] = [("_from_model_config", true)]
    if let bos = checkpoint.configuration.bosToken {
      members.append(("bos_token_id", JSONValue(bos)))
    }
    if !ends.isEmpty {
      members.append(("eos_token_id", ends.count == 1 ? JSONValue(ends[0]) : JSONValue(ends)))
    }
    let padding = try gguf.flatMap { file in
      try GGUFField(file, "tokenizer.ggml.padding_token_id")?
        .tokenID(below: checkpoint.configuration.vocabularySize)
    }
    if let padding { members.append(("pad_token_id", JSONValue(padding))) }
    try write(.object(members), to: folder + "/generation_config.json")
  }

  private func write(_ document: JSONValue, to path: String) throws {
    try AtomicFile.write(JSONWriter.text(document, pretty: true) + "\n", to: path)
  }

  /// What sentence-transformers reads: the model, its pooling, vectors of length 1.
  private func writePooling(to folder: String) throws {
    guard let pooling = checkpoint.configuration.pooling else { return }
    try FileManager.default.createDirectory(
      atPath: folder + "/1_Pooling", withIntermediateDirectories: true)
    try write(
      [
        "word_embedding_dimension": JSONValue(checkpoint.configuration.hiddenSize),
        "pooling_mode_cls_token": false, "pooling_mode_max_tokens": false,
        "pooling_mode_mean_tokens": .bool(pooling == .mean),
        "pooling_mode_mean_sqrt_len_tokens": false,
        "pooling_mode_weightedmean_tokens": false,
        "pooling_mode_lasttoken": .bool(pooling == .last), "include_prompt": true,
      ], to: folder + "/1_Pooling/config.json")
    let parts = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    try write(
      .array(
        parts.enumerated().map { index, part in
          [
            "idx": JSONValue(index), "name": .string("\(index)"), "path": .string(part.0),
            "type": .string("sentence_transformers.models.\(part.1)"),
          ]
        }), to: folder + "/modules.json")
  }

  // MARK: Tokenizer

  private func writeTokenizer(to folder: String) throws -> [String] {
    let format = try checkpoint.files.perform { try ChatFormat.find(checkpoint.path) }
    let told = (format?.notes ?? []).map { $0.replacing("note: ", with: "") }
    if isInside, let gguf {
      return try HuggingFaceTokenizerExport(gguf).write(
        to: folder, contextLength: checkpoint.configuration.contextLength,
        templates: (format?.sources ?? []).map { ($0.name, $0.text) }) + told
    }
    guard try copyTokenizer(to: folder) else {
      return [
        "no tokenizer is in the folder: there is no tokenizer.json or tokenizer.model beside the model; name "
          + "one with --tokenizer"
      ]
    }
    // Templates that are not in the files just copied, and one that is mended.
    let copied = try ChatFormat.find(folder)
    for source in format?.sources ?? []
    where copied?.stored.contains(where: { $0.name == source.name && $0.text == source.text })
      != true
    {
      let isDefault = source.name == "default"
      if !isDefault {
        try FileManager.default.createDirectory(
          atPath: folder + "/additional_chat_templates", withIntermediateDirectories: true)
      }
      try AtomicFile.write(
        source.text,
        to: folder
          + (isDefault
            ? "/chat_template.jinja" : "/additional_chat_templates/\(source.name).jinja"))
    }
    return told
  }

  /// Copies the tokenizer's files; whether there are any.
  private func copyTokenizer(to folder: String) throws -> Bool {
    var source = checkpoint.tokenizerPath ?? checkpoint.path
    var names = Self.tokenizerFiles
    if FileKind(at: source) == .folder {
      let more = source + "/additional_chat_templates"
      if FileKind(at: more) == .folder {
        names += try FolderListing(more).names.filter { $0.hasSuffix(".jinja") }
          .map { "additional_chat_templates/\($0)" }
      }
    } else {
      let name = source.split(separator: "/").last.map(String.init) ?? source
      source = source.lastIndex(of: "/").map { String(source[..<$0]) } ?? "."
      if checkpoint.tokenizerPath != nil, names.contains(name) { names = [name] }
    }
    var copied = false
    for name in names where try copy(name, from: source, to: folder) {
      copied = copied || name.hasPrefix("tokenizer.")
    }
    return copied
  }
}
