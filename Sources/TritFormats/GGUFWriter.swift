import TritCore

/// Writes GGUF version 3 files, whole or not at all.
///
/// Key-values are written in the order given, tensors too, each padded to `general.alignment` where
/// that is among the key-values, else to 32. Tensor bytes stream through.
public struct GGUFWriter {
  /// The key-values, in order.
  public private(set) var metadata: [(key: String, value: GGUFValue)] = []
  private var tensors: [TensorContent] = []

  /// An empty file.
  public init() {}

  /// Sets `key`; a key that is there keeps its place.
  public mutating func set(_ key: String, _ value: GGUFValue) {
    if let index = metadata.firstIndex(where: { $0.key == key }) {
      metadata[index].value = value
    } else {
      metadata.append((key, value))
    }
  }

  /// The value that `key` was set to.
  public subscript(key: String) -> GGUFValue? { metadata.first { $0.key == key }?.value }

  /// Adds a tensor after those that are there.
  public mutating func add(_ tensor: TensorContent) { tensors.append(tensor) }

  /// Writes the file to `path`, once `check` has read it where it lies before it gets its name.
  /// Throws `badData` for a type that the format lacks, a name given twice or more than four
  /// dimensions, `cannotCreate` when the file cannot be written, and what `check` throws.
  public func write(to path: String, check: ((String) throws -> Void)? = nil) throws {
    let alignment = try alignment()
    var header: [UInt8] = Array("GGUF".utf8)
    Self.append(UInt32(3), to: &header)
    Self.append(UInt64(tensors.count), to: &header)
    Self.append(UInt64(metadata.count), to: &header)
    for (key, value) in metadata {
      Self.append(key, to: &header)
      Self.append(value.typeID, to: &header)
      Self.append(value, to: &header)
    }
    try appendDescriptions(to: &header, alignment: alignment)
    let file = try AtomicFile(path)
    try file.write(header)
    try pad(file, after: header.count, to: alignment)
    for tensor in tensors {
      try tensor.write(to: file)
      try pad(file, after: tensor.info.byteCount, to: alignment)
    }
    if let check { try check(try file.stage()) }
    try file.commit()
  }

  private func alignment() throws -> Int {
    guard let value = metadata.first(where: { $0.key == "general.alignment" })?.value else {
      return 32
    }
    guard case .uint32(let number) = value, number > 0, number <= 1 << 20,
      number & (number - 1) == 0
    else {
      throw LabError(
        .badData, "bad general.alignment", expected: "a UINT32 that is a power of two up to 1048576"
      )
    }
    return Int(number)
  }

  private func appendDescriptions(to header: inout [UInt8], alignment: Int) throws {
    var names: Set<String> = []
    var offset = 0
    for tensor in tensors {
      let info = tensor.info
      guard let id = info.type.ggufID else {
        throw LabError(
          .badData, "GGUF has no type \(info.type.name)", at: "tensor '\(info.name)'",
          expected: TensorType.all.filter { $0.ggufID != nil }.map(\.name).joined(separator: ", "))
      }
      guard names.insert(info.name).inserted else {
        throw LabError(.badData, "the name is taken", at: "tensor '\(info.name)'")
      }
      guard info.shape.count <= 4 else {
        throw LabError(
          .badData, "too many dimensions", at: "tensor '\(info.name)'", expected: "at most 4",
          got: "\(info.shape.count)")
      }
      Self.append(info.name, to: &header)
      Self.append(UInt32(info.shape.count), to: &header)
      for dimension in info.shape.reversed() { Self.append(UInt64(dimension), to: &header) }
      Self.append(id, to: &header)
      Self.append(UInt64(offset), to: &header)
      offset += (info.byteCount + alignment - 1) / alignment * alignment
    }
  }

  private func pad(_ file: AtomicFile, after count: Int, to alignment: Int) throws {
    let rest = count % alignment
    if rest > 0 { try file.write([UInt8](repeating: 0, count: alignment - rest)) }
  }
}

// MARK: Bytes
extension GGUFWriter {
  private static func append<Number: BitwiseCopyable>(_ number: Number, to output: inout [UInt8]) {
    withUnsafeBytes(of: number) { output.append(contentsOf: $0) }
  }

  private static func append(_ text: String, to output: inout [UInt8]) {
    append(UInt64(text.utf8.count), to: &output)
    output += text.utf8
  }

  private static func append(_ value: GGUFValue, to output: inout [UInt8]) {
    switch value {
    case .uint8(let value): append(value, to: &output)
    case .int8(let value): append(value, to: &output)
    case .uint16(let value): append(value, to: &output)
    case .int16(let value): append(value, to: &output)
    case .uint32(let value): append(value, to: &output)
    case .int32(let value): append(value, to: &output)
    case .uint64(let value): append(value, to: &output)
    case .int64(let value): append(value, to: &output)
    case .float32(let value): append(value, to: &output)
    case .float64(let value): append(value, to: &output)
    case .bool(let value): output.append(value ? 1 : 0)
    case .string(let value): append(value, to: &output)
    case .array(let value): append(value, to: &output)
    }
  }

  private static func append(_ array: GGUFArray, to output: inout [UInt8]) {
    append(array.elementTypeID, to: &output)
    append(UInt64(array.count), to: &output)
    switch array {
    case .uint8(let values): output += values
    case .int8(let values): append(raw: values, to: &output)
    case .uint16(let values): append(raw: values, to: &output)
    case .int16(let values): append(raw: values, to: &output)
    case .uint32(let values): append(raw: values, to: &output)
    case .int32(let values): append(raw: values, to: &output)
    case .uint64(let values): append(raw: values, to: &output)
    case .int64(let values): append(raw: values, to: &output)
    case .float32(let values): append(raw: values, to: &output)
    case .float64(let values): append(raw: values, to: &output)
    case .bool(let values): output += values.map { $0 ? 1 : 0 }
    case .string(let values): for text in values { append(text, to: &output) }
    case .array(let values): for inner in values { append(inner, to: &output) }
    }
  }

  private static func append<Number: BitwiseCopyable>(
    raw values: [Number], to output: inout [UInt8]
  ) {
    values.withUnsafeBytes { output.append(contentsOf: $0) }
  }
}
