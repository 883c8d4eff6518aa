import TritCore
import TritFormats

extension GGUFVocabulary {
  /// The pre-tokenizer that the file names, else the one that its tokens tell, else llama.cpp's
  /// `default`, and what a user must know of it.
  func preTokenizer() throws -> (GGUFPreTokenizer, notes: [String]) {
    let key = "tokenizer.ggml.pre"
    guard let value = file[key] else { return try inferredPreTokenizer() }
    guard let name = value.string else {
      throw LabError(
        .badData, "wrong type", at: "\(file.path): \(key)", expected: "a string",
        got: value.typeName, advice: Self.advice(file.path))
    }
    guard let known = GGUFPreTokenizer(name) else {
      throw Self.unknownPreTokenizer(name, file.path)
    }
    return (known, [])
  }

  /// The error for a name in `tokenizer.ggml.pre` that stands for nothing here.
  static func unknownPreTokenizer(_ name: String, _ path: String) -> LabError {
    let place = "\(path): tokenizer.ggml.pre"
    if GGUFPreTokenizer.unsupported.contains(name) {
      return LabError(
        .badData, "the pre-tokenizer '\(name)' is not supported", at: place,
        expected: "one of a byte-level vocabulary", got: "one of a vocabulary with '\u{2581}'",
        advice: advice(path))
    }
    let guess = Suggestion.didYouMean(name, GGUFPreTokenizer.names).map { $0 + " Or " } ?? ""
    return LabError(
      .badData, "unknown pre-tokenizer '\(name)'", at: place,
      expected: GGUFPreTokenizer.names.joined(separator: ", "), got: "'\(name)'",
      advice: guess + advice(path))
  }

  private func inferredPreTokenizer() throws -> (GGUFPreTokenizer, notes: [String]) {
    let key = "tokenizer.ggml.pre"
    let architecture = file["general.architecture"]?.string ?? ""
    let isBitNet = ["bitnet-b1.58", "bitnet-25"].contains(architecture)
    let missing = "\(file.path) does not say how text is cut (\(key))"
    func made(_ name: String, _ note: String) throws -> (GGUFPreTokenizer, notes: [String]) {
      guard let known = GGUFPreTokenizer(name) else {
        throw Self.unknownPreTokenizer(name, file.path)
      }
      // The published BitNet files name none and are known to mean Llama-3's: nothing to say.
      return (known, isBitNet && name == "llama-bpe" ? [] : [note])
    }
    if let evidence = PreTokenizerEvidence.find(in: tokens) {
      return try made(
        evidence.name,
        "\(missing); \(evidence.description(count: tokens.count)) tell '\(evidence.name)', which is "
          + "used")
    }
    if let name = PreTokenizerEvidence.bySize[tokens.count] {
      return try made(
        name,
        "warning: \(missing); its \(tokens.count) tokens alone suggest '\(name)', which is used; if that "
          + "is wrong, tokens are WRONG: \(Self.advice(file.path))")
    }
    return try made(
      "default",
      "warning: \(missing), and its \(tokens.count) tokens are of no known family: it is cut as "
        + "llama.cpp's 'default', and tokens may be WRONG; name the model's own tokenizer with "
        + "--tokenizer FILE")
  }

  func bytePair() throws -> BytePairTokenizer {
    let (pre, notes) = try preTokenizer()
    var table = ByteStringTable(capacity: tokens.count)
    var ids: [Int32] = []
    var byteIDs = [Int32](repeating: -1, count: 256)
    var spelled = ByteStringTable(capacity: tokens.count)
    var spelledIDs: [Int32] = []
    for (id, token) in tokens.enumerated() {
      let id32 = Int32(truncatingIfNeeded: id)
      let place = spelled.insert(Array(token.utf8))
      if place.isNew {
        spelledIDs.append(id32)
      } else if types[id] == .normal, types[Int(spelledIDs[place.index])] == .normal, !token.isEmpty
      {
        throw LabError(
          .badData, "the token '\(token.prefix(40))' is listed twice",
          at: "\(file.path): tokenizer.ggml.tokens[\(id)]", expected: "each token once",
          got: "the same as tokens[\(spelledIDs[place.index])]")
      }
      guard types[id] == .normal, let bytes = ByteAlphabet.decode(token), !bytes.isEmpty,
        table.insert(bytes).isNew
      else { continue }
      ids.append(id32)
      if bytes.count == 1 { byteIDs[Int(bytes[0])] = id32 }
    }
    let bos = try id("bos_token_id", default: pre.hasDefaultBOS ? 11 : nil)
    let eos = try id("eos_token_id", default: 11)
    let addsBOS = try flag("add_bos_token", default: pre.addsBOS)
    let addsEOS = try flag("add_eos_token", default: false)
    let special = tokens.indices.filter { types[$0] == .control || types[$0] == .unknown }
    let found = tokens.indices.filter { types[$0] == .userDefined } + special
    return try BytePairTokenizer(
      kind: "byte-level BPE (\(pre.name))", bos: bos,
      endOfGeneration: try endOfGeneration(eos: eos),
      prefix: addsBOS ? [bos].compactMap(\.self) : [],
      suffix: addsEOS ? [eos].compactMap(\.self) : [],
      text: TokenText(pieces: tokens, special: Set(special), path: file.path) { id, piece in
        types[id] == .normal ? ByteAlphabet.decode(piece) ?? Array(piece.utf8) : Array(piece.utf8)
      },
      addedRaw: found.map {
        AddedTokens.Entry(
          id: $0, content: Array(tokens[$0].utf8), isSpecial: types[$0] != .userDefined)
      },
      preTokenizer: PreTokenizer(steps: pre.steps),
      model: BytePairModel(
        unit: .byte, pieces: table, ids: ids,
        merging: .pairs(try merges(spelled, spelledIDs)), byteIDs: byteIDs, fallbackIDs: nil,
        unknown: nil, fusesUnknown: false, ignoresMerges: pre.ignoresMerges, wordMark: nil),
      path: file.path, notes: notes + ByteAlphabet.notes(file.path, pieces: tokens))
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
