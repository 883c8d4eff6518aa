import TritCore

/// Writes safetensors files, whole or not at all.
///
/// The same input gives the same bytes: tensors with larger elements first, then by name, as the
/// reference implementation orders them, so that every tensor is aligned to its element; metadata
/// by key; the header padded with spaces to a multiple of 8.
public enum SafetensorsWriter {
  /// Writes `tensors` and `metadata` to `path`. Throws `badData` for a type that the format lacks
  /// or a name given twice, `cannotCreate` when the file cannot be written.
  public static func write(
    _ tensors: [TensorContent], metadata: [String: String] = [:], to path: String
  ) throws {
    let sorted = tensors.sorted { a, b in
      let (left, right) = (a.info.type.block?.bytes ?? 0, b.info.type.block?.bytes ?? 0)
      return left != right
        ? left > right : a.info.name.utf8.lexicographicallyPrecedes(b.info.name.utf8)
    }
    let header = try header(of: sorted.map(\.info), metadata: metadata)
    let file = try AtomicFile(path)
    try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0) }
    try file.write(header)
    for tensor in sorted { try tensor.write(to: file) }
    try file.commit()
  }

  private static func header(of tensors: [TensorInfo], metadata: [String: String]) throws -> [UInt8]
  {
    var members: [(key: String, value: JSONValue)] = []
    if !metadata.isEmpty {
      let strings = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      members.append(
        ("__metadata__", .object(strings.map { (key: $0.key, value: .string($0.value)) })))
    }
    var names: Set<String> = []
    var end = 0
    for info in tensors {
      guard let dtype = info.type.safetensorsName else {
        throw LabError(
          .badData, "safetensors has no type \(info.type.name)", at: "tensor '\(info.name)'",
          advice: "write a GGUF file instead")
      }
      guard info.name != "__metadata__", names.insert(info.name).inserted else {
        throw LabError(.badData, "the name is taken", at: "tensor '\(info.name)'")
      }
      let begin = end
      end += info.byteCount
      members.append(
        (
          info.name,
          [
            "dtype": .string(dtype), "shape": JSONValue(info.shape),
            "data_offsets": JSONValue([begin, end]),
          ]
        ))
    }
    var text = Array(JSONWriter.text(.object(members)).utf8)
    while !text.count.isMultiple(of: 8) { text.append(0x20) }
    guard text.count <= SafetensorsFile.maximumHeader else {
      throw LabError(
        .badData, "too many tensors for one safetensors file",
        expected: "a header of at most \(SafetensorsFile.maximumHeader) bytes")
    }
    return text
  }
}
