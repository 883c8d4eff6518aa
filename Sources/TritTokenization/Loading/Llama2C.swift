import TritCore
import TritFormats

/// llama2.c's `tokenizer.bin`: int32 length of the longest token, then for each token a float32
/// score, an int32 length and that many bytes, little-endian. The vocabulary is SentencePiece's
/// with the spaces written as spaces; ids 0, 1, 2 are unknown, begin and end, the next 256 are the
/// bytes. Source: karpathy/llama2.c, `tokenizer.py`.
enum Llama2CVocabulary {
  static func read(_ bytes: UnsafeRawBufferPointer, path: String) throws -> SentencePieceVocabulary
  {
    func int32(_ offset: Int) -> Int {
      Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
    }
    let longest = bytes.count >= 4 ? int32(0) : 0
    var pieces: [SentencePieceModel.Piece] = []
    var offset = 4
    while offset < bytes.count {
      let place = "\(path): token \(pieces.count)"
      guard offset + 8 <= bytes.count else {
        throw LabError(
          .badData, "the file ends inside a token", at: place, expected: "8 more bytes",
          got: "\(bytes.count - offset)", advice: "the file is truncated; get it again")
      }
      let score = Float(bitPattern: UInt32(truncatingIfNeeded: int32(offset)))
      let length = int32(offset + 4)
      offset += 8
      guard length >= 0, length <= max(longest, 0), length <= bytes.count - offset else {
        throw LabError(
          .badData, "the token's length is wrong", at: place,
          expected: "at most \(max(min(longest, bytes.count - offset), 0)) bytes", got: "\(length)")
      }
      guard !score.isNaN else {
        throw LabError(.badData, "the token's score is not a number", at: place)
      }
      let raw = bytes[offset..<(offset + length)]
      guard let text = String(validating: raw, as: UTF8.self) else {
        throw LabError(.badData, "the token is not UTF-8", at: place)
      }
      offset += length
      let marked = String(
        String.UnicodeScalarView(text.unicodeScalars.map { $0 == " " ? "\u{2581}" : $0 }))
      pieces.append(piece(marked, score: score, id: pieces.count))
    }
    guard pieces.count >= 259 else {
      throw LabError(
        .badData, "too few tokens for llama2.c's vocabulary", at: path,
        expected: "3 specials, 256 bytes and pieces", got: "\(pieces.count)")
    }
    return SentencePieceVocabulary(
      kind: "SentencePiece BPE (llama2.c)", path: path, pieces: pieces, bos: 1, eos: 2,
      unknown: 0, endOfGeneration: [2])
  }

  private static func piece(_ text: String, score: Float, id: Int) -> SentencePieceModel.Piece {
    switch id {
    case 0: .init(text: "<unk>", score: score, type: .unknown)
    case 1: .init(text: "<s>", score: score, type: .control)
    case 2: .init(text: "</s>", score: score, type: .control)
    case 3..<259 where TokenText.byte(of: text) != nil: .init(text: text, score: score, type: .byte)
    default: .init(text: text, score: score, type: .normal)
    }
  }
}
