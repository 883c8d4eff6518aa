/// Builds the bytes of binary files by hand, right or wrong as a test wants them: little-endian
/// numbers and GGUF strings one after the other.
public struct FileBytes: Sendable {
  /// What was built.
  public var bytes: [UInt8] = []

  /// Nothing yet.
  public init() {}

  /// Appends numbers of one type.
  public mutating func add<Number: BitwiseCopyable>(_ numbers: Number...) {
    for number in numbers { withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) } }
  }

  /// Appends bytes.
  public mutating func add(bytes more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

  /// Appends a GGUF string: 64-bit length, bytes.
  public mutating func add(string: String) {
    add(UInt64(string.utf8.count))
    add(bytes: string.utf8)
  }

  /// Appends zeros up to a multiple of `alignment`.
  public mutating func pad(to alignment: Int) {
    while !bytes.count.isMultiple(of: alignment) { bytes.append(0) }
  }
}

/// A safetensors file of this header text and data.
public func safetensorsBytes(_ header: String, data: [UInt8] = []) -> [UInt8] {
  var file = FileBytes()
  file.add(UInt64(header.utf8.count))
  file.add(bytes: header.utf8)
  file.add(bytes: data)
  return file.bytes
}
