import TritCore
public import TritFormats

/// Finds and reads a tokenizer, whatever its file is.
public enum TokenizerLoader {
  /// The tokenizer at `path`: a model folder (`tokenizer.json`, else `tokenizer.model`), a
  /// `tokenizer.json`, a `tokenizer.model` (SentencePiece or tiktoken, told apart by content), a
  /// GGUF, or llama2.c's `tokenizer.bin`.
  ///
  /// Throws `missingInput` where there is none, `badData` with file and key path where it is
  /// malformed.
  public static func load(path: String) throws -> any Tokenizer {
    switch FileKind(at: path) {
    case .folder: return try load(folder: path)
    case .absent:
      throw LabError(
        .missingInput, "no such file or folder", at: path,
        expected: "a model folder, tokenizer.json, tokenizer.model or a GGUF",
        advice: "check the path")
    default: return try load(file: path)
    }
  }

  private static func load(folder: String) throws -> any Tokenizer {
    let settings = try settings(folder: folder)
    // A link whose target is gone is there: its reader says what is wrong.
    let json = folder + "/tokenizer.json"
    if FileKind(at: json).isNamed {
      return try BytePairTokenizer(
        json: try JSONReader.readFile(json, limit: .tokenizer), path: json, settings: settings)
    }
    let model = folder + "/tokenizer.model"
    if FileKind(at: model).isNamed { return try load(file: model, settings: settings) }
    let names = try FolderListing(folder).names
    if let gguf = names.first(where: { $0.hasSuffix(".gguf") }) {
      return try load(file: folder + "/" + gguf)
    }
    throw LabError(
      .missingInput, "the folder has no tokenizer", at: folder,
      expected: "tokenizer.json, tokenizer.model or a .gguf",
      advice: "copy the tokenizer of the model there, or name one with its own path")
  }

  private static func load(
    file path: String, settings: TokenizerSettings = TokenizerSettings()
  ) throws -> any Tokenizer {
    let file = try MappedFile(path)
    return try file.span.withUnsafeBytes { bytes in
      let kind = TokenizerKind(bytes)
      // A GGUF file has limits of its own.
      if kind != .gguf { try FileLimit.tokenizer.check(file.count, at: path) }
      if file.count == 0 { throw JSONReader.emptyFile(path, expected: "a tokenizer") }
      if kind == .sentencePiece, let foreign = ForeignFile(bytes) {
        throw foreign.error(
          at: path, expected: "tokenizer.json, tokenizer.model, tiktoken ranks or a GGUF")
      }
      switch kind {
      case .json:
        return try BytePairTokenizer(
          json: try JSONReader.read(bytes, path: path), path: path, settings: settings)
      case .gguf: return try load(gguf: try GGUFFile(path: path))
      case .tiktoken:
        return try BytePairTokenizer(
          ranks: try TiktokenRanks(bytes, path: path), path: path, settings: settings)
      case .llama2c:
        return try SentencePieceTokenizer(
          try Llama2CVocabulary.read(bytes, path: path))
      case .sentencePiece:
        return try SentencePieceTokenizer(
          try SentencePieceVocabulary(
            SentencePieceModel(bytes, path: path), path: path, settings: settings))
      }
    }
  }

  /// The tokenizer in the metadata of a GGUF file; where the file has none, or one of a kind that
  /// is not supported, the `tokenizer.json` or `tokenizer.model` in its folder. Throws `badData`
  /// with the key that is wrong, `missingInput` where there is no tokenizer at all.
  public static func load(gguf: GGUFFile) throws -> any Tokenizer {
    guard let problem = GGUFVocabulary.problem(of: gguf) else {
      return try GGUFVocabulary(gguf).tokenizer()
    }
    guard let beside = besideFile(gguf.path) else { throw problem }
    let tokenizer: any Tokenizer
    do {
      tokenizer = try load(file: beside, settings: try settings(folder: folder(of: beside)))
    } catch let error as LabError {
      throw error.inside("\(beside) (beside \(gguf.path))")
    }
    let note = "the tokenizer is that of \(beside): \(problem.what)"
    switch tokenizer {
    case var tokenizer as BytePairTokenizer:
      tokenizer.notes.append(note)
      return tokenizer
    case var tokenizer as SentencePieceTokenizer:
      tokenizer.notes.append(note)
      return tokenizer
    default: return tokenizer
    }
  }

  /// The file beside a GGUF file that its tokenizer comes from; nil where the tokenizer is inside,
  /// where there is none at all, and for what is no GGUF file.
  public static func outsideFile(gguf: GGUFFile) -> String? {
    GGUFVocabulary.problem(of: gguf) == nil ? nil : besideFile(gguf.path)
  }

  private static func besideFile(_ path: String) -> String? {
    let folder = folder(of: path)
    return ["tokenizer.json", "tokenizer.model"].map { folder + "/" + $0 }
      .first { FileKind(at: $0).isNamed }
  }

  private static func folder(of path: String) -> String {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return folder.isEmpty ? "." : folder.joined(separator: "/")
  }

  /// What a tokenizer file is, by its first bytes.
  private enum TokenizerKind {
    case json, gguf, tiktoken, llama2c, sentencePiece

    init(_ bytes: UnsafeRawBufferPointer) {
      let head = bytes.prefix(512)
      let text = head.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
      if head.starts(with: "GGUF".utf8) {
        self = .gguf
      } else if text.first == UInt8(ascii: "{") {
        self = .json
      } else if Self.isTiktoken(head) {
        self = .tiktoken
      } else if Self.isLlama2C(bytes) {
        self = .llama2c
      } else {
        self = .sentencePiece
      }
    }

    /// A first line of base64, a space, digits.
    private static func isTiktoken(_ head: Slice<UnsafeRawBufferPointer>) -> Bool {
      let line = head.prefix { $0 != 0x0A && $0 != 0x0D }
      let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return false }
      let isBase64 = parts[0].allSatisfy {
        $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "=")
          || ($0 < 0x80 && CharacterClasses.of(UInt32($0)).isDisjoint(with: .word) == false)
      }
      return isBase64 && parts[1].allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    /// A small whole number (the longest token), then a score and a token that fits it.
    private static func isLlama2C(_ bytes: UnsafeRawBufferPointer) -> Bool {
      guard bytes.count >= 12 else { return false }
      let longest = bytes.loadUnaligned(as: Int32.self)
      let length = bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self)
      return longest > 0 && longest <= 4096 && length >= 0 && length <= longest
    }
  }

  // MARK: Settings beside the tokenizer

  private static func settings(folder: String) throws -> TokenizerSettings {
    var settings = TokenizerSettings()
    if let config = try document(folder + "/tokenizer_config.json") {
      settings.bos = try tokenName(config["bos_token"])
      settings.eos = try tokenName(config["eos_token"])
      settings.file = config.file
      if config["add_bos_token"] != nil { settings.addsBOS = try config.flag("add_bos_token") }
      if config["add_eos_token"] != nil { settings.addsEOS = try config.flag("add_eos_token") }
      settings.className = try config["tokenizer_class"]?.string()
    }
    for name in ["generation_config.json", "config.json"] {
      guard let config = try document(folder + "/" + name) else { continue }
      if name == "config.json", let size = config["vocab_size"]?.value.integer, size > 0 {
        settings.rows = size
      }
      for key in ["eos_token_id", "bos_token_id", "pad_token_id", "unk_token_id"] {
        guard let field = config[key] else { continue }
        let parts = field.value.array != nil ? try field.elements() : [field]
        for part in parts {
          let id = try part.integer()
          settings.listed.append(.init(id: id, key: key, place: part.place))
        }
      }
    }
    return settings
  }

  private static func document(_ path: String) throws -> JSONField? {
    guard FileKind(at: path).isNamed else { return nil }
    return JSONField(value: try JSONReader.readFile(path), file: path, keyPath: "")
  }

  /// A token given as a string or as `{"content": …}`.
  private static func tokenName(_ field: JSONField?) throws -> String? {
    guard let field else { return nil }
    return field.value.string != nil
      ? try field.string() : try field.required("content").string()
  }
}
