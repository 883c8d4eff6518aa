import TritCore
import TritFormats

/// Key-values of a GGUF file: one that is there, or one that is about to be written.
protocol GGUFMetadata {
  /// For messages.
  var path: String { get }
  /// The value of `key`, or nil.
  subscript(key: String) -> GGUFValue? { get }
}

extension GGUFFile: GGUFMetadata {}

/// The tokenizer in a GGUF file's metadata: keys `tokenizer.ggml.*` (ggml, `docs/gguf.md`).
struct GGUFVocabulary {
  let file: any GGUFMetadata
  let tokens: [String]
  let types: [SentencePieceModel.PieceType]
  let model: String

  init(_ file: any GGUFMetadata) throws {
    self.file = file
    guard let model = file["tokenizer.ggml.model"]?.string else {
      let isMissing = file["tokenizer.ggml.model"] == nil
      throw LabError(
        isMissing ? .missingInput : .badData,
        isMissing ? "the file has no tokenizer" : "wrong type",
        at: "\(file.path): tokenizer.ggml.model", expected: "'llama' or 'gpt2'",
        got: file["tokenizer.ggml.model"]?.typeName, advice: Self.advice(file.path))
    }
    self.model = model
    guard let tokens = file["tokenizer.ggml.tokens"]?.strings, !tokens.isEmpty else {
      throw LabError(
        .badData, "the tokens are missing", at: "\(file.path): tokenizer.ggml.tokens",
        expected: "a list of strings")
    }
    self.tokens = tokens
    types = try Self.types(file, count: tokens.count)
    try checkIDs()
    if let scores = file["tokenizer.ggml.scores"], scores.floats?.count != tokens.count {
      throw LabError(
        .badData, "there is not one score per token", at: "\(file.path): tokenizer.ggml.scores",
        expected: "\(tokens.count) numbers", got: "\(scores.array?.count ?? 0)")
    }
  }

  /// Throws for an id of a special token that is no token.
  private func checkIDs() throws {
    for name in [
      "bos", "eos", "eot", "eom", "unknown", "padding", "seperator", "separator", "cls", "mask",
      "prefix", "suffix", "middle", "fim_pre", "fim_suf", "fim_mid", "fim_pad", "fim_rep",
      "fim_sep",
    ] {
      _ = try id(name + "_token_id")
    }
  }

  /// Why the file's own tokenizer cannot be had: it is missing, or of a kind that is not supported.
  /// Nil where it can, or is broken.
  static func problem(of file: any GGUFMetadata) -> LabError? {
    guard let value = file["tokenizer.ggml.model"] else {
      return LabError(
        .missingInput, "the file has no tokenizer", at: "\(file.path): tokenizer.ggml.model",
        expected: "'llama' or 'gpt2'", advice: advice(file.path))
    }
    guard let model = value.string else { return nil }
    if model != "llama", model != "gpt2" { return unsupported(model, file.path) }
    guard model == "gpt2", let pre = file["tokenizer.ggml.pre"]?.string,
      !GGUFPreTokenizer.names.contains(pre)
    else { return nil }
    return unknownPreTokenizer(pre, file.path)
  }

  private static func unsupported(_ model: String, _ path: String) -> LabError {
    LabError(
      .badData, "the tokenizer model '\(model)' is not supported",
      at: "\(path): tokenizer.ggml.model", expected: "'llama' or 'gpt2'", got: "'\(model)'",
      advice: advice(path))
  }

  /// What to do where the tokenizer in the file `path` is of no use.
  static func advice(_ path: String) -> String {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let beside = (folder + ["tokenizer.json"]).joined(separator: "/")
    return "copy the model's tokenizer.json (or tokenizer.model) beside the file, as \(beside), or "
      + "name it with --tokenizer FILE"
  }

  private static func types(_ file: any GGUFMetadata, count: Int) throws
    -> [SentencePieceModel.PieceType]
  {
    let key = "tokenizer.ggml.token_type"
    guard let value = file[key] else { return Array(repeating: .normal, count: count) }
    guard let raw = value.integers, raw.count == count else {
      throw LabError(
        .badData, "there is not one type per token", at: "\(file.path): \(key)",
        expected: "\(count) whole numbers", got: "\(value.array?.count ?? 0)")
    }
    return try raw.enumerated().map { id, number in
      guard let type = SentencePieceModel.PieceType(rawValue: number) else {
        throw LabError(
          .badData, "unknown type of token", at: "\(file.path): \(key)[\(id)]",
          expected: "1 to 6", got: "\(number)")
      }
      return type
    }
  }

  /// The tokenizer of model `llama` (SentencePiece) or `gpt2` (byte-level BPE).
  func tokenizer() throws -> any Tokenizer {
    switch model {
    case "llama": try sentencePiece()
    case "gpt2": try bytePair()
    default: throw Self.unsupported(model, file.path)
    }
  }

  // MARK: Keys

  /// The token id under `tokenizer.ggml.NAME`, checked; nil where it is absent.
  func id(_ name: String, default fallback: Int? = nil) throws -> Int? {
    let key = "tokenizer.ggml.\(name)"
    guard let value = file[key] else {
      return fallback.flatMap { tokens.indices.contains($0) ? $0 : nil }
    }
    return try GGUFField(key: key, value: value, path: file.path).tokenID(below: tokens.count)
  }

  func flag(_ name: String, default fallback: Bool) throws -> Bool {
    let key = "tokenizer.ggml.\(name)"
    guard let value = file[key] else { return fallback }
    guard let bool = value.bool else {
      throw LabError(
        .badData, "wrong type", at: "\(file.path): \(key)", expected: "bool", got: value.typeName)
    }
    return bool
  }

  /// eos, eot and eom, and every token whose text says that it ends a generation.
  func endOfGeneration(eos: Int?) throws -> Set<Int> {
    let names = Set(EndOfGeneration.names)
    let named = tokens.indices.filter { names.contains(tokens[$0]) }
    let keyed = [eos, try id("eot_token_id"), try id("eom_token_id")].compactMap(\.self)
    return Set(named + keyed)
  }

  // MARK: SentencePiece

  private func sentencePiece() throws -> SentencePieceTokenizer {
    let key = "tokenizer.ggml.scores"
    guard let scores = file[key]?.floats, scores.count == tokens.count,
      !scores.contains(where: \.isNaN)
    else {
      throw LabError(
        .badData, "there is not one score per token", at: "\(file.path): \(key)",
        expected: "\(tokens.count) numbers", got: "\(file[key]?.array?.count ?? 0)")
    }
    let eos = try id("eos_token_id", default: 2)
    return try SentencePieceTokenizer(
      SentencePieceVocabulary(
        path: file.path,
        pieces: tokens.indices.map { .init(text: tokens[$0], score: scores[$0], type: types[$0]) },
        bos: try id("bos_token_id", default: 1), eos: eos,
        unknown: try id("unknown_token_id", default: 0),
        addsBOS: try flag("add_bos_token", default: true),
        addsEOS: try flag("add_eos_token", default: false),
        addsDummyPrefix: try flag("add_space_prefix", default: true),
        removesExtraSpaces: try flag("remove_extra_whitespaces", default: false),
        endOfGeneration: try endOfGeneration(eos: eos), findsUserDefinedInRawText: true))
  }
}
