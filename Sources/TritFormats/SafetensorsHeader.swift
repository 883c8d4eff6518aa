import TritCore

/// Everything in a safetensors file but the tensors' bytes, read from the bytes of the whole file
/// and checked against their number.
package struct SafetensorsHeader: Sendable {
  package let tensors: [TensorInfo]
  let metadata: [String: String]
  let names: [String: Int]
  package let offsets: [Int]

  /// Parses `bytes`, the whole file; `path` is for messages.
  package init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
    let header = try Self.header(of: bytes, path: path)
    var metadata: [String: String] = [:]
    var entries: [(info: TensorInfo, begin: Int)] = []
    for (name, value) in header.members {
      if name == "__metadata__" {
        metadata = try Self.metadata(value, path: path)
      } else {
        entries.append(try Self.entry(name, value, dataCount: bytes.count - header.end, path: path))
      }
    }
    entries.sort {
      ($0.begin, $0.begin + $0.info.byteCount) < ($1.begin, $1.begin + $1.info.byteCount)
    }
    try Self.checkCover(entries, dataCount: bytes.count - header.end, path: path)
    self.metadata = metadata
    tensors = entries.map(\.info)
    offsets = entries.map { $0.begin + header.end }
    var names: [String: Int] = [:]
    for (index, info) in tensors.enumerated() {
      guard names.updateValue(index, forKey: info.name) == nil else {
        throw LabError(.badData, "two tensors are called '\(info.name)'", at: path)
      }
    }
    self.names = names
  }
}

// MARK: Checks
extension SafetensorsHeader {
  /// Whether `bytes` begin as a safetensors file does: a length that the format allows, then a
  /// brace.
  static func isLikely(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count > 8, bytes[8] == UInt8(ascii: "{") else { return false }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    return length <= UInt64(SafetensorsFile.maximumHeader)
  }

  private static func header(of bytes: UnsafeRawBufferPointer, path: String) throws
    -> (members: [(key: String, value: JSONValue)], end: Int)
  {
    if bytes.isEmpty { throw JSONReader.emptyFile(path, expected: "a safetensors file") }
    // Signatures are asked for only where the file cannot be what it is taken for.
    if !isLikely(bytes) {
      if let foreign = ForeignFile(bytes) {
        throw foreign.error(at: path, expected: "a safetensors file")
      }
      if bytes.starts(with: "GGUF".utf8) {
        throw LabError(
          .badData, "this is a GGUF file, not a safetensors file", at: path,
          expected: "a safetensors file",
          advice: "give it the ending .gguf and name it as the model")
      }
    }
    guard bytes.count >= 8 else {
      throw LabError(
        .badData, "too short for a safetensors file", at: path, expected: "at least 8 bytes",
        got: "\(bytes.count) bytes", advice: "the file is truncated; get it again")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(SafetensorsFile.maximumHeader) else {
      throw LabError(
        .badData, "the header is longer than safetensors allows", at: path,
        expected: "at most \(SafetensorsFile.maximumHeader) bytes", got: "\(length)",
        advice: "this is perhaps no safetensors file")
    }
    guard length <= UInt64(bytes.count - 8) else {
      throw LabError(
        .badData, "the header is longer than the file", at: path,
        expected: "at most \(bytes.count - 8) bytes", got: "\(length)",
        advice: "the file is truncated or no safetensors file")
    }
    let end = 8 + Int(length)
    let text = UnsafeRawBufferPointer(rebasing: bytes[8..<end])
    guard text.first == UInt8(ascii: "{") else {
      throw LabError(
        .badData, "the header does not begin with '{'", at: path, expected: "a JSON object",
        advice: "this is perhaps no safetensors file")
    }
    guard case .object(let members) = try JSONReader.read(text, path: "\(path): header") else {
      throw LabError(.badData, "the header is no JSON object", at: path)
    }
    return (members, end)
  }

  private static func metadata(_ value: JSONValue, path: String) throws -> [String: String] {
    guard case .object(let members) = value else {
      throw LabError(.badData, "__metadata__ is no object", at: path, expected: "strings by name")
    }
    var result: [String: String] = [:]
    for (key, value) in members {
      guard let text = value.string else {
        throw LabError(
          .badData, "__metadata__ '\(key)' is no string", at: path, expected: "a string")
      }
      result[key] = text
    }
    return result
  }

  private static func entry(_ name: String, _ value: JSONValue, dataCount: Int, path: String) throws
    -> (info: TensorInfo, begin: Int)
  {
    let place = "\(path): tensor '\(name)'"
    guard case .object(let members) = value else {
      throw LabError(.badData, "the entry is no object", at: place)
    }
    for (key, _) in members where !["dtype", "shape", "data_offsets"].contains(key) {
      throw LabError(
        .badData, "unknown key '\(key)'", at: place, expected: "dtype, shape, data_offsets")
    }
    guard let dtype = value["dtype"]?.string else {
      throw LabError(.badData, "no dtype", at: place, expected: "a string such as \"F32\"")
    }
    guard let type = TensorType(safetensorsName: dtype) else {
      throw LabError(
        .badData, "unknown dtype '\(dtype)'", at: place,
        expected: TensorType.all.compactMap(\.safetensorsName).joined(separator: ", "),
        advice: "convert the checkpoint to one of these types")
    }
    guard let shape = value["shape"]?.array?.map(\.integer),
      !shape.contains(where: { ($0 ?? -1) < 0 })
    else {
      throw LabError(.badData, "bad shape", at: place, expected: "a list of whole numbers from 0")
    }
    let offsets = value["data_offsets"]?.array?.compactMap(\.integer) ?? []
    guard offsets.count == 2, value["data_offsets"]?.array?.count == 2, offsets[0] >= 0,
      offsets[0] <= offsets[1]
    else {
      throw LabError(.badData, "bad data_offsets", at: place, expected: "[begin, end], begin ≤ end")
    }
    guard offsets[1] <= dataCount else {
      throw LabError(
        .badData, "the data lies outside the file", at: place, expected: "at most \(dataCount)",
        got: "\(offsets[1])", advice: "the file is truncated; get it again")
    }
    let dimensions = shape.compactMap { $0 }
    let size: Int
    do { size = try type.byteCount(shape: dimensions) } catch let error as LabError {
      throw error.inside(place)
    }
    guard size == offsets[1] - offsets[0] else {
      throw LabError(
        .badData, "the data has the wrong size for \(dtype) \(dimensions)", at: place,
        expected: "\(size) bytes", got: "\(offsets[1] - offsets[0])")
    }
    return (TensorInfo(name: name, type: type, shape: dimensions, byteCount: size), offsets[0])
  }

  /// Sorted tensors must lie end to end over the whole data.
  private static func checkCover(
    _ entries: [(info: TensorInfo, begin: Int)], dataCount: Int, path: String
  ) throws {
    var end = 0
    for (info, begin) in entries {
      guard begin == end else {
        throw LabError(
          .badData, begin < end ? "tensors overlap" : "there is a hole between the tensors",
          at: "\(path): tensor '\(info.name)'", expected: "data that begins at \(end)",
          got: "\(begin)")
      }
      end = begin + info.byteCount
    }
    guard end == dataCount else {
      throw LabError(
        .badData, "bytes at the end of the file belong to no tensor", at: path,
        expected: "\(end) bytes of data", got: "\(dataCount)")
    }
  }
}
