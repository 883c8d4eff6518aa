/// The 256 printable characters that stand for bytes in byte-level vocabularies.
///
/// Bytes 33–126, 161–172 and 174–255 stand for themselves; the other 68, in rising order, are
/// U+0100, U+0101, … (space is `Ġ`, newline `Ċ`). Source: GPT-2's `bytes_to_unicode`.
package enum ByteAlphabet {
  /// The scalar of each byte.
  static let scalars: [UInt32] = {
    var next: UInt32 = 0x100
    return (0..<256).map { byte in
      switch byte {
      case 33...126, 161...172, 174...255: return UInt32(byte)
      default:
        next += 1
        return next - 1
      }
    }
  }()

  /// The byte of each scalar below U+0144, or −1.
  static let bytes: [Int16] = {
    var table = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { table[Int(scalar)] = Int16(byte) }
    return table
  }()

  /// The bytes that `piece` stands for, or nil where it has a character outside the alphabet.
  static func decode(_ piece: String) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(piece.utf8.count)
    return append(piece, to: &result) ? result : nil
  }

  /// Appends the bytes that `piece` stands for; false (and nothing appended) where it has a
  /// character outside the alphabet.
  static func append(_ piece: String, to result: inout [UInt8]) -> Bool {
    let start = result.count
    for scalar in piece.unicodeScalars {
      guard scalar.value < 0x144, bytes[Int(scalar.value)] >= 0 else {
        result.removeSubrange(start...)
        return false
      }
      result.append(UInt8(truncatingIfNeeded: bytes[Int(scalar.value)]))
    }
    return true
  }

  /// The characters that stand for `bytes`.
  package static func encode(_ bytes: some Sequence<UInt8>) -> String {
    var scalars = String.UnicodeScalarView()
    for byte in bytes {
      if let scalar = Unicode.Scalar(self.scalars[Int(byte)]) { scalars.append(scalar) }
    }
    return String(scalars)
  }
}

extension ByteAlphabet {
  /// How many of the bytes are not there that texts in UTF-8 are made of: without control
  /// characters and the planes above 3, which many well-known vocabularies leave out.
  static func missing(_ isThere: (UInt8) -> Bool) -> Int {
    (UInt8.min...UInt8.max).count { byte in
      let isControl = byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D || byte == 0x7F
      let isUsed = !isControl && byte != 0xC0 && byte != 0xC1 && byte <= 0xF0
      return isUsed && !isThere(byte)
    }
  }

  /// What to say of a byte-level vocabulary without a token for each byte.
  static func notes(_ path: String, pieces: [String?]) -> [String] {
    let known = Set(pieces.lazy.compactMap { $0 }.filter { $0.unicodeScalars.count == 1 })
    let missing = missing { known.contains(encode([$0])) }
    return missing == 0 ? [] : [note(path, missing: missing)]
  }

  static func note(_ path: String, missing: Int) -> String {
    "warning: \(path): \(missing) of the bytes that text is made of have no token; what contains them is lost or "
      + "becomes the unknown token"
  }
}
