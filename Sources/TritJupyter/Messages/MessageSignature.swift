import TritCore

/// Signs messages by HMAC-SHA-256 (RFC 2104), as Jupyter's `hmac-sha256`.
package struct MessageSignature: Sendable {
  private let isSigning: Bool
  /// The key, filled with zeros to the block of the hash and combined with RFC 2104's two patterns.
  private let inner: [UInt8]
  private let outer: [UInt8]

  /// Signs with `key`; an empty one does not sign, as Jupyter has it.
  package init(key: [UInt8]) {
    isSigning = !key.isEmpty
    var block = key.count > 64 ? Self.digest([key]) : key
    block += [UInt8](repeating: 0, count: 64 - block.count)
    inner = block.map { $0 ^ 0x36 }
    outer = block.map { $0 ^ 0x5c }
  }

  /// The signature of `parts`, 64 lower-case hex digits; empty where nothing is signed.
  package func signature(of parts: some Sequence<[UInt8]>) -> [UInt8] {
    guard isSigning else { return [] }
    return Array(Self.hex([outer, Self.digest([inner] + Array(parts))]).utf8)
  }

  /// Whether `signature` is that of `parts`. How long it takes does not tell how much of it is
  /// right.
  package func accepts(_ signature: [UInt8], of parts: some Sequence<[UInt8]>) -> Bool {
    guard isSigning else { return true }
    let right = self.signature(of: parts)
    guard signature.count == right.count else { return false }
    return zip(signature, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private static func hex(_ parts: [[UInt8]]) -> String {
    var digest = SHA256()
    for part in parts { part.withUnsafeBytes { digest.update($0) } }
    return digest.finish()
  }

  private static func digest(_ parts: [[UInt8]]) -> [UInt8] {
    let digits = Array(hex(parts).utf8)
    func value(_ digit: UInt8) -> UInt8 {
      digit < UInt8(ascii: "a") ? digit - UInt8(ascii: "0") : digit - UInt8(ascii: "a") + 10
    }
    return stride(from: 0, to: digits.count, by: 2).map {
      value(digits[$0]) << 4 | value(digits[$0 + 1])
    }
  }
}
