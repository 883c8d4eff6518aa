import TritCore

/// One token per byte: id = byte. The vocabulary without a vocabulary, for tests and tiny models.
public struct ByteTokenizer: Tokenizer {
  /// Creates the tokenizer; there is only one.
  public init() {}

  /// `byte`.
  public var kind: String { "byte" }
  /// 256.
  public var vocabularySize: Int { 256 }
  /// None.
  public var bos: Int? { nil }
  /// False.
  public var addsBOS: Bool { false }
  /// None.
  public var endOfGeneration: Set<Int> { [] }
  /// False.
  public var stripsLeadingSpace: Bool { false }

  /// The UTF-8 bytes of `text`.
  public func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Int] {
    text.utf8.map { Int($0) }
  }

  /// The byte that `id` is. Throws `badData` for ids above 255.
  public func bytes(of id: Int, skipSpecial: Bool) throws -> [UInt8] {
    guard let byte = UInt8(exactly: id) else {
      throw LabError(
        .badData, "token id \(id) is no byte", expected: "an id in 0..<256", got: "\(id)")
    }
    return [byte]
  }

  /// The byte's character in the byte-level alphabet (`Ġ` for a space).
  public func piece(_ id: Int) -> String? { UInt8(exactly: id).map { ByteAlphabet.encode([$0]) } }
}
