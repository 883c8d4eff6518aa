import TritCore
import TritFormats

/// How a GGUF vocabulary of model `gpt2` cuts text, by the name in `tokenizer.ggml.pre`.
/// Source: llama.cpp, `llm_tokenizer_bpe`.
struct GGUFPreTokenizer {
  var name: String
  var steps: [PreTokenizer.Step]
  var ignoresMerges = false
  var addsBOS = false

  private static func isolated(_ pattern: SplitPattern) -> PreTokenizer.Step {
    .split(pattern, .isolated, inverted: false)
  }

  /// The names of each behaviour.
  private static let llama3 = [
    "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "smaug-bpe", "lfm2",
  ]
  private static let qwen2 = ["qwen2", "deepseek-r1-qwen", "megrez", "stablelm2"]
  private static let gpt2 = [
    "gpt-2", "phi-2", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de",
    "jina-v2-code", "gigachat", "roberta-bpe", "mpt", "olmo", "jais", "trillion",
  ]
  private static let starcoder = [
    "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "minerva",
  ]

  /// The pre-tokenizer called `name`, or nil.
  init?(_ name: String) {
    self.name = name
    switch name {
    case _ where Self.llama3.contains(name):
      steps = [Self.isolated(.llama3(digits: 3))]
      ignoresMerges = true
      addsBOS = true
    case _ where Self.qwen2.contains(name): steps = [Self.isolated(.llama3(digits: 1))]
    case _ where Self.gpt2.contains(name): steps = [Self.isolated(.gpt2)]
    case _ where Self.starcoder.contains(name):
      steps = [Self.isolated(.run(.number, limit: 1)), Self.isolated(.gpt2)]
    case "falcon", "falcon_e", "falcon-e":
      steps = [
        Self.isolated(.run(.anyPunctuation, limit: .max)), Self.isolated(.gpt2),
        Self.isolated(name == "falcon" ? .threeDigits : .run(.asciiDigit, limit: 1)),
      ]
    case "default":
      steps = [
        Self.isolated(.run([.punctuation, .asciiSymbol], limit: .max)), Self.isolated(.gpt2),
        Self.isolated(.run(.number, limit: .max)), Self.isolated(.threeDigits),
      ]
    default: return nil
    }
  }

  /// A name of each behaviour, the ones that people know first.
  static let representatives = [
    "llama-bpe", "qwen2", "gpt-2", "smollm", "falcon", "falcon_e", "default",
  ]

  static var names: [String] {
    llama3 + qwen2 + gpt2 + starcoder + ["falcon", "falcon_e", "default"]
  }
}

extension GGUFVocabulary {
  /// The pre-tokenizer that the file names. The published BitNet files name none and mean Llama-3's.
  private func preTokenizer() throws -> GGUFPreTokenizer {
    let key = "tokenizer.ggml.pre"
    var name = file[key]?.string
    if name == nil {
      guard file[key] == nil else {
        throw LabError(.badData, "wrong type", at: "\(file.path): \(key)", expected: "a string")
      }
      let architecture = file["general.architecture"]?.string ?? ""
      let isBitNet = ["bitnet-b1.58", "bitnet-25"].contains(architecture)
      name = isBitNet && tokens.count == 128_256 ? "llama-bpe" : "default"
    }
    guard let name, let known = GGUFPreTokenizer(name) else {
      throw LabError(
        .badData, "unknown pre-tokenizer '\(name ?? "")'", at: "\(file.path): \(key)",
        expected: GGUFPreTokenizer.names.joined(separator: ", "),
        advice: Suggestion.didYouMean(name ?? "", GGUFPreTokenizer.names)
          ?? "use the model's tokenizer.json")
    }
    return known
  }

  func bytePair() throws -> BytePairTokenizer {
    let pre = try preTokenizer()
    var table = ByteStringTable(capacity: tokens.count)
    var ids: [Int32] = []
    var byteIDs = [Int32](repeating: -1, count: 256)
    var spelled = ByteStringTable(capacity: tokens.count)
    var spelledIDs: [Int32] = []
    for (id, token) in tokens.enumerated() {
      let id32 = Int32(truncatingIfNeeded: id)
      if spelled.insert(Array(token.utf8)).isNew { spelledIDs.append(id32) }
      guard types[id] == .normal, let bytes = ByteAlphabet.decode(token), !bytes.isEmpty,
        table.insert(bytes).isNew
      else { continue }
      ids.append(id32)
      if bytes.count == 1 { byteIDs[Int(bytes[0])] = id32 }
    }
    let bos = try id("bos_token_id", default: 11)
    let eos = try id("eos_token_id", default: 11)
    let addsBOS = try flag("add_bos_token", default: pre.addsBOS)
    let addsEOS = try flag("add_eos_token", default: false)
    let special = tokens.indices.filter { types[$0] == .control || types[$0] == .unknown }
    let found = tokens.indices.filter { types[$0] == .userDefined } + special
    return BytePairTokenizer(
      kind: "byte-level BPE (\(pre.name))", bos: bos,
      endOfGeneration: try endOfGeneration(eos: eos),
      prefix: addsBOS ? [bos].compactMap(\.self) : [],
      suffix: addsEOS ? [eos].compactMap(\.self) : [],
      text: TokenText(pieces: tokens, special: Set(special)) { id, piece in
        types[id] == .normal ? ByteAlphabet.decode(piece) ?? Array(piece.utf8) : Array(piece.utf8)
      },
      addedRaw: found.map {
        AddedTokens.Entry(
          id: $0, content: Array(tokens[$0].utf8), isSpecial: types[$0] != .userDefined)
      },
      preTokenizer: PreTokenizer(
        steps: pre.steps + [.byteLevel(addsPrefixSpace: false, usesRegex: false)]),
      model: BytePairModel(
        unit: .byte, pieces: table, ids: ids,
        merging: .pairs(try merges(spelled, spelledIDs)), byteIDs: byteIDs, fallbackIDs: nil,
        unknown: nil, fusesUnknown: false, ignoresMerges: pre.ignoresMerges, wordMark: nil))
  }

  /// `left right`, cut at the first space from the second byte on.
  private func merges(_ spelled: ByteStringTable, _ ids: [Int32]) throws -> MergeTable {
    let key = "tokenizer.ggml.merges"
    guard let lines = file[key]?.strings else {
      throw LabError(
        .badData, "the merges are missing", at: "\(file.path): \(key)",
        expected: "a list of strings 'left right'")
    }
    var table = MergeTable(capacity: lines.count)
    for (rank, line) in lines.enumerated() {
      let bytes = Array(line.utf8)
      guard let space = bytes.dropFirst().firstIndex(of: 0x20), space + 1 < bytes.count else {
        throw LabError(
          .badData, "not a merge", at: "\(file.path): \(key)[\(rank)]", expected: "'left right'",
          got: "'\(line.prefix(40))'")
      }
      let left = spelled.find(Array(bytes[..<space]))
      let right = spelled.find(Array(bytes[(space + 1)...]))
      let merged = spelled.find(Array(bytes[..<space] + bytes[(space + 1)...]))
      guard left >= 0, right >= 0, merged >= 0 else {
        throw LabError(
          .badData, "the merge names a piece that is not in the vocabulary",
          at: "\(file.path): \(key)[\(rank)]", got: "'\(line.prefix(80))'")
      }
      table.insert(ids[left], ids[right], rank: rank, merged: ids[merged], replacing: false)
    }
    return table
  }
}
