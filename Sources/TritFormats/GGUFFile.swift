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
  private var places: [Place] { model.places }
  private var numbers: [String: Int] { model.numbers }

  /// All of it. A class, since an array of mapped files could be given up after its last use, while
  /// pointers to their bytes are still read: "valid while this value lives" is a variable's scope.
  private final class Model: Sendable {
    let parts: [Part]
    let tensors: [TensorInfo]
    /// Where each lies, in the order of `tensors`.
    let places: [Place]
    let numbers: [String: Int]

    init(
      parts: [Part], tensors: [TensorInfo], places: [Place], numbers: [String: Int]
    ) { (self.parts, self.tensors, self.places, self.numbers) = (parts, tensors, places, numbers) }
  }

  /// Where a tensor lies: the file, its number there, and how many bytes of it stand in front, for
  /// one that is some rows of another.
  private struct Place: Sendable {
    var part: Int
    var index: Int
    var skip = 0
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
    var places: [Place] = []
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
        places.append(Place(part: number, index: index))
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
    parts[places[index].part].header.offsets[places[index].index] + places[index].skip
  }

  // MARK: Rows of a tensor under names of their own

  private init(_ file: GGUFFile, _ model: Model) {
    path = file.path
    i2sLayout = file.i2sLayout
    self.model = model
  }

  /// The same file, with other tensors in place of some: those of `parts[name]` are the rows of
  /// `name`, in order, as many as each says. Throws `badData` where they are not all of them, and
  /// for types whose rows have no bytes of their own.
  package func splitting(_ parts: [String: [(name: String, rows: Int)]]) throws -> GGUFFile {
    guard !parts.isEmpty else { return self }
    var tensors: [TensorInfo] = []
    var places: [Place] = []
    for (number, info) in self.tensors.enumerated() {
      guard let wanted = parts[info.name] else {
        tensors.append(info)
        places.append(self.places[number])
        continue
      }
      let rows = info.shape.first ?? 0
      guard wanted.reduce(0, { $0 + $1.rows }) == rows, wanted.allSatisfy({ $0.rows > 0 }) else {
        throw LabError(
          .badData, "tensor '\(info.name)' has the wrong shape", at: path,
          expected: wanted.map { "\($0.rows) rows of \($0.name)" }.joined(separator: ", "),
          got: "\(info.shape)", advice: "configuration and weights do not belong together")
      }
      let columns = info.shape.dropFirst().reduce(1, *)
      guard let block = info.type.block, columns.isMultiple(of: block.elements) else {
        throw LabError(
          .badData, "tensor '\(info.name)' of type \(info.type.name) cannot be parted by rows",
          at: path, expected: "a type whose rows have bytes of their own",
          got: "\(info.type.name) \(info.shape)",
          advice: "convert the model with \(wanted.map(\.name).joined(separator: ", ")) apart")
      }
      let rowBytes = columns / block.elements * block.bytes
      var place = self.places[number]
      for part in wanted {
        tensors.append(
          TensorInfo(
            name: part.name, type: info.type, shape: [part.rows] + info.shape.dropFirst(),
            byteCount: part.rows * rowBytes))
        places.append(place)
        place.skip += part.rows * rowBytes
      }
    }
    var numbers: [String: Int] = [:]
    for (number, info) in tensors.enumerated() {
      guard numbers.updateValue(number, forKey: info.name) == nil else {
        throw LabError(
          .badData, "tensor '\(info.name)' is there twice, alone and as rows of another", at: path,
          expected: "one of them", advice: "convert the model again")
      }
    }
    return GGUFFile(
      self, Model(parts: model.parts, tensors: tensors, places: places, numbers: numbers))
  }
}
