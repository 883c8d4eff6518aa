import TritCore

/// Everything in a GGUF file but the tensors' bytes, read from the bytes of the whole file and
/// checked against their number.
package struct GGUFHeader: Sendable {
  let version: Int
  let metadata: [(key: String, value: GGUFValue)]
  package let tensors: [TensorInfo]
  let alignment: Int
  let dataOffset: Int
  let keys: [String: Int]
  let names: [String: Int]
  package let offsets: [Int]
  /// The number of type of each tensor, as it is written.
  let typeIDs: [UInt32]

  /// Parses `bytes`, the whole file; `path` is for messages.
  package init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
    var cursor = GGUFCursor(bytes, path: path)
    version = try Self.version(&cursor)
    let tensorCount = try cursor.count(of: "tensors", each: 24)
    let keyCount = try cursor.count(of: "key-values", each: 13)
    (metadata, keys) = try Self.metadata(&cursor, count: keyCount)
    alignment = try Self.alignment(metadata, keys, path: path)
    let descriptions = try Self.descriptions(&cursor, count: tensorCount)
    dataOffset = (cursor.position + alignment - 1) / alignment * alignment
    let entries = try Self.entries(
      descriptions, context: metadata, keys, alignment: alignment,
      data: UnsafeRawBufferPointer(rebasing: bytes[min(dataOffset, bytes.count)...]), path: path)
    typeIDs = descriptions.map(\.id)
    var names: [String: Int] = [:]
    for (index, entry) in entries.enumerated() {
      guard names.updateValue(index, forKey: entry.info.name) == nil else {
        throw LabError(.badData, "two tensors are called '\(entry.info.name)'", at: path)
      }
    }
    self.names = names
    offsets = try Self.place(
      entries, data: dataOffset, alignment: alignment, fileCount: bytes.count, path: path)
    tensors = entries.map(\.info)
  }
}

// MARK: Checks
extension GGUFHeader {
  private static func version(_ cursor: inout GGUFCursor) throws -> Int {
    guard cursor.bytes.starts(with: "GGUF".utf8) else { throw noGGUF(cursor) }
    guard cursor.bytes.count >= 24 else {
      throw cursor.failure(
        "too short for a GGUF file", expected: "at least 24 bytes", got: "\(cursor.bytes.count)",
        advice: "the file is truncated; get it again")
    }
    _ = try cursor.number(UInt32.self)
    let version = try cursor.number(UInt32.self)
    switch version {
    case 2, 3: return Int(version)
    case 1:
      throw LabError(
        .badData, "GGUF version 1 is not read", at: cursor.path, expected: "version 2 or 3",
        advice: "convert the model again: version 1 was replaced in August 2023")
    case _ where version & 0xffff == 0 && version != 0:
      throw LabError(
        .badData, "a big-endian GGUF file is not read", at: cursor.path,
        expected: "a little-endian file", got: "version \(version.byteSwapped) in big-endian order",
        advice: "convert it with gguf-py's gguf_convert_endian.py")
    default:
      throw LabError(
        .badData, "unknown GGUF version", at: cursor.path, expected: "version 2 or 3",
        got: "\(version)")
    }
  }

  /// The error for a file that does not begin as a GGUF file does.
  private static func noGGUF(_ cursor: GGUFCursor) -> LabError {
    let (path, bytes) = (cursor.path, cursor.bytes)
    let expected = "the letters GGUF at the start"
    if bytes.isEmpty { return JSONReader.emptyFile(path, expected: "a GGUF file") }
    if let part = ModelPart(fileName: path), part.number > 1, !SafetensorsHeader.isLikely(bytes) {
      return part.error(at: path)
    }
    if let foreign = ForeignFile(bytes) { return foreign.error(at: path, expected: expected) }
    if SafetensorsHeader.isLikely(bytes) {
      return LabError(
        .badData, "this is a safetensors file, not a GGUF file", at: path, expected: expected,
        advice: "name the folder that it lies in, together with config.json and tokenizer.json")
    }
    if bytes.first == UInt8(ascii: "{") {
      return LabError(
        .badData, "this is JSON, not a GGUF file", at: path, expected: expected,
        advice: "name the folder that it lies in, if that is a model's")
    }
    return LabError(
      .badData, "not a GGUF file", at: path, expected: expected,
      got: bytes.count < 24
        ? "\(bytes.count) bytes"
        : "bytes " + bytes.prefix(4).map { String($0, radix: 16) }.joined(separator: " "),
      advice: "check that the path names a model; 'trit inspect FILE' reads GGUF and safetensors")
  }

  private static func metadata(_ cursor: inout GGUFCursor, count: Int) throws
    -> ([(key: String, value: GGUFValue)], [String: Int])
  {
    var metadata: [(key: String, value: GGUFValue)] = []
    var keys: [String: Int] = [:]
    for index in 0..<count {
      cursor.subject = "key-value \(index + 1) of \(count)"
      let key = try cursor.string()
      guard !key.isEmpty else { throw cursor.failure("the key is empty") }
      cursor.subject = "key '\(key.prefix(80))'"
      guard keys.updateValue(index, forKey: key) == nil else {
        throw cursor.failure("the key is there twice", expected: "unique keys")
      }
      metadata.append((key, try cursor.value()))
    }
    return (metadata, keys)
  }

  private static func alignment(
    _ metadata: [(key: String, value: GGUFValue)], _ keys: [String: Int], path: String
  ) throws -> Int {
    guard let index = keys["general.alignment"] else { return 32 }
    let value = metadata[index].value
    guard let alignment = value.integer, alignment > 0, alignment <= 1 << 20,
      alignment & (alignment - 1) == 0
    else {
      throw LabError(
        .badData, "bad general.alignment", at: path, expected: "a power of two up to 1048576",
        got: value.integer.map { "\($0)" } ?? value.typeName)
    }
    return alignment
  }

  private struct Entry {
    var info: TensorInfo
    var offset: UInt64
  }

  /// A tensor's description as it is written, before its number of type is understood.
  struct Description {
    var name: String
    var shape: [Int]
    var id: UInt32
    var offset: UInt64
  }

  private static func descriptions(_ cursor: inout GGUFCursor, count: Int) throws -> [Description] {
    var list: [Description] = []
    for index in 0..<count {
      cursor.subject = "tensor \(index + 1) of \(count)"
      let name = try cursor.string()
      guard !name.isEmpty else { throw cursor.failure("the name is empty") }
      cursor.subject = "tensor '\(name.prefix(80))'"
      let dimensionCount = try cursor.number(UInt32.self)
      guard dimensionCount <= 4 else {
        throw cursor.failure(
          "too many dimensions", expected: "at most 4", got: "\(dimensionCount)")
      }
      var shape: [Int] = []
      for _ in 0..<dimensionCount {
        let size = try cursor.number(UInt64.self)
        guard let dimension = Int(exactly: size) else {
          throw cursor.failure("impossible dimension", got: "\(size)")
        }
        shape.append(dimension)
      }
      shape.reverse()
      let id = try cursor.number(UInt32.self)
      list.append(
        Description(name: name, shape: shape, id: id, offset: try cursor.number(UInt64.self)))
    }
    return list
  }

  private static func entries(
    _ descriptions: [Description], context: [(key: String, value: GGUFValue)],
    _ keys: [String: Int], alignment: Int, data: UnsafeRawBufferPointer, path: String
  ) throws -> [Entry] {
    let fileType = keys["general.file_type"].flatMap { context[$0].value.integer }
    let architecture = keys["general.architecture"].flatMap { context[$0].value.string } ?? ""
    let meanings = TensorTypeMeanings(
      descriptions, alignment: alignment, data: data, architecture: architecture)
    return try descriptions.map { description in
      let (name, id) = (description.name, description.id)
      // 39 is TL2 in bitnet.cpp until 2026 and MXFP4 in llama.cpp; only the former writes file type
      // 39.
      let isForeign39 = id == 39 && fileType != 39 && !architecture.hasPrefix("bitnet")
      guard let type = meanings.type(id), !isForeign39 else {
        throw meanings.unreadable(name, id, path: path)
      }
      do {
        let size = try type.byteCount(shape: description.shape)
        let info = TensorInfo(
          name: name, type: type, shape: description.shape, byteCount: size)
        return Entry(info: info, offset: description.offset)
      } catch let error as LabError where error.place == nil {
        throw error.inside("\(path): tensor '\(name)'")
      }
    }
  }

  /// Absolute offsets; throws where a tensor is misaligned, outside the file, or upon another.
  private static func place(
    _ entries: [Entry], data: Int, alignment: Int, fileCount: Int, path: String
  ) throws -> [Int] {
    var offsets: [Int] = []
    for entry in entries {
      let place = "\(path): tensor '\(entry.info.name)'"
      guard entry.offset.isMultiple(of: UInt64(alignment)) else {
        throw LabError(
          .badData, "misaligned data", at: place, expected: "a multiple of \(alignment)",
          got: "\(entry.offset)")
      }
      guard
        entry.info.byteCount == 0
          || fileCount >= data && entry.offset <= UInt64(fileCount - data)
            && entry.info.byteCount <= fileCount - data - Int(entry.offset)
      else {
        throw LabError(
          .badData, "the data lies outside the file", at: place,
          expected:
            "\(entry.info.byteCount) bytes at \(entry.offset) of \(max(fileCount - data, 0))",
          advice: ModelPart(fileName: path)?.joinAdvice ?? "the file is truncated; get it again")
      }
      offsets.append(entry.info.byteCount == 0 ? 0 : data + Int(entry.offset))
    }
    let order = entries.indices.filter { entries[$0].info.byteCount > 0 }
      .sorted { (offsets[$0], $0) < (offsets[$1], $1) }
    for (first, second) in zip(order, order.dropFirst())
    where offsets[first] + entries[first].info.byteCount > offsets[second] {
      throw LabError(
        .badData, "the data overlaps that of '\(entries[second].info.name)'",
        at: "\(path): tensor '\(entries[first].info.name)'")
    }
    return offsets
  }
}
