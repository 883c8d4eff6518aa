import TritCore

/// Everything in a GGUF file but the tensors' bytes, read from the bytes of the whole file and checked
/// against their number.
package struct GGUFHeader: Sendable {
  let version: Int
  let metadata: [(key: String, value: GGUFValue)]
  package let tensors: [TensorInfo]
  let alignment: Int
  let dataOffset: Int
  let keys: [String: Int]
  let names: [String: Int]
  package let offsets: [Int]

  /// Parses `bytes`, the whole file; `path` is for messages.
  package init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
    var cursor = GGUFCursor(bytes, path: path)
    version = try Self.version(&cursor)
    let tensorCount = try cursor.count(of: "tensors", each: 24)
    let keyCount = try cursor.count(of: "key-values", each: 13)
    (metadata, keys) = try Self.metadata(&cursor, count: keyCount)
    alignment = try Self.alignment(metadata, keys, path: path)
    let entries = try Self.entries(&cursor, count: tensorCount, context: metadata, keys)
    dataOffset = (cursor.position + alignment - 1) / alignment * alignment
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
    guard cursor.bytes.count >= 24 else {
      throw cursor.failure(
        "too short for a GGUF file", expected: "at least 24 bytes", got: "\(cursor.bytes.count)",
        advice: "the file is truncated; get it again")
    }
    let magic = try cursor.number(UInt32.self)
    guard magic == 0x4655_4747 else {
      let older = [0x6767_6d6c, 0x6767_6d66, 0x6767_6a74].contains(magic)
      throw LabError(
        .badData, older ? "a GGML file from before GGUF" : "not a GGUF file", at: cursor.path,
        expected: "the letters GGUF at the start",
        advice: older ? "convert the model again with a present converter" : nil)
    }
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

  private static func entries(
    _ cursor: inout GGUFCursor, count: Int, context: [(key: String, value: GGUFValue)],
    _ keys: [String: Int]
  ) throws -> [Entry] {
    let fileType = keys["general.file_type"].flatMap { context[$0].value.integer }
    let architecture = keys["general.architecture"].flatMap { context[$0].value.string } ?? ""
    var entries: [Entry] = []
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
      // 39 is TL2 in bitnet.cpp until 2026 and MXFP4 in llama.cpp; only the former writes file type 39.
      let isForeign39 = id == 39 && fileType != 39 && !architecture.hasPrefix("bitnet")
      guard let type = TensorType(ggufID: id), !isForeign39 else {
        throw unreadable(name, id, path: cursor.path)
      }
      do {
        let size = try type.byteCount(shape: shape)
        let info = TensorInfo(name: name, type: type, shape: shape, byteCount: size)
        entries.append(Entry(info: info, offset: try cursor.number(UInt64.self)))
      } catch let error as LabError where error.place == nil {
        throw error.inside("\(cursor.path): tensor '\(name)'")
      }
    }
    return entries
  }

  private static func unreadable(_ name: String, _ id: UInt32, path: String) -> LabError {
    let readable = TensorType.all.filter { $0.ggufID != nil }.map(\.name).joined(separator: ", ")
    let type = TensorType.ggmlName(id) ?? "number \(id)"
    return LabError(
      .badData, "tensor '\(name)' has type \(type), which TritLab does not read", at: path,
      expected: readable, got: type,
      advice: "quantize the model to a type in that list, F16 for instance")
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
          advice: "the file is truncated; get it again")
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
