import TritCore

/// Opens whatever holds tensors, by what it is and not by what it is called.
public enum TensorFile {
  /// Opens a GGUF file, a safetensors file, the index of a sharded one, or a folder with either.
  /// Throws `missingInput` where there is nothing, `badData` where it is none of these.
  public static func open(_ path: String) throws -> any TensorSource {
    if FileKind(at: path) == .folder { return try openFolder(path) }
    if path.hasSuffix(".safetensors.index.json") { return try ShardedSafetensors(path: path) }
    let file = try MappedFile(path)
    let isGGUF = file.span.withUnsafeBytes { $0.prefix(4).elementsEqual("GGUF".utf8) }
    // A safetensors file begins with the length of its header, far below the number that these are.
    if isGGUF || path.hasSuffix(".gguf") {
      return try GGUFFile(path: path)
    }
    return try SafetensorsFile(path: path)
  }

  private static func openFolder(_ path: String) throws -> any TensorSource {
    do {
      return try Safetensors.open(directory: path)
    } catch let error as LabError where error.kind == .missingInput {
      let listing = try FolderListing(path)
      let files = listing.names.filter { $0.hasSuffix(".gguf") }
      guard !files.isEmpty else { throw error }
      if let part = ModelPart(fileName: files[0]), Set(part.all) == Set(files) {
        return try GGUFFile(path: path + "/" + part.name(1))
      }
      guard files.count == 1 else {
        throw LabError(
          .missingInput, "the folder holds several GGUF files", at: path, expected: "one",
          got: files.joined(separator: ", "), advice: "name one of them")
      }
      return try GGUFFile(path: path + "/" + files[0])
    }
  }
}
