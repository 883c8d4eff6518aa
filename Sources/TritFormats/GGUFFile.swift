import TritCore

/// A GGUF file of version 2 or 3, memory-mapped.
///
/// Little-endian: magic `GGUF`, version, counts, key-values, tensor descriptions, padding to
/// `general.alignment` (32), tensor data. Dimensions are stored fastest first and given here
/// slowest first. Every count, length, offset and size is checked before use (ggml,
/// `docs/gguf.md`).
public struct GGUFFile: TensorSource, MappedSource {
  /// Where the file is.
  public let path: String
  /// The version of the format, 2 or 3.
  public var version: Int { header.version }
  /// All key-values in the order of the file.
  public var metadata: [(key: String, value: GGUFValue)] { header.metadata }
  /// All tensors in the order of their descriptions.
  public var tensors: [TensorInfo] { header.tensors }
  /// The alignment of tensor data, in bytes.
  public var alignment: Int { header.alignment }
  /// Where tensor data begin in the file, in bytes.
  public var dataOffset: Int { header.dataOffset }
  private let file: MappedFile
  package var mappedFiles: [MappedFile] { [file] }
  private let header: GGUFHeader

  /// Opens and checks `path`. Throws `missingInput` or `badData`.
  public init(path: String) throws {
    self.path = path
    file = try MappedFile(path)
    header = try GGUFHeader(file.bytes, path: path)
  }

  /// Says that what stands before the tensors will not be read soon: a vocabulary takes megabytes.
  package func releaseHeader() { file.release(0..<dataOffset) }

  /// The value of `key`, or nil.
  public subscript(key: String) -> GGUFValue? { header.keys[key].map { metadata[$0].value } }

  /// The tensor called `name`, or nil.
  public func info(_ name: String) -> TensorInfo? { header.names[name].map { tensors[$0] } }

  /// The bytes of `name`; valid while this value lives.
  public func bytes(_ name: String) throws -> UnsafeRawBufferPointer {
    guard let index = header.names[name] else { throw missingTensor(name) }
    return try file.bytes(
      offset(ofTensor: index)..<offset(ofTensor: index) + tensors[index].byteCount)
  }

  /// Gives the pages of a part of `name` back; they are read from the file again when needed.
  public func release(_ name: String, _ range: Range<Int>) {
    guard let index = header.names[name] else { return }
    let start = offset(ofTensor: index)
    file.release(start + range.lowerBound..<start + min(range.upperBound, tensors[index].byteCount))
  }

  /// Where the data of tensor number `index` begin in the file, in bytes.
  public func offset(ofTensor index: Int) -> Int { header.offsets[index] }
}
