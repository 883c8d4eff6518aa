import TritCore

/// One safetensors file, memory-mapped.
///
/// The format: 8 bytes little-endian header length n, n bytes of JSON, then the data. The JSON maps
/// each tensor name to `dtype`, `shape` and `data_offsets` [begin, end) into the data, and
/// `__metadata__` to strings. The whole of the format's rules is checked at opening
/// (huggingface/safetensors, README, "Format"): header at most 100 MB, offsets in bounds, sizes
/// that agree with shape and type, no overlap, no hole, no duplicate.
public struct SafetensorsFile: TensorSource, MappedSource {
  /// Where the file is.
  public let path: String
  /// All tensors in the order of their data.
  public var tensors: [TensorInfo] { header.tensors }
  /// The strings of `__metadata__`.
  public var metadata: [String: String] { header.metadata }
  private let file: MappedFile
  package var mappedFiles: [MappedFile] { [file] }
  private let header: SafetensorsHeader

  /// The largest header that is accepted, in bytes; the limit of the reference implementation.
  public static let maximumHeader = 100_000_000

  /// Opens and checks `path`. Throws `missingInput` or `badData`.
  public init(path: String) throws {
    self.path = path
    file = try MappedFile(path)
    header = try SafetensorsHeader(file.bytes, path: path)
  }

  /// The tensor called `name`, or nil.
  public func info(_ name: String) -> TensorInfo? { header.names[name].map { tensors[$0] } }

  /// The bytes of `name`; valid while this value lives.
  public func bytes(_ name: String) throws -> UnsafeRawBufferPointer {
    guard let index = header.names[name] else { throw missingTensor(name) }
    let offset = header.offsets[index]
    return try file.bytes(offset..<offset + tensors[index].byteCount)
  }
}

extension TensorSource {
  /// The error for a tensor that is not there.
  func missingTensor(_ name: String) -> LabError {
    LabError(
      .badData, "tensor '\(name)' is missing", at: path,
      advice: Suggestion.didYouMean(name, tensors.map(\.name)))
  }
}
