import TritCore

/// A GGUF file of version 2 or 3, memory-mapped; of a model that was split, all its parts as one.
///
/// Little-endian: magic `GGUF`, version, counts, key-values, tensor descriptions, padding to
/// `general.alignment` (32), tensor data. Dimensions are stored fastest first and given here
/// slowest first. Every count, length, offset and size is checked before use (ggml,
/// `docs/gguf.md`).
///
/// Parts (`NAME-00001-of-00005.gguf`, llama.cpp's `gguf-split`): whichever is named, the key-values
/// are the first one's, and tensors follow part after part. A part whose companions are missing
/// opens alone, for `inspect`.
public struct GGUFFile: TensorSource, MappedSource {
  /// Where the file is; the part that was named.
  public let path: String
  /// The version of the format, 2 or 3.
  public var version: Int { parts[0].header.version }
  /// All key-values in the order of the file.
  public var metadata: [(key: String, value: GGUFValue)] { parts[0].header.metadata }
  /// All tensors in the order of their descriptions.
  public var tensors: [TensorInfo] { model.tensors }
  /// The alignment of tensor data, in bytes.
  public var alignment: Int { parts[0].header.alignment }
  /// Where tensor data begin in the (first) file, in bytes.
  public var dataOffset: Int { parts[0].header.dataOffset }
  /// How many files hold the model.
  public var fileCount: Int { parts.count }
  package var mappedFiles: [MappedFile] { parts.map(\.file) }
  /// How the codes of its I2_S tensors are taken to lie.
  public let i2sLayout: I2SLayout
  private let model: Model
  private var parts: [Part] { model.parts }
  private var places: [(part: Int, index: Int)] { model.places }
  private var numbers: [String: Int] { model.numbers }

  /// All of it. A class, since an array of mapped files could be given up after its last use, while
  /// pointers to their bytes are still read: "valid while this value lives" is a variable's scope.
  private final class Model: Sendable {
    let parts: [Part]
    let tensors: [TensorInfo]
    /// Part and number of a tensor in it, in the order of `tensors`.
    let places: [(part: Int, index: Int)]
    let numbers: [String: Int]

    init(
      parts: [Part], tensors: [TensorInfo], places: [(part: Int, index: Int)],
      numbers: [String: Int]
    ) { (self.parts, self.tensors, self.places, self.numbers) = (parts, tensors, places, numbers) }
  }

  /// One file.
  private struct Part: Sendable {
    let file: MappedFile
    let header: GGUFHeader

    init(_ path: String) throws {
      file = try MappedFile(path)
      header = try GGUFHeader(file.bytes, path: path)
    }
  }

  /// Opens and checks `path`, and the other parts of its model where they lie beside it;
  /// `i2sLayout`: what its I2_S tensors are taken for. Throws `missingInput` or `badData`.
  public init(path: String, i2sLayout: I2SLayout = .assumed) throws {
    self.path = path
    self.i2sLayout = i2sLayout
    let named = try Part(path)
    let parts = try Self.companions(of: named, at: path)
    var tensors: [TensorInfo] = []
    var places: [(part: Int, index: Int)] = []
    var numbers: [String: Int] = [:]
    for (number, part) in parts.enumerated() {
      for (index, info) in part.header.tensors.enumerated() {
        guard numbers.updateValue(tensors.count, forKey: info.name) == nil else {
          throw LabError(
            .badData, "two tensors are called '\(info.name)'", at: path,
            expected: "unique names in all \(parts.count) parts of the model",
            advice: "the parts are not of one model; get all of them again")
        }
        tensors.append(info)
        places.append((number, index))
      }
    }
    model = Model(parts: parts, tensors: tensors, places: places, numbers: numbers)
  }

  /// All parts in order where `named` is one of several and all lie beside it; else itself.
  private static func companions(of named: Part, at path: String) throws -> [Part] {
    guard let count = number("split.count", named), count > 1,
      let name = ModelPart(fileName: path), name.count == count
    else { return [named] }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let paths = name.all.map { folder + $0 }
    guard !paths.isEmpty, paths.allSatisfy({ FileKind(at: $0).isNamed }) else { return [named] }
    var parts: [Part] = []
    for (index, path) in paths.enumerated() {
      let part = index + 1 == name.number ? named : try Part(path)
      func check(_ key: String, _ expected: Int) throws {
        guard let value = number(key, part), value != expected else { return }
        throw LabError(
          .badData, "this is not part \(index + 1) of \(count) of the model", at: "\(path): \(key)",
          expected: "\(expected)", got: "\(value)",
          advice: "parts of different models were mixed, or renamed; get all of them again")
      }
      try check("split.count", count)
      try check("split.no", index)
      parts.append(part)
    }
    let found = parts.reduce(0) { $0 + $1.header.tensors.count }
    if let expected = number("split.tensors.count", parts[0]), expected != found {
      throw LabError(
        .badData, "the parts of the model do not hold all its tensors",
        at: "\(paths[0]): split.tensors.count", expected: "\(expected) in \(count) parts",
        got: "\(found)", advice: "parts of different models were mixed; get all of them again")
    }
    return parts
  }

  private static func number(_ key: String, _ part: Part) -> Int? {
    part.header.keys[key].flatMap { part.header.metadata[$0].value.integer }
  }

  /// Says that what stands before the tensors will not be read soon: a vocabulary takes megabytes.
  package func releaseHeader() {
    for part in parts { part.file.release(0..<part.header.dataOffset) }
  }

  /// The value of `key`, or nil.
  public subscript(key: String) -> GGUFValue? {
    parts[0].header.keys[key].map { metadata[$0].value }
  }

  /// The tensor called `name`, or nil.
  public func info(_ name: String) -> TensorInfo? { numbers[name].map { tensors[$0] } }

  /// The number of type (`enum ggml_type`) that the file has for tensor `name`; nil where there is
  /// none. Several numbers have more than one meaning: `info(_:)` says which one holds here.
  public func typeID(_ name: String) -> UInt32? {
    numbers[name].map { parts[places[$0].part].header.typeIDs[places[$0].index] }
  }

  /// The bytes of `name`; valid while this value lives.
  public func bytes(_ name: String) throws -> UnsafeRawBufferPointer {
    guard let index = numbers[name] else { throw missingTensor(name) }
    return try parts[places[index].part].file.bytes(
      offset(ofTensor: index)..<offset(ofTensor: index) + tensors[index].byteCount)
  }

  /// Gives the pages of a part of `name` back; they are read from the file again when needed.
  public func release(_ name: String, _ range: Range<Int>) {
    guard let index = numbers[name] else { return }
    let start = offset(ofTensor: index)
    parts[places[index].part].file.release(
      start + range.lowerBound..<start + min(range.upperBound, tensors[index].byteCount))
  }

  /// Where the data of tensor number `index` begin in its file, in bytes.
  public func offset(ofTensor index: Int) -> Int {
    parts[places[index].part].header.offsets[places[index].index]
  }
}
