/// A string that is equal to another only if their UTF-8 bytes are.
///
/// Swift's `String` compares by canonical equivalence: "é" as one scalar equals "e" with a
/// combining accent. Vocabularies hold both as different tokens, so a dictionary of tokens is keyed
/// by this.
public struct ExactString: Hashable, Sendable, CustomStringConvertible {
  /// The string.
  public let text: String

  /// Wraps `text`.
  @inlinable public init(_ text: String) { self.text = text }

  /// Byte-wise equality.
  @inlinable public static func == (a: ExactString, b: ExactString) -> Bool {
    guard a.text.utf8.count == b.text.utf8.count else { return false }
    return a.text.utf8.elementsEqual(b.text.utf8)
  }

  /// Hashes the UTF-8 bytes.
  @inlinable public func hash(into hasher: inout Hasher) {
    var copy = text
    copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(0xff as UInt8)
  }

  /// The string.
  public var description: String { text }
}
