import TritCore

/// A SentencePiece vocabulary: what `tokenizer.model` of Llama-2 and its kin holds.
///
/// Read from the protobuf `ModelProto` (google/sentencepiece, `sentencepiece_model.proto`); fields
/// that have no part in tokenization are skipped. Defaults are the proto's.
public struct SentencePieceModel: Sendable {
  /// What a piece is for.
  public enum PieceType: Int, Sendable {
    /// An ordinary piece.
    case normal = 1
    /// Stands for what the vocabulary cannot write.
    case unknown = 2
    /// `<s>`, `</s>`: never written in text.
    case control = 3
    /// Always one piece when found in text.
    case userDefined = 4
    /// Not used.
    case unused = 5
    /// `<0x41>`: one byte, the fallback.
    case byte = 6
  }

  /// One entry of the vocabulary; its id is its index.
  public struct Piece: Sendable, Equatable {
    /// The text; U+2581 stands for a space.
    public var text: String
    /// Higher merges earlier (BPE), or log-probability (unigram).
    public var score: Float
    /// What it is for.
    public var type: PieceType

    /// Creates a piece.
    public init(text: String, score: Float, type: PieceType) {
      self.text = text
      self.score = score
      self.type = type
    }
  }

  /// The algorithm that the scores are for.
  public enum ModelType: Int, Sendable {
    /// Unigram language model.
    case unigram = 1
    /// Byte-pair encoding.
    case bpe = 2
    /// Whole words.
    case word = 3
    /// Characters.
    case char = 4
  }

  /// The vocabulary, by id.
  public var pieces: [Piece] = []
  /// The algorithm.
  public var modelType: ModelType = .unigram
  /// Whether unknown characters are written as byte pieces.
  public var byteFallback = false
  /// Whether a space is put before the text.
  public var addDummyPrefix = true
  /// Whether runs of spaces become one.
  public var removeExtraWhitespaces = true
  /// Whether spaces become U+2581.
  public var escapeWhitespaces = true
  /// The normalisation's name: `identity`, `nmt_nfkc`…
  public var normalizerName = ""
  /// Compiled normalisation rules; empty for `identity`.
  public var precompiledCharsmap: [UInt8] = []
  /// Id of the unknown piece, or −1.
  public var unknownID = 0
  /// Id of the beginning of a text, or −1.
  public var bosID = 1
  /// Id of the end of a text, or −1.
  public var eosID = 2
  /// Id of padding, or −1.
  public var padID = -1

  /// Reads the file at `path`. Throws `missingInput` or `badData`.
  public static func readFile(_ path: String) throws -> SentencePieceModel {
    let file = try MappedFile(path, limit: .tokenizer)
    return try file.span.withUnsafeBytes { try SentencePieceModel($0, path: path) }
  }

  /// Parses the bytes of a model; `path` is for messages.
  public init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
    var scanner = ProtobufScanner(bytes, start: 0, path: path)
    while let (field, content) = try scanner.next() {
      guard case .bytes(let message) = content else {
        if field <= 5 { throw scanner.failure("field \(field) is no message") }
        continue
      }
      let nested = ProtobufScanner(message, start: scanner.offset - message.count, path: path)
      switch field {
      case 1: pieces.append(try Self.piece(nested))
      case 2: try readTrainer(nested)
      case 3: try readNormalizer(nested)
      default: break
      }
    }
    guard !pieces.isEmpty else {
      throw LabError(
        .badData, "the model has no pieces", at: path, expected: "a SentencePiece model",
        advice: "a tiktoken file is also called tokenizer.model: it has lines 'base64 rank'")
    }
    for (name, id) in [("unknown", unknownID), ("bos", bosID), ("eos", eosID), ("pad", padID)]
    where id < -1 || id >= pieces.count {
      throw LabError(
        .badData, "the id of \(name) is not in the vocabulary", at: path,
        expected: "-1 to \(pieces.count - 1)", got: "\(id)")
    }
  }

  private static func piece(_ message: ProtobufScanner) throws -> Piece {
    var scanner = message
    var piece = Piece(text: "", score: 0, type: .normal)
    while let (field, content) = try scanner.next() {
      switch (field, content) {
      case (1, .bytes(let raw)): piece.text = try text(raw, scanner)
      case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
      case (3, .varint(let number)):
        guard let type = Int(exactly: number).flatMap(PieceType.init(rawValue:)) else {
          throw scanner.failure("unknown type of piece", expected: "1 to 6", got: "\(number)")
        }
        piece.type = type
      case (1...3, _): throw scanner.failure("field \(field) of a piece has the wrong wire type")
      default: break
      }
    }
    guard !piece.score.isNaN else { throw scanner.failure("the score of a piece is not a number") }
    return piece
  }

  private mutating func readTrainer(_ message: ProtobufScanner) throws {
    var scanner = message
    while let (field, content) = try scanner.next() {
      switch (field, content) {
      case (3, .varint(let number)):
        guard let type = Int(exactly: number).flatMap(ModelType.init(rawValue:)) else {
          throw scanner.failure("unknown model type", expected: "1 to 4", got: "\(number)")
        }
        modelType = type
      case (35, .varint(let number)): byteFallback = number != 0
      case (40, .varint(let number)): unknownID = Self.int32(number)
      case (41, .varint(let number)): bosID = Self.int32(number)
      case (42, .varint(let number)): eosID = Self.int32(number)
      case (43, .varint(let number)): padID = Self.int32(number)
      case (3, _), (35, _), (40...43, _):
        throw scanner.failure("field \(field) of the trainer spec has the wrong wire type")
      default: break
      }
    }
  }

  private mutating func readNormalizer(_ message: ProtobufScanner) throws {
    var scanner = message
    while let (field, content) = try scanner.next() {
      switch (field, content) {
      case (1, .bytes(let raw)): normalizerName = try Self.text(raw, scanner)
      case (2, .bytes(let raw)): precompiledCharsmap = Array(raw)
      case (3, .varint(let number)): addDummyPrefix = number != 0
      case (4, .varint(let number)): removeExtraWhitespaces = number != 0
      case (5, .varint(let number)): escapeWhitespaces = number != 0
      case (1...5, _):
        throw scanner.failure("field \(field) of the normalizer spec has the wrong wire type")
      default: break
      }
    }
  }

  /// Protobuf writes a negative int32 as ten bytes: the low 32 bits are the number.
  private static func int32(_ number: UInt64) -> Int {
    Int(Int32(truncatingIfNeeded: number))
  }

  private static func text(_ raw: UnsafeRawBufferPointer, _ scanner: ProtobufScanner) throws
    -> String
  {
    guard let text = String(validating: raw.assumingMemoryBound(to: UInt8.self), as: UTF8.self)
    else {
      throw scanner.failure("a text is not valid UTF-8")
    }
    return text
  }
}
