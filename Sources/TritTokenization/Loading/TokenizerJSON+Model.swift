import TritCore
import TritFormats

/// Reading the `model` and `added_tokens` of `tokenizer.json`.
struct TokenizerJSONModel {
  /// Largest id that is believed; far above any real vocabulary.
  static let largestID = 1 << 22

  let field: JSONField
  /// Spelling of each id, added tokens included.
  private(set) var pieces: [String?] = []
  private(set) var added: [(entry: AddedTokens.Entry, isNormalized: Bool)] = []
  private var byText = ByteStringTable()
  private var idsByText: [Int32] = []

  /// Reads the vocabulary of `root.model` and `root.added_tokens`.
  init(_ root: JSONField) throws {
    field = try root.required("model")
    let type = try field["type"]?.string() ?? "BPE"
    guard type == "BPE" else { throw field.unsupported("model '\(type)'", known: "BPE") }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let affix = field[key], try !affix.string().isEmpty {
        throw affix.unsupported("'\(key)'", known: "null")
      }
    }
    if let dropout = field["dropout"], dropout.value.double != 0 {
      throw dropout.unsupported("dropout", known: "null or 0")
    }
    try readVocabulary(try field.required("vocab"))
    if let list = root["added_tokens"] {
      for token in try list.elements() { try readAdded(token) }
    }
  }

  private mutating func readVocabulary(_ vocab: JSONField) throws {
    guard let members = vocab.value.object else {
      throw LabError(.badData, "wrong type", at: vocab.place, expected: "an object {piece: id}")
    }
    byText = ByteStringTable(capacity: members.count)
    idsByText.reserveCapacity(members.count)
    pieces.reserveCapacity(members.count)
    for (piece, value) in members {
      guard let id = value.integer, id >= 0, id < Self.largestID else {
        throw LabError(
          .badData, "the id is out of range", at: "\(vocab.place).\(piece)",
          expected: "0..<\(Self.largestID)",
          got: value.integer.map { "\($0)" } ?? value.double.map { "\($0)" } ?? "no number")
      }
      try place(piece, id: id, at: "\(vocab.place).\(piece)")
    }
    guard !pieces.isEmpty else {
      throw LabError(.badData, "the vocabulary is empty", at: vocab.place)
    }
  }

  private mutating func place(_ piece: String, id: Int, at place: @autoclosure () -> String) throws
  {
    if id >= pieces.count {
      pieces.append(contentsOf: repeatElement(nil, count: id + 1 - pieces.count))
    }
    if let other = pieces[id] {
      throw LabError(
        .badData, "two pieces have the id \(id)", at: place(), expected: "each id once",
        got: "'\(other)' and '\(piece)'")
    }
    pieces[id] = piece
    var text = piece
    text.withUTF8 { _ = byText.insert($0) }
    idsByText.append(Int32(truncatingIfNeeded: id))
  }

  /// The id of `piece`, or nil.
  func id(of piece: String) -> Int? {
    var text = piece
    let index = text.withUTF8 { byText.find($0) }
    return index < 0 ? nil : Int(idsByText[index])
  }

  private mutating func readAdded(_ token: JSONField) throws {
    let content = try token.required("content").string()
    let idField = try token.required("id")
    let id = try idField.integer()
    guard id >= 0, id < Self.largestID else {
      throw LabError(
        .badData, "the id is out of range", at: idField.place, expected: "0..<\(Self.largestID)",
        got: "\(id)")
    }
    if let known = self.id(of: content) {
      guard known == id else {
        throw LabError(
          .badData, "the added token '\(content)' has another id in the vocabulary",
          at: idField.place, expected: "\(known)", got: "\(id)")
      }
    } else {
      try place(content, id: id, at: idField.place)
    }
    let isSpecial = try token.flag("special")
    let entry = AddedTokens.Entry(
      id: id, content: Array(content.utf8), isSingleWord: try token.flag("single_word"),
      stripsLeft: try token.flag("lstrip"), stripsRight: try token.flag("rstrip"),
      isSpecial: isSpecial)
    added.append((entry, try token.flag("normalized", default: !isSpecial)))
  }

  // MARK: The model

  /// The merge model. `isByteLevel`: pieces are written in the byte alphabet.
  func model(isByteLevel: Bool) throws -> BytePairModel {
    var byteIDs: [Int32] = []
    var table = byText
    var ids = idsByText
    if isByteLevel { (table, ids, byteIDs) = byteLevelTable() }
    return BytePairModel(
      unit: isByteLevel ? .byte : .scalar, pieces: table, ids: ids,
      merging: .pairs(try merges()), byteIDs: byteIDs, fallbackIDs: try fallback(),
      unknown: try unknown(), fusesUnknown: try field.flag("fuse_unk"),
      ignoresMerges: try field.flag("ignore_merges"),
      wordMark: isByteLevel ? nil : wordMark())
  }

  private func byteLevelTable() -> (ByteStringTable, [Int32], [Int32]) {
    var table = ByteStringTable(capacity: pieces.count)
    var ids: [Int32] = []
    var byteIDs = [Int32](repeating: -1, count: 256)
    var bytes: [UInt8] = []
    for index in 0..<idsByText.count {
      let id = idsByText[index]
      bytes.removeAll(keepingCapacity: true)
      guard let piece = pieces[Int(id)], ByteAlphabet.append(piece, to: &bytes) else { continue }
      guard table.insert(bytes).isNew else { continue }
      ids.append(id)
      if bytes.count == 1 { byteIDs[Int(bytes[0])] = id }
    }
    return (table, ids, byteIDs)
  }

  private func unknown() throws -> Int32? {
    guard let token = field["unk_token"] else { return nil }
    let text = try token.string()
    guard let id = id(of: text) else {
      throw LabError(
        .badData, "the unknown token '\(text)' is not in the vocabulary", at: token.place)
    }
    return Int32(truncatingIfNeeded: id)
  }

  private func fallback() throws -> [Int32]? {
    guard try field.flag("byte_fallback") else { return nil }
    return (0..<256).map { byte in
      let hex = String(byte, radix: 16, uppercase: true)
      let piece = "<0x" + (hex.count == 1 ? "0" : "") + hex + ">"
      return id(of: piece).map { Int32(truncatingIfNeeded: $0) } ?? -1
    }
  }

  private func wordMark() -> [UInt8]? {
    let mark = SentencePieceTokenizer.spaceMark
    guard byText.find(mark) >= 0 else { return nil }
    let cuts = (0..<byText.count).contains {
      SentencePieceVocabulary.hasInnerMark(Array(byText.key($0)))
    }
    return cuts ? nil : mark
  }

  private func merges() throws -> MergeTable {
    let list = try field.required("merges")
    guard let entries = list.value.array else {
      throw LabError(.badData, "wrong type", at: list.place, expected: "a list of merges")
    }
    var table = MergeTable(capacity: entries.count)
    var joined: [UInt8] = []
    for (rank, entry) in entries.enumerated() {
      guard let (left, right) = Self.pair(entry) else {
        throw LabError(
          .badData, "not a merge", at: "\(list.place)[\(rank)]",
          expected: "\"left right\" or [\"left\", \"right\"]")
      }
      joined.removeAll(keepingCapacity: true)
      joined += left.utf8
      joined += right.utf8
      let found = joined.withUnsafeBufferPointer { bytes in
        let middle = left.utf8.count
        return (
          byText.find(UnsafeBufferPointer(rebasing: bytes[..<middle])),
          byText.find(UnsafeBufferPointer(rebasing: bytes[middle...])), byText.find(bytes)
        )
      }
      guard found.0 >= 0, found.1 >= 0, found.2 >= 0 else {
        let piece = found.0 < 0 ? left : found.1 < 0 ? right : left + right
        throw LabError(
          .badData, "the merge names a piece that is not in the vocabulary",
          at: "\(list.place)[\(rank)]", expected: "pieces of the vocabulary", got: "'\(piece)'")
      }
      table.insert(
        idsByText[found.0], idsByText[found.1], rank: rank, merged: idsByText[found.2],
        replacing: true)
    }
    return table
  }

  private static func pair(_ entry: JSONValue) -> (String, String)? {
    if case .array(let parts) = entry {
      guard parts.count == 2, let left = parts[0].string, let right = parts[1].string else {
        return nil
      }
      return (left, right)
    }
    guard let text = entry.string, let space = text.utf8.firstIndex(of: 0x20) else { return nil }
    let right = text.utf8.index(after: space)
    guard text.utf8[right...].firstIndex(of: 0x20) == nil else { return nil }
    return (String(text[..<space]), String(text[right...]))
  }
}
