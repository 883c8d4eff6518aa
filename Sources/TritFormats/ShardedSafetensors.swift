import TritCore

/// A checkpoint in several safetensors files, listed by `model.safetensors.index.json`.
///
/// The index's `weight_map` says which file each tensor is in; it and the files must agree exactly.
/// File names that lead out of the index's folder are refused.
public struct ShardedSafetensors: TensorSource, MappedSource {
  /// Where the index is.
  public let path: String
  /// All tensors, file after file in the order in which the index first names them.
  public var tensors: [TensorInfo] { model.tensors }
  /// The strings of all files' `__metadata__`; the first file that has a key wins.
  public let metadata: [String: String]
  /// The files, in the order of `tensors`.
  public var shards: [SafetensorsFile] { model.shards }
  package var mappedFiles: [MappedFile] { shards.flatMap(\.mappedFiles) }
  private let model: Model

  /// All of it. A class, since an array of mapped files could be given up after its last use, while
  /// pointers to their bytes are still read: "valid while this value lives" is a variable's scope.
  private final class Model: Sendable {
    let shards: [SafetensorsFile]
    let shardOf: [String: Int]
    let tensors: [TensorInfo]

    init(_ shards: [SafetensorsFile], _ shardOf: [String: Int]) {
      self.shards = shards
      self.shardOf = shardOf
      tensors = shards.flatMap(\.tensors)
    }
  }

  /// Opens the index at `path` and every file that it names.
  public init(path: String) throws {
    self.path = path
    let index = try JSONReader.readFile(path, limit: .index)
    guard let map = index["weight_map"]?.object else {
      throw LabError(
        .badData, "no weight_map", at: path, expected: "an object: tensor name to file name")
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    try Self.checkPresence(map.compactMap(\.value.string), folder: folder, path: path)
    var shards: [SafetensorsFile] = []
    var numbers: [String: Int] = [:]
    var shardOf: [String: Int] = [:]
    for (tensor, value) in map {
      guard let name = value.string else {
        throw LabError(.badData, "weight_map '\(tensor)' is no file name", at: path)
      }
      let number: Int
      if let known = numbers[name] {
        number = known
      } else {
        try Self.check(fileName: name, path: path)
        number = shards.count
        shards.append(try SafetensorsFile(path: folder + name))
        numbers[name] = number
      }
      guard shards[number].info(tensor) != nil else {
        throw LabError(
          .badData, "tensor '\(tensor)' is not in \(name), where the index has it", at: path,
          advice: "the index and the files are of different versions; get both again")
      }
      guard shardOf.updateValue(number, forKey: tensor) == nil else {
        throw LabError(.badData, "two tensors are called '\(tensor)'", at: path)
      }
    }
    for (number, shard) in shards.enumerated() {
      for info in shard.tensors where shardOf[info.name] != number {
        throw LabError(
          .badData,
          "tensor '\(info.name)' is in \(shard.path), but the index does not have it there",
          at: path, advice: "the index and the files are of different versions; get both again")
      }
    }
    model = Model(shards, shardOf)
    metadata = shards.map(\.metadata).reduce(into: [:]) { $0.merge($1) { first, _ in first } }
  }

  /// Throws where files that the index names are not there: all of them at once, with how to get
  /// them.
  private static func checkPresence(_ names: [String], folder: String, path: String) throws {
    var seen: Set<String> = []
    var missing: [String] = []
    for name in names where seen.insert(name).inserted {
      try check(fileName: name, path: path)
      switch FileKind(at: folder + name) {
      case .absent: missing.append(name)
      case .danglingLink: throw LabError.noFile(folder + name)
      default: break
      }
    }
    guard !missing.isEmpty else { return }
    let repository = HuggingFaceCache.repository(of: path)
    throw LabError(
      .missingInput, "shards of the checkpoint are missing", at: path,
      expected: "\(seen.count) files beside the index",
      got: "\(seen.count - missing.count) of them; \(Safetensors.list(missing)) missing",
      advice: "get them with: hf download \(repository ?? "ORG/NAME") "
        + missing.prefix(3).joined(separator: " ") + (missing.count > 3 ? " …" : "")
        + (repository == nil ? " --local-dir \(folder.isEmpty ? "." : folder)" : ""))
  }

  private static func check(fileName name: String, path: String) throws {
    let usual = name.hasSuffix(".safetensors") && !name.hasPrefix(".")
    guard usual, !name.utf8.contains(where: { $0 == 0x2f || $0 == 0x5c || $0 < 0x20 }) else {
      throw LabError(
        .badData, "the index names a file that is refused: '\(name)'", at: path,
        expected: "the name of a .safetensors file in the same folder")
    }
  }

  /// The tensor called `name`, or nil.
  public func info(_ name: String) -> TensorInfo? {
    model.shardOf[name].flatMap { model.shards[$0].info(name) }
  }

  /// The bytes of `name`; valid while this value lives.
  public func bytes(_ name: String) throws -> UnsafeRawBufferPointer {
    guard let number = model.shardOf[name] else { throw missingTensor(name) }
    return try model.shards[number].bytes(name)
  }
}
